// What the tests of the log share: a configuration, batches, and reading a log back as values.
import { decodeRecords, encodeBatch } from '../../protocol/records/record.ts'
import type { BatchToEncode } from '../../protocol/records/record.ts'
import * as header from '../../protocol/records/batch.ts'
import { Arena } from '../../storage/arena.ts'
import type { Files } from '../../storage/files.ts'
import { Log } from '../../storage/log.ts'
import type { LogConfig, OpenOptions } from '../../storage/log.ts'

/** Kafka's Long.MAX_VALUE, as a number. */
export const MAX = 2 ** 63

export const NOW = 1_750_000_000_000

export const config = (changes: Partial<LogConfig> = {}): LogConfig => ({
  segmentBytes: 1024 * 1024,
  segmentMs: 7 * 24 * 3600_000,
  segmentJitterMs: 0,
  segmentIndexBytes: 10 * 1024 * 1024,
  indexIntervalBytes: 4096,
  retentionMs: -1,
  retentionBytes: -1,
  maxMessageBytes: 1024 * 1024,
  flushMessages: MAX,
  flushMs: MAX,
  fileDeleteDelayMs: 60_000,
  timestampType: 'CreateTime',
  timestampBeforeMaxMs: MAX,
  timestampAfterMaxMs: 3600_000,
  compressionType: 'producer',
  cleanupPolicy: { compact: false, delete: true },
  deleteRetentionMs: 24 * 3600_000,
  minCompactionLagMs: 0,
  maxCompactionLagMs: MAX,
  minCleanableDirtyRatio: 0.5,
  producerIdExpirationMs: 24 * 3600_000,
  validateCompressed: false,
  ...changes,
})

export const openLog = (files: Files, options: Partial<OpenOptions> = {}): Log =>
  Log.open({
    files,
    arena: new Arena({ slabBytes: 16 * 1024, tailBytes: 64 * 1024 }),
    topic: 'topic',
    partition: 0,
    config: config(),
    cleanShutdown: true,
    recoveryPoint: 0,
    logStartOffset: 0,
    now: NOW,
    ...options,
  })

/** A batch of `count` records with values `prefix0`, `prefix1`, …, as a producer sends it. */
export const batchOf = (count: number, prefix = 'v', options: Partial<BatchToEncode> = {}): Buffer =>
  encodeBatch({
    timestamp: NOW,
    ...options,
    records: Array.from({ length: count }, (_, n) => ({
      key: Buffer.from(`k${n}`),
      value: Buffer.from(`${prefix}${n}`),
    })),
  })

/** A batch of an idempotent producer. */
export const idempotent = (producerId: number, producerEpoch: number, baseSequence: number, count = 1): Buffer =>
  batchOf(count, `p${producerId}e${producerEpoch}s${baseSequence}-`, { producerId, producerEpoch, baseSequence })

export const append = (log: Log, batch: Buffer, now = NOW) =>
  log.append(batch, { leaderEpoch: 0, now, origin: 'client' })

/** Everything from `from` to the end as [offset, value]. Reads in steps of `maxBytes`. */
export function contents(log: Log, from = log.logStartOffset, maxBytes = 4096): [number, string][] {
  const found: [number, string][] = []
  for (let offset = from; offset < log.logEndOffset;) {
    const records = log.read(offset, { maxBytes, maxOffset: log.logEndOffset, minOneBatch: true })
    if (records.byteLength === 0) break
    const bytes = Buffer.concat(records.parts)
    for (const at of header.batchesOf(bytes)) {
      if (header.isControl(bytes, at)) continue
      for (const record of decodeRecords(bytes, at)) found.push([record.offset, String(record.value)])
    }
    offset = records.nextOffset
    records.release()
  }
  return found
}
