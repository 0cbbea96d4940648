/** Prints a `.log` file (or a `.checkpoint` of the metadata log, which is one too) as Kafka's DumpLogSegments does. */
import * as header from '../protocol/records/batch.ts'
import { decodeControlKey, decodeEndTransactionMarker, controlTypeName } from '../protocol/records/control.ts'
import { codecName } from '../protocol/records/compression.ts'
import { describeBatches } from '../protocol/records/describe.ts'
import type { DescribedBatch, DescribedRecord } from '../protocol/records/describe.ts'
import { RecordError } from '../protocol/records/error.ts'
import { readMessageSet } from '../protocol/records/legacy.ts'
import type { Files } from './files.ts'

/** How the key and the value of a record are printed; null leaves that part out. */
export type RecordPrinter = (key: Buffer | null, value: Buffer | null) => { key: string | null; payload: string | null }
/** How a control record is printed, behind its metadata. */
export type ControlPrinter = (type: number, value: Buffer | null) => string

export interface LogPrintOptions {
  /** A line for each record, not for each batch alone; needs codecReady(4) for batches in zstd. Default true. */
  readonly records?: boolean
  /** By default keys and values as UTF-8; null prints neither. */
  readonly print?: RecordPrinter | null
  readonly printControl?: ControlPrinter
}

export interface FoundBatch {
  /** The whole batch, at 0; valid until the next one is asked for. */
  readonly bytes: Buffer
  readonly position: number
}

const SMALLEST_BUFFER = 64 * 1024

/**
 * The batches of a file of any magic, in order, up to the first that is cut off or impossible.
 * @returns the bytes behind the last batch
 */
export function* batchesOfFile(files: Files, path: string): Generator<FoundBatch, number, undefined> {
  const handle = files.open(path, 'read')
  try {
    const size = handle.size()
    let buffer = Buffer.allocUnsafe(SMALLEST_BUFFER)
    for (let position = 0; ;) {
      const head = buffer.subarray(0, handle.readAt(buffer.subarray(0, header.HEADER_SIZE), position))
      const length = head.byteLength < header.LOG_OVERHEAD ? 0 : header.sizeInBytes(head, 0)
      if (length <= header.LOG_OVERHEAD || length > size - position) return size - position
      if (length > buffer.byteLength) buffer = Buffer.allocUnsafe(length)
      const bytes = buffer.subarray(0, length)
      handle.readAt(bytes, position)
      if (header.wholeBatchAt(bytes, 0) !== length) return size - position
      yield { bytes, position }
      position += length
    }
  } finally {
    handle.close()
  }
}

/** Whether the checksum of the batch at 0 is right. */
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

/** One line per batch and record, and one for what lies behind the last batch. */
export function* printLog(files: Files, path: string, options: LogPrintOptions = {}): Generator<string, void> {
  const batches = batchesOfFile(files, path)
  for (;;) {
    const next = batches.next()
    if (next.done === true) {
      if (next.value > 0)
        yield `Found ${next.value} invalid bytes at the end of ${path.slice(path.lastIndexOf('/') + 1)}`
      return
    }
    yield* printBatch(next.value, options)
  }
}

function* printBatch({ bytes, position }: FoundBatch, options: LogPrintOptions): Generator<string, void> {
  const validity = `isvalid: ${isValidBatch(bytes)}`
  let batch: DescribedBatch | undefined
  try {
    batch = describeBatches(bytes)[0]
  } catch (error) {
    if (!(error instanceof RecordError)) throw error
    const codec = codecName(header.codec(bytes, 0)) ?? 'unknown'
    yield `baseOffset: ${header.baseOffset(bytes, 0)} position: ${position} size: ${bytes.byteLength} magic: ${header.magic(bytes, 0)} compresscodec: ${codec} ${validity} unreadable: ${error.message}`
    return
  }
  if (batch === undefined) return
  const { sizeInBytes, magic, compression, crc, timestampType, maxTimestamp } = batch
  yield `${magic === 2 ? batchFields(batch) : `offset: ${batch.lastOffset}`} position: ${position} ${timestampType}: ${maxTimestamp} size: ${sizeInBytes} magic: ${magic} compresscodec: ${compression} crc: ${crc} ${validity}`
  if (options.records === false) return
  for (const record of batch.records) yield recordLine(batch, record, options)
}

function batchFields(b: DescribedBatch): string {
  return `baseOffset: ${b.baseOffset} lastOffset: ${b.lastOffset} count: ${b.count} baseSequence: ${b.baseSequence} lastSequence: ${b.lastSequence} producerId: ${b.producerId} producerEpoch: ${b.producerEpoch} partitionLeaderEpoch: ${b.partitionLeaderEpoch} isTransactional: ${b.isTransactional} isControl: ${b.isControl} deleteHorizonMs: ${optionalLong(b.deleteHorizonMs ?? null)}`
}

function recordLine(batch: DescribedBatch, record: DescribedRecord, options: LogPrintOptions): string {
  const key = record.key === null ? null : Buffer.from(record.key, 'base64')
  const value = record.value === null ? null : Buffer.from(record.value, 'base64')
  let line = `| offset: ${record.offset} ${batch.timestampType}: ${record.timestamp} keySize: ${key?.byteLength ?? -1} valueSize: ${value?.byteLength ?? -1}`
  if (batch.magic === 2) {
    line += ` sequence: ${record.sequence} headerKeys: [${(record.headers ?? []).map(h => h.key).join(',')}]`
  }
  if (batch.isControl === true) {
    return `${line} ${(options.printControl ?? printTransactionMarker)(decodeControlKey(key).type, value)}`
  }
  const print = options.print === undefined ? printText : options.print
  if (print === null) return line
  const printed = print(key, value)
  if (printed.key !== null) line += ` key: ${printed.key}`
  if (printed.payload !== null) line += ` payload: ${printed.payload}`
  return line
}

const printText: RecordPrinter = (key, value) => ({
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
