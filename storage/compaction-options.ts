/** What a compaction is told, and what it tells. */
import type { HashKey } from './compaction-map.ts'
import type { Cleanable } from './compaction-plan.ts'

/** How fast the work may go, as the caller measures it. */
export interface Pace {
  /** So many bytes were read or written. */
  moved(bytes: number): void
  /** Whether it is time to let others have their turn. */
  readonly isSpent: boolean
  /** Resolves when the work may go on. */
  rest(): Promise<void>
  /** Waits for something that is done elsewhere, and holds nobody up. */
  during<T>(work: Promise<T>): Promise<T>
}

export interface CompactOptions {
  readonly now: number
  readonly cleanable: Cleanable
  /** All records below it are below the high watermark. */
  readonly highWatermark: number
  readonly pace: Pace
  /** For the map of keys. */
  readonly mapBytes: number
  readonly mapLoadFactor: number
  readonly hashKey: HashKey
  /** How much is read at a time. */
  readonly bufferBytes: number
}

export interface CompactionCounts {
  /** Of the dirty part, for the map. */
  mapBytesRead: number
  bytesRead: number
  bytesWritten: number
  recordsRead: number
  recordsKept: number
  /** Of those dropped: a compacted topic should have none. */
  recordsWithoutKey: number
  segmentsBefore: number
  segmentsAfter: number
  /** Of which nothing went: their files were left as they are. */
  segmentsLeft: number
  /** How full the map was, of what it may hold. */
  mapUse: number
}

export interface CompactionResult {
  /** What lies below it is clean now; null when the run was ended before its end. */
  readonly cleanedOffset: number | null
  readonly counts: CompactionCounts
}

export const newCounts = (): CompactionCounts => ({
  mapBytesRead: 0,
  bytesRead: 0,
  bytesWritten: 0,
  recordsRead: 0,
  recordsKept: 0,
  recordsWithoutKey: 0,
  segmentsBefore: 0,
  segmentsAfter: 0,
  segmentsLeft: 0,
  mapUse: 0,
})
