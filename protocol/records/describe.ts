// Record batches of any magic as plain values, exactly, for people and tools: the wire vectors and the dump command.
// Everything is there as Kafka reads it; int64 beyond ±(2^53-1) are decimal strings; bytes are base64.
import * as batch from './batch.ts'
import { codecName } from './compression.ts'
import { encodeBatch } from './encode.ts'
import type { LegacyBatch, LegacyTimestampType } from './legacy.ts'
import { readMessageSet } from './legacy.ts'
import type { ReadLimits } from './record.ts'
import { RecordCursor } from './record.ts'
import { readVarlongExactly } from './varint.ts'

/** A number within ±(2^53-1), else its decimal digits. */
export type Int64 = number | string
/** Base64 or null. */
export type Bytes = string | null

export interface DescribedRecord {
  offset: Int64
  timestamp: Int64
  key: Bytes
  value: Bytes
  /** These are magic 2's. */
  timestampDelta?: Int64
  sequence?: number
  headers?: { key: string; value: Bytes }[]
}

export interface DescribedBatch {
  magic: number
  baseOffset: Int64
  lastOffset: Int64
  sizeInBytes: number
  crc: number
  attributes: number
  compression: string
  timestampType: LegacyTimestampType
  maxTimestamp: Int64
  records: DescribedRecord[]
  /** From here on magic 2's. */
  partitionLeaderEpoch?: number
  baseTimestamp?: Int64
  isTransactional?: boolean
  isControl?: boolean
  deleteHorizonMs?: Int64 | null
  producerId?: Int64
  producerEpoch?: number
  baseSequence?: number
  lastSequence?: number
  count?: number
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)
const int64 = (value: bigint): Int64 => (value > MAX_SAFE || value < -MAX_SAFE ? String(value) : Number(value))
const base64 = (bytes: Buffer | null): Bytes => (bytes === null ? null : bytes.toString('base64'))
const wrapped = (value: bigint): bigint => BigInt.asIntN(64, value)

/**
 * All whole batches of `buffer`; a cut-off one at the end is left out. CRCs are told, not checked. Needs
 * codecReady(4) for batches in zstd. Throws RecordError CORRUPT, TOO_LARGE or UNSUPPORTED.
 */
export function describeBatches(buffer: Buffer, limits: ReadLimits = {}): DescribedBatch[] {
  const batches: DescribedBatch[] = []
  for (const at of batch.batchesOf(buffer)) {
    if (batch.magic(buffer, at) === 2) batches.push(describeBatch(buffer, at, limits))
    else {
      const end = at + batch.sizeInBytes(buffer, at)
      batches.push(
        ...readMessageSet(buffer, at, end, { ...limits, checkCrc: false }).map(b => describeLegacy(buffer, b)),
      )
    }
  }
  return batches
}

const describeBatch = (buffer: Buffer, at: number, limits: ReadLimits): DescribedBatch => ({
  ...describeHeader(buffer, at),
  records: [...describeRecords(buffer, at, limits)],
})

/** What the header of the magic-2 batch at `at` says, whatever lies behind it. */
export function describeHeader(buffer: Buffer, at: number): Omit<DescribedBatch, 'records'> {
  const baseOffset = buffer.readBigInt64BE(at)
  const baseTimestamp = buffer.readBigInt64BE(at + 27)
  return {
    magic: 2,
    baseOffset: int64(baseOffset),
    lastOffset: int64(wrapped(baseOffset + BigInt(batch.lastOffsetDelta(buffer, at)))),
    sizeInBytes: batch.sizeInBytes(buffer, at),
    crc: batch.crc(buffer, at),
    attributes: batch.attributes(buffer, at),
    compression: codecName(batch.codec(buffer, at)) ?? 'unknown',
    timestampType: batch.timestampType(buffer, at),
    partitionLeaderEpoch: batch.partitionLeaderEpoch(buffer, at),
    baseTimestamp: int64(baseTimestamp),
    maxTimestamp: int64(buffer.readBigInt64BE(at + 35)),
    isTransactional: batch.isTransactional(buffer, at),
    isControl: batch.isControl(buffer, at),
    deleteHorizonMs: batch.hasDeleteHorizon(buffer, at) ? int64(baseTimestamp) : null,
    producerId: int64(buffer.readBigInt64BE(at + 43)),
    producerEpoch: batch.producerEpoch(buffer, at),
    baseSequence: batch.baseSequence(buffer, at),
    lastSequence: batch.lastSequence(buffer, at),
    count: batch.recordCount(buffer, at),
  }
}

/** The records of the magic-2 batch at `at`, one by one: those before a broken one are told. Throws as describeBatches. */
export function* describeRecords(
  buffer: Buffer,
  at: number,
  limits: ReadLimits = {},
): Generator<DescribedRecord, void, undefined> {
  const baseOffset = buffer.readBigInt64BE(at)
  const baseTimestamp = buffer.readBigInt64BE(at + 27)
  const baseSequence = batch.baseSequence(buffer, at)
  const appendTime = batch.timestampType(buffer, at) === 'LogAppendTime' ? buffer.readBigInt64BE(at + 35) : null
  const cursor = new RecordCursor(buffer, at, limits)
  while (cursor.next()) {
    const timestampDelta = readVarlongExactly(cursor.bytes, cursor.bodyStart + 1, cursor.bytes.length)
    yield {
      offset: int64(wrapped(baseOffset + BigInt(cursor.offsetDelta))),
      timestamp: int64(appendTime ?? wrapped(baseTimestamp + timestampDelta)),
      timestampDelta: int64(timestampDelta),
      key: base64(cursor.key()),
      value: base64(cursor.value()),
      sequence: baseSequence < 0 ? -1 : batch.incrementSequence(baseSequence, cursor.offsetDelta),
      headers: cursor.headers().map(({ key, value }) => ({ key, value: base64(value) })),
    }
  }
}

function describeLegacy(buffer: Buffer, b: LegacyBatch): DescribedBatch {
  const outer = buffer.readBigInt64BE(b.at)
  const stored = b.messages.map(({ bytes, at }) => bytes.readBigInt64BE(at))
  // readMessageSet has found the same with numbers: see there.
  const relative = b.codec !== 0 && b.magic === 1 && outer !== 0n
  const base = relative ? outer - stored.at(-1)! : 0n
  const maxTimestamp = b.magic === 0 ? -1n : buffer.readBigInt64BE(b.at + 18)
  const records = b.messages.map(({ key, value, bytes, at }, index) => ({
    offset: int64(base + stored[index]!),
    timestamp:
      b.magic === 0 ? -1 : int64(b.timestampType === 'LogAppendTime' ? maxTimestamp : bytes.readBigInt64BE(at + 18)),
    key: base64(key),
    value: base64(value),
  }))
  return {
    magic: b.magic,
    baseOffset: records[0]!.offset,
    lastOffset: int64(outer),
    sizeInBytes: b.sizeInBytes,
    crc: b.crc,
    attributes: b.attributes,
    compression: codecName(b.codec) ?? 'unknown',
    timestampType: b.timestampType,
    maxTimestamp: int64(maxTimestamp),
    records,
  }
}

/**
 * The bytes of described magic-2 batches without compression (a compressor may choose other bytes). CRC and size are
 * computed, not taken. Throws RecordError OUT_OF_RANGE for timestamps beyond ±(2^53-1).
 */
export function encodeDescribed(batches: readonly DescribedBatch[]): Buffer {
  return Buffer.concat(
    batches.map(b => {
      const baseOffset = BigInt(b.baseOffset)
      const encoded = encodeBatch({
        leaderEpoch: b.partitionLeaderEpoch ?? -1,
        timestampType: b.timestampType === 'LogAppendTime' ? 'LogAppendTime' : 'CreateTime',
        baseTimestamp: Number(b.baseTimestamp ?? -1),
        maxTimestamp: Number(b.maxTimestamp),
        lastOffsetDelta: Number(BigInt(b.lastOffset) - baseOffset),
        producerId: Number(b.producerId ?? -1),
        producerEpoch: b.producerEpoch ?? -1,
        baseSequence: b.baseSequence ?? -1,
        isTransactional: b.isTransactional ?? false,
        isControl: b.isControl ?? false,
        hasDeleteHorizon: (b.deleteHorizonMs ?? null) !== null,
        records: b.records.map(r => ({
          timestamp: Number(b.baseTimestamp ?? -1) + Number(r.timestampDelta ?? 0),
          offsetDelta: Number(BigInt(r.offset) - baseOffset),
          key: fromBase64(r.key),
          value: fromBase64(r.value),
          headers: (r.headers ?? []).map(({ key, value }) => ({ key, value: fromBase64(value) })),
        })),
      })
      encoded.writeBigInt64BE(baseOffset, 0) // lies outside the CRC, so it may be beyond what a number holds
      return encoded
    }),
  )
}

const fromBase64 = (text: Bytes): Buffer | null => (text === null ? null : Buffer.from(text, 'base64'))
