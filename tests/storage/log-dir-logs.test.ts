// A log directory with real logs on the disk model: what was promised is there after any stop, and every file is as it should be.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Arena } from '../../storage/arena.ts'
import { crashFiles } from '../../storage/files-crash.ts'
import { memoryFiles } from '../../storage/files-memory.ts'
import type { Files } from '../../storage/files.ts'
import { verifyFolder } from '../../storage/inspect-verify.ts'
import { LogDir } from '../../storage/log-dir.ts'
import type { KnownLog } from '../../storage/log-dir.ts'
import { Log } from '../../storage/log.ts'
import { append, batchOf, config, contents, NOW } from './log-fixtures.ts'

const openDir = (files: Files) =>
  LogDir.open<Log>(files, { path: '/data', nodeId: 1, newId: () => 'AAAAAAAAAAAAAAAAAAAAAB' })

const openLogOn = (arena: Arena) => (known: KnownLog & { topicId?: string }) =>
  Log.open({ ...known, arena, now: NOW, config: config({ segmentBytes: 600, indexIntervalBytes: 100 }) })

const problems = (files: Files) =>
  ['', ...files.list('').filter(name => files.isFolder(name))].flatMap(folder => verifyFolder(files, folder))

describe('a directory of logs', () => {
  test('a clean stop: the next run finds everything, and every file is in order', async () => {
    const files = memoryFiles()
    const arena = new Arena()
    const first = openDir(files)
    const log = first.createLog('a', 0, openLogOn(arena))
    for (let n = 0; n < 20; n++) append(log, batchOf(3, `b${n}-`))
    const before = contents(log)
    await first.close(true, 4)
    expect(arena).toMatchObject({ pinnedBytes: 0 })
    expect(problems(files)).toEqual([])
    expect(files.list('a-0').filter(name => name.endsWith('.log')).length).toBeGreaterThan(2)

    const second = openDir(files)
    const again = second.openLog('a', 0, openLogOn(arena))
    expect(second).toMatchObject({ wasClean: true, previousBrokerEpoch: 4 })
    expect(again).toMatchObject({ logEndOffset: 60, syncedOffset: 60 })
    expect(contents(again)).toEqual(before)
  })

  test('a new log has no folder before its first record, and needs none', async () => {
    const files = crashFiles()
    const dir = openDir(files)
    const log = dir.createLog('a', 0, openLogOn(new Arena()))
    const before = files.calls
    log.assignLeaderEpoch(3, 0)
    await log.sync()
    expect(log.roll(NOW)).toBe(undefined)
    expect(log.applyRetention(NOW)).toBe(0)
    expect([log.maxTimestamp(), log.offsetForTimestamp(0), log.abortedTransactions(0, 1)]).toEqual([null, null, []])
    expect(log.endOffsetForEpoch(3)).toEqual({ epoch: 3, endOffset: 0 })
    expect(contents(log)).toEqual([])
    expect([files.calls - before, files.exists('a-0')]).toEqual([0, false])
    dir.deleteLog('a', 0)
    const again = dir.createLog('a', 0, openLogOn(new Arena()))
    await dir.close(true)
    expect([again.offline, files.exists('a-0')]).toEqual([null, false])
    expect(openDir(files).wasClean).toBe(true)
  })

  test.each([1, 20])(
    'folder and files made by a run that was killed after %d batches are as safe as any',
    async count => {
      const files = crashFiles()
      const killed = openDir(files).createLog('a', 0, openLogOn(new Arena()))
      for (let n = 0; n < count; n++) append(killed, batchOf(1))
      killed.write()
      files.kill()
      const log = openDir(files).openLog('a', 0, openLogOn(new Arena()))
      expect(log.logEndOffset).toBe(count)
      append(log, batchOf(1))
      log.write()
      await log.sync()
      files.crash(() => 0)
      expect(openDir(files).openLog('a', 0, openLogOn(new Arena())).logEndOffset).toBe(count + 1)
    },
  )

  test('crashes at any time: what was synced is there, in order, and the files are too', async () => {
    const step = fc.tuple(
      fc.constantFrom('append', 'append', 'append', 'write', 'sync', 'checkpoint', 'crash', 'kill', 'close'),
      fc.nat({ max: 1 }),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60, size: 'max' }),
        fc.infiniteStream(fc.nat({ max: 1_000_000 })),
        async (list, stream) => {
          const files = crashFiles()
          const arena = new Arena({ slabBytes: 1024, tailBytes: 4096 })
          const written: string[][] = [[], []]
          const safe = [0, 0]
          const wrong: string[] = []
          let dir = openDir(files)
          let stamp = 0
          const open = (partition: number) =>
            dir.log('a', partition) ??
            (dir.has('a', partition)
              ? dir.openLog('a', partition, openLogOn(arena))
              : dir.createLog('a', partition, openLogOn(arena)))
          const check = () => {
            for (const partition of [0, 1]) {
              const found = contents(open(partition)).map(([, value]) => value)
              const expected = written[partition] ?? []
              if (found.length < (safe[partition] ?? 0)) wrong.push(`lost: ${found.length} of ${safe[partition]}`)
              if (found.join() !== expected.slice(0, found.length).join()) wrong.push(`changed: ${found.join()}`)
              written[partition] = found
              safe[partition] = Math.min(safe[partition] ?? 0, found.length)
            }
          }
          for (const [kind, partition] of list) {
            const log = open(partition)
            if (kind === 'append') {
              append(log, batchOf(2, `s${stamp++}-`))
              written[partition]?.push(`s${stamp - 1}-0`, `s${stamp - 1}-1`)
            } else if (kind === 'write') log.write()
            else if (kind === 'sync') {
              log.write()
              await log.sync()
              safe[partition] = log.syncedOffset
            } else if (kind === 'checkpoint') dir.writeCheckpoints()
            else {
              if (kind === 'close') await dir.close(true)
              if (kind === 'close') for (const p of [0, 1]) safe[p] = written[p]?.length ?? 0
              if (kind === 'crash') files.crash(choices => (stream.next().value ?? 0) % choices)
              else files.kill()
              arena.clear()
              dir = openDir(files)
              check()
            }
          }
          for (const p of [0, 1]) open(p)
          await dir.close(true)
          expect(wrong).toEqual([])
          expect(problems(files)).toEqual([])
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('logs at rest', () => {
  const openTopic = (known: KnownLog) => openLogOn(new Arena())({ ...known, topicId: 'AAAAAAAAAAAAAAAAAAAAAg' })
  async function left(files: Files, epoch = 7) {
    const dir = openDir(files)
    const log = dir.createLog('a', 0, openTopic)
    for (let n = 0; n < 20; n++) append(log, batchOf(3, `b${n}-`))
    dir.createLog('b', 0, openTopic)
    const before = { contents: contents(log), size: log.sizeInBytes, segments: log.segmentCount }
    await dir.close(true, epoch)
    return before
  }

  test('after an orderly stop a folder is opened when it is needed, and not for another stop', async () => {
    const files = crashFiles()
    const before = await left(files)
    for (const _ of [1, 2]) {
      const dir = openDir(files)
      const log = dir.openLog('a', 0, openTopic)
      log.assignLeaderEpoch(3, log.logEndOffset)
      expect([log.isOpen, log.logEndOffset, log.logStartOffset, log.sizeInBytes]).toEqual([false, 60, 0, before.size])
      expect([log.applyRetention(NOW), log.flushDue(NOW), log.segmentCount]).toEqual([0, false, before.segments])
      const calls = files.calls
      await log.sync()
      await log.close(true)
      expect([files.calls - calls, log.isOpen]).toEqual([0, false])
      await dir.close(true, 8)
      expect(files.exists('b-0')).toBe(false)
    }
    const log = openDir(files).openLog('a', 0, openTopic)
    log.assignLeaderEpoch(3, log.logEndOffset)
    expect(contents(log)).toEqual(before.contents)
    expect([log.isOpen, log.latestEpoch, log.sizeInBytes]).toEqual([true, 3, before.size])
    expect(append(log, batchOf(1)).firstOffset).toBe(60)
    expect(log.sizeInBytes).toBeGreaterThan(before.size)
  })

  test('is opened for retention when it may have something to delete', async () => {
    const files = memoryFiles()
    await left(files)
    const open = (known: KnownLog) =>
      Log.open({ ...known, arena: new Arena(), now: NOW, config: config({ retentionMs: 1000 }) })
    const log = openDir(files).openLog('a', 0, open)
    expect([log.applyRetention(NOW + 1000), log.isOpen]).toEqual([0, false])
    expect(log.applyRetention(NOW + 1001)).toBeGreaterThan(0)
    expect(log.logStartOffset).toBeGreaterThan(0)
  })

  test.each([
    ['a crash', (files: Files) => files.remove('.kafka_cleanshutdown')],
    [
      'a run of another broker',
      (files: Files) => files.writeAtomic('.kafka_cleanshutdown', Buffer.from('{"brokerEpoch":9}')),
    ],
    ['a lost list', (files: Files) => files.remove('.odradek_logs')],
    [
      'a list that is cut off',
      (files: Files) => files.writeAtomic('.odradek_logs', files.readAll('.odradek_logs').subarray(0, -4)),
    ],
    ['another list', (files: Files) => files.writeAtomic('.odradek_logs', Buffer.from('1\n7\n0\n'))],
    ['other checkpoints', (files: Files) => files.remove('recovery-point-offset-checkpoint')],
  ])('after %s every folder is looked into', async (_name, change) => {
    const files = memoryFiles()
    const before = await left(files)
    change(files)
    const log = openDir(files).openLog('a', 0, openTopic)
    expect([log.isOpen, log.logEndOffset]).toEqual([true, 60])
    expect(contents(log)).toEqual(before.contents)
  })

  test('a folder that is not as it was left takes its partition offline, and deletes nothing', async () => {
    const files = memoryFiles()
    await left(files)
    const last = files
      .list('a-0')
      .filter(name => name.endsWith('.log'))
      .at(-1)!
    files.open(`a-0/${last}`, 'write').truncate(0)
    const log = openDir(files).openLog('a', 0, openTopic)
    expect(() => contents(log)).toThrow('offline')
    expect(log.offline?.message).toContain('it was left at 60')
  })
})
