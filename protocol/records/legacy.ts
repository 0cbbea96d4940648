// Message sets of magic 0 and 1 (Kafka 0.8 to 0.10): reading, writing, and conversion to one magic-2 batch.
//
//   offset int64 | size int32 | crc uint32 | magic int8 | attributes int8 | timestamp int64 (magic 1)
//   keyLength int32, key | valueLength int32, value            the CRC-32 (zlib's) covers what follows it
//   attributes: bits 0-2 codec, 3 timestamp type (magic 1)
//
// A compressed message holds a message set in its value. Its offset is that of the last inner message; inner offsets
// are absolute in magic 0 and relative in magic 1 (KIP-31), where old librdkafka leaves the outer offset 0.
import { crc32 } from 'node:zlib'
import * as batch from './batch.ts'
import type { TimestampType } from './batch.ts'
import { ZSTD, compress, decompress } from './compression.ts'
import { encodeBatch } from './encode.ts'
import { RecordError } from './error.ts'
import type { Record } from './record.ts'
import { DEFAULT_MAX_BYTES } from './record.ts'

export type LegacyTimestampType = 'NoTimestampType' | TimestampType

export interface LegacyMessage {
  /** Absolute. */
  readonly offset: number
  /** -1 in magic 0. */
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** Where the message itself lies, its offset field first: the received bytes or what a wrapper expanded to. */
  readonly bytes: Buffer
  readonly at: number
}

/** One message of the set: alone, or a compressed one with the messages in it. */
export interface LegacyBatch {
  readonly at: number
  readonly sizeInBytes: number
  readonly magic: 0 | 1
  /** As stored, unsigned. */
  readonly crc: number
  readonly attributes: number
  readonly codec: number
  readonly timestampType: LegacyTimestampType
  readonly maxTimestamp: number
  readonly lastOffset: number
  readonly messages: readonly LegacyMessage[]
}

export interface LegacyLimits {
  /** Most bytes that all compressed messages together may expand to. */
  readonly maxBytes?: number
  /** Check every CRC, inner ones too; true if left out. */
  readonly checkCrc?: boolean
}

const CRC_AT = 12
const BODY_AT = 16 // what the CRC covers
const OVERHEAD = [14, 22] as const

const corrupt = (why: string): RecordError => new RecordError('CORRUPT', `Invalid message set: ${why}`)

/** The fields of one message whose size has been checked; key and value are views. */
interface Fields {
  readonly magic: 0 | 1
  readonly attributes: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
}

function readFields(bytes: Buffer, at: number, size: number, checkCrc: boolean): Fields {
  const magic = bytes.readInt8(at + 16)
  if (magic !== 0 && magic !== 1) throw corrupt(`magic ${magic}`)
  const end = at + size
  if (size - batch.LOG_OVERHEAD < OVERHEAD[magic]) throw corrupt(`message of ${size} bytes`)
  if (checkCrc && bytes.readUInt32BE(at + CRC_AT) !== crc32(bytes.subarray(at + BODY_AT, end))) {
    throw corrupt('wrong CRC')
  }
  const keyAt = at + (magic === 0 ? 18 : 26)
  const keyLength = bytes.readInt32BE(keyAt)
  if (keyLength > end - keyAt - 8) throw corrupt('key too long')
  const valueAt = keyAt + 4 + Math.max(0, keyLength)
  const valueLength = bytes.readInt32BE(valueAt)
  // Bytes behind the value are no error to Kafka.
  if (valueLength > end - valueAt - 4) throw corrupt('value too long')
  return {
    magic,
    attributes: bytes.readUInt8(at + 17),
    timestamp: magic === 0 ? -1 : batch.readInt64(bytes, at + 18),
    key: keyLength < 0 ? null : bytes.subarray(keyAt + 4, keyAt + 4 + keyLength),
    value: valueLength < 0 ? null : bytes.subarray(valueAt + 4, valueAt + 4 + valueLength),
  }
}

const typeOf = ({ magic, attributes }: Fields): LegacyTimestampType =>
  magic === 0 ? 'NoTimestampType' : (attributes & 8) === 0 ? 'CreateTime' : 'LogAppendTime'

/**
 * All messages of a set in bytes [from, end); a cut-off one at the end is left out, as in Kafka. Messages are views.
 * Throws RecordError CORRUPT or TOO_LARGE.
 */
export function readMessageSet(
  buffer: Buffer,
  from = 0,
  end: number = buffer.length,
  limits: LegacyLimits = {},
): LegacyBatch[] {
  const checkCrc = limits.checkCrc ?? true
  let room = limits.maxBytes ?? DEFAULT_MAX_BYTES
  const batches: LegacyBatch[] = []
  for (let at = from; ;) {
    const size = batch.wholeBatchSize(buffer, at, end)
    if (size === null) return batches
    const fields = readFields(buffer, at, size, checkCrc)
    const codec = fields.attributes & 7
    const lastOffset = batch.baseOffset(buffer, at)
    const alone = { offset: lastOffset, ...fields, bytes: buffer, at }
    const inner = codec === 0 ? null : expand(fields, codec, room)
    room -= inner?.length ?? 0
    batches.push({
      at,
      sizeInBytes: size,
      magic: fields.magic,
      crc: buffer.readUInt32BE(at + CRC_AT),
      attributes: fields.attributes,
      codec,
      timestampType: typeOf(fields),
      maxTimestamp: fields.timestamp,
      lastOffset,
      messages: inner === null ? [message(alone)] : readInner(inner, fields, lastOffset, checkCrc),
    })
    at += size
  }
}

const message = ({ offset, timestamp, key, value, bytes, at }: LegacyMessage): LegacyMessage => ({
  offset,
  timestamp,
  key,
  value,
  bytes,
  at,
})

function expand(wrapper: Fields, codec: number, maxBytes: number): Buffer {
  if (wrapper.value === null) throw corrupt('compressed message without a value')
  if (codec >= ZSTD) throw corrupt(`codec ${codec}`)
  return decompress(codec, wrapper.value, maxBytes, { brokenLz4Checksum: wrapper.magic === 0 })
}

function readInner(bytes: Buffer, wrapper: Fields, outerOffset: number, checkCrc: boolean): LegacyMessage[] {
  const messages: { fields: Fields; at: number; offset: number }[] = []
  for (let at = 0; ;) {
    const size = batch.wholeBatchSize(bytes, at)
    if (size === null) break
    const fields = readFields(bytes, at, size, checkCrc)
    if (fields.magic !== wrapper.magic) throw corrupt('inner and outer magic differ')
    if ((fields.attributes & 7) !== 0) throw corrupt('compressed message within a compressed one')
    messages.push({ fields, at, offset: batch.baseOffset(bytes, at) })
    at += size
  }
  const last = messages.at(-1)
  if (last === undefined) throw corrupt('compressed message with nothing in it')
  let base = 0
  if (wrapper.magic === 1 && outerOffset !== 0) {
    if (outerOffset < last.offset) throw corrupt(`outer offset ${outerOffset} below the last inner ${last.offset}`)
    base = outerOffset - last.offset
  }
  const appendTime = typeOf(wrapper) === 'LogAppendTime' ? wrapper.timestamp : null
  return messages.map(({ fields: { timestamp, key, value }, at, offset }) => {
    return { offset: base + offset, timestamp: appendTime ?? timestamp, key, value, bytes, at }
  })
}

export interface UpConversion extends LegacyLimits {
  /** Of the first record; the others follow without gaps, whatever offsets the messages have. */
  readonly baseOffset: number
  readonly leaderEpoch?: number
  readonly codec?: number
  readonly level?: number
  /** The topic's. With LogAppendTime, `logAppendTime` becomes the batch's timestamp. */
  readonly timestampType: TimestampType
  readonly logAppendTime: number
}

/**
 * The message set as one magic-2 batch, as Kafka 3.x appends what old producers send (LogValidator.java).
 * Throws RecordError CORRUPT (also for an empty set), TOO_LARGE or OUT_OF_RANGE.
 */
export function upConvert(buffer: Buffer, from: number, end: number, o: UpConversion): Buffer {
  const { timestampType, logAppendTime, maxBytes: _, checkCrc: __, ...rest } = o
  const records = readMessageSet(buffer, from, end, o).flatMap(({ messages }) => messages)
  if (records.length === 0) throw corrupt('it is empty')
  return encodeBatch({
    ...rest,
    timestampType,
    records: records.map(({ timestamp, key, value }) => ({ timestamp, key, value })),
    ...(timestampType === 'LogAppendTime' ? { maxTimestamp: logAppendTime } : {}),
  })
}

export interface MessageSetToEncode {
  readonly magic: 0 | 1
  /** Offsets are absolute and rise. */
  readonly messages: readonly Pick<Record, 'offset' | 'timestamp' | 'key' | 'value'>[]
  /** 0 none, 1 gzip, 2 snappy, 3 lz4: one compressed message for all of them. */
  readonly codec?: number
  readonly level?: number
  /** Magic 1 only. */
  readonly timestampType?: TimestampType
}

/** Bytes of one uncompressed message; lengths below 0 stand for null. */
export const messageSize = (magic: 0 | 1, keyLength: number, valueLength: number): number =>
  batch.LOG_OVERHEAD + OVERHEAD[magic] + Math.max(0, keyLength) + Math.max(0, valueLength)

/** Whether the CRC-32 of the whole message at `at` is right. */
export const isMessageCrcValid = (bytes: Buffer, at: number): boolean =>
  bytes.readUInt32BE(at + CRC_AT) === crc32(bytes.subarray(at + BODY_AT, at + batch.sizeInBytes(bytes, at)))

/** Headers, producer ids and transactions have no place in these formats and are lost (down-conversion). */
export function encodeMessageSet({ magic, messages, codec = 0, level, timestampType }: MessageSetToEncode): Buffer {
  const first = messages[0]
  const last = messages.at(-1)
  if (first === undefined || last === undefined) return Buffer.alloc(0)
  const typeBit = magic === 1 && timestampType === 'LogAppendTime' ? 8 : 0
  // Inner offsets are relative from magic 1 on.
  const base = codec !== 0 && magic === 1 ? first.offset : 0
  const set = Buffer.concat(
    messages.map(m => encodeMessage(magic, m.offset - base, typeBit, m.timestamp, m.key, m.value)),
  )
  if (codec === 0) return set
  if (codec >= ZSTD) throw new RecordError('UNSUPPORTED', `Codec ${codec} does not exist in magic ${magic}`)
  const value = compress(codec, set, level, { brokenLz4Checksum: magic === 0 })
  const timestamp = messages.reduce((greatest, m) => Math.max(greatest, m.timestamp), -1)
  return encodeMessage(magic, last.offset, codec | typeBit, timestamp, null, value)
}

function encodeMessage(
  magic: 0 | 1,
  offset: number,
  attributes: number,
  timestamp: number,
  key: Buffer | null,
  value: Buffer | null,
): Buffer {
  const length = OVERHEAD[magic] + (key?.length ?? 0) + (value?.length ?? 0)
  const target = Buffer.allocUnsafe(batch.LOG_OVERHEAD + length)
  batch.writeInt64(target, 0, offset)
  target.writeInt32BE(length, 8)
  target.writeInt8(magic, 16)
  target.writeUInt8(attributes, 17)
  if (magic === 1) batch.writeInt64(target, 18, timestamp)
  let at = magic === 0 ? 18 : 26
  for (const bytes of [key, value]) {
    at = target.writeInt32BE(bytes?.length ?? -1, at)
    if (bytes !== null) at += bytes.copy(target, at)
  }
  target.writeUInt32BE(crc32(target.subarray(BODY_AT)), CRC_AT)
  return target
}
