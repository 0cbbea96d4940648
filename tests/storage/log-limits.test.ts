// What a client cannot make a log do: keep memory without end, decompress without end, or go offline by reading.
import { describe, expect, test } from 'vitest'
import * as header from '../../protocol/records/batch.ts'
import { encodeBatch } from '../../protocol/records/record.ts'
import { Arena } from '../../storage/arena.ts'
import type { Files } from '../../storage/files.ts'
import { memoryFiles } from '../../storage/files-memory.ts'
import type { Log } from '../../storage/log.ts'
import { readBuffersOf } from '../../storage/read-buffers.ts'
import { append, batchOf, config, NOW, openLog } from './log-fixtures.ts'

const KIB = 1024

/** A batch of about `size` bytes. */
const batchOfBytes = (size: number): Buffer =>
  encodeBatch({ timestamp: NOW, records: [{ key: null, value: Buffer.alloc(size - 80, 1) }] })

/** A log that has to read its files, since it was just opened. */
function coldLog(batches: readonly Buffer[], arena = new Arena(), files: Files = memoryFiles()): Log {
  const log = openLog(files)
  for (const batch of batches) append(log, batch)
  log.write()
  return openLog(files, { arena, cleanShutdown: false })
}

describe('memory of reads', () => {
  const all = { maxOffset: Infinity, minOneBatch: true, maxBytes: 50 * 1024 * KIB }
  const sixty = Array.from({ length: 60 }, () => batchOfBytes(16_000))

  test('readers that keep what they get come to the end of the budget, never to an error', () => {
    const arena = new Arena({ readBytes: 4096 * KIB })
    const log = coldLog(sixty, arena)
    const buffers = readBuffersOf(arena)
    const sizes: number[] = []
    const held = Array.from({ length: 100 }, () => {
      const records = log.read(0, { ...all, budgeted: true })
      sizes.push(records.byteLength)
      return records
    })
    expect(sizes[0]).toBe(60 * sixty[0]!.length)
    expect(sizes[2]).toBe(sizes[0])
    // In the last quarter, 1 MiB, one batch each; then nothing.
    expect(sizes.slice(3, 67)).toEqual(Array.from({ length: 64 }, () => sixty[0]!.length))
    expect(new Set(sizes.slice(67))).toEqual(new Set([0]))
    expect(buffers.heldBytes).toBe(4096 * KIB)
    expect(log.read(0, { ...all, minOneBatch: false, budgeted: true }).byteLength).toBe(0)
    // The broker's own reads do not depend on clients.
    const own = log.read(0, all)
    expect(own.byteLength).toBe(sizes[0])
    own.release()
    for (const records of held) records.release()
    for (const records of held) records.release()
    expect(buffers.heldBytes).toBe(0)
    expect(log.read(0, { ...all, budgeted: true }).byteLength).toBe(sizes[0])
  })

  test('a read keeps no more than about twice what it gives', () => {
    const arena = new Arena()
    const log = coldLog(sixty, arena)
    const records = log.read(0, { ...all, maxOffset: 1 })
    expect(records.byteLength).toBe(sixty[0]!.length)
    expect(readBuffersOf(arena).heldBytes).toBe(16 * KIB)
  })

  test('a read that fails keeps nothing', () => {
    const arena = new Arena()
    const files = memoryFiles()
    const log = coldLog(sixty, arena, files)
    // The second batch's magic: the search for the first one does not come by.
    const file = files.open('topic-0/00000000000000000000.log', 'write')
    file.writeAt(Buffer.of(9), sixty[0]!.length + 16)
    expect(() => log.read(0, all)).toThrow('The record batch is damaged')
    expect([readBuffersOf(arena).heldBytes, log.offline]).toEqual([0, null])
  })
})

describe('reads that fail', () => {
  /** Files whose opens fail with `error` while it is set. */
  function failing(): { files: Files; fault: { error: Error | null } } {
    const files = memoryFiles()
    const fault: { error: Error | null } = { error: null }
    const open: Files['open'] = (path, mode) => {
      if (fault.error !== null) throw fault.error
      return files.open(path, mode)
    }
    return { files: { ...files, open }, fault }
  }
  const o = { maxOffset: Infinity, minOneBatch: true, maxBytes: 1000 }
  const small = config({ segmentBytes: 2 * batchOf(1).length })

  function logOf(files: Files): Log {
    const log = openLog(files, { config: small })
    for (let n = 0; n < 10; n++) append(log, batchOf(1))
    log.write()
    return openLog(files, { config: small, cleanShutdown: true })
  }

  test('for want of descriptors or memory are to be asked again', () => {
    const { files, fault } = failing()
    const log = logOf(files)
    for (const code of ['EMFILE', 'ENFILE', 'ENOMEM']) {
      fault.error = Object.assign(new Error(`${code}: no more`), { code })
      expect(() => log.read(0, o)).toThrow(`topic-0 cannot be read just now: ${code}: no more`)
      expect(() => log.offsetForTimestamp(NOW)).toThrow('cannot be read just now')
      expect(log.applyRetention(NOW)).toBe(0)
    }
    fault.error = null
    expect(log.offline).toBe(null)
    expect(log.read(0, o).byteLength).toBeGreaterThan(0)
  })

  test('for a reason of ours are no fault of the disk; what the disk reports is', () => {
    const { files, fault } = failing()
    const log = logOf(files)
    fault.error = new RangeError('Array buffer allocation failed')
    expect(() => log.read(0, o)).toThrow(fault.error)
    fault.error = Object.assign(new Error('wrong'), { code: 'ERR_ASSERTION' })
    expect(() => log.read(0, o)).toThrow(fault.error)
    expect(log.offline).toBe(null)
    fault.error = Object.assign(new Error('the disk'), { code: 'EIO' })
    expect(() => log.read(0, o)).toThrow('The disk of topic-0 failed')
    expect(log.offline).toBe(fault.error)
  })

  test('a descriptor that is missing for a write takes the log offline', () => {
    const { files, fault } = failing()
    const log = logOf(files)
    fault.error = Object.assign(new Error('no more'), { code: 'EMFILE' })
    expect(() => {
      append(log, batchOf(1))
      log.write()
    }).toThrow('The disk of topic-0 failed')
    expect(log.offline).toBe(fault.error)
  })
})

describe('lookups by time', () => {
  /** A batch whose header says that its last record is a second younger than it is. */
  function lying(size: number, records = 1): Buffer {
    const value = Buffer.alloc(size)
    const batch = encodeBatch({
      timestamp: NOW,
      codec: 1,
      records: Array.from({ length: records }, () => ({ key: null, value })),
    })
    header.setMaxTimestampAndType(batch, 0, NOW + 1000, 'CreateTime')
    return batch
  }

  test('open a bounded amount of batches that promise too much, then believe the next header', () => {
    const log = openLog(memoryFiles())
    const bomb = lying(20 << 20, 2)
    for (let n = 0; n < 8; n++) append(log, bomb)
    // One of 40 MiB was opened; the second would exceed 64 MiB.
    expect(log.offsetForTimestamp(NOW + 500)).toEqual({ offset: 2, timestamp: NOW + 1000, leaderEpoch: 0 })
    log.write()
    log.advanceLogStartOffset(5)
    expect(log.offsetForTimestamp(NOW + 500)?.offset).toBe(6)
  })

  test('count small batches, too', () => {
    const log = openLog(memoryFiles())
    const batch = lying(10)
    for (let n = 0; n < 4200; n++) append(log, batch)
    expect(log.offsetForTimestamp(NOW + 500)?.offset).toBe(4096)
  })

  test('do not open what an append would not have opened', () => {
    const log = openLog(memoryFiles(), { config: config({ maxMessageBytes: 64 * KIB }) })
    append(log, lying(10))
    append(log, lying(17 << 20))
    append(log, lying(10))
    log.write()
    log.advanceLogStartOffset(1)
    expect(log.offsetForTimestamp(NOW + 500)).toEqual({ offset: 1, timestamp: NOW + 1000, leaderEpoch: 0 })
    expect(log.offsetForTimestamp(NOW)?.offset).toBe(1)
    expect(log.offline).toBe(null)
  })
})
