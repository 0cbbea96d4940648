/**
 * What one log may be told to do: the topic-level settings of Kafka that the log itself obeys. The names are those of
 * the topic keys in camel case ('segment.bytes' -> segmentBytes); -1 and Long.MAX_VALUE mean what they mean in Kafka.
 */

/** Where a batch comes from decides how far it is checked (Kafka: AppendOrigin). */
export type AppendOrigin =
  /** A Produce request: everything is checked, offsets are assigned. */
  | 'client'
  /** A coordinator or the controller in this process: offsets are assigned, sequences are not checked. */
  | 'coordinator'
  /** A leader's log: offsets and epochs are taken as they are. */
  | 'replication'

export interface LogConfig {
  readonly segmentBytes: number
  readonly segmentMs: number
  /** Upper bound of the random time by which a segment rolls earlier than segmentMs. */
  readonly segmentJitterMs: number
  readonly segmentIndexBytes: number
  readonly indexIntervalBytes: number
  /** -1: keep for ever. */
  readonly retentionMs: number
  /** -1: no limit. */
  readonly retentionBytes: number
  readonly maxMessageBytes: number
  /** The longest record in a compressed batch, uncompressed; none is too long where it is not set. */
  readonly maxRecordBytes?: number
  /** What a batch may be expanded to, where that is less than validate.ts has it (expansionLimit). */
  readonly maxExpandedBytes?: number
  readonly flushMessages: number
  readonly flushMs: number
  readonly fileDeleteDelayMs: number
  readonly timestampType: 'CreateTime' | 'LogAppendTime'
  readonly timestampBeforeMaxMs: number
  readonly timestampAfterMaxMs: number
  readonly compressionType: 'producer' | 'uncompressed' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  readonly compressionLevel?: number
  readonly cleanupPolicy: { readonly compact: boolean; readonly delete: boolean }
  /** How long tombstones and markers stay, counted from the compaction that found nothing before them. */
  readonly deleteRetentionMs: number
  readonly minCompactionLagMs: number
  readonly maxCompactionLagMs: number
  /** Between 0 and 1. */
  readonly minCleanableDirtyRatio: number
  readonly producerIdExpirationMs: number
  /** Walk the records of compressed batches too (`odradek.validate.compressed`). */
  readonly validateCompressed: boolean
}
