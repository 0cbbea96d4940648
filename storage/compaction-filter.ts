/**
 * What compaction keeps of one batch (Cleaner.java: checkBatchRetention and shouldRetainRecord; MemoryRecords.filterTo). A batch
 * keeps its first and last offset and its sequence, whatever goes out of it; the codec stays its own. It goes in steps, between which
 * others may have their turn: a batch may have a hundred thousand records, and expand to many times its size.
 */
import assert from 'node:assert'
import * as header from '../protocol/records/batch.ts'
import { compress, compressLater, decompress, decompressLater } from '../protocol/records/compression.ts'
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
  /** For one batch at a time. */
  readonly kept: KeptRecords
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
  timestampDelta: number
  timestamp: number
  offsetDelta: number
  offset: number
  /** keyEnd < keyStart: no key. */
  keyStart: number
  keyEnd: number
  hasValue: boolean
}

/** Work on a batch: wherever a step ends it may pause, wait for a thread, or for other work that comes before. */
export type Steps<T> = Generator<Promise<unknown> | (() => Promise<void>) | undefined, T, undefined>

/** Records between two steps. */
const RECORDS_PER_STEP = 1024
/** From here on it takes long to compress or expand, or, expanded, to have come there. */
const LARGE_BYTES = 64 * 1024
const LARGE_EXPANDED_BYTES = 1024 * 1024

/**
 * Visits the records of the batch at `at` until `visit` returns false. The place is used again for the next record.
 * @throws RecordError CORRUPT (also for a wrong CRC), TOO_LARGE, UNSUPPORTED
 */
export function* visitRecords(
  buffer: Buffer,
  at: number,
  maxExpandedBytes: number,
  visit: (record: RecordPlace) => boolean,
): Steps<void> {
  if (!header.isCrcValid(buffer, at)) throw corrupt(buffer, at, 'its CRC-32C is wrong')
  const size = header.sizeInBytes(buffer, at)
  const codec = header.codec(buffer, at)
  const count = header.recordCount(buffer, at)
  if (count === 0) return
  const payload = buffer.subarray(at + header.HEADER_SIZE, at + size)
  const bytes = codec === 0 ? buffer : yield* expand(codec, payload, maxExpandedBytes)
  const end = codec === 0 ? at + size : bytes.length
  let from = codec === 0 ? at + header.HEADER_SIZE : 0
  if (count < 0 || count > (end - from) / MIN_RECORD_SIZE) throw corrupt(buffer, at, 'it cannot hold its records')
  const baseOffset = header.baseOffset(buffer, at)
  const baseTimestamp = header.baseTimestamp(buffer, at)
  const logAppendTime = header.timestampType(buffer, at) === 'LogAppendTime' ? header.maxTimestamp(buffer, at) : null
  const place = newPlace(bytes)
  for (let n = 0; n < count; n++) {
    if (n % RECORDS_PER_STEP === RECORDS_PER_STEP - 1) yield
    const stop = readPlace(place, from, end)
    if (stop < 0) throw corrupt(buffer, at, `record ${n}: structure`)
    place.timestamp = logAppendTime ?? baseTimestamp + place.timestampDelta
    place.offset = baseOffset + place.offsetDelta
    if (!visit(place)) return
    from = stop
  }
  if (from !== end) throw corrupt(buffer, at, 'bytes are left after its last record')
}

const newPlace = (bytes: Buffer): RecordPlace => ({
  bytes,
  start: 0,
  afterTimestamp: 0,
  end: 0,
  timestampDelta: 0,
  timestamp: 0,
  offsetDelta: 0,
  offset: 0,
  keyStart: 0,
  keyEnd: 0,
  hasValue: false,
})

/** @returns where the record at `from` ends; -1 if it does not fit together */
function readPlace(place: RecordPlace, from: number, end: number): number {
  const { bytes } = place
  const length = readVarint(bytes, from, end)
  if (next < 0 || length < MIN_RECORD_SIZE - 1 || length > end - next) return -1
  const stop = next + length
  place.timestampDelta = readVarlong(bytes, next + 1, stop)
  place.afterTimestamp = next
  place.offsetDelta = next < 0 ? 0 : readVarint(bytes, next, stop)
  const keyLength = next < 0 ? 0 : readVarint(bytes, next, stop)
  const keyStart = next
  if (next < 0 || keyLength > stop - next) return -1
  place.start = from
  place.end = stop
  place.keyStart = keyStart
  place.keyEnd = keyLength < 0 ? keyStart - 1 : keyStart + keyLength
  const valueLength = readVarint(bytes, Math.max(keyStart, place.keyEnd), stop)
  if (next < 0 || valueLength > stop - next) return -1
  place.hasValue = valueLength >= 0
  return stop
}

/** Small ones at once; large ones in a step of their own, gzip in a thread. */
function* expand(codec: number, payload: Buffer, maxBytes: number): Steps<Buffer> {
  if (payload.length < LARGE_BYTES) {
    try {
      return decompress(codec, payload, Math.min(maxBytes, LARGE_EXPANDED_BYTES))
    } catch (error) {
      if (!(error instanceof RecordError && error.code === 'TOO_LARGE')) throw error
      // A few bytes that expand to many are a large batch, too.
    }
  }
  yield
  const expanding = decompressLater(codec, payload, maxBytes)
  const bytes = expanding instanceof Promise ? yield* awaited(expanding) : expanding
  yield
  return bytes
}

function* condense(codec: number, payload: Buffer): Steps<Buffer> {
  if (payload.length < LARGE_BYTES) return compress(codec, payload)
  yield
  const condensing = compressLater(codec, payload)
  const bytes = condensing instanceof Promise ? yield* awaited(condensing) : condensing
  yield
  return bytes
}

/** A step that waits. */
function* awaited<T>(work: Promise<T>): Steps<T> {
  let result: { value: T } | null = null
  yield work.then(value => (result = { value }))
  assert(result !== null, 'a step went on before its work was done')
  return (result as { value: T }).value
}

const corrupt = (buffer: Buffer, at: number, why: string): RecordError =>
  new RecordError('CORRUPT', `The batch at offset ${header.baseOffset(buffer, at)} cannot be compacted: ${why}`)

/** Where the kept records of one batch lie; used again for the next batch of the run. */
export class KeptRecords {
  count = 0
  bytes: Buffer = Buffer.alloc(0)
  starts = new Int32Array(1024)
  ends = new Int32Array(1024)
  timestamps = new Float64Array(1024)

  add(record: RecordPlace): void {
    if (this.count === this.starts.length) {
      const wider = <A extends Int32Array | Float64Array>(old: A, wide: A): A => (wide.set(old), wide)
      this.starts = wider(this.starts, new Int32Array(this.count * 2))
      this.ends = wider(this.ends, new Int32Array(this.count * 2))
      this.timestamps = wider(this.timestamps, new Float64Array(this.count * 2))
    }
    this.bytes = record.bytes
    this.starts[this.count] = record.afterTimestamp
    this.ends[this.count] = record.end
    this.timestamps[this.count] = record.timestamp
    this.count++
  }
}

/**
 * What is left of the batch at `at`, which lies in the buffer as a whole: 'all' of it as it is, other bytes, or null: nothing.
 * Batches must come in the order of the log, each once.
 * @throws RecordError CORRUPT, TOO_LARGE, UNSUPPORTED, OUT_OF_RANGE
 */
export function* filterBatch(buffer: Buffer, at: number, o: FilterOptions): Steps<Buffer | 'all' | null> {
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
  const { kept } = o
  kept.count = 0
  let hasTombstones = false
  if (!dropsAll) {
    yield* visitRecords(buffer, at, o.maxExpandedBytes, record => {
      if (!isControl && !isKept(record, horizon, o)) return true
      kept.add(record)
      hasTombstones ||= !record.hasValue
      return true
    })
  }
  counts.recordsRead += header.recordCount(buffer, at)
  counts.recordsKept += kept.count
  if (kept.count === 0 && !staysEmpty) return null
  if (kept.count === 0) {
    const empty = emptyBatch(buffer, at)
    return isAt(buffer, at, empty) ? 'all' : empty
  }
  const setsHorizon = (hasTombstones || (isUseless && isControl)) && horizon === null
  if (kept.count === header.recordCount(buffer, at) && !setsHorizon) return 'all'
  return yield* rebuild(buffer, at, kept, setsHorizon ? now + o.deleteRetentionMs : horizon)
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
function* rebuild(buffer: Buffer, at: number, kept: KeptRecords, horizon: number | null): Steps<Buffer> {
  const { count, bytes, starts, ends, timestamps } = kept
  const baseTimestamp = horizon ?? timestamps[0]!
  let size = header.HEADER_SIZE
  let maxTimestamp = -1
  for (let n = 0; n < count; n++) {
    const delta = timestamps[n]! - baseTimestamp
    if (!Number.isSafeInteger(delta)) throw new RecordError('OUT_OF_RANGE', `The timestamp delta ${delta} is not exact`)
    const length = 1 + varlongSize(delta) + ends[n]! - starts[n]!
    size += varintSize(length) + length
    maxTimestamp = Math.max(maxTimestamp, timestamps[n]!)
  }
  let batch = Buffer.allocUnsafe(size)
  buffer.copy(batch, 0, at, at + header.HEADER_SIZE)
  let to = header.HEADER_SIZE
  for (let n = 0; n < count; n++) {
    if (n % RECORDS_PER_STEP === RECORDS_PER_STEP - 1) yield
    const delta = timestamps[n]! - baseTimestamp
    to = writeVarint(batch, to, 1 + varlongSize(delta) + ends[n]! - starts[n]!)
    batch[to++] = 0
    to = writeVarlong(batch, to, delta)
    to += bytes.copy(batch, to, starts[n], ends[n])
  }
  const codec = header.codec(buffer, at)
  if (codec !== 0) {
    const condensed = yield* condense(codec, batch.subarray(header.HEADER_SIZE))
    batch = Buffer.concat([batch.subarray(0, header.HEADER_SIZE), condensed])
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
  return finish(batch, attributes, baseTimestamp, greatest, count)
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
