/**
 * A snapshot of the metadata log (KIP-630): what `<offset>-<epoch>.checkpoint` holds, as batches whose offsets count from 0.
 * First a control batch with the header (and the quorum, where it is recorded), then metadata records, then a control
 * batch with the footer, by which the file is known to be whole (RecordsSnapshotWriter.java).
 */
import { decode, encode } from '../../protocol/compile.ts'
import { DecodeError, Reader } from '../../protocol/reader.ts'
import * as batch from '../../protocol/records/batch.ts'
import {
  decodeControlKey,
  encodeControlBatch,
  SNAPSHOT_FOOTER,
  SNAPSHOT_HEADER,
} from '../../protocol/records/control.ts'
import { RecordError } from '../../protocol/records/error.ts'
import { encodeBatch, forEachRecord } from '../../protocol/records/record.ts'
import { SnapshotFooterRecord, SnapshotHeaderRecord } from '../../protocol/state/control-records.ts'
import { Writer } from '../../protocol/writer.ts'
import { MetadataImage, MetadataReplayError, type ImageContents } from './image.ts'
import { imageRecords } from './image-records.ts'
import { fixedQuorum, quorumAfter, quorumRecords, type Quorum } from './quorum.ts'
import { decodeRecord, encodeRecord } from './record-codec.ts'
import type { MetadataRecord } from './records.ts'

/** The offset after the last record it covers, and that record's leader epoch. */
export interface SnapshotId {
  readonly offset: number
  readonly epoch: number
}

export interface SnapshotToWrite {
  readonly id: SnapshotId
  /** As of `id.offset`; it must not change while the batches are taken. */
  readonly image: ImageContents
  readonly quorum: Quorum
  /** Of the last batch it covers. */
  readonly lastContainedTimestamp: number
}

export interface Snapshot {
  readonly image: MetadataImage
  readonly quorum: Quorum
  readonly lastContainedTimestamp: number
}

/** A batch is closed once it has this many bytes: the pieces in which a snapshot is written. */
const BATCH_BYTES = 32 * 1024

/** The batches of the file, in order. */
export function* snapshotBatches(o: SnapshotToWrite, timestamp: number): Generator<Buffer, void, undefined> {
  let baseOffset = 0
  const common = () => ({ timestamp, baseOffset, leaderEpoch: o.id.epoch })
  const control = (records: Parameters<typeof encodeControlBatch>[0]): Buffer => {
    const bytes = encodeControlBatch(records, common())
    baseOffset += records.length
    return bytes
  }
  yield control([{ type: SNAPSHOT_HEADER, value: header(o.lastContainedTimestamp) }, ...quorumRecords(o.quorum)])
  let values: Buffer[] = []
  let size = 0
  const flush = (): Buffer => {
    const bytes = encodeBatch({ ...common(), records: values.map(value => ({ key: null, value })) })
    baseOffset += values.length
    values = []
    size = 0
    return bytes
  }
  for (const record of imageRecords(o.image)) {
    const value = encodeRecord(record, o.image.metadataVersion)
    values.push(value)
    size += value.length
    if (size >= BATCH_BYTES) yield flush()
  }
  if (values.length > 0) yield flush()
  yield control([{ type: SNAPSHOT_FOOTER, value: footer() }])
}

/** Checks and replays the bytes of a whole file. Throws MetadataReplayError for any that are not a finished snapshot. */
export function readSnapshot(bytes: Buffer, id: SnapshotId): Snapshot {
  const image = new MetadataImage()
  const { quorum, lastContainedTimestamp } = eachBatch(bytes, records => void image.apply(records, id.offset))
  if (image.inTransaction) throw new MetadataReplayError('it ends in the middle of a metadata transaction')
  image.apply([], id.offset)
  return { image, quorum, lastContainedTimestamp }
}

/** The metadata records of a whole file. Throws as readSnapshot. */
export function snapshotRecords(bytes: Buffer): MetadataRecord[] {
  const all: MetadataRecord[] = []
  eachBatch(bytes, records => all.push(...records))
  return all
}

function eachBatch(bytes: Buffer, take: (records: readonly MetadataRecord[]) => void): Omit<Snapshot, 'image'> {
  let quorum = fixedQuorum
  let lastContainedTimestamp: number | null = null
  let finished = false
  const onControl = (key: Buffer | null, value: Buffer | null): void => {
    const { type } = decodeControlKey(key)
    if (finished) throw new MetadataReplayError('records follow its footer')
    if (type === SNAPSHOT_HEADER) lastContainedTimestamp = decodeHeader(value)
    else if (type === SNAPSHOT_FOOTER) finished = true
    else quorum = quorumAfter(quorum, key, value)
  }
  let at = 0
  for (const position of wholeBatches(bytes)) {
    const isControl = batch.isControl(bytes, position)
    if (!isControl && (lastContainedTimestamp === null || finished))
      throw new MetadataReplayError('records stand outside its header and footer')
    const records: MetadataRecord[] = []
    try {
      forEachRecord(bytes, position, ({ offset, key, value }) => {
        if (isControl) return onControl(key, value)
        if (value === null) throw new MetadataReplayError(`its record ${offset} has no value`)
        records.push(decodeRecord(value, offset))
      })
    } catch (error) {
      if (error instanceof RecordError || error instanceof DecodeError) throw new MetadataReplayError(error.message)
      throw error
    }
    take(records)
    at = position + batch.sizeInBytes(bytes, position)
  }
  if (at !== bytes.length) throw new MetadataReplayError(`it is damaged at byte ${at}`)
  if (lastContainedTimestamp === null || !finished) throw new MetadataReplayError('it has no end')
  return { quorum, lastContainedTimestamp }
}

/** When the last batch before the snapshot was written, from the beginning of a file; null where there is no header. */
export function headerTimestamp(bytes: Buffer): number | null {
  const { value: at } = wholeBatches(bytes).next()
  let timestamp: number | null = null
  if (at === undefined || !batch.isControl(bytes, at)) return null
  forEachRecord(bytes, at, ({ key, value }) => {
    if (decodeControlKey(key).type === SNAPSHOT_HEADER) timestamp = decodeHeader(value)
  })
  return timestamp
}

const decodeHeader = (value: Buffer | null): number =>
  decode(SnapshotHeaderRecord, 0, new Reader(value ?? Buffer.alloc(0))).lastContainedLogTimestamp

/** Where the batches begin, as far as they are whole and their CRC is right. */
function* wholeBatches(bytes: Buffer): Generator<number, void, undefined> {
  for (let at = 0; ;) {
    const size = batch.wholeBatchAt(bytes, at)
    if (size <= 0 || batch.computeCrc(bytes, at, size) !== batch.crc(bytes, at)) return
    yield at
    at += size
  }
}

function header(lastContainedLogTimestamp: number): Buffer {
  const writer = new Writer()
  encode(SnapshotHeaderRecord, 0, { version: 0, lastContainedLogTimestamp }, writer)
  return writer.toBuffer()
}

function footer(): Buffer {
  const writer = new Writer()
  encode(SnapshotFooterRecord, 0, { version: 0 }, writer)
  return writer.toBuffer()
}
