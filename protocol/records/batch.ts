// The header of a magic-2 record batch (KIP-98) as functions on (buffer, position of the batch): nothing is allocated
// and nothing is checked; callers have made sure that HEADER_SIZE bytes are there.
//
//   0 baseOffset int64             17 crc uint32, of all that follows   35 maxTimestamp int64
//   8 batchLength int32            21 attributes int16                  43 producerId int64
//  12 partitionLeaderEpoch int32   23 lastOffsetDelta int32             51 producerEpoch int16
//  16 magic int8                   27 baseTimestamp int64               53 baseSequence int32   57 recordCount int32
//
// attributes: bits 0-2 codec, 3 timestamp type, 4 transactional, 5 control, 6 delete horizon (KIP-534).
// int64 fields come as numbers: exact within ±(2^53-1); beyond, the nearest double, which is no safe integer.
import { crc32c } from './crc32c.ts'
import { RecordError } from './error.ts'

export type TimestampType = 'CreateTime' | 'LogAppendTime'

export const HEADER_SIZE = 61
/** Offset and length, in front of batches of every magic; batchLength does not count them. */
export const LOG_OVERHEAD = 12
/** Where the part begins that the CRC covers. */
export const CRC_FROM = 21
/** The smallest value of the length field in any format: an empty message of magic 0. */
const MIN_LENGTH = 14

const CODEC_MASK = 0x07
const LOG_APPEND_TIME = 0x08
const TRANSACTIONAL = 0x10
const CONTROL = 0x20
const DELETE_HORIZON = 0x40

const TWO_32 = 0x1_0000_0000
const TWO_63 = 2 ** 63

/** A big-endian int64 as a number. */
export function readInt64(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at) * TWO_32 + buffer.readUInt32BE(at + 4)
}

/** Writes a safe integer, -2^63, or 2^63-1 (held as the double 2^63). Throws OUT_OF_RANGE for anything else. */
export function writeInt64(buffer: Buffer, at: number, value: number): void {
  if (value === TWO_63) {
    buffer.writeUInt32BE(0x7fffffff, at)
    buffer.writeUInt32BE(0xffffffff, at + 4)
    return
  }
  if (!Number.isSafeInteger(value) && value !== -TWO_63) {
    throw new RecordError('OUT_OF_RANGE', `${value} is not an exact int64`)
  }
  const high = Math.floor(value / TWO_32)
  buffer.writeInt32BE(high, at)
  buffer.writeUInt32BE(value - high * TWO_32, at + 4)
}

export const baseOffset = (b: Buffer, at: number): number => readInt64(b, at)
export const batchLength = (b: Buffer, at: number): number => b.readInt32BE(at + 8)
/** Of the whole batch, header included; valid for every magic. */
export const sizeInBytes = (b: Buffer, at: number): number => b.readInt32BE(at + 8) + LOG_OVERHEAD
export const partitionLeaderEpoch = (b: Buffer, at: number): number => b.readInt32BE(at + 12)
/** Valid for every magic. */
export const magic = (b: Buffer, at: number): number => b.readInt8(at + 16)
/** As stored, unsigned. */
export const crc = (b: Buffer, at: number): number => b.readUInt32BE(at + 17)
export const attributes = (b: Buffer, at: number): number => b.readInt16BE(at + 21)
/** 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd; 5 to 7 are not assigned. */
export const codec = (b: Buffer, at: number): number => b.readUInt8(at + 22) & CODEC_MASK
export const timestampType = (b: Buffer, at: number): TimestampType =>
  (b.readUInt8(at + 22) & LOG_APPEND_TIME) === 0 ? 'CreateTime' : 'LogAppendTime'
export const isTransactional = (b: Buffer, at: number): boolean => (b.readUInt8(at + 22) & TRANSACTIONAL) !== 0
export const isControl = (b: Buffer, at: number): boolean => (b.readUInt8(at + 22) & CONTROL) !== 0
/** When set, baseTimestamp is the time from which tombstones of this batch may go. */
export const hasDeleteHorizon = (b: Buffer, at: number): boolean => (b.readUInt8(at + 22) & DELETE_HORIZON) !== 0
export const lastOffsetDelta = (b: Buffer, at: number): number => b.readInt32BE(at + 23)
export const lastOffset = (b: Buffer, at: number): number => readInt64(b, at) + b.readInt32BE(at + 23)
/** The one after lastOffset. */
export const nextOffset = (b: Buffer, at: number): number => lastOffset(b, at) + 1
export const baseTimestamp = (b: Buffer, at: number): number => readInt64(b, at + 27)
export const maxTimestamp = (b: Buffer, at: number): number => readInt64(b, at + 35)
/** -1: not idempotent, whatever epoch and sequence say. */
export const producerId = (b: Buffer, at: number): number => readInt64(b, at + 43)
export const producerEpoch = (b: Buffer, at: number): number => b.readInt16BE(at + 51)
export const baseSequence = (b: Buffer, at: number): number => b.readInt32BE(at + 53)
export const recordCount = (b: Buffer, at: number): number => b.readInt32BE(at + 57)
export const lastSequence = (b: Buffer, at: number): number =>
  baseSequence(b, at) === -1 ? -1 : incrementSequence(baseSequence(b, at), lastOffsetDelta(b, at))

/** Sequence numbers wrap from 2^31-1 to 0. */
export function incrementSequence(sequence: number, increment: number): number {
  const next = sequence + increment
  return next > 0x7fffffff ? next - 0x80000000 : next
}

/** The attributes field for these properties. */
export function attributesOf(o: {
  codec: number
  timestampType: TimestampType
  isTransactional: boolean
  isControl: boolean
  hasDeleteHorizon: boolean
}): number {
  return (
    (o.codec & CODEC_MASK) |
    (o.timestampType === 'LogAppendTime' ? LOG_APPEND_TIME : 0) |
    (o.isTransactional ? TRANSACTIONAL : 0) |
    (o.isControl ? CONTROL : 0) |
    (o.hasDeleteHorizon ? DELETE_HORIZON : 0)
  )
}

/** The CRC-32C that a batch of `size` bytes at `at` should carry, unsigned. */
export function computeCrc(buffer: Buffer, at: number, size: number = sizeInBytes(buffer, at)): number {
  return crc32c(buffer.subarray(at + CRC_FROM, at + size))
}

/** Whether the stored CRC is right; false too for a size below a header's or past the end of the buffer. */
export function isCrcValid(buffer: Buffer, at: number): boolean {
  const size = sizeInBytes(buffer, at)
  return size >= HEADER_SIZE && at + size <= buffer.length && crc(buffer, at) === computeCrc(buffer, at, size)
}

/** Outside the CRC: patch freely. Throws OUT_OF_RANGE. */
export function setBaseOffset(buffer: Buffer, at: number, offset: number): void {
  writeInt64(buffer, at, offset)
}

/** Outside the CRC: patch freely. */
export function setLeaderEpoch(buffer: Buffer, at: number, epoch: number): void {
  buffer.writeInt32BE(epoch, at + 12)
}

/** Stores both and recomputes the CRC; does nothing when they are so already. Throws OUT_OF_RANGE. */
export function setMaxTimestampAndType(buffer: Buffer, at: number, timestamp: number, type: TimestampType): void {
  if (timestampType(buffer, at) === type && maxTimestamp(buffer, at) === timestamp) return
  writeInt64(buffer, at + 35, timestamp)
  const low = buffer.readUInt8(at + 22)
  buffer.writeUInt8(type === 'LogAppendTime' ? low | LOG_APPEND_TIME : low & ~LOG_APPEND_TIME, at + 22)
  buffer.writeUInt32BE(computeCrc(buffer, at), at + 17)
}

/** What `wholeBatchAt` says when fewer bytes are there than the batch has. */
export const INCOMPLETE = 0
/** What `wholeBatchAt` says of a length or magic that no batch has. */
export const INVALID = -1

/**
 * The size of the batch (of any magic) at `at` if it lies wholly before `end`; INCOMPLETE or INVALID otherwise.
 * Only length and magic are looked at (Kafka: ByteBufferLogInputStream).
 */
export function wholeBatchAt(buffer: Buffer, at: number, end: number = buffer.length): number {
  if (end - at < LOG_OVERHEAD) return INCOMPLETE
  const length = batchLength(buffer, at)
  if (length < MIN_LENGTH) return INVALID
  if (end - at < LOG_OVERHEAD + 5) return INCOMPLETE
  const version = magic(buffer, at)
  if (version < 0 || version > 2 || (version === 2 && length < HEADER_SIZE - LOG_OVERHEAD)) return INVALID
  return end - at < length + LOG_OVERHEAD ? INCOMPLETE : length + LOG_OVERHEAD
}

/** wholeBatchAt as a size or null (incomplete). Throws CORRUPT at a length or magic that no batch has. */
export function wholeBatchSize(buffer: Buffer, at: number, end: number = buffer.length): number | null {
  const size = wholeBatchAt(buffer, at, end)
  if (size === INVALID) throw new RecordError('CORRUPT', `No record batch begins at byte ${at}`)
  return size === INCOMPLETE ? null : size
}

/**
 * The positions of the whole batches of any magic between `from` and `end`; stops before a cut-off one.
 * Throws CORRUPT at a length or magic that no batch has.
 */
export function* batchesOf(buffer: Buffer, from = 0, end: number = buffer.length): Generator<number, void, undefined> {
  let at = from
  for (;;) {
    const size = wholeBatchSize(buffer, at, end)
    if (size === null) return
    yield at
    at += size
  }
}
