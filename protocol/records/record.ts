// The records inside a magic-2 batch: checked without allocating (walkRecords), or read one by one (RecordCursor).
//
//   length varint | attributes int8 (unused) | timestampDelta varlong | offsetDelta varint
//   keyLength varint, key | valueLength varint, value | headerCount varint, headers
//   header: keyLength varint (>= 0), key UTF-8 | valueLength varint, value            a length below 0 means null
import type { TimestampType } from './batch.ts'
import * as batch from './batch.ts'
import { decompress } from './compression.ts'
import { RecordError } from './error.ts'
import { next, readVarint, readVarlong } from './varint.ts'

/** Length, attributes, two deltas, two lengths and the header count: no record is smaller. */
export const MIN_RECORD_SIZE = 7

/**
 * OK, or REFUSED: well formed, but `recordErrors` names records that this topic does not take; else what is broken:
 * COUNT: fewer records than declared, or a negative count. LENGTH: a record reaches past the end, or is too long.
 * STRUCTURE: a field reaches past its record, a number is too long, or the record is not used up. HEADERS: a header
 * count that cannot be. OFFSET: offset deltas are not 0, 1, 2, … TRAILING: bytes are left after the last record.
 */
export type WalkCode = 'OK' | 'REFUSED' | 'COUNT' | 'LENGTH' | 'STRUCTURE' | 'HEADERS' | 'OFFSET' | 'TRAILING'

export interface RecordRefusal {
  /** Index of the record in the batch. */
  readonly batchIndex: number
  readonly reason: 'NULL_KEY' | 'TIMESTAMP'
  readonly timestamp: number
}

/** Filled by walkRecords; make one and use it again. */
export interface WalkResult {
  code: WalkCode
  /** The record that the code is about; the number of records when all is well. */
  recordIndex: number
  /** Greatest timestamp of any record, -1 when there is none (or all are -1). NaN when one is beyond ±(2^53-1). */
  maxTimestamp: number
  /** The first record that has it; -1 if there is none. */
  indexOfMaxTimestamp: number
  /** At most MAX_REFUSALS; null when every record is welcome. */
  recordErrors: RecordRefusal[] | null
}

export interface WalkOptions {
  /** Every record must have a key (compacted topics, KIP-467). */
  readonly requireKeys?: boolean
  /** Longest record, without its length field. */
  readonly maxRecordBytes?: number
  /** Timestamps other than -1 outside these bounds are refused (message.timestamp.before/after.max.ms). */
  readonly minTimestamp?: number
  readonly maxTimestamp?: number
  /** Offset deltas need only rise, up to `lastOffsetDelta`: batches of a compacted log. */
  readonly gaps?: boolean
  /** In a batch whose timestamp type is LogAppendTime this is every record's timestamp. */
  readonly logAppendTime?: number | null
}

/** Clients use the first few; a batch of a million bad records need not name them all. */
export const MAX_REFUSALS = 100

export function newWalkResult(): WalkResult {
  return { code: 'OK', recordIndex: 0, maxTimestamp: -1, indexOfMaxTimestamp: -1, recordErrors: null }
}

const NO_OPTIONS: WalkOptions = {}

function broken(result: WalkResult, code: WalkCode, recordIndex: number): WalkCode {
  result.recordIndex = recordIndex
  result.code = code
  return code
}

function refuse(result: WalkResult, batchIndex: number, reason: RecordRefusal['reason'], timestamp: number): void {
  result.recordErrors ??= []
  if (result.recordErrors.length < MAX_REFUSALS) result.recordErrors.push({ batchIndex, reason, timestamp })
}

/** The position behind `count` headers, or -1. */
function skipHeaders(bytes: Uint8Array, from: number, end: number, count: number): number {
  let at = from
  for (let i = 0; i < count; i++) {
    const keyLength = readVarint(bytes, at, end)
    if (next < 0 || keyLength < 0 || keyLength > end - next) return -1
    at = next + keyLength
    const valueLength = readVarint(bytes, at, end)
    if (next < 0 || valueLength > end - next) return -1
    at = valueLength > 0 ? next + valueLength : next
  }
  return at
}

/**
 * Checks the uncompressed records in bytes [from, end) as Kafka does on append (LogValidator.java, DefaultRecord.java),
 * and beyond it that offset deltas are consecutive: Kafka takes any in an uncompressed batch, and the log would then
 * hold two records of one offset. Allocates nothing but the list of refused records.
 * `baseTimestamp` and `count` are the header's, `lastOffsetDelta` is needed with `gaps` only.
 */
export function walkRecords(
  bytes: Uint8Array,
  from: number,
  end: number,
  count: number,
  baseTimestamp: number,
  result: WalkResult,
  options: WalkOptions = NO_OPTIONS,
  lastOffsetDelta = count - 1,
): WalkCode {
  const requireKeys = options.requireKeys ?? false
  const minTimestamp = options.minTimestamp ?? -Infinity
  const maxTimestamp = options.maxTimestamp ?? Infinity
  const maxRecordBytes = options.maxRecordBytes ?? Infinity
  const gaps = options.gaps ?? false
  const logAppendTime = options.logAppendTime ?? null
  let greatest = -1
  let indexOfGreatest = -1
  let previousDelta = -1
  result.recordErrors = null
  result.maxTimestamp = -1
  result.indexOfMaxTimestamp = -1
  if (count < 0 || count > (end - from) / MIN_RECORD_SIZE) return broken(result, 'COUNT', 0)
  let at = from
  for (let index = 0; index < count; index++) {
    if (at >= end) return broken(result, 'COUNT', index)
    const length = readVarint(bytes, at, end)
    if (next < 0 || length < MIN_RECORD_SIZE - 1 || length > Math.min(end - next, maxRecordBytes)) {
      return broken(result, 'LENGTH', index)
    }
    const stop = next + length

    const timestampDelta = readVarlong(bytes, next + 1, stop) // the attributes byte is unused in every version
    if (next < 0) return broken(result, 'STRUCTURE', index)
    const offsetDelta = readVarint(bytes, next, stop)
    if (next < 0) return broken(result, 'STRUCTURE', index)
    const keyLength = readVarint(bytes, next, stop)
    if (next < 0 || keyLength > stop - next) return broken(result, 'STRUCTURE', index)
    const valueLength = readVarint(bytes, keyLength > 0 ? next + keyLength : next, stop)
    if (next < 0 || valueLength > stop - next) return broken(result, 'STRUCTURE', index)
    const headerCount = readVarint(bytes, valueLength > 0 ? next + valueLength : next, stop)
    if (next < 0) return broken(result, 'STRUCTURE', index)
    if (headerCount !== 0) {
      // Each header takes two bytes at least.
      if (headerCount < 0 || headerCount * 2 > stop - next) return broken(result, 'HEADERS', index)
      if (skipHeaders(bytes, next, stop, headerCount) !== stop) return broken(result, 'STRUCTURE', index)
    } else if (next !== stop) return broken(result, 'STRUCTURE', index)

    if (gaps ? offsetDelta <= previousDelta || offsetDelta > lastOffsetDelta : offsetDelta !== index) {
      return broken(result, 'OFFSET', index)
    }
    previousDelta = offsetDelta
    if (requireKeys && keyLength < 0) refuse(result, index, 'NULL_KEY', -1)
    const timestamp = logAppendTime ?? baseTimestamp + timestampDelta
    if (timestamp > greatest) {
      greatest = timestamp
      indexOfGreatest = index
    }
    if (!Number.isSafeInteger(timestamp)) {
      greatest = Number.NaN // and stays: nothing is greater
      refuse(result, index, 'TIMESTAMP', timestamp)
    } else if (timestamp !== -1 && (timestamp < minTimestamp || timestamp > maxTimestamp)) {
      refuse(result, index, 'TIMESTAMP', timestamp)
    }
    at = stop
  }
  if (at !== end) return broken(result, 'TRAILING', count)
  result.maxTimestamp = greatest
  result.indexOfMaxTimestamp = indexOfGreatest
  return broken(result, result.recordErrors === null ? 'OK' : 'REFUSED', count)
}

/** walkRecords over the uncompressed batch at `at`, whose size has been checked. */
export function walkBatch(buffer: Buffer, at: number, result: WalkResult, options: WalkOptions = NO_OPTIONS): WalkCode {
  return walkRecords(
    buffer,
    at + batch.HEADER_SIZE,
    at + batch.sizeInBytes(buffer, at),
    batch.recordCount(buffer, at),
    batch.baseTimestamp(buffer, at),
    result,
    options,
    batch.lastOffsetDelta(buffer, at),
  )
}

const MESSAGES: { readonly [Code in WalkCode]: (index: number) => string } = {
  OK: count => `The batch of ${count} records is valid`,
  REFUSED: () => 'One or more records have been rejected',
  COUNT: index => `The batch holds fewer records than it declares: ${index} could be read`,
  LENGTH: index => `Record ${index} has an invalid length`,
  STRUCTURE: index => `Record ${index} has an invalid structure`,
  HEADERS: index => `Record ${index} has an invalid number of headers`,
  OFFSET: index => `Record ${index} has an offset out of sequence`,
  TRAILING: count => `Bytes are left after the last of ${count} records`,
}

/** One sentence for a client or a log line. */
export const walkMessage = ({ code, recordIndex }: WalkResult): string => MESSAGES[code](recordIndex)

/** The message of one refused record, for the produce response (KIP-467). */
export function refusalMessage({ reason, timestamp }: RecordRefusal): string {
  return reason === 'NULL_KEY'
    ? 'This topic is compacted: a record needs a key'
    : `The timestamp ${timestamp} is out of range`
}

export interface Header {
  readonly key: string
  readonly value: Buffer | null
}

export interface Record {
  readonly offset: number
  /** Milliseconds, -1 for none. */
  readonly timestamp: number
  /** Views, not copies; an uncompressed batch's last as long as its buffer. */
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly Header[]
}

export interface ReadLimits {
  /** Most bytes that the records may have uncompressed. */
  readonly maxBytes?: number
}

/** What one batch may expand to unless the caller says otherwise. */
export const DEFAULT_MAX_BYTES = 256 * 1024 * 1024

/**
 * Steps through the records of one batch without allocating; decompresses first if need be (zstd: codecReady).
 * Fields are valid after `next()` returned true. Positions point into `bytes`.
 */
export class RecordCursor {
  readonly bytes: Buffer
  readonly baseOffset: number
  readonly baseTimestamp: number
  readonly timestampType: TimestampType
  readonly count: number
  offset = -1
  offsetDelta = 0
  /** No safe integer (NaN perhaps) when it lies beyond ±(2^53-1): `record()` refuses it then. */
  timestamp = -1
  /** Where the fields behind the length begin: the attributes byte. */
  bodyStart = 0
  keyStart = 0
  /** -1 for null. */
  keyLength = -1
  valueStart = 0
  valueLength = -1
  headersStart = 0
  headerCount = 0
  #index = 0
  #at: number
  readonly #end: number
  readonly #maxTimestamp: number

  /** Throws RecordError: CORRUPT, TOO_LARGE, or UNSUPPORTED codec. The CRC is not checked. */
  constructor(buffer: Buffer, at = 0, limits: ReadLimits = {}) {
    const size = batch.wholeBatchAt(buffer, at)
    if (size <= 0 || batch.magic(buffer, at) !== 2) throw new RecordError('CORRUPT', 'Not a whole magic-2 batch')
    this.baseOffset = batch.baseOffset(buffer, at)
    this.baseTimestamp = batch.baseTimestamp(buffer, at)
    this.timestampType = batch.timestampType(buffer, at)
    this.#maxTimestamp = batch.maxTimestamp(buffer, at)
    this.count = batch.recordCount(buffer, at)
    const codec = batch.codec(buffer, at)
    if (codec === 0 || this.count === 0) {
      this.bytes = buffer
      this.#at = at + batch.HEADER_SIZE
      // Kafka does not look at what an empty batch carries (compressing nothing still gives a few bytes).
      this.#end = this.count === 0 ? this.#at : at + size
    } else {
      const payload = buffer.subarray(at + batch.HEADER_SIZE, at + size)
      this.bytes = decompress(codec, payload, limits.maxBytes ?? DEFAULT_MAX_BYTES)
      this.#at = 0
      this.#end = this.bytes.length
    }
    if (this.count < 0 || this.count > (this.#end - this.#at) / MIN_RECORD_SIZE) this.#fail('invalid record count')
  }

  /** Moves to the next record; false after the last. Throws CORRUPT. */
  next(): boolean {
    if (this.#index === this.count) {
      if (this.#at !== this.#end) this.#fail('bytes are left after the last record')
      return false
    }
    const { bytes } = this
    const length = readVarint(bytes, this.#at, this.#end)
    if (next < 0 || length < MIN_RECORD_SIZE - 1 || length > this.#end - next) this.#fail('invalid length')
    const stop = next + length
    this.bodyStart = next
    const timestampDelta = readVarlong(bytes, next + 1, stop)
    const offsetDelta = next < 0 ? 0 : readVarint(bytes, next, stop)
    this.keyLength = next < 0 ? 0 : readVarint(bytes, next, stop)
    if (next < 0 || this.keyLength > stop - next) this.#fail('invalid structure')
    if (this.keyLength < 0) this.keyLength = -1
    this.keyStart = next
    this.valueLength = readVarint(bytes, next + Math.max(0, this.keyLength), stop)
    if (next < 0 || this.valueLength > stop - next) this.#fail('invalid structure')
    if (this.valueLength < 0) this.valueLength = -1
    this.valueStart = next
    this.headerCount = readVarint(bytes, next + Math.max(0, this.valueLength), stop)
    if (next < 0 || this.headerCount < 0 || this.headerCount * 2 > stop - next) this.#fail('invalid header count')
    this.headersStart = next
    if (skipHeaders(bytes, next, stop, this.headerCount) !== stop) this.#fail('invalid structure')
    this.offsetDelta = offsetDelta
    this.offset = this.baseOffset + offsetDelta
    this.timestamp = this.timestampType === 'LogAppendTime' ? this.#maxTimestamp : this.baseTimestamp + timestampDelta
    this.#at = stop
    this.#index++
    return true
  }

  /** A view of the key, or null. */
  key(): Buffer | null {
    return this.keyLength < 0 ? null : this.bytes.subarray(this.keyStart, this.keyStart + this.keyLength)
  }

  /** A view of the value, or null. */
  value(): Buffer | null {
    return this.valueLength < 0 ? null : this.bytes.subarray(this.valueStart, this.valueStart + this.valueLength)
  }

  headers(): Header[] {
    const { bytes } = this
    const end = bytes.length // the lengths were checked when the cursor came here
    const headers: Header[] = []
    let at = this.headersStart
    for (let i = 0; i < this.headerCount; i++) {
      const keyLength = readVarint(bytes, at, end)
      const key = bytes.toString('utf8', next, next + keyLength)
      const valueLength = readVarint(bytes, next + keyLength, end)
      const value = valueLength < 0 ? null : bytes.subarray(next, next + valueLength)
      at = next + Math.max(0, valueLength)
      headers.push({ key, value })
    }
    return headers
  }

  /** All fields as one value. Throws OUT_OF_RANGE for a timestamp beyond ±(2^53-1). */
  record(): Record {
    const { offset, timestamp } = this
    if (!Number.isSafeInteger(timestamp)) {
      throw new RecordError('OUT_OF_RANGE', `The record at offset ${offset} has a timestamp beyond ±(2^53-1)`)
    }
    return { offset, timestamp, key: this.key(), value: this.value(), headers: this.headers() }
  }

  #fail(why: string): never {
    throw new RecordError('CORRUPT', `Record ${this.#index}: ${why}`)
  }
}

/** Calls `visit` for each record of the batch at `at`. Throws as RecordCursor does, perhaps after some records. */
export function forEachRecord(
  buffer: Buffer,
  at: number,
  visit: (record: Record) => void,
  limits: ReadLimits = {},
): void {
  const cursor = new RecordCursor(buffer, at, limits)
  while (cursor.next()) visit(cursor.record())
}

/** All records of the batch at `at`. Throws as RecordCursor does. */
export function decodeRecords(buffer: Buffer, at = 0, limits: ReadLimits = {}): Record[] {
  const records: Record[] = []
  forEachRecord(buffer, at, record => records.push(record), limits)
  return records
}

export type { BatchToEncode, RecordToEncode } from './encode.ts'
export { encodeBatch } from './encode.ts'
