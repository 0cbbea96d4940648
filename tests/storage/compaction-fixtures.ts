// What the tests of compaction share: a compacted log on any disk, keyed writes, and compacting all that can be.
import * as header from '../../protocol/records/batch.ts'
import { ABORT, COMMIT, encodeControlKey } from '../../protocol/records/control.ts'
import { decodeRecords, encodeBatch } from '../../protocol/records/record.ts'
import type { CompactionResult, Pace } from '../../storage/compaction-options.ts'
import type { Log, LogConfig } from '../../storage/log.ts'
import { config, NOW } from './log-fixtures.ts'

export const compacted = (changes: Partial<LogConfig> = {}): LogConfig =>
  config({
    cleanupPolicy: { compact: true, delete: false },
    minCleanableDirtyRatio: 0,
    segmentBytes: 1000,
    indexIntervalBytes: 100,
    ...changes,
  })

const unhurried: Pace = { moved: () => {}, isSpent: false, rest: () => Promise.resolve(), during: work => work }

/** Every batch is followed by a turn, with `rest` in it. */
export function pausing(rest: () => Promise<void>): Pace {
  let isUsed = false
  return {
    moved: () => {},
    get isSpent() {
      const wasUsed = isUsed
      isUsed = true
      return wasUsed
    },
    rest: () => {
      isUsed = false
      return rest()
    },
    during: work => work,
  }
}

export interface CompactOnce {
  readonly now?: number
  readonly cleanedOffset?: number
  readonly pace?: Pace
  readonly mapBytes?: number
  readonly stableOffset?: number
}

/** Rolls, syncs and compacts what the plan names; null where there is nothing. */
export async function compactOnce(log: Log, o: CompactOnce = {}): Promise<CompactionResult | null> {
  const now = o.now ?? NOW
  log.write()
  const highWatermark = log.writtenOffset
  const stableOffset = o.stableOffset ?? log.producers.firstUnstableOffset(highWatermark) ?? highWatermark
  const cleanable = log.compaction.plan({ now, stableOffset, cleanedOffset: o.cleanedOffset })
  if (!cleanable.isDue) return null
  return await log.compaction.run({
    now,
    cleanable,
    highWatermark,
    pace: o.pace ?? unhurried,
    mapBytes: o.mapBytes ?? 1024 * 1024,
    mapLoadFactor: 0.9,
    hashKey: [1, 2, 3, 4],
    bufferBytes: 512,
  })
}

/** One record a key; a null value is a tombstone. */
export const keyed = (
  entries: readonly (readonly [string, string | null])[],
  options: Partial<Parameters<typeof encodeBatch>[0]> = {},
): Buffer =>
  encodeBatch({
    timestamp: NOW,
    ...options,
    records: entries.map(([key, value]) => ({
      key: Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
    })),
  })

/** The end of a transaction. */
export function marker(producerId: number, producerEpoch: number, type: 'commit' | 'abort', timestamp = NOW): Buffer {
  const value = Buffer.alloc(6)
  value.writeInt32BE(7, 2)
  return encodeBatch({
    producerId,
    producerEpoch,
    isTransactional: true,
    isControl: true,
    timestamp,
    records: [{ key: encodeControlKey(type === 'commit' ? COMMIT : ABORT), value }],
  })
}

export interface Seen {
  readonly offset: number
  readonly key: string
  readonly value: string | null
}

export interface SeenBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly count: number
  readonly isControl: boolean
  readonly producerId: number
  readonly lastSequence: number
  readonly horizon: number | null
  readonly codec: number
  readonly records: readonly Seen[]
}

/** All batches from `from` on, as a reader gets them. */
export function batchesIn(log: Log, from = log.logStartOffset): SeenBatch[] {
  const found: SeenBatch[] = []
  for (let offset = from; offset < log.logEndOffset;) {
    const got = log.read(offset, { maxBytes: 700, maxOffset: log.logEndOffset, minOneBatch: true })
    if (got.byteLength === 0) break
    const bytes = Buffer.concat(got.parts)
    for (const at of header.batchesOf(bytes)) {
      found.push({
        baseOffset: header.baseOffset(bytes, at),
        lastOffset: header.lastOffset(bytes, at),
        count: header.recordCount(bytes, at),
        isControl: header.isControl(bytes, at),
        producerId: header.producerId(bytes, at),
        lastSequence: header.lastSequence(bytes, at),
        horizon: header.hasDeleteHorizon(bytes, at) ? header.baseTimestamp(bytes, at) : null,
        codec: header.codec(bytes, at),
        records: decodeRecords(bytes, at).map(({ offset: of, key, value }) => ({
          offset: of,
          key: String(key),
          value: value === null ? null : String(value),
        })),
      })
    }
    offset = got.nextOffset
    got.release()
  }
  return found
}

/** The data records from `from` on, `offset key=value`. */
export const recordsIn = (log: Log, from?: number): string[] =>
  batchesIn(log, from)
    .filter(batch => !batch.isControl)
    .flatMap(({ records }) => records.map(({ offset, key, value }) => `${offset} ${key}=${value}`))
