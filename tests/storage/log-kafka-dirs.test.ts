// Logs that Apache Kafka wrote, opened as it left them after an orderly stop and after kill -9: ends, producers, leader epochs and
// transactions are those that its own tool printed.
import { describe, expect, test } from 'vitest'
import { codecReady } from '../../protocol/records/compression.ts'
import { decodeRecords } from '../../protocol/records/record.ts'
import * as header from '../../protocol/records/batch.ts'
import { Arena } from '../../storage/arena.ts'
import { offsetsByFolder, parseOffsetCheckpoint } from '../../storage/checkpoint.ts'
import type { Files } from '../../storage/files.ts'
import { verifyFolder } from '../../storage/inspect-verify.ts'
import { Log } from '../../storage/log.ts'
import * as names from '../../storage/names.ts'
import { config } from './log-fixtures.ts'
import { kafkaDirs, printed, unpack } from './kafka-dirs.ts'
import type { KafkaDir } from './kafka-dirs.ts'

await codecReady(4)

/** The records carry timestamps from 2023 on: producers must not have expired. */
const NOW = 1_700_000_001_000

const checkpoint = (files: Files, path: string): Map<string, number> =>
  files.exists(path) ? offsetsByFolder(parseOffsetCheckpoint(files.readAll(path), path)) : new Map()

function openAll(files: Files, cleanShutdown: boolean): Map<string, Log> {
  const recoveryPoints = checkpoint(files, names.RECOVERY_POINT_CHECKPOINT_FILE)
  const startOffsets = checkpoint(files, names.LOG_START_OFFSET_CHECKPOINT_FILE)
  const logs = new Map<string, Log>()
  for (const folder of files.list('')) {
    const parsed = names.parseFolder(folder)
    if (parsed === null || parsed.kind !== 'log') continue
    const { topic, partition } = parsed
    const compact = topic === 'compacted' || topic.startsWith('__')
    const log = Log.open({
      files,
      arena: new Arena(),
      topic,
      partition,
      config: config({ segmentBytes: 1024 * 1024, cleanupPolicy: { compact, delete: !compact } }),
      cleanShutdown,
      recoveryPoint: recoveryPoints.get(folder) ?? 0,
      logStartOffset: startOffsets.get(folder) ?? 0,
      now: NOW,
    })
    logs.set(folder, log)
  }
  return logs
}

interface PrintedBatch {
  lastOffset: number
  producerId: number
  producerEpoch: number
  lastSequence: number
  isControl: boolean
}

/** The batches that the tool printed of one partition, in order. */
function printedBatches(dir: KafkaDir, folder: string): PrintedBatch[] {
  const batches: PrintedBatch[] = []
  for (const what of dir.endsWith('killed') ? ['logs'] : ['logs', 'offsets', 'transactions', 'metadata']) {
    for (const [path, lines] of printed(dir, what)) {
      if (!path.includes(`${folder}/`)) continue
      for (const line of lines) {
        const field = (name: string) => new RegExp(`\\b${name}: (\\S+)`).exec(line)?.[1] ?? ''
        if (!line.startsWith('baseOffset: ')) continue
        batches.push({
          lastOffset: Number(field('lastOffset')),
          producerId: Number(field('producerId')),
          producerEpoch: Number(field('producerEpoch')),
          lastSequence: Number(field('lastSequence')),
          isControl: field('isControl') === 'true',
        })
      }
    }
  }
  return batches.toSorted((a, b) => a.lastOffset - b.lastOffset)
}

describe.each(kafkaDirs)('%s', dir => {
  const wasClean = dir.endsWith('clean')

  test.each([wasClean, false])('ends and producers are those that Kafka printed (taken as clean: %s)', clean => {
    const files = unpack(dir)
    let compared = 0
    for (const [folder, log] of openAll(files, clean)) {
      const batches = printedBatches(dir, folder)
      if (batches.length === 0) continue
      expect([folder, log.logEndOffset]).toEqual([folder, batches.at(-1)!.lastOffset + 1])
      const last = new Map<number, PrintedBatch>()
      for (const batch of batches) {
        if (batch.producerId < 0) continue
        // A marker is remembered by its epoch alone; a new one empties the window.
        const before = last.get(batch.producerId)
        const keeps = batch.isControl && before !== undefined
        const sameEpoch = before?.producerEpoch === batch.producerEpoch
        last.set(
          batch.producerId,
          keeps && sameEpoch ? before : batch.isControl ? { ...batch, lastSequence: -1 } : batch,
        )
      }
      for (const [producerId, batch] of last) {
        const entry = log.producers.entry(producerId)
        const known = { producerId, epoch: entry?.producerEpoch, last: entry?.batches.at(-1)?.lastSequence ?? -1 }
        expect([folder, known]).toEqual([folder, { producerId, epoch: batch.producerEpoch, last: batch.lastSequence }])
        compared++
      }
    }
    expect(compared).toBeGreaterThan(5)
  })

  test('after recovery every file agrees with every other, and every record is readable', async () => {
    const files = unpack(dir)
    for (const [folder, log] of openAll(files, false)) {
      const expected = files
        .list(folder)
        .filter(name => name.endsWith(names.LOG_SUFFIX))
        .reduce((sum, name) => sum + files.size(names.join(folder, name)), 0)
      let bytes = 0
      for (let offset = log.logStartOffset; offset < log.logEndOffset;) {
        const records = log.read(offset, { maxBytes: 10_000, maxOffset: log.logEndOffset, minOneBatch: true })
        if (records.byteLength === 0) break
        const data = Buffer.concat(records.parts)
        for (const at of header.batchesOf(data)) decodeRecords(data, at)
        bytes += data.length
        offset = records.nextOffset
        records.release()
      }
      if (log.logStartOffset === 0) expect([folder, bytes]).toEqual([folder, expected])
      else expect(bytes).toBeLessThan(expected)
      await log.close(true)
      expect(verifyFolder(files, folder)).toEqual([])
    }
  })

  test('recovery finds the same end, and rebuilds the same indexes', async () => {
    const before = unpack(dir)
    const files = unpack(dir)
    const ends = new Map(Array.from(openAll(before, wasClean), ([folder, log]) => [folder, log.logEndOffset]))
    for (const [folder, log] of openAll(files, false)) {
      expect([folder, log.logEndOffset]).toEqual([folder, ends.get(folder)])
      await log.close(true)
      for (const name of files.list(folder)) {
        const path = names.join(folder, name)
        // A killed Kafka leaves preallocated indexes behind.
        if (!wasClean || !/\.(index|timeindex|txnindex)$/.test(name)) continue
        expect([path, files.readAll(path).equals(before.readAll(path))]).toEqual([path, true])
      }
    }
  })
})

describe('transactions', () => {
  // By the printed snapshots: producer 9 has one open at 24 of partition 0.
  test.each([
    ['transactions-0', 24],
    ['transactions-1', null],
  ])('%s: a scan finds the same transactions as Kafka wrote down', (folder, undecided) => {
    const log = openAll(unpack('kafka-4.3.1-clean'), true).get(folder)!
    const scanned = openAll(unpack('kafka-4.3.1-clean'), false).get(folder)!
    const aborted = log.abortedTransactions(0, log.logEndOffset)
    expect(aborted.length).toBeGreaterThan(0)
    expect(scanned.abortedTransactions(0, log.logEndOffset)).toEqual(aborted)
    expect([log.producers.firstUndecidedOffset, scanned.producers.firstUndecidedOffset]).toEqual([undecided, undecided])
    // Kafka wrote down the last batch of each producer alone, and of several entries it keeps the last.
    const last = new Map(scanned.producers.snapshot().map(entry => [entry.producerId, entry]))
    expect([...last.values()].toSorted(byId)).toEqual(log.producers.snapshot().toSorted(byId))
    for (const txn of aborted) {
      // Overlap alone decides.
      expect(log.abortedTransactions(txn.firstOffset, txn.firstOffset + 1)).toContainEqual(txn)
      expect(log.abortedTransactions(txn.lastOffset + 1, log.logEndOffset)).not.toContainEqual(txn)
    }
  })
})

describe('timestamps', () => {
  const logs = openAll(unpack('kafka-4.3.1-clean'), true)

  test.each(['plain-0', 'gzip-0', 'stored-lz4-0', 'stored-snappy-0', 'stored-zstd-0', 'append-time-0', 'segments-0'])(
    '%s: look-ups are exact to the record',
    folder => {
      const log = logs.get(folder)!
      const all: { offset: number; timestamp: number }[] = []
      for (let offset = 0; offset < log.logEndOffset;) {
        const records = log.read(offset, { maxBytes: 1, maxOffset: log.logEndOffset, minOneBatch: true })
        all.push(...decodeRecords(Buffer.concat(records.parts)))
        offset = records.nextOffset
        records.release()
      }
      expect(all).toHaveLength(log.logEndOffset)
      for (let n = 0; n < all.length; n += 37) {
        const { timestamp } = all[n]!
        expect(log.offsetForTimestamp(timestamp)).toMatchObject(
          pick(all.find(record => record.timestamp >= timestamp)!),
        )
        const later = all.find(record => record.timestamp >= timestamp + 1)
        expect(log.offsetForTimestamp(timestamp + 1)?.offset ?? null).toEqual(later?.offset ?? null)
      }
      const largest = Math.max(...all.map(record => record.timestamp))
      expect(log.maxTimestamp()?.timestamp).toBe(largest)
      expect(log.offsetForTimestamp(largest + 1)).toBe(null)
      expect(log.offsetForTimestamp(-1)).toMatchObject({ offset: 0 })
    },
  )
})

const byId = (a: { producerId: number }, b: { producerId: number }) => a.producerId - b.producerId

const pick = ({ offset, timestamp }: { offset: number; timestamp: number }) => ({ offset, timestamp })
