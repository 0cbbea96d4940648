import { describe, expect, it } from 'vitest'
import { memoryFiles } from '../../storage/files-memory.ts'
import { append, batchOf, config, contents, NOW, openLog } from './log-fixtures.ts'

describe('append and read', () => {
  it('assigns offsets and reads back what was written, also after a clean restart', async () => {
    const files = memoryFiles()
    const log = openLog(files)
    expect(append(log, batchOf(3, 'a'))).toMatchObject({ firstOffset: 0, lastOffset: 2, duplicate: false })
    expect(append(log, batchOf(2, 'b'))).toMatchObject({ firstOffset: 3, lastOffset: 4 })
    expect([log.logEndOffset, log.writtenOffset, log.syncedOffset, log.dirty]).toEqual([5, 0, 0, true])
    log.write()
    expect([log.logEndOffset, log.writtenOffset, log.syncedOffset, log.dirty]).toEqual([5, 5, 0, false])
    await log.sync()
    expect(log.syncedOffset).toBe(5)
    const expected = [
      [0, 'a0'],
      [1, 'a1'],
      [2, 'a2'],
      [3, 'b0'],
      [4, 'b1'],
    ]
    expect(contents(log)).toEqual(expected)
    await log.close(true)
    const again = openLog(files, { recoveryPoint: 5 })
    expect(again.logEndOffset).toBe(5)
    expect(contents(again)).toEqual(expected)
    expect(contents(again, 1)).toEqual(expected)
  })
  it('rolls, recovers without a clean shutdown', async () => {
    const files = memoryFiles()
    const small = config({ segmentBytes: 1000, indexIntervalBytes: 200 })
    const log = openLog(files, { config: small })
    for (let n = 0; n < 100; n++) append(log, batchOf(3, `${n}-`), NOW + n)
    log.write()
    const before = contents(log)
    expect(before.length).toBe(300)
    expect(log.segmentCount).toBeGreaterThan(5)
    await log.close(false)
    const again = openLog(files, { config: small, cleanShutdown: false, recoveryPoint: 0 })
    expect(contents(again)).toEqual(before)
    for (let offset = 0; offset < 300; offset += 7)
      expect(contents(again, offset).length).toBeGreaterThanOrEqual(300 - offset)
  })
})
