// The log on a healthy disk: append, write, read, roll, cut, delete.
import { describe, expect, test } from 'vitest'
import * as header from '../../protocol/records/batch.ts'
import { ABORT, COMMIT, encodeTransactionMarker } from '../../protocol/records/control.ts'
import { Arena } from '../../storage/arena.ts'
import type { FileHandle, Files } from '../../storage/files.ts'
import { memoryFiles } from '../../storage/files-memory.ts'
import type { Log } from '../../storage/log.ts'
import { append, batchOf, config, contents, idempotent, MAX, NOW, openLog } from './log-fixtures.ts'

/** A file system that notes the calls of interest. */
function noting(files: Files, notes: string[]): Files {
  const note = (text: string) => void notes.push(text)
  const open = (path: string, mode: 'read' | 'write'): FileHandle => {
    note(`open ${path}`)
    const handle = files.open(path, mode)
    return {
      ...handle,
      append: parts => {
        note(`append ${path} in ${parts.length}`)
        handle.append(parts)
      },
      sync: () => {
        note(`sync ${path}`)
        return handle.sync()
      },
    }
  }
  return { ...files, open, syncDir: path => (note(`syncDir ${path}`), files.syncDir(path)) }
}

const read = (log: Log, offset: number, o: Partial<Parameters<Log['read']>[1]> = {}) =>
  log.read(offset, { maxBytes: 1e6, maxOffset: MAX, minOneBatch: false, ...o })

/** First and next offset of what a read returns. */
const span = (log: Log, offset: number, o: Partial<Parameters<Log['read']>[1]> = {}) => {
  const records = read(log, offset, o)
  records.release()
  return [records.firstOffset, records.nextOffset, records.byteLength]
}

describe('append', () => {
  test('stamps offset and leader epoch, outside the CRC, in its own copy', () => {
    const log = openLog(memoryFiles())
    append(log, batchOf(3))
    const sent = batchOf(2)
    const before = Buffer.from(sent)
    log.append(sent, { leaderEpoch: 7, now: NOW, origin: 'client' })
    expect(sent).toEqual(before)
    const [bytes] = read(log, 3).parts
    expect([header.baseOffset(bytes!, 0), header.partitionLeaderEpoch(bytes!, 0)]).toEqual([3, 7])
    expect(header.isCrcValid(bytes!, 0)).toBe(true)
    expect(bytes!.subarray(16)).toEqual(sent.subarray(16))
  })

  test('takes records in parts, and bytes inside a larger buffer', () => {
    const log = openLog(memoryFiles())
    const batch = batchOf(2)
    const parts = [batch.subarray(0, 50), batch.subarray(50)]
    log.append({ byteLength: batch.length, parts }, { leaderEpoch: 0, now: NOW, origin: 'client' })
    const larger = Buffer.concat([Buffer.alloc(13), batch, Buffer.alloc(5)])
    append(log, larger.subarray(13, 13 + batch.length + 5))
    expect(contents(log).map(([offset]) => offset)).toEqual([0, 1, 2, 3])
    expect(log.sizeInBytes).toBe(2 * batch.length)
  })

  test('LogAppendTime: type, time and CRC are set, and answered', () => {
    const log = openLog(memoryFiles(), { config: config({ timestampType: 'LogAppendTime' }) })
    expect(append(log, batchOf(2), NOW + 5).logAppendTime).toBe(NOW + 5)
    const [bytes] = read(log, 0).parts
    expect([header.timestampType(bytes!, 0), header.maxTimestamp(bytes!, 0)]).toEqual(['LogAppendTime', NOW + 5])
    expect(header.isCrcValid(bytes!, 0)).toBe(true)
    expect(append(openLog(memoryFiles()), batchOf(2)).logAppendTime).toBe(-1)
  })

  test('a batch sent twice gets the offsets of the first time, and is not stored', () => {
    const log = openLog(memoryFiles(), { config: config({ timestampType: 'LogAppendTime' }) })
    append(log, batchOf(4))
    append(log, idempotent(9, 0, 0, 3), NOW + 1)
    const again = append(log, idempotent(9, 0, 0, 3), NOW + 2)
    expect(again).toEqual({
      firstOffset: 4,
      lastOffset: 6,
      logAppendTime: NOW + 1,
      logStartOffset: 0,
      duplicate: true,
      byteLength: 0,
    })
    expect(log.logEndOffset).toBe(7)
    expect(() => append(log, idempotent(9, 0, 5))).toThrow('sequence 5, expected 3')
  })

  test('larger than a segment: RECORD_LIST_TOO_LARGE', () => {
    const log = openLog(memoryFiles(), { config: config({ segmentBytes: 100 }) })
    expect(() => append(log, batchOf(10))).toThrow('segment.bytes')
    expect(log.logEndOffset).toBe(0)
  })

  test('replication: offsets and epochs as they come, up to the epoch asked for; nothing if one batch is broken', () => {
    const log = openLog(memoryFiles())
    const batches = (of: [number, number][]) =>
      Buffer.concat(of.map(([baseOffset, leaderEpoch]) => batchOf(2, 'r', { baseOffset, leaderEpoch })))
    const replicate = (bytes: Buffer) => log.append(bytes, { leaderEpoch: 3, now: NOW, origin: 'replication' })
    const bytes = batches([
      [10, 1],
      [14, 3],
      [16, 4],
    ])
    expect(replicate(bytes)).toMatchObject({ firstOffset: 0, lastOffset: 15 })
    expect(contents(log).map(([offset]) => offset)).toEqual([10, 11, 14, 15])
    expect(log.endOffsetForEpoch(1)).toEqual({ epoch: 1, endOffset: 14 })
    expect(log.endOffsetForEpoch(2)).toEqual({ epoch: 1, endOffset: 14 })
    expect(log.endOffsetForEpoch(3)).toEqual({ epoch: 3, endOffset: 16 })
    expect(log.endOffsetForEpoch(4)).toEqual({ epoch: -1, endOffset: -1 })
    expect(() => replicate(batches([[12, 3]]))).toThrow('below 16')
    const broken = batches([
      [16, 3],
      [18, 3],
    ])
    broken[broken.length - 1]! ^= 1
    expect(() => replicate(broken)).toThrow('damaged')
    expect(log.logEndOffset).toBe(16)
  })

  test('transactions: markers of the coordinator end them, and the aborted ones are listed', () => {
    const log = openLog(memoryFiles())
    const open = (producerId: number, baseSequence: number) =>
      append(log, batchOf(2, 't', { producerId, producerEpoch: 0, baseSequence, isTransactional: true }))
    const end = (producerId: number, type: typeof ABORT | typeof COMMIT) =>
      log.append(encodeTransactionMarker({ type, producerId, producerEpoch: 0, coordinatorEpoch: 0, timestamp: NOW }), {
        leaderEpoch: 0,
        now: NOW,
        origin: 'coordinator',
      })
    open(1, 0)
    open(2, 0)
    end(1, ABORT)
    expect(log.producers.firstUndecidedOffset).toBe(2)
    end(2, COMMIT)
    expect(log.producers.firstUndecidedOffset).toBe(null)
    const aborted = { producerId: 1, firstOffset: 0, lastOffset: 4, lastStableOffset: 2 }
    expect(log.abortedTransactions(0, 6)).toEqual([aborted])
    expect(log.abortedTransactions(5, 6)).toEqual([])
  })
})

describe('write and sync', () => {
  test('everything queued is one call, neighbours in memory one part; indexes are not written on the way', () => {
    const notes: string[] = []
    const log = openLog(noting(memoryFiles(), notes), { config: config({ indexIntervalBytes: 1 }) })
    notes.length = 0
    for (let n = 0; n < 100; n++) append(log, batchOf(1))
    expect(notes).toEqual([])
    log.write()
    expect(notes).toEqual(['append topic-0/00000000000000000000.log in 1'])
    log.write()
    expect(notes).toHaveLength(1)
  })

  test('names first, then records; callers share rounds', async () => {
    const notes: string[] = []
    const log = openLog(noting(memoryFiles(), notes))
    append(log, batchOf(1))
    notes.length = 0
    const rounds = [log.sync(), log.sync(), log.sync()]
    append(log, batchOf(1))
    await rounds[0]
    expect(log.syncedOffset).toBe(1)
    await Promise.all(rounds)
    expect(log.syncedOffset).toBe(2)
    expect(notes.filter(note => note.startsWith('sync'))).toEqual([
      'syncDir ',
      'syncDir topic-0',
      'sync topic-0/00000000000000000000.log',
      'sync topic-0/00000000000000000000.log',
    ])
  })

  test('flush.messages and flush.ms', async () => {
    const log = openLog(memoryFiles(), { config: config({ flushMessages: 3, flushMs: 100 }) })
    append(log, batchOf(2))
    log.write()
    expect([log.flushIntervalReached, log.flushDue(NOW + 99), log.flushDue(NOW + 100)]).toEqual([false, false, true])
    append(log, batchOf(1))
    log.write()
    expect(log.flushIntervalReached).toBe(true)
    await log.sync()
    expect([log.flushIntervalReached, log.flushDue(NOW + 1000)]).toEqual([false, false])
    append(log, batchOf(1), NOW + 2000)
    log.write()
    expect([log.flushDue(NOW + 2099), log.flushDue(NOW + 2100)]).toEqual([false, true])
    // A sealed segment waits for nothing.
    await log.sync()
    append(log, batchOf(1), NOW + 2000)
    log.roll(NOW + 2000)
    expect(log.flushDue(NOW + 2000)).toBe(true)
    await log.sync()
    expect(log.flushDue(NOW + 2000)).toBe(false)
  })
})

describe('read', () => {
  const sizes = [3, 1, 5, 2]
  test.each(['memory', 'disk'])('from %s: whole batches around the offset, within the limits', where => {
    const files = memoryFiles()
    let log = openLog(files)
    for (const count of sizes) append(log, batchOf(count))
    log.write()
    if (where === 'disk') log = openLog(files)
    const [first, second] = [batchOf(3).length, batchOf(1).length]
    expect(span(log, 0)).toEqual([0, 11, log.sizeInBytes])
    expect(span(log, 2, { maxBytes: first })).toEqual([0, 3, first])
    expect(span(log, 0, { maxBytes: first + second - 1 })).toEqual([0, 3, first])
    expect(span(log, 0, { maxBytes: first + second })).toEqual([0, 4, first + second])
    expect(span(log, 6, { maxOffset: 9 })).toEqual([4, 9, batchOf(5).length])
    // Empty rather than half a batch, unless one is asked for.
    expect(span(log, 0, { maxBytes: first - 1 })[2]).toBe(0)
    expect(span(log, 0, { maxBytes: 0, minOneBatch: true })).toEqual([0, 3, first])
    expect(span(log, 6, { maxOffset: 8 })[2]).toBe(0)
    expect(span(log, 6, { maxOffset: 8, minOneBatch: true })[2]).toBe(0)
    expect(span(log, 6, { maxOffset: 6 })[2]).toBe(0)
    expect(span(log, 11)).toEqual([11, 11, 0])
    expect(() => read(log, 12)).toThrow('0 to 11')
    expect(() => read(log, -1)).toThrow('0 to 11')
    log.advanceLogStartOffset(5)
    expect(() => read(log, 4)).toThrow('5 to 11')
    expect(span(log, 5, { maxOffset: 9 })).toEqual([4, 9, batchOf(5).length])
  })

  test('what is queued is written before it is read, and only then', () => {
    const log = openLog(memoryFiles())
    append(log, batchOf(2))
    log.write()
    append(log, batchOf(2))
    expect(span(log, 0, { maxOffset: 2 }).slice(0, 2)).toEqual([0, 2])
    expect(log.dirty).toBe(true)
    expect(span(log, 0).slice(0, 2)).toEqual([0, 4])
    expect([log.dirty, log.writtenOffset]).toEqual([false, 4])
  })

  test('memory and disk give the same bytes, whatever the size of either, and all memory comes back', () => {
    const arena = new Arena({ slabBytes: 1024, tailBytes: 4096, pinnedBytes: 1e6 })
    const small = config({ segmentBytes: 3000, indexIntervalBytes: 300 })
    const files = memoryFiles()
    const log = openLog(files, { arena, config: small })
    for (let n = 0; n < 200; n++) append(log, batchOf(1 + (n % 7), `${n}-`, { codec: n % 2 }), NOW + n)
    log.write()
    const fromDisk = openLog(files, { config: small })
    const held = []
    for (let offset = 0; offset < log.logEndOffset; offset += 3) {
      for (const maxBytes of [1, 500, 5000]) {
        const o = { maxBytes, minOneBatch: true, maxOffset: log.logEndOffset }
        const [warm, disk] = [log.read(offset, o), fromDisk.read(offset, o)]
        expect([warm.firstOffset, disk.firstOffset <= offset]).toEqual([disk.firstOffset, true])
        const [a, b] = [Buffer.concat(warm.parts), Buffer.concat(disk.parts)]
        const common = Math.min(a.length, b.length)
        expect(a.subarray(0, common).equals(b.subarray(0, common))).toBe(true)
        expect(common).toBeGreaterThan(60)
        held.push(warm, disk)
      }
    }
    for (let n = 0; n < 100; n++) append(log, batchOf(5))
    log.write()
    for (const records of held) records.release()
    for (const records of held) records.release()
    expect(arena.pinnedBytes).toBe(0)
    expect(arena.hotBytes).toBeLessThanOrEqual(4096)
  })
})

describe('segments', () => {
  const bases = (files: Files) =>
    files
      .list('topic-0')
      .filter(name => name.endsWith('.log'))
      .map(name => Number(name.slice(0, 20)))

  test('roll by bytes: no segment is larger than segment.bytes', () => {
    const files = memoryFiles()
    const size = batchOf(3).length
    const log = openLog(files, { config: config({ segmentBytes: 3 * size }) })
    for (let n = 0; n < 7; n++) append(log, batchOf(3))
    expect(bases(files)).toEqual([0, 9, 18])
    expect(files.list('topic-0').filter(name => name.endsWith('.snapshot'))).toHaveLength(2)
  })

  test('roll by time: between the first batch and the one to come, by their timestamps', () => {
    const files = memoryFiles()
    const log = openLog(files, { config: config({ segmentMs: 1000 }) })
    const at = (timestamp: number, now = NOW) => append(log, batchOf(1, 'v', { timestamp }), now)
    at(5000)
    at(6000, NOW + 1e6)
    expect(log.segmentCount).toBe(1)
    at(6001)
    at(1)
    at(7001)
    expect(bases(files)).toEqual([0, 2])
    at(7002)
    expect(bases(files)).toEqual([0, 2, 5])
  })

  test('roll by time without timestamps: by the clock; with jitter: earlier', () => {
    const files = memoryFiles()
    const jittered = config({ segmentMs: 1000, segmentJitterMs: 400 })
    const log = openLog(files, { config: jittered, random: () => 0.5 })
    append(log, batchOf(1, 'v', { timestamp: -1 }), NOW + 100)
    append(log, batchOf(1, 'v', { timestamp: -1 }), NOW + 800)
    expect(log.segmentCount).toBe(1)
    append(log, batchOf(1, 'v', { timestamp: -1 }), NOW + 801)
    expect(log.segmentCount).toBe(2)
  })

  test('roll when an index is full', () => {
    const log = openLog(memoryFiles(), { config: config({ segmentIndexBytes: 48, indexIntervalBytes: 1 }) })
    for (let n = 0; n < 30; n++) append(log, batchOf(1, 'v', { timestamp: NOW + n }))
    expect(log.segmentCount).toBeGreaterThan(5)
    expect(contents(log)).toHaveLength(30)
  })

  test('roll when an offset is too far from the base', () => {
    const files = memoryFiles()
    const log = openLog(files)
    const far = 2 ** 31
    const replicate = (baseOffset: number) =>
      log.append(batchOf(2, 'v', { baseOffset, leaderEpoch: 0 }), { leaderEpoch: 0, now: NOW, origin: 'replication' })
    replicate(0)
    replicate(far - 2)
    expect(log.segmentCount).toBe(1)
    replicate(far)
    expect(log.segmentCount).toBe(2)
    expect(contents(log).map(([offset]) => offset)).toEqual([0, 1, far - 2, far - 1, far, far + 1])
    log.write()
    expect(contents(openLog(files))).toHaveLength(6)
  })

  test('an empty active segment is not rolled', () => {
    const log = openLog(memoryFiles())
    log.roll(NOW)
    expect(log.segmentCount).toBe(1)
    append(log, batchOf(1))
    log.roll(NOW)
    log.roll(NOW)
    expect(log.segmentCount).toBe(2)
  })

  test('retention: the start moves, files are renamed, and removed after file.delete.delay.ms', () => {
    const files = memoryFiles()
    const limits = { segmentBytes: 400, retentionBytes: 700, fileDeleteDelayMs: 50 }
    const log = openLog(files, { config: config(limits) })
    for (let n = 0; n < 20; n++) append(log, idempotent(1, 0, n * 2, 2))
    const before = contents(log)
    const deleted = log.applyRetention(NOW)
    expect(deleted).toBe(3)
    expect(log.logStartOffset).toBe(bases(files)[0])
    expect(contents(log)).toEqual(before.filter(([offset]) => offset >= log.logStartOffset))
    expect(log.sizeInBytes).toBeGreaterThanOrEqual(700)
    expect(log.applyRetention(NOW)).toBe(0)
    const waiting = () => files.list('topic-0').filter(name => name.endsWith('.deleted')).length
    expect(waiting()).toBeGreaterThanOrEqual(3 * deleted)
    expect(log.deletePendingFiles(NOW + 49)).toBe(0)
    expect(log.deletePendingFiles(NOW + 50)).toBeGreaterThanOrEqual(3 * deleted)
    expect(waiting()).toBe(0)
    expect(append(log, idempotent(1, 0, 38, 2)).duplicate).toBe(true)
  })

  test('retention of everything leaves an empty segment, and the offsets go on', () => {
    const log = openLog(memoryFiles(), { config: config({ retentionMs: 100 }) })
    append(log, batchOf(3))
    expect(log.applyRetention(NOW + 101)).toBe(1)
    expect([log.logStartOffset, log.logEndOffset, log.sizeInBytes]).toEqual([3, 3, 0])
    expect(append(log, batchOf(1)).firstOffset).toBe(3)
  })

  test('the start of the log: not beyond what was written, and never backwards', () => {
    const log = openLog(memoryFiles())
    append(log, batchOf(3))
    expect(() => log.advanceLogStartOffset(2)).toThrow('ends at 0')
    log.write()
    log.advanceLogStartOffset(2)
    log.advanceLogStartOffset(1)
    expect(log.logStartOffset).toBe(2)
  })
})

describe('truncation', () => {
  test('cuts whole batches, across segments, and producers, epochs and reads follow', () => {
    const files = memoryFiles()
    const log = openLog(files, { config: config({ segmentBytes: 300 }) })
    for (let n = 0; n < 12; n++) {
      log.append(idempotent(1, 0, n * 2, 2), { leaderEpoch: n >>> 2, now: NOW, origin: 'client' })
    }
    log.truncateTo(11, NOW)
    expect([log.logEndOffset, log.writtenOffset]).toEqual([10, 10])
    expect(contents(log).map(([offset]) => offset)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(log.latestEpoch).toBe(1)
    expect(append(log, idempotent(1, 0, 8, 2))).toMatchObject({ duplicate: true, firstOffset: 8 })
    expect(append(log, idempotent(1, 0, 10, 2))).toMatchObject({ firstOffset: 10 })
    const before = contents(log)
    log.write()
    expect(contents(openLog(files, { cleanShutdown: false }))).toEqual(before)
  })

  test('to the end or beyond drops only epochs without records', () => {
    const log = openLog(memoryFiles())
    append(log, batchOf(2))
    log.assignLeaderEpoch(5, 2)
    log.truncateTo(9, NOW)
    expect([log.logEndOffset, log.latestEpoch]).toEqual([2, 0])
  })

  test('fully, to start somewhere else', async () => {
    const files = memoryFiles()
    const log = openLog(files)
    append(log, idempotent(1, 0, 0))
    await log.sync()
    log.truncateFullyAndStartAt(50, NOW)
    expect([log.logStartOffset, log.logEndOffset, log.writtenOffset, log.latestEpoch]).toEqual([50, 50, 50, -1])
    expect(log.producers.size).toBe(0)
    expect(append(log, batchOf(2)).firstOffset).toBe(50)
    await log.sync()
    expect(log.syncedOffset).toBe(52)
    log.truncateTo(20, NOW)
    expect([log.logStartOffset, log.logEndOffset]).toEqual([20, 20])
    append(log, batchOf(1))
    await log.close(true)
    expect(contents(openLog(files))).toEqual([[20, 'v0']])
  })
})

describe('open and close', () => {
  test('a clean log of many segments: only the last one is opened', async () => {
    const files = memoryFiles()
    const small = config({ segmentBytes: 500 })
    const log = openLog(files, { config: small })
    for (let n = 0; n < 60; n++) append(log, idempotent(1, 0, n))
    await log.close(true)
    const notes: string[] = []
    const again = openLog(noting(files, notes), { config: small, recoveryPoint: 60 })
    expect([again.logEndOffset, again.syncedOffset, again.segmentCount > 9, again.scannedBytes]).toEqual([
      60,
      60,
      true,
      0,
    ])
    expect(new Set(notes.map(note => note.slice(13, 33)))).toEqual(new Set(['00000000000000000054']))
    expect(append(again, idempotent(1, 0, 59)).duplicate).toBe(true)
  })

  test('after a crash only segments from the recovery point on are opened', () => {
    const files = memoryFiles()
    const small = config({ segmentBytes: 500 })
    const log = openLog(files, { config: small })
    for (let n = 0; n < 60; n++) append(log, idempotent(1, 0, n))
    log.write()
    const notes: string[] = []
    const again = openLog(noting(files, notes), { config: small, cleanShutdown: false, recoveryPoint: 51 })
    expect(again.syncedOffset).toBe(51)
    const opened = notes.filter(note => note.endsWith('.log')).map(note => Number(note.slice(13, 33)))
    expect(Math.min(...opened)).toBe(48)
    expect(again.scannedBytes).toBe(
      files.size('topic-0/00000000000000000048.log') + files.size('topic-0/00000000000000000054.log'),
    )
  })

  test('the topic id is kept beside the log, and another one is refused', async () => {
    const files = memoryFiles()
    const topicId = 'AbCdEfGhIjKlMnOpQrStUv'
    await openLog(files, { topicId }).close(true)
    expect(openLog(files).topicId).toBe(topicId)
    expect(() => openLog(files, { topicId: 'XXXXXXXXXXXXXXXXXXXXXQ' })).toThrow(topicId)
  })

  test('delete renames the folder; the log answers no more', async () => {
    const files = memoryFiles()
    const log = openLog(files, { topicId: 'AbCdEfGhIjKlMnOpQrStUv' })
    append(log, batchOf(1))
    const syncing = log.sync()
    const name = log.delete()
    await syncing
    expect(name).toMatch(/^topic-0\.[0-9a-f]{32}-delete$/)
    expect(files.list('')).toEqual([name])
    expect(() => append(log, batchOf(1))).toThrow('closed')
    expect(log.applyRetention(NOW)).toBe(0)
    await log.close(true)
  })
})
