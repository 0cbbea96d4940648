// What Produce 0-2 carry: message sets of magic 0 and 1, or a batch of magic 2 from clients that put the wrong one in the
// wrong version. Old sets become one batch of magic 2 before they are appended, as in Kafka 3.9: LogValidator.java,
// UnifiedLog.scala (analyzeAndValidateRecords), ProduceRequest.java (validateRecords takes any magic below version 3).
import type { LogConfig } from '../../storage/log.ts'
import type { LegacyBatch } from '../../protocol/records/legacy.ts'
import * as batch from '../../protocol/records/batch.ts'
import { codecId } from '../../protocol/records/compression.ts'
import { RecordError } from '../../protocol/records/error.ts'
import { encodeBatch } from '../../protocol/records/encode.ts'
import { isMessageCrcValid, readMessageSet } from '../../protocol/records/legacy.ts'
import {
  CORRUPT_MESSAGE,
  INVALID_RECORD,
  INVALID_TIMESTAMP,
  KafkaError,
  MESSAGE_TOO_LARGE,
  UNSUPPORTED_COMPRESSION_TYPE,
} from '../../protocol/errors.ts'

/** The last version whose records may be of any magic. */
export const LEGACY_PRODUCE = 2

const ZSTD = 4
/** As for batches of magic 2 that have to be opened (storage/validate.ts). */
const MAX_EXPANSION = 64
const SMALLEST_EXPANSION_LIMIT = 16 * 1024 * 1024

/**
 * The batch of magic 2 to append for what a Produce request of version 0-2 carries. Null: there is no whole message in
 * it, which is no error. Timestamps and keys are not judged here: the append does that.
 * Throws KafkaError MESSAGE_TOO_LARGE, CORRUPT_MESSAGE, INVALID_RECORD, INVALID_TIMESTAMP, UNSUPPORTED_COMPRESSION_TYPE.
 */
export function modernBatch(bytes: Buffer, config: LogConfig): Buffer | null {
  const codec = checkOuter(bytes, config)
  if (codec === null) return null
  if (batch.magic(bytes, 0) === 2) return bytes
  return translated(() => {
    const maxBytes = Math.max(SMALLEST_EXPANSION_LIMIT, Math.min(config.maxMessageBytes * MAX_EXPANSION, 0x7fffffff))
    const sets = readMessageSet(bytes, 0, bytes.length, { maxBytes, checkCrc: false })
    for (const set of sets) checkInner(set, config)
    const target = config.compressionType === 'producer' ? codec : codecId(nameOf(config.compressionType))
    const level = config.compressionLevel
    const converted = encodeBatch({
      records: sets.flatMap(({ messages }) => messages.map(({ timestamp, key, value }) => ({ timestamp, key, value }))),
      codec: target,
      ...(level !== undefined && { level }),
    })
    if (converted.length > config.maxMessageBytes) throw tooLarge(converted.length, config)
    return converted
  })
}

const nameOf = (type: Exclude<LogConfig['compressionType'], 'producer'>): string =>
  type === 'uncompressed' ? 'none' : type

/**
 * Walks the outer messages or batches: their sizes, checksums and formats.
 * @returns the codec of the set; null when nothing whole is there
 */
function checkOuter(bytes: Buffer, config: LogConfig): number | null {
  let codec = 0
  let count = 0
  let mixed = false
  for (let at = 0; ;) {
    const size = batch.wholeBatchAt(bytes, at)
    if (size === batch.INVALID)
      throw new KafkaError(CORRUPT_MESSAGE, 'The length or the magic of a message is invalid.')
    if (size === batch.INCOMPLETE) break
    if (size > config.maxMessageBytes) throw tooLarge(size, config)
    const magic = batch.magic(bytes, at)
    const isValid = magic === 2 ? batch.isCrcValid(bytes, at) : isMessageCrcValid(bytes, at)
    if (!isValid) throw new KafkaError(CORRUPT_MESSAGE, 'The checksum of a message is wrong.')
    const its = magic === 2 ? batch.codec(bytes, at) : bytes.readUInt8(at + 17) & 7
    if (its !== 0) codec = its
    mixed ||= magic !== batch.magic(bytes, 0)
    count++
    at += size
  }
  if (count === 0) return null
  if (mixed) throw invalid('All messages of a set must have the same magic.')
  if (count > 1 && batch.magic(bytes, 0) === 2) throw invalid('There must be exactly one record batch.')
  if (count > 1 && codec !== 0) throw invalid('A compressed message must be the only one of its set.')
  if (batch.magic(bytes, 0) < 2) {
    if (codec === ZSTD) throw invalid('zstd needs record batches of magic 2.')
    if (codec > ZSTD) throw new KafkaError(UNSUPPORTED_COMPRESSION_TYPE, `Unknown codec ${codec}.`)
  }
  return codec
}

function checkInner({ codec, messages, timestampType }: LegacyBatch, config: LogConfig): void {
  for (const { bytes, at, timestamp } of messages) {
    // Those that are not in a wrapper were checked with the set.
    if (codec !== 0 && !isMessageCrcValid(bytes, at)) {
      throw new KafkaError(CORRUPT_MESSAGE, 'The checksum of a message is wrong.')
    }
    // Kafka looks at the type only where it does not look at the timestamp.
    if (timestampType === 'LogAppendTime' && (config.timestampType === 'LogAppendTime' || timestamp === -1)) {
      throw new KafkaError(INVALID_TIMESTAMP, 'A producer must not set the timestamp type LogAppendTime.')
    }
    if (timestamp < -1) throw new KafkaError(INVALID_TIMESTAMP, `A message cannot have the timestamp ${timestamp}.`)
  }
}

function translated<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof RecordError)) throw error
    const code = {
      CORRUPT: INVALID_RECORD,
      TOO_LARGE: MESSAGE_TOO_LARGE,
      OUT_OF_RANGE: INVALID_TIMESTAMP,
      UNSUPPORTED: UNSUPPORTED_COMPRESSION_TYPE,
    }[error.code]
    throw new KafkaError(code, `${error.message}.`)
  }
}

const invalid = (message: string) => new KafkaError(INVALID_RECORD, message)
const tooLarge = (size: number, { maxMessageBytes }: LogConfig) =>
  new KafkaError(
    MESSAGE_TOO_LARGE,
    `The message of ${size} bytes is larger than max.message.bytes, ${maxMessageBytes}.`,
  )
