/**
 * What compaction keeps of one batch (Cleaner.java: checkBatchRetention and shouldRetainRecord; MemoryRecords.filterTo). A batch
 * keeps its first and last offset and its sequence, whatever goes out of it; the codec stays its own.
 */
import * as header from '../protocol/records/batch.ts'
import { compress, decompress } from '../protocol/records/compression.ts'
import { RecordError } from '../protocol/records/error.ts'
import { MIN_RECORD_SIZE } from '../protocol/records/record.ts'
import {
  next,
  readVarint,
  readVarlong,
  varintSize,
  varlongSize,
  writeVarint,
  writeVarlong,
} from '../protocol/records/varint.ts'
import type { OffsetMap } from './compaction-map.ts'
import type { CompactedTransactions } from './compaction-txns.ts'

/** What is known of a producer that may yet send: its last batch must stay, for its sequence and epoch. */
export interface LastOfProducer {
  /** Last offset of its last data batch; -1: a marker of `producerEpoch` is all there is. */
  readonly lastDataOffset: number
  readonly producerEpoch: number
}

export interface FilterOptions {
  readonly map: OffsetMap
  readonly transactions: CompactedTransactions
  readonly producers: ReadonlyMap<number, LastOfProducer>
  readonly now: number
  readonly deleteRetentionMs: number
  readonly highWatermark: number
  /** Most bytes the records of one batch may expand to. */
  readonly maxExpandedBytes: number
  /** Counted on the way. */
  readonly counts: { recordsRead: number; recordsKept: number; recordsWithoutKey: number }
}

/** The records of one batch, uncompressed: `visit` is told where each lies in `bytes`. */
export interface RecordPlace {
  bytes: Buffer
  start: number
  /** Behind the timestamp delta: from here on the record is copied as it is. */
  afterTimestamp: number
  end: number
  timestamp: number
  offset: number
  /** keyEnd < keyStart: no key. */
  keyStart: number
  keyEnd: number
  hasValue: boolean
}

const place: RecordPlace = {
  bytes: Buffer.alloc(0),
  start: 0,
  afterTimestamp: 0,
  end: 0,
  timestamp: 0,
  offset: 0,
  keyStart: 0,
  keyEnd: 0,
  hasValue: false,
}

/**
 * Visits the records of the batch at `at` until `visit` returns false. The place is used again for the next record.
 * @throws RecordError CORRUPT (also for a wrong CRC), TOO_LARGE, UNSUPPORTED
 */
export function visitRecords(
  buffer: Buffer,
  at: number,
  maxExpandedBytes: number,
  visit: (record: RecordPlace) => boolean,
): void {
  if (!header.isCrcValid(buffer, at)) throw corrupt(buffer, at, 'its CRC-32C is wrong')
  const size = header.sizeInBytes(buffer, at)
  const codec = header.codec(buffer, at)
  const count = header.recordCount(buffer, at)
  if (count === 0) return
  const payload = buffer.subarray(at + header.HEADER_SIZE, at + size)
  const bytes = codec === 0 ? buffer : decompress(codec, payload, maxExpandedBytes)
  const end = codec === 0 ? at + size : bytes.length
  let from = codec === 0 ? at + header.HEADER_SIZE : 0
  if (count < 0 || count > (end - from) / MIN_RECORD_SIZE) throw corrupt(buffer, at, 'it cannot hold its records')
  const baseOffset = header.baseOffset(buffer, at)
  const baseTimestamp = header.baseTimestamp(buffer, at)
  const logAppendTime = header.timestampType(buffer, at) === 'LogAppendTime' ? header.maxTimestamp(buffer, at) : null
  place.bytes = bytes
  for (let n = 0; n < count; n++) {
    const length = readVarint(bytes, from, end)
    if (next < 0 || length < MIN_RECORD_SIZE - 1 || length > end - next)
      throw corrupt(buffer, at, `record ${n}: length`)
    const stop = next + length
    const timestampDelta = readVarlong(bytes, next + 1, stop)
    const afterTimestamp = next
    const offsetDelta = next < 0 ? 0 : readVarint(bytes, next, stop)
    const keyLength = next < 0 ? 0 : readVarint(bytes, next, stop)
    const keyStart = next
    if (next < 0 || keyLength > stop - next) throw corrupt(buffer, at, `record ${n}: structure`)
    const keyEnd = keyLength < 0 ? keyStart - 1 : keyStart + keyLength
    const valueLength = readVarint(bytes, Math.max(keyStart, keyEnd), stop)
    if (next < 0 || valueLength > stop - next) throw corrupt(buffer, at, `record ${n}: structure`)
    place.start = from
    place.afterTimestamp = afterTimestamp
    place.end = stop
    place.timestamp = logAppendTime ?? baseTimestamp + timestampDelta
    place.offset = baseOffset + offsetDelta
    place.keyStart = keyStart
    place.keyEnd = keyEnd
    place.hasValue = valueLength >= 0
    if (!visit(place)) return
    from = stop
  }
  if (from !== end) throw corrupt(buffer, at, 'bytes are left after its last record')
}

const corrupt = (buffer: Buffer, at: number, why: string): RecordError =>
  new RecordError('CORRUPT', `The batch at offset ${header.baseOffset(buffer, at)} cannot be compacted: ${why}`)

/** Where the kept records of one batch lie; used again for the next batch. */
let starts = new Int32Array(1024)
let ends = new Int32Array(1024)
let timestamps = new Float64Array(1024)

function growKept(): void {
  const wider = <A extends Int32Array | Float64Array>(old: A, wide: A): A => (wide.set(old), wide)
  starts = wider(starts, new Int32Array(starts.length * 2))
  ends = wider(ends, new Int32Array(ends.length * 2))
  timestamps = wider(timestamps, new Float64Array(timestamps.length * 2))
}

/**
 * What is left of the batch at `at`, which lies in the buffer as a whole: 'all' of it as it is, other bytes, or null: nothing.
 * Batches must come in the order of the log, each once.
 * @throws RecordError CORRUPT, TOO_LARGE, UNSUPPORTED, OUT_OF_RANGE
 */
export function filterBatch(buffer: Buffer, at: number, o: FilterOptions): Buffer | 'all' | null {
  const { transactions, counts, now } = o
  if (header.magic(buffer, at) !== 2) throw corrupt(buffer, at, 'it has a format that was given up in 2017')
  const isControl = header.isControl(buffer, at)
  const isUseless = isControl ? transactions.onControl(buffer, at) : transactions.onData(buffer, at)
  const horizon = header.hasDeleteHorizon(buffer, at) ? header.baseTimestamp(buffer, at) : null
  const dropsAll = isUseless && (!isControl || (horizon !== null && horizon <= now))
  const staysEmpty = isLastOfProducer(buffer, at, o.producers) || header.nextOffset(buffer, at) === o.highWatermark
  if (dropsAll && !staysEmpty) {
    counts.recordsRead += header.recordCount(buffer, at)
    return null
  }
  let kept = 0
  let bytes: Buffer = buffer
  let hasTombstones = false
  if (!dropsAll) {
    visitRecords(buffer, at, o.maxExpandedBytes, record => {
      if (!isControl && !isKept(record, horizon, o)) return true
      if (kept === starts.length) growKept()
      bytes = record.bytes
      starts[kept] = record.afterTimestamp
      ends[kept] = record.end
      timestamps[kept] = record.timestamp
      kept++
      hasTombstones ||= !record.hasValue
      return true
    })
  }
  counts.recordsRead += header.recordCount(buffer, at)
  counts.recordsKept += kept
  if (kept === 0 && !staysEmpty) return null
  if (kept === 0) {
    const empty = emptyBatch(buffer, at)
    return isAt(buffer, at, empty) ? 'all' : empty
  }
  const setsHorizon = (hasTombstones || (isUseless && isControl)) && horizon === null
  if (kept === header.recordCount(buffer, at) && !setsHorizon) return 'all'
  return rebuild(buffer, at, bytes, kept, setsHorizon ? now + o.deleteRetentionMs : horizon)
}

function isLastOfProducer(buffer: Buffer, at: number, producers: ReadonlyMap<number, LastOfProducer>): boolean {
  const producerId = header.producerId(buffer, at)
  const last = producerId < 0 ? undefined : producers.get(producerId)
  if (last === undefined) return false
  if (last.lastDataOffset >= 0) return header.lastOffset(buffer, at) === last.lastDataOffset
  return header.isControl(buffer, at) && header.producerEpoch(buffer, at) === last.producerEpoch
}

function isKept(record: RecordPlace, horizon: number | null, { map, now, counts }: FilterOptions): boolean {
  if (record.offset > map.latestOffset) return true
  if (record.keyEnd < record.keyStart) {
    counts.recordsWithoutKey++
    return false
  }
  if (record.offset < map.get(record.bytes, record.keyStart, record.keyEnd)) return false
  return record.hasValue || horizon === null || now < horizon
}

/** A header without records: it keeps offsets, producer, epoch and sequence (DefaultRecordBatch.writeEmptyHeader). */
function emptyBatch(buffer: Buffer, at: number): Buffer {
  const batch = Buffer.from(buffer.subarray(at, at + header.HEADER_SIZE))
  const attributes = header.attributesOf({
    codec: 0,
    timestampType: header.timestampType(buffer, at),
    isTransactional: header.isTransactional(buffer, at),
    isControl: header.isControl(buffer, at),
    hasDeleteHorizon: false,
  })
  return finish(batch, attributes, -1, header.maxTimestamp(buffer, at), 0)
}

const isAt = (buffer: Buffer, at: number, batch: Buffer): boolean =>
  header.sizeInBytes(buffer, at) === batch.length && buffer.compare(batch, 0, batch.length, at, at + batch.length) === 0

/** The kept records as a batch of their own, under the old offsets. A horizon stands in place of the base timestamp. */
function rebuild(buffer: Buffer, at: number, bytes: Buffer, kept: number, horizon: number | null): Buffer {
  const baseTimestamp = horizon ?? timestamps[0]!
  let size = header.HEADER_SIZE
  let maxTimestamp = -1
  for (let n = 0; n < kept; n++) {
    const delta = timestamps[n]! - baseTimestamp
    if (!Number.isSafeInteger(delta)) throw new RecordError('OUT_OF_RANGE', `The timestamp delta ${delta} is not exact`)
    const length = 1 + varlongSize(delta) + ends[n]! - starts[n]!
    size += varintSize(length) + length
    maxTimestamp = Math.max(maxTimestamp, timestamps[n]!)
  }
  let batch = Buffer.allocUnsafe(size)
  buffer.copy(batch, 0, at, at + header.HEADER_SIZE)
  let to = header.HEADER_SIZE
  for (let n = 0; n < kept; n++) {
    const delta = timestamps[n]! - baseTimestamp
    to = writeVarint(batch, to, 1 + varlongSize(delta) + ends[n]! - starts[n]!)
    batch[to++] = 0
    to = writeVarlong(batch, to, delta)
    to += bytes.copy(batch, to, starts[n], ends[n])
  }
  const codec = header.codec(buffer, at)
  if (codec !== 0) {
    batch = Buffer.concat([batch.subarray(0, header.HEADER_SIZE), compress(codec, batch.subarray(header.HEADER_SIZE))])
  }
  const timestampType = header.timestampType(buffer, at)
  const attributes = header.attributesOf({
    codec,
    timestampType,
    isTransactional: header.isTransactional(buffer, at),
    isControl: header.isControl(buffer, at),
    hasDeleteHorizon: horizon !== null,
  })
  const greatest = timestampType === 'LogAppendTime' ? header.maxTimestamp(buffer, at) : maxTimestamp
  return finish(batch, attributes, baseTimestamp, greatest, kept)
}

function finish(batch: Buffer, attributes: number, baseTimestamp: number, maxTimestamp: number, count: number): Buffer {
  batch.writeInt32BE(batch.length - header.LOG_OVERHEAD, 8)
  batch.writeInt16BE(attributes, 21)
  header.writeInt64(batch, 27, baseTimestamp)
  header.writeInt64(batch, 35, maxTimestamp)
  batch.writeInt32BE(count, 57)
  batch.writeUInt32BE(header.computeCrc(batch, 0, batch.length), header.CRC_FROM - 4)
  return batch
}
