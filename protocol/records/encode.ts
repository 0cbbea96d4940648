// Builds one magic-2 batch: for records that the broker writes itself (coordinators, metadata, markers), conversions
// and tests.
import type { TimestampType } from './batch.ts'
import * as batch from './batch.ts'
import { compress } from './compression.ts'
import { RecordError } from './error.ts'
import { varintSize, varlongSize, writeVarint, writeVarlong } from './varint.ts'

export interface RecordToEncode {
  /** Milliseconds; the batch's `timestamp` if left out. */
  readonly timestamp?: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers?: readonly { readonly key: string; readonly value: Uint8Array | null }[]
  /** Its index if left out. */
  readonly offsetDelta?: number
}

export interface BatchToEncode {
  readonly records: readonly RecordToEncode[]
  readonly baseOffset?: number
  readonly leaderEpoch?: number
  readonly timestampType?: TimestampType
  /** For records without one; -1 if left out. */
  readonly timestamp?: number
  /** The first record's if left out (Kafka's builder does so), -1 without records. */
  readonly baseTimestamp?: number
  /** The greatest of the records' if left out; needed for LogAppendTime, where it is every record's timestamp. */
  readonly maxTimestamp?: number
  readonly lastOffsetDelta?: number
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
  /** 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd (see codecReady). */
  readonly codec?: number
  readonly level?: number
  readonly isTransactional?: boolean
  readonly isControl?: boolean
  /** Sets the attribute; `baseTimestamp` is then the horizon. */
  readonly hasDeleteHorizon?: boolean
}

const sized = (bytes: Uint8Array | null): number => (bytes === null ? 1 : varintSize(bytes.length) + bytes.length)

function writeSized(target: Buffer, at: number, bytes: Uint8Array | null): number {
  if (bytes === null) return writeVarint(target, at, -1)
  const from = writeVarint(target, at, bytes.length)
  target.set(bytes, from)
  return from + bytes.length
}

function bodySize(record: RecordToEncode, timestampDelta: number, offsetDelta: number): number {
  const headers = record.headers ?? []
  let size = 1 + varlongSize(timestampDelta) + varintSize(offsetDelta) + sized(record.key) + sized(record.value)
  size += varintSize(headers.length)
  for (const { key, value } of headers) {
    const length = Buffer.byteLength(key)
    size += varintSize(length) + length + sized(value)
  }
  return size
}

/** The records, one behind the other, after `room` bytes for the header. */
function encodeRecords(b: BatchToEncode, baseTimestamp: number, room: number): Buffer {
  const sizes: number[] = []
  let total = room
  const delta = (record: RecordToEncode): number => {
    const value = (record.timestamp ?? b.timestamp ?? -1) - baseTimestamp
    if (!Number.isSafeInteger(value)) throw new RecordError('OUT_OF_RANGE', `Timestamp delta ${value} is not exact`)
    return value
  }
  b.records.forEach((record, index) => {
    const size = bodySize(record, delta(record), record.offsetDelta ?? index)
    sizes.push(size)
    total += varintSize(size) + size
  })
  const target = Buffer.allocUnsafe(total)
  let at = room
  b.records.forEach((record, index) => {
    at = writeVarint(target, at, sizes[index]!)
    target[at++] = 0 // attributes
    at = writeVarlong(target, at, delta(record))
    at = writeVarint(target, at, record.offsetDelta ?? index)
    at = writeSized(target, at, record.key)
    at = writeSized(target, at, record.value)
    const headers = record.headers ?? []
    at = writeVarint(target, at, headers.length)
    for (const { key, value } of headers) {
      const length = Buffer.byteLength(key)
      at = writeVarint(target, at, length)
      at += target.write(key, at, length, 'utf8')
      at = writeSized(target, at, value)
    }
  })
  return target
}

/** One whole batch with its CRC. Throws RecordError OUT_OF_RANGE for int64 values that a number cannot hold. */
export function encodeBatch(b: BatchToEncode): Buffer {
  const timestamps = b.records.map(record => record.timestamp ?? b.timestamp ?? -1)
  const baseTimestamp = b.baseTimestamp ?? timestamps[0] ?? -1
  const maxTimestamp = b.maxTimestamp ?? timestamps.reduce((a, t) => Math.max(a, t), -1)
  const codec = b.codec ?? 0
  let target = encodeRecords(b, baseTimestamp, batch.HEADER_SIZE)
  if (codec !== 0) {
    const payload = compress(codec, target.subarray(batch.HEADER_SIZE), b.level)
    target = Buffer.concat([target.subarray(0, batch.HEADER_SIZE), payload])
  }
  batch.writeInt64(target, 0, b.baseOffset ?? 0)
  target.writeInt32BE(target.length - batch.LOG_OVERHEAD, 8)
  target.writeInt32BE(b.leaderEpoch ?? -1, 12)
  target.writeInt8(2, 16)
  const attributes = batch.attributesOf({
    codec,
    timestampType: b.timestampType ?? 'CreateTime',
    isTransactional: b.isTransactional ?? false,
    isControl: b.isControl ?? false,
    hasDeleteHorizon: b.hasDeleteHorizon ?? false,
  })
  target.writeInt16BE(attributes, 21)
  const last = b.records.at(-1)
  target.writeInt32BE(b.lastOffsetDelta ?? last?.offsetDelta ?? Math.max(0, b.records.length - 1), 23)
  batch.writeInt64(target, 27, baseTimestamp)
  batch.writeInt64(target, 35, maxTimestamp)
  batch.writeInt64(target, 43, b.producerId ?? -1)
  target.writeInt16BE(b.producerEpoch ?? -1, 51)
  target.writeInt32BE(b.baseSequence ?? -1, 53)
  target.writeInt32BE(b.records.length, 57)
  target.writeUInt32BE(batch.computeCrc(target, 0, target.length), 17)
  return target
}
