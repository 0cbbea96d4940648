/** Prints a `.log` file (or a `.checkpoint` of the metadata log, which is one too) as Kafka's DumpLogSegments does. */
import { isUtf8 } from 'node:buffer'
import * as header from '../protocol/records/batch.ts'
import { codecName } from '../protocol/records/compression.ts'
import { controlTypeName, decodeControlKey, decodeEndTransactionMarker } from '../protocol/records/control.ts'
import { describeBatches, describeHeader, describeRecords } from '../protocol/records/describe.ts'
import type { DescribedBatch, DescribedRecord } from '../protocol/records/describe.ts'
import { RecordError } from '../protocol/records/error.ts'
import { MIN_RECORD_SIZE } from '../protocol/records/record.ts'
import { isMessageCrcValid, readMessageSet } from '../protocol/records/legacy.ts'
import { DecodeError } from '../protocol/reader.ts'
import type { Files } from './files.ts'
import type { Entry, Findings } from './inspect-entry.ts'
import { nameOf, offsetOfFile } from './names.ts'

/** How the key and the value of a record are printed; null leaves that part out. */
export type RecordPrinter = (
  key: Buffer | null,
  value: Buffer | null,
  offset: number | string,
) => { key: string | null; payload: string | null }
/** How a control record is printed, behind its metadata. */
export type ControlPrinter = (type: number, value: Buffer | null) => string

export interface LogPrintOptions {
  /** A line for each record, not for each batch alone; needs codecReady(4) for batches in zstd. Default true. */
  readonly records?: boolean
  /** By default keys and values as UTF-8; null prints neither. */
  readonly print?: RecordPrinter | null
  readonly printControl?: ControlPrinter
  /** Of records their contents alone: of control records nothing. */
  readonly skipMetadata?: boolean
  /** Batches that begin and end within the first so many bytes. */
  readonly maxBytes?: number
  readonly findings?: Findings
}

export interface FoundBatch {
  /** The whole batch, at 0; valid until the next one is asked for. */
  readonly bytes: Buffer
  readonly position: number
}

/** What lies behind the last batch that could be stepped over. */
export interface LogEnd {
  readonly position: number
  /** 0: the file ends with a batch. */
  readonly bytes: number
  /** Why no batch begins there: its bytes end too early, or its length or its magic is none. */
  readonly why: 'END' | 'CUT' | 'LENGTH' | 'MAGIC'
}

const SMALLEST_BUFFER = 64 * 1024

/** The batches of a file of any magic, in order from `from` on, up to the first that is cut off or impossible. */
export function* batchesOfFile(
  files: Files,
  path: string,
  from = 0,
  to = Infinity,
): Generator<FoundBatch, LogEnd, undefined> {
  const handle = files.open(path, 'read')
  try {
    const size = Math.min(handle.size(), to)
    let buffer = Buffer.allocUnsafe(SMALLEST_BUFFER)
    for (let position = from; ;) {
      const end = (why: LogEnd['why']): LogEnd => ({ position, bytes: size - position, why })
      if (position >= size) return end('END')
      const wanted = Math.min(header.HEADER_SIZE, size - position)
      const head = buffer.subarray(0, handle.readAt(buffer.subarray(0, wanted), position))
      if (head.byteLength < header.LOG_OVERHEAD + 5) return end('CUT')
      const length = header.sizeInBytes(head, 0)
      const found = header.wholeBatchAt(head, 0, size - position)
      if (found === header.INVALID) return end(header.batchLength(head, 0) < MIN_LENGTH ? 'LENGTH' : 'MAGIC')
      if (found !== length) return end('CUT')
      if (length > buffer.byteLength) buffer = Buffer.allocUnsafe(length)
      const bytes = buffer.subarray(0, length)
      handle.readAt(bytes, position)
      yield { bytes, position }
      position += length
    }
  } finally {
    handle.close()
  }
}

/**
 * The same as Kafka's tool steps through a file: by lengths alone, whatever the magic. Of one above 2 it reads what 2 has.
 */
export function* rawBatches(
  files: Files,
  path: string,
  from = 0,
  to = Infinity,
): Generator<FoundBatch, LogEnd, undefined> {
  const handle = files.open(path, 'read')
  try {
    const size = Math.min(handle.size(), to)
    const head = Buffer.allocUnsafe(header.LOG_OVERHEAD)
    for (let position = from; ;) {
      const end = (why: LogEnd['why']): LogEnd => ({ position, bytes: size - position, why })
      if (position >= size - header.LOG_OVERHEAD - 5) return end(position === size ? 'END' : 'CUT')
      handle.readAt(head, position)
      const length = header.sizeInBytes(head, 0)
      if (header.batchLength(head, 0) < MIN_LENGTH) return end('LENGTH')
      if (length > size - position) return end('CUT')
      const bytes = Buffer.allocUnsafe(length)
      handle.readAt(bytes, position)
      yield { bytes, position }
      position += length
    }
  } finally {
    handle.close()
  }
}

/** The first batch of a walk, which ends there. */
export function firstOf(batches: Generator<FoundBatch, LogEnd, undefined>): FoundBatch | null {
  const next = batches.next()
  if (next.done === true) return null
  batches.return({ position: next.value.position, bytes: 0, why: 'END' })
  return next.value
}

/** The last offset of the batch at 0, exactly. */
export function exactLastOffset(bytes: Buffer): bigint {
  const base = bytes.readBigInt64BE(0)
  const isOld = header.magic(bytes, 0) < 2 || bytes.byteLength < header.HEADER_SIZE
  return isOld ? base : BigInt.asIntN(64, base + BigInt(header.lastOffsetDelta(bytes, 0)))
}

/** Length field of the smallest message there is, one of magic 0. */
const MIN_LENGTH = 14

/** Whether the checksum of the batch at 0 is right, and of old formats whether everything in it can be read. */
export function isValidBatch(bytes: Buffer): boolean {
  if (header.magic(bytes, 0) === 2) return header.isCrcValid(bytes, 0)
  try {
    readMessageSet(bytes)
    return true
  } catch (error) {
    if (error instanceof RecordError) return false
    throw error
  }
}

/** An entry for each batch and record, and one for what lies behind the last batch. */
export function* logEntries(files: Files, path: string, options: LogPrintOptions = {}): Generator<Entry, void> {
  const batches = rawBatches(files, path, 0, options.maxBytes)
  const run = { lastOffset: -1n, base: BigInt(offsetOfFile(nameOf(path)) ?? 0) }
  let position = 0
  try {
    for (;;) {
      const next = batches.next()
      if (next.done === true) {
        if (options.maxBytes === undefined) yield* endEntries(path, next.value)
        return
      }
      ;({ position } = next.value)
      yield* batchEntries(next.value, run, options)
    }
  } finally {
    // Also where nobody asks for more.
    batches.return({ position, bytes: 0, why: 'END' })
  }
}

function* endEntries(path: string, { position, bytes, why }: LogEnd): Generator<Entry, void> {
  if (bytes === 0) return
  // Kafka's tool gives up here.
  if (why === 'LENGTH') yield { problem: `at ${position}: no batch has the length found here`, position }
  yield {
    line: `Found ${bytes} invalid bytes at the end of ${nameOf(path)}`,
    json: () => ({ type: 'invalid bytes', position, bytes }),
  }
}

type Header = Omit<DescribedBatch, 'records'>

function* batchEntries(
  { bytes: found, position }: FoundBatch,
  run: { lastOffset: bigint; readonly base: bigint },
  options: LogPrintOptions,
): Generator<Entry, void> {
  const magic = header.magic(found, 0)
  if (magic >= 2 ? found.byteLength < header.HEADER_SIZE : found.byteLength < SMALLEST_MESSAGE) {
    return yield { problem: `batch at ${position}: ${found.byteLength} bytes are too few`, position }
  }
  const bytes = asMagic2(found)
  const batch = magic >= 2 ? { ...describeHeader(bytes, 0), magic } : legacyHeader(bytes, magic)
  const isValid = magic >= 2 ? header.isCrcValid(bytes, 0) : isMessageCrcValid(bytes, 0)
  yield {
    line: batchLine(batch, position, isValid),
    json: () => ({ type: 'batch', position, ...batch, isValid }),
  }
  if (options.records === false) return
  try {
    for (const record of recordsOf(bytes, magic)) {
      const offset = BigInt(record.offset)
      // Kafka's tool misses the records before a segment's first one, which are where they belong.
      const isStart = run.lastOffset === -1n && offset === run.base
      if (offset !== run.lastOffset + 1n && !isStart) options.findings?.gap(run.lastOffset, offset)
      run.lastOffset = offset
      yield recordEntry(batch, record, options)
    }
  } catch (error) {
    if (!(error instanceof RecordError) && !(error instanceof DecodeError)) throw error
    yield { problem: `batch at ${position}: ${error.message}`, position }
  }
}

/** Magic 1 without key and value. */
const SMALLEST_MESSAGE = 26

/** The magic lies outside the checksum; one above 2 is read as 2. */
export function asMagic2(found: Buffer): Buffer {
  if (header.magic(found, 0) <= 2) return found
  const bytes = Buffer.from(found)
  bytes.writeInt8(2, 16)
  return bytes
}

/** A count that is too large is known before the first record is read; those that are there are told all the same. */
function withPossibleCount(batch: Buffer): Buffer {
  const most = Math.floor((batch.byteLength - header.HEADER_SIZE) / MIN_RECORD_SIZE)
  if (header.codec(batch, 0) !== 0 || header.recordCount(batch, 0) <= most) return batch
  const bytes = Buffer.from(batch)
  bytes.writeInt32BE(most, 57)
  return bytes
}

interface LegacyRecord extends DescribedRecord {
  readonly crc?: number
  readonly isValid?: boolean
}

function* recordsOf(bytes: Buffer, magic: number): Generator<LegacyRecord, void> {
  if (magic >= 2) return yield* describeRecords(withPossibleCount(bytes), 0)
  const messages = readMessageSet(bytes, 0, bytes.byteLength, { checkCrc: false }).flatMap(batch => batch.messages)
  const records = describeBatches(bytes).flatMap(batch => batch.records)
  for (const [n, record] of records.entries()) {
    const { bytes: at, at: from } = messages[n]!
    yield { ...record, crc: at.readUInt32BE(from + 12), isValid: isMessageCrcValid(at, from) }
  }
}

function legacyHeader(bytes: Buffer, magic: number): Header {
  const attributes = bytes.readUInt8(17)
  const maxTimestamp = magic === 0 ? -1n : bytes.readBigInt64BE(18)
  const exact = Number(maxTimestamp)
  return {
    magic,
    baseOffset: header.baseOffset(bytes, 0),
    lastOffset: header.baseOffset(bytes, 0),
    sizeInBytes: bytes.byteLength,
    crc: bytes.readUInt32BE(12),
    attributes,
    compression: codecName(attributes & 7) ?? 'unknown',
    timestampType: magic === 0 ? 'NoTimestampType' : (attributes & 8) === 0 ? 'CreateTime' : 'LogAppendTime',
    maxTimestamp: Number.isSafeInteger(exact) ? exact : String(maxTimestamp),
  }
}

function batchLine(b: Header, position: number, isValid: boolean): string {
  const fields =
    b.magic >= 2
      ? `baseOffset: ${b.baseOffset} lastOffset: ${b.lastOffset} count: ${b.count} baseSequence: ${b.baseSequence} lastSequence: ${b.lastSequence} producerId: ${b.producerId} producerEpoch: ${b.producerEpoch} partitionLeaderEpoch: ${b.partitionLeaderEpoch} isTransactional: ${b.isTransactional} isControl: ${b.isControl} deleteHorizonMs: ${optionalLong(b.deleteHorizonMs ?? null)}`
      : `offset: ${b.lastOffset}`
  return `${fields} position: ${position} ${b.timestampType}: ${b.maxTimestamp} size: ${b.sizeInBytes} magic: ${b.magic} compresscodec: ${b.compression} crc: ${b.crc} isvalid: ${isValid}`
}

function recordEntry(batch: Header, record: LegacyRecord, options: LogPrintOptions): Entry {
  const key = record.key === null ? null : Buffer.from(record.key, 'base64')
  const value = record.value === null ? null : Buffer.from(record.value, 'base64')
  const parts: string[] = []
  const control =
    batch.isControl === true
      ? (options.printControl ?? printTransactionMarker)(decodeControlKey(key).type, value)
      : undefined
  if (options.skipMetadata !== true) {
    parts.push(
      `offset: ${record.offset} ${batch.timestampType}: ${record.timestamp} keySize: ${key?.byteLength ?? -1} valueSize: ${value?.byteLength ?? -1}`,
    )
    if (batch.magic >= 2) {
      const headers = (record.headers ?? []).map(h => h.key).join(',')
      parts.push(`sequence: ${record.sequence} headerKeys: [${headers}]`)
    } else parts.push(`isValid: ${record.isValid} crc: ${record.crc}`)
    if (control !== undefined) parts.push(control)
  }
  const print = options.print === undefined ? printText : options.print
  const printed = control !== undefined || print === null ? null : print(key, value, record.offset)
  if (printed !== null && printed.key !== null) parts.push(`key: ${printed.key}`)
  if (printed !== null && printed.payload !== null) parts.push(`payload: ${printed.payload}`)
  return {
    line: parts.length === 0 ? '' : `| ${parts.join(' ')}`,
    json: () => ({
      type: 'record',
      ...record,
      key: shown(key),
      value: shown(value),
      ...(control === undefined ? {} : { control }),
      ...(printed === null || print === printText
        ? {}
        : { decodedKey: parsed(printed.key), decodedValue: parsed(printed.payload) }),
    }),
  }
}

/** Bytes that are text as it, others in base64. */
const shown = (bytes: Buffer | null): unknown =>
  bytes === null ? null : isUtf8(bytes) ? bytes.toString() : { base64: bytes.toString('base64') }

/** What a decoder printed, as the JSON that it mostly is. */
function parsed(text: string | null): unknown {
  try {
    return text?.startsWith('{') === true ? (JSON.parse(text) as unknown) : text
  } catch (error) {
    if (error instanceof SyntaxError) return text
    throw error
  }
}

/** Keys and values as UTF-8. */
export const printText: RecordPrinter = (key, value) => ({
  key: key?.toString('utf8') ?? null,
  payload: value?.toString('utf8') ?? null,
})

/** The markers that end transactions; of other control records only the type. */
export const printTransactionMarker: ControlPrinter = (type, value) =>
  type === 0 || type === 1
    ? `endTxnMarker: ${controlTypeName(type)} coordinatorEpoch: ${decodeEndTransactionMarker(value).coordinatorEpoch}`
    : `controlType: ${controlTypeName(type)}(${type})`

/** As Java prints an OptionalLong. */
export function optionalLong(value: number | string | null): string {
  return value === null ? 'OptionalLong.empty' : `OptionalLong[${value}]`
}
