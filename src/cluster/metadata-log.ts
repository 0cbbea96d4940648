/** What the embedded metadata store needs of a log, and the batches it keeps there (KIP-595, KIP-631, KIP-868). */
import * as batch from '../../protocol/records/batch.ts'
import { encodeControlBatch, LEADER_CHANGE } from '../../protocol/records/control.ts'
import { encodeBatch, forEachRecord, type RecordToEncode } from '../../protocol/records/record.ts'
import { MetadataReplayError } from './image.ts'
import { fixedQuorum, encodeLeaderChange, quorumAfter, quorumRecords, type Quorum } from './quorum.ts'
import { decodeRecord, encodeRecord } from './record-codec.ts'
import type { MetadataRecord } from './records.ts'
import type { Snapshot, SnapshotId, SnapshotToWrite } from './snapshot.ts'

export interface MetadataLog {
  /** What stands for the records before the first one that is read; null: they begin at offset 0. */
  readonly snapshot: (Snapshot & { readonly id: SnapshotId }) | null
  /** The offset the next record gets. */
  readonly endOffset: number
  /** Takes one batch at `endOffset`; throws when the log cannot. Durable only after a later `commit`. */
  append(batch: Buffer, leaderEpoch: number): void
  /** Resolves when everything appended before the call would survive a power cut; rejects when it may not. */
  commit(): Promise<void>
  /** Everything behind the snapshot, in order, as runs of whole batches; a run is valid until the next is taken. */
  read(): Iterable<Buffer>
  /**
   * Writes a snapshot of what is committed; it is durable, and old ones and the log before them are gone as retention says,
   * when this resolves. Left out by a log that keeps everything.
   */
  writeSnapshot?(snapshot: SnapshotToWrite): Promise<void>
}

/** Where `quorum-state` is kept. `write` replaces it durably before it returns. */
export interface QuorumStateFile {
  read(): Buffer | null
  /** Resolves when it is on the disk, and all that the log holds before it. */
  write(data: Buffer): Promise<void>
}

/** A decision that needs more than this in one batch is written as several inside a metadata transaction. */
export const MAX_BATCH_BYTES = 1024 * 1024

/**
 * The batches that make one decision atomic: one, or several from BeginTransactionRecord to EndTransactionRecord.
 * `level` is the `metadata.version` that decides the versions of the records.
 */
export function encodeDecision(
  records: readonly MetadataRecord[],
  level: number,
  timestamp: number,
  maxBatchBytes: number = MAX_BATCH_BYTES,
): { batches: Buffer[]; recordCount: number } {
  const values = records.map(record => encodeRecord(record, level))
  const size = values.reduce((total, value) => total + value.length, 0)
  if (size <= maxBatchBytes) return { batches: [encodeValues(values, timestamp)], recordCount: values.length }

  const begin = encodeRecord({ type: 'BeginTransactionRecord', value: { name: null } }, level)
  const end = encodeRecord({ type: 'EndTransactionRecord', value: {} }, level)
  const batches: Buffer[] = []
  let run: Buffer[] = []
  let bytes = 0
  for (const value of [begin, ...values, end]) {
    if (bytes + value.length > maxBatchBytes && run.length > 0) {
      batches.push(encodeValues(run, timestamp))
      run = []
      bytes = 0
    }
    run.push(value)
    bytes += value.length
  }
  batches.push(encodeValues(run, timestamp))
  return { batches, recordCount: values.length + 2 }
}

const encodeValues = (values: readonly Buffer[], timestamp: number): Buffer =>
  encodeBatch({ timestamp, records: values.map((value): RecordToEncode => ({ key: null, value })) })

/** The control batch with which a leader opens its epoch; here the one voter elected itself. */
export const leaderChangeBatch = (leaderId: number, quorum: Quorum, timestamp: number): Buffer =>
  encodeControlBatch([{ type: LEADER_CHANGE, value: encodeLeaderChange(leaderId, quorum) }], { timestamp })

/** The control batch by which kraft.version rises: the version, and who votes. */
export const quorumBatch = (quorum: Quorum, timestamp: number): Buffer =>
  encodeControlBatch(quorumRecords(quorum), { timestamp })

export interface LoadedBatch {
  /** Empty for a control batch. */
  readonly records: readonly MetadataRecord[]
  readonly endOffset: number
  readonly leaderEpoch: number
  readonly byteLength: number
  /** Milliseconds. */
  readonly timestamp: number
  /** As it is after the batch. */
  readonly quorum: Quorum
}

/** The batches behind the snapshot, decoded. Throws MetadataReplayError for one that is no metadata, and for a gap. */
export function* loadBatches(log: Pick<MetadataLog, 'snapshot' | 'read'>): Generator<LoadedBatch, void, undefined> {
  let expected = log.snapshot?.id.offset ?? 0
  let quorum = log.snapshot?.quorum ?? fixedQuorum
  for (const run of log.read())
    for (const at of batch.batchesOf(run)) {
      const endOffset = batch.nextOffset(run, at)
      const byteLength = batch.sizeInBytes(run, at)
      if (batch.baseOffset(run, at) > expected)
        throw new MetadataReplayError(`the metadata log has no record at offset ${expected}`)
      if (batch.computeCrc(run, at, byteLength) !== batch.crc(run, at))
        throw new MetadataReplayError(`the metadata log is damaged at offset ${expected}`)
      const records: MetadataRecord[] = []
      const isControl = batch.isControl(run, at)
      forEachRecord(run, at, ({ offset, key, value }) => {
        // Snapshots of the first releases may end inside a batch.
        if (offset < expected) return
        if (isControl) quorum = quorumAfter(quorum, key, value)
        else if (value === null) throw new MetadataReplayError(`the metadata record at offset ${offset} has no value`)
        else records.push(decodeRecord(value, offset))
      })
      expected = Math.max(expected, endOffset)
      const [leaderEpoch, timestamp] = [batch.partitionLeaderEpoch(run, at), batch.maxTimestamp(run, at)]
      yield { records, endOffset, leaderEpoch, byteLength, timestamp, quorum }
    }
}
