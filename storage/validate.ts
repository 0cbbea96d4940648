/**
 * Is this batch fit for this log? The checks of Kafka's leader on append (ProduceRequest.validateRecords,
 * UnifiedLog.analyzeAndValidateRecords, LogValidator.java), without side effects. Uncompressed records are walked where
 * they lie; compressed ones are opened only when the topic asks for something that the batch header cannot tell.
 */
import * as header from '../protocol/records/batch.ts'
import { decompress } from '../protocol/records/compression.ts'
import { encodeBatch } from '../protocol/records/encode.ts'
import { RecordError } from '../protocol/records/error.ts'
import type { RecordRefusal, WalkOptions, WalkResult } from '../protocol/records/record.ts'
import {
  decodeRecords,
  MIN_RECORD_SIZE,
  newWalkResult,
  refusalMessage,
  walkMessage,
  walkRecords,
} from '../protocol/records/record.ts'
import * as errors from '../protocol/errors.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { AppendOrigin, LogConfig } from './log-config.ts'

const CODECS = { uncompressed: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const
const ZSTD = 4
/** The first Produce version whose clients may send zstd (KIP-110). */
const ZSTD_SINCE = 7
/** LegacyRecord.RECORD_OVERHEAD_V0: the least length that any record set has. */
const LEAST_LENGTH = 14
/** A producer counts its batches uncompressed, so that this factor is never reached by honest data. */
const MAX_EXPANSION = 64
const SMALLEST_EXPANSION_LIMIT = 16 * 1024 * 1024
/** By codec: more than this a payload cannot grow by the format itself (deflate: 258 bytes for two bits; zstd: a block for four). */
const FORMAT_EXPANSION = [1, 1032, 22, 255, 32_768] as const

/** Which record of a batch is refused and why (KIP-467). */
export interface BatchRecordError {
  readonly batchIndex: number
  readonly message: string
}

/** A refused batch. `recordErrors` is empty where the batch as a whole is at fault. */
export class RecordBatchError extends KafkaError {
  readonly recordErrors: readonly BatchRecordError[]
  /** Refused for its frame, whatever the log: Kafka does so before it looks at one (ProduceRequest.validateRecords). */
  readonly beforeLog: boolean

  constructor(code: number, message: string, recordErrors: readonly BatchRecordError[] = [], beforeLog = false) {
    super(code, message)
    this.recordErrors = recordErrors
    this.beforeLog = beforeLog
  }
}

/** One batch, fit to be stored once offset and leader epoch are patched in. */
export interface ValidBatch {
  /** Starts with the batch; what lies behind `size` is not part of it. New bytes if the batch was compressed anew. */
  readonly bytes: Buffer
  readonly size: number
  readonly lastOffsetDelta: number
  /** To be stored in the header, with the topic's timestamp type. */
  readonly maxTimestamp: number
}

export interface ValidateOptions {
  readonly config: LogConfig
  readonly now: number
  readonly origin: Exclude<AppendOrigin, 'replication'>
  /** Version of the Produce request; left out by callers inside the broker. */
  readonly apiVersion?: number | undefined
}

const walk: WalkResult = newWalkResult()

/**
 * Checks the one batch that `bytes` begins with. A cut-off rest behind it is ignored, a second batch is not.
 * @throws RecordBatchError INVALID_RECORD, CORRUPT_MESSAGE, MESSAGE_TOO_LARGE, INVALID_TIMESTAMP, UNSUPPORTED_COMPRESSION_TYPE
 */
export function validateBatch(bytes: Buffer, o: ValidateOptions): ValidBatch {
  const size = checkFrame(bytes)
  checkHeader(bytes, size, o)
  const target = targetCodec(bytes, o.config)
  const source = header.codec(bytes, 0)
  if (o.config.timestampType === 'LogAppendTime' && header.timestampType(bytes, 0) === 'LogAppendTime') {
    throw invalidTimestamp('A producer must not set the timestamp type LogAppendTime.', [
      { batchIndex: 0, message: 'A producer must not set the timestamp type LogAppendTime.' },
    ])
  }
  let maxTimestamp = header.maxTimestamp(bytes, 0)
  if (source === 0 || source !== target || mustOpen(bytes, o)) {
    checkRecords(bytes, size, source, o)
    maxTimestamp = walk.maxTimestamp
  }
  const stored = source === target ? bytes : compressAnew(bytes, target, o.config)
  return {
    bytes: stored,
    size: stored === bytes ? size : stored.length,
    lastOffsetDelta: header.lastOffsetDelta(bytes, 0),
    maxTimestamp: o.config.timestampType === 'LogAppendTime' ? o.now : maxTimestamp,
  }
}

/** The size of the one batch of magic 2 that is there. */
function checkFrame(bytes: Buffer): number {
  const size = header.wholeBatchAt(bytes, 0)
  if (size === header.INCOMPLETE) throw unframed('There must be one whole record batch.')
  if (size === header.INVALID) {
    const why = 'The length or the magic of the batch is invalid.'
    // Where Kafka can make out a record set at all, it finds a wrong CRC.
    const isFrame = header.batchLength(bytes, 0) >= LEAST_LENGTH && header.magic(bytes, 0) <= 2
    throw isFrame ? corrupt(why) : unframed(why, errors.CORRUPT_MESSAGE)
  }
  if (header.magic(bytes, 0) !== 2) throw unframed('Only record batches of magic 2 are accepted.')
  const behind = header.wholeBatchAt(bytes, size)
  if (behind === header.INVALID) throw corrupt('The bytes behind the batch are no batch.')
  if (behind !== header.INCOMPLETE) throw unframed('There must be exactly one record batch.')
  return size
}

const unframed = (message: string, code: number = errors.INVALID_RECORD): RecordBatchError =>
  new RecordBatchError(code, message, [], true)

function checkHeader(bytes: Buffer, size: number, { config, origin, apiVersion }: ValidateOptions): void {
  const codec = header.codec(bytes, 0)
  if (codec > ZSTD) throw new RecordBatchError(errors.UNSUPPORTED_COMPRESSION_TYPE, `Unknown codec ${codec}.`)
  if (codec === ZSTD && apiVersion !== undefined && apiVersion < ZSTD_SINCE) {
    const why = `zstd needs Produce version ${ZSTD_SINCE}.`
    throw unframed(why, errors.UNSUPPORTED_COMPRESSION_TYPE)
  }
  if (origin === 'client' && header.baseOffset(bytes, 0) !== 0) throw invalid('The base offset must be 0.')
  if (size > config.maxMessageBytes) throw tooLarge(size, config)
  if (!header.isCrcValid(bytes, 0)) throw corrupt('The CRC-32C of the batch is wrong.')
  const count = header.recordCount(bytes, 0)
  if (count <= 0) throw invalid(`A batch cannot have ${count} records.`)
  if (header.lastOffsetDelta(bytes, 0) + 1 !== count) {
    throw invalid(`The batch declares ${count} records and a last offset delta of ${header.lastOffsetDelta(bytes, 0)}.`)
  }
  // Each record takes an offset: a batch that declares what it cannot hold would use up the offsets of whole segments.
  const expanded = Math.min((size - header.HEADER_SIZE) * FORMAT_EXPANSION[codec]!, expansionLimit(config))
  if (codec !== 0 && count > expanded / MIN_RECORD_SIZE) throw invalid(`The batch cannot hold ${count} records.`)
  if (!Number.isSafeInteger(header.producerId(bytes, 0))) throw invalid('The producer id is out of range.')
  if (origin !== 'client') return
  if (header.isControl(bytes, 0)) throw invalid('A client must not write control records.')
  if (header.producerId(bytes, 0) >= 0 && header.baseSequence(bytes, 0) < 0) {
    throw invalid(`An idempotent batch cannot have sequence ${header.baseSequence(bytes, 0)}.`)
  }
}

/** Whether the header of a compressed batch that keeps its codec is not enough to judge it. */
function mustOpen(bytes: Buffer, { config, now }: ValidateOptions): boolean {
  if (config.validateCompressed || config.cleanupPolicy.compact) return true
  if (config.maxRecordBytes !== undefined) return true
  const greatest = header.maxTimestamp(bytes, 0)
  if (!Number.isSafeInteger(greatest)) return true
  // Some clients (sarama before 1.40) leave the greatest timestamp out; lookups by time and retention need it.
  if (greatest < Math.max(0, header.baseTimestamp(bytes, 0))) return config.timestampType === 'CreateTime'
  if (config.timestampType === 'LogAppendTime') return false
  // The header tells the greatest timestamp, not the smallest. What looks wrong is looked at, to name the records.
  return Number.isSafeInteger(config.timestampBeforeMaxMs) || greatest > now + config.timestampAfterMaxMs
}

/** Leaves its findings in `walk`. */
function checkRecords(bytes: Buffer, size: number, codec: number, { config, now }: ValidateOptions): void {
  const createTime = config.timestampType === 'CreateTime'
  const options: WalkOptions = {
    requireKeys: config.cleanupPolicy.compact && !header.isControl(bytes, 0),
    // As in Kafka, of records that are expanded here alone.
    maxRecordBytes: codec === 0 ? Infinity : (config.maxRecordBytes ?? Infinity),
    minTimestamp: createTime ? now - config.timestampBeforeMaxMs : -Infinity,
    maxTimestamp: createTime ? now + config.timestampAfterMaxMs : Infinity,
    logAppendTime: header.timestampType(bytes, 0) === 'LogAppendTime' ? header.maxTimestamp(bytes, 0) : null,
  }
  const records = codec === 0 ? bytes : open(bytes, size, codec, config)
  const from = codec === 0 ? header.HEADER_SIZE : 0
  const end = codec === 0 ? size : records.length
  const base = header.baseTimestamp(bytes, 0)
  const code = walkRecords(records, from, end, header.recordCount(bytes, 0), base, walk, options)
  if (code === 'OK') return
  if (walk.recordErrors === null) throw invalid(`${walkMessage(walk)}.`)
  throw refused(walk.recordErrors)
}

function refused(refusals: readonly RecordRefusal[]): RecordBatchError {
  const recordErrors = refusals.map(r => ({ batchIndex: r.batchIndex, message: `${refusalMessage(r)}.` }))
  return refusals.some(r => r.reason === 'TIMESTAMP')
    ? invalidTimestamp('One or more records have been rejected for their timestamp.', recordErrors)
    : new RecordBatchError(errors.INVALID_RECORD, 'One or more records have been rejected.', recordErrors)
}

function open(bytes: Buffer, size: number, codec: number, config: LogConfig): Buffer {
  return translated(() => decompress(codec, bytes.subarray(header.HEADER_SIZE, size), expansionLimit(config)))
}

/** Most bytes that the records of one batch of this log may expand to. */
export function expansionLimit({ maxMessageBytes, maxExpandedBytes = 0x7fffffff }: LogConfig): number {
  const usual = Math.max(SMALLEST_EXPANSION_LIMIT, Math.min(maxMessageBytes * MAX_EXPANSION, 0x7fffffff))
  // What may be sent as it is may always be expanded to.
  return Math.min(usual, Math.max(SMALLEST_EXPANSION_LIMIT, maxExpandedBytes, maxMessageBytes))
}

/** The codec the topic wants for this batch. */
function targetCodec(bytes: Buffer, { compressionType }: LogConfig): number {
  const source = header.codec(bytes, 0)
  if (compressionType === 'producer') return source
  // Markers stay readable without a codec, as Kafka keeps them.
  return source === 0 && header.isControl(bytes, 0) ? 0 : CODECS[compressionType]
}

function compressAnew(bytes: Buffer, codec: number, config: LogConfig): Buffer {
  const anew = translated(() =>
    encodeBatch({
      records: decodeRecords(bytes, 0, { maxBytes: expansionLimit(config) }),
      codec,
      ...(config.compressionLevel === undefined ? {} : { level: config.compressionLevel }),
      producerId: header.producerId(bytes, 0),
      producerEpoch: header.producerEpoch(bytes, 0),
      baseSequence: header.baseSequence(bytes, 0),
      isTransactional: header.isTransactional(bytes, 0),
      isControl: header.isControl(bytes, 0),
    }),
  )
  if (anew.length > config.maxMessageBytes) throw tooLarge(anew.length, config)
  return anew
}

/** Runs a codec; what it refuses is the client's fault. */
function translated<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof RecordError)) throw error
    const code = {
      CORRUPT: errors.INVALID_RECORD,
      TOO_LARGE: errors.MESSAGE_TOO_LARGE,
      OUT_OF_RANGE: errors.INVALID_TIMESTAMP,
      UNSUPPORTED: errors.UNSUPPORTED_COMPRESSION_TYPE,
    }[error.code]
    throw new RecordBatchError(code, `${error.message}.`)
  }
}

const invalid = (message: string) => new RecordBatchError(errors.INVALID_RECORD, message)
const corrupt = (message: string) => new RecordBatchError(errors.CORRUPT_MESSAGE, message)
const invalidTimestamp = (message: string, recordErrors: readonly BatchRecordError[]) =>
  new RecordBatchError(errors.INVALID_TIMESTAMP, message, recordErrors)
const tooLarge = (size: number, { maxMessageBytes }: LogConfig) =>
  new RecordBatchError(
    errors.MESSAGE_TOO_LARGE,
    `The batch of ${size} bytes is larger than max.message.bytes, ${maxMessageBytes}.`,
  )
