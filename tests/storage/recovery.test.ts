// Opening what a crash, a failing disk or an interrupted compaction left behind; and what a log does while its disk fails.
import { describe, expect, test } from 'vitest'
import * as header from '../../protocol/records/batch.ts'
import type { CrashFiles } from '../../storage/files-crash.ts'
import { crashFiles } from '../../storage/files-crash.ts'
import { memoryFiles } from '../../storage/files-memory.ts'
import type { Files } from '../../storage/files.ts'
import { verifyFolder } from '../../storage/inspect-verify.ts'
import type { Log } from '../../storage/log.ts'
import { logFile, offsetIndexFile, timeIndexFile } from '../../storage/names.ts'
import { append, batchOf, config, contents, idempotent, NOW, openLog } from './log-fixtures.ts'

const small = config({ segmentBytes: 500, indexIntervalBytes: 100 })
const path = (name: string) => `topic-0/${name}`

/** Thirty records of one producer in several segments, closed in order. */
async function filled(files: Files): Promise<{ bases: number[]; all: [number, string][] }> {
  const log = openLog(files, { config: small })
  for (let n = 0; n < 30; n++) append(log, idempotent(1, 0, n), NOW + n)
  const all = contents(log)
  await log.close(true)
  return { bases: basesOf(files), all }
}

const basesOf = (files: Files) =>
  files
    .list('topic-0')
    .filter(name => name.endsWith('.log'))
    .map(name => Number(name.slice(0, 20)))

const reopen = (files: Files, o: Parameters<typeof openLog>[1] = {}) =>
  openLog(files, { config: small, cleanShutdown: false, ...o })

function spoil(files: Files, name: string, change: (data: Buffer) => Buffer | void): void {
  const data = files.readAll(path(name))
  files.writeAtomic(path(name), change(data) ?? data)
}

const healthy = (files: Files, log: Log, expected: [number, string][]) => {
  expect(contents(log)).toEqual(expected)
  expect(log.logEndOffset).toBe((expected.at(-1)?.[0] ?? -1) + 1)
  expect(verifyFolder(files, 'topic-0').filter(problem => !problem.includes('.deleted'))).toEqual([])
  const sequence = log.logEndOffset
  expect(append(log, idempotent(1, 0, sequence))).toMatchObject({ firstOffset: sequence, duplicate: false })
}

describe('a torn end', () => {
  test.each<[string, (data: Buffer) => Buffer | void]>([
    ['cut in a batch', data => data.subarray(0, data.length - 7)],
    ['cut in a header', data => data.subarray(0, data.length - 60)],
    ['zeros behind it', data => Buffer.concat([data.subarray(0, data.length - 7), Buffer.alloc(500)])],
    ['a flipped bit', data => void (data[data.length - 3]! ^= 1)],
    ['a length that reaches beyond', data => void data.writeInt32BE(1e9, data.length - 76 + 8)],
  ])('%s: everything before it is kept', async (_, change) => {
    const files = memoryFiles()
    const { bases, all } = await filled(files)
    spoil(files, logFile(bases.at(-1)!), change)
    const log = reopen(files)
    const lost = all.length - log.logEndOffset
    expect(lost).toBe(1)
    healthy(files, log, all.slice(0, -1))
  })

  test('is cut even where the last stop was said to be clean', async () => {
    for (const change of [
      (data: Buffer) => data.subarray(0, data.length - 7),
      (data: Buffer) => Buffer.concat([data, data]),
    ]) {
      const files = memoryFiles()
      const { bases, all } = await filled(files)
      spoil(files, logFile(bases.at(-1)!), data => change(data.subarray(0, [...header.batchesOf(data)][1])))
      const log = reopen(files, { cleanShutdown: true, recoveryPoint: 30 })
      const left = contents(log)
      expect(left).toEqual(all.slice(0, left.length))
      expect(left.length).toBeGreaterThanOrEqual(bases.at(-1)!)
    }
  })

  test('in an older segment: later ones go, and are deleted after the delay', async () => {
    const files = memoryFiles()
    const { bases, all } = await filled(files)
    spoil(files, logFile(bases[1]!), data => void (data[data.length - 1]! ^= 1))
    const log = reopen(files)
    healthy(files, log, all.slice(0, bases[2]! - 1))
    expect(basesOf(files)).toEqual(bases.slice(0, 2))
    expect(files.list('topic-0').filter(name => name.endsWith('.deleted')).length).toBeGreaterThan(5)
    expect(log.deletePendingFiles(NOW + small.fileDeleteDelayMs)).toBeGreaterThan(5)
    expect(files.list('topic-0').filter(name => name.endsWith('.deleted'))).toEqual([])
  })

  test('bytes below the recovery point are trusted', async () => {
    const files = memoryFiles()
    const { bases, all } = await filled(files)
    spoil(files, logFile(bases[0]!), data => void (data[data.length - 1]! ^= 1))
    expect(reopen(files, { recoveryPoint: 30 }).logEndOffset).toBe(all.length)
  })

  test('a whole batch that is missing at the end of a segment: later ones go, unless the topic is compacted', async () => {
    for (const compact of [false, true]) {
      const files = memoryFiles()
      const { bases, all } = await filled(files)
      spoil(files, logFile(bases[1]!), data => data.subarray(0, [...header.batchesOf(data)].at(-1)))
      const log = reopen(files, { config: { ...small, cleanupPolicy: { compact, delete: !compact } } })
      expect(log.logEndOffset).toBe(compact ? all.length : bases[2]! - 1)
    }
  })
})

describe('the indexes of a sealed segment', () => {
  const found = (log: Log) => [
    log.offsetForTimestamp(NOW + 1)?.offset,
    log.maxTimestamp()?.offset,
    log.offsetForTimestamp(NOW + 9)?.offset ?? null,
  ]

  test.each([
    ['before their sync: the segment below the recovery point is scanned as well', false],
    ['after it: they are trusted', true],
  ])('a crash %s', async (_, isSynced) => {
    const files = crashFiles()
    const log = openLog(files)
    for (let n = 0; n < 3; n++) append(log, batchOf(1, 'v', { timestamp: NOW + n }))
    await log.sync()
    log.roll(NOW)
    if (isSynced) {
      append(log, batchOf(1, 'v', { timestamp: NOW }))
      await log.sync()
    }
    const recoveryPoint = log.syncedOffset
    expect(recoveryPoint).toBe(isSynced ? 4 : 3)
    // The names of both folders survive, of what was written nothing.
    let asked = 0
    files.crash(choices => (asked++ < 2 ? choices - 1 : 0))
    const again = openLog(files, { cleanShutdown: false, recoveryPoint })
    expect(again.segmentCount).toBe(2)
    expect(found(again)).toEqual([1, 2, null])
  })
})

describe('files that are missing, damaged or left over', () => {
  test('indexes of any segment are made anew, clean or not', async () => {
    for (const cleanShutdown of [true, false]) {
      const files = memoryFiles()
      const { bases, all } = await filled(files)
      const before = [offsetIndexFile, timeIndexFile].map(name => files.readAll(path(name(bases[1]!))))
      files.remove(path(offsetIndexFile(bases[0]!)))
      files.remove(path(timeIndexFile(bases[1]!)))
      spoil(files, offsetIndexFile(bases.at(-1)!), data => Buffer.concat([data, Buffer.from([1, 2, 3])]))
      const log = reopen(files, { cleanShutdown, recoveryPoint: 30 })
      healthy(files, log, all)
      const after = [offsetIndexFile, timeIndexFile].map(name => files.readAll(path(name(bases[1]!))))
      expect(after).toEqual(before)
      expect(log.offsetForTimestamp(NOW)?.offset).toBe(0)
    }
  })

  test('an index without its log goes', async () => {
    const files = memoryFiles()
    const { all } = await filled(files)
    for (const name of [offsetIndexFile(77), timeIndexFile(77)]) files.writeAtomic(path(name), Buffer.alloc(24))
    healthy(files, reopen(files, { cleanShutdown: true, recoveryPoint: 30 }), all)
    expect(files.list('topic-0').filter(name => name.includes('77'))).toEqual([])
  })

  test('damaged snapshots are removed, and the log replayed instead', async () => {
    const files = memoryFiles()
    const { all } = await filled(files)
    for (const name of files.list('topic-0')) {
      if (name.endsWith('.snapshot')) spoil(files, name, data => void (data[data.length - 1]! ^= 1))
    }
    healthy(files, reopen(files, { cleanShutdown: true, recoveryPoint: 30 }), all)
  })

  test('a lost leader epoch file is written anew from the batches', async () => {
    const files = memoryFiles()
    const log = openLog(files, { config: small })
    for (let n = 0; n < 20; n++) {
      log.append(batchOf(1), { leaderEpoch: n >>> 3, now: NOW, origin: 'client' })
    }
    await log.close(true)
    const before = files.readAll(path('leader-epoch-checkpoint'))
    spoil(files, 'leader-epoch-checkpoint', () => Buffer.from('0\n9\nrubbish\n'))
    const again = openLog(files, { config: small, recoveryPoint: 20 })
    expect(again.endOffsetForEpoch(1)).toEqual({ epoch: 1, endOffset: 16 })
    expect(files.readAll(path('leader-epoch-checkpoint'))).toEqual(before)
  })

  test('.deleted, .cleaned and temporary files go; snapshots of the metadata log are not ours', async () => {
    const files = memoryFiles()
    const { all } = await filled(files)
    const left = ['00000000000000000099.log.deleted', '00000000000000000099.log.cleaned', 'leader-epoch-checkpoint.tmp']
    const kept = '00000000000000000099-0000000001.checkpoint.deleted'
    for (const name of [...left, kept]) files.writeAtomic(path(name), Buffer.from('x'))
    healthy(files, reopen(files), all)
    expect(files.list('topic-0').filter(name => name.includes('99') || name.endsWith('.tmp'))).toEqual([kept])
  })

  test('a finished compaction (.swap) takes the place of the segments it covers', async () => {
    const files = memoryFiles()
    const { bases, all } = await filled(files)
    // The second segment without its first batch, as a cleaner would write it.
    const [from, to] = [bases[1]!, bases[2]!]
    const old = files.readAll(path(logFile(from)))
    const kept = old.subarray(12 + old.readInt32BE(8))
    const rest = () => all.filter(([offset]) => offset !== from)
    files.writeAtomic(path(`${logFile(from)}.swap`), kept)
    const compacted = { ...small, cleanupPolicy: { compact: true, delete: false } }
    const log = reopen(files, { config: compacted })
    expect(contents(log)).toEqual(rest())
    expect(basesOf(files)).toEqual(bases)
    expect(contents(log, from)[0]![0]).toBe(from + 1)
    expect(to).toBeGreaterThan(from + 1)
    expect(verifyFolder(files, 'topic-0')).toEqual([])
  })

  test('a .swap file beside a .cleaned one belongs to a split that did not finish, and goes', async () => {
    const files = memoryFiles()
    const { bases, all } = await filled(files)
    files.writeAtomic(path(`${logFile(bases[1]!)}.swap`), Buffer.from('half'))
    files.writeAtomic(path(`${logFile(bases[0]!)}.cleaned`), Buffer.from('half'))
    healthy(files, reopen(files), all)
  })

  test('a log that ends before its start: files were taken away, it begins anew where it should', async () => {
    const files = memoryFiles()
    await filled(files)
    const log = reopen(files, { cleanShutdown: true, logStartOffset: 100 })
    expect([log.logStartOffset, log.logEndOffset, basesOf(files)]).toEqual([100, 100, [100]])
    expect(append(log, batchOf(1)).firstOffset).toBe(100)
  })

  test('a start inside a segment', async () => {
    const files = memoryFiles()
    const { all } = await filled(files)
    const log = reopen(files, { cleanShutdown: true, recoveryPoint: 30, logStartOffset: 13 })
    expect(contents(log)).toEqual(all.slice(13))
    expect(() => log.read(12, { maxBytes: 1, maxOffset: 30, minOneBatch: true })).toThrow('13 to 30')
  })
})

describe('a disk that fails', () => {
  const failing = (): { files: CrashFiles; log: Log; told: string[] } => {
    const files = crashFiles()
    const told: string[] = []
    const log = openLog(files, { onError: error => told.push(error.message) })
    return { files, log, told }
  }

  test('no acks=all answer before its sync: while syncs are held back nothing moves', async () => {
    const { files, log } = failing()
    append(log, batchOf(1))
    const release = files.holdSyncs()
    let done = false
    const syncing = log.sync().then(() => (done = true))
    for (let n = 0; n < 50; n++) await Promise.resolve()
    expect([done, log.writtenOffset, log.syncedOffset]).toEqual([false, 1, 0])
    append(log, batchOf(1))
    release()
    await syncing
    // What came after the round began is not part of it.
    expect([done, log.syncedOffset, log.logEndOffset]).toEqual([true, 1, 2])
  })

  test('a failed sync is told once, and never repeated', async () => {
    const { files, log, told } = failing()
    append(log, batchOf(1))
    await log.sync()
    append(log, batchOf(1))
    log.write()
    files.failAt(1, { code: 'EIO' })
    const waiting = [log.sync(), log.sync()]
    for (const result of await Promise.allSettled(waiting)) expect(result).toMatchObject({ reason: { code: 56 } })
    await expect(log.sync()).rejects.toThrow('offline')
    expect([log.syncedOffset, told.length, log.offline?.message]).toEqual([1, 1, told[0]])
    expect(() => append(log, batchOf(1))).toThrow('offline')
    expect(() => log.read(0, { maxBytes: 1, maxOffset: 2, minOneBatch: true })).toThrow('offline')
    expect([log.flushDue(NOW), log.applyRetention(NOW), log.deletePendingFiles(NOW)]).toEqual([false, 0, 0])
    await log.close(true)
    files.kill()
    expect(contents(reopen(files))).toHaveLength(2)
  })

  test('a write that fails during a sync spoils that sync', async () => {
    const { files, log } = failing()
    append(log, batchOf(1))
    await log.sync()
    append(log, batchOf(1))
    log.write()
    const release = files.holdSyncs()
    const syncing = log.sync()
    append(log, batchOf(1))
    files.failAt(1, { code: 'ENOSPC', partial: true })
    expect(() => log.write()).toThrow('offline')
    release()
    await expect(syncing).rejects.toThrow('offline')
    expect(log.syncedOffset).toBe(1)
    files.kill()
    expect(contents(reopen(files))).toHaveLength(2)
  })

  test('a truncation during a sync takes its promise back', async () => {
    const { files, log } = failing()
    for (let n = 0; n < 5; n++) append(log, batchOf(1))
    const release = files.holdSyncs()
    const syncing = log.sync()
    log.truncateTo(2, NOW)
    append(log, batchOf(4))
    log.write()
    release()
    await syncing
    expect([log.syncedOffset, log.writtenOffset]).toEqual([2, 6])
  })

  test('a close waits for the sync under way', async () => {
    const { files, log } = failing()
    append(log, batchOf(1))
    const release = files.holdSyncs()
    const syncing = log.sync()
    const closing = log.close(true)
    release()
    await Promise.all([syncing, closing])
    expect(log.syncedOffset).toBe(1)
    files.crash(() => 0)
    expect(openLog(files, { recoveryPoint: 1 }).logEndOffset).toBe(1)
  })
})
