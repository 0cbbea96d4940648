// How partitions are read for Fetch 0-3, whose clients know message sets of magic 0 (Fetch 0-1) and 1 (2-3) alone: whole
// batches are read as ever and converted into new memory, within limits on one answer. Kafka 3.9: KafkaApis.scala
// (maybeConvertFetchedData).
import type { FetchedRecords } from '../../storage/log.ts'
import type { Partition } from './partition.ts'
import {
  CORRUPT_MESSAGE,
  INVALID_TIMESTAMP,
  KafkaError,
  MESSAGE_TOO_LARGE,
  UNSUPPORTED_COMPRESSION_TYPE,
} from '../../protocol/errors.ts'
import { downConvert, type DownConverted } from '../../protocol/records/down-convert.ts'
import { RecordError } from '../../protocol/records/error.ts'

/** The last version whose answers are converted. */
export const OLD_FETCH = 3
/** The last version without a limit on the whole answer (KIP-74). */
export const UNBOUNDED_FETCH = 2

/** Converting is work within one turn of the event loop, into memory of its own: both are kept small. */
export const OLD_FETCH_MAX_BYTES = 16 * 1024 * 1024
const MAX_EXPANDED_BYTES = 64 * 1024 * 1024
/** Reads that give nothing but control batches are followed by the next one, so that a consumer gets past them. */
const MAX_READS = 8

export interface ReadLimits {
  readonly maxBytes: number
  readonly minOneBatch: boolean
  readonly committed: boolean
}

/** Reads for one request. */
export type Read = (partition: Partition, offset: number, limits: ReadLimits) => FetchedRecords

const readAsIs: Read = (partition, offset, limits) => partition.read(offset, limits)

/** How a Fetch request of this version reads. The function keeps count for one answer: ask anew for each. */
export const readerFor = (apiVersion: number): Read => (apiVersion > OLD_FETCH ? readAsIs : oldReader(apiVersion))

function oldReader(apiVersion: number): Read {
  const magic = apiVersion <= 1 ? 0 : 1
  let maxExpandedBytes = MAX_EXPANDED_BYTES
  return (partition, offset, limits) => {
    if (partition.log.config.compressionType === 'zstd') {
      throw new KafkaError(UNSUPPORTED_COMPRESSION_TYPE, 'The topic is compressed with zstd, which needs Fetch 10.')
    }
    let from = offset
    for (let reads = 1; ; reads++) {
      const stored = partition.read(from, limits)
      let converted: DownConverted
      try {
        const maxBytes = Math.max(limits.maxBytes, stored.byteLength)
        converted = convert(stored, { magic, firstOffset: offset, maxBytes, maxExpandedBytes })
      } finally {
        stored.release()
      }
      maxExpandedBytes = Math.max(0, maxExpandedBytes - converted.expandedBytes)
      const { bytes, nextOffset } = converted
      const isThrough = bytes.length === 0 && stored.byteLength > 0 && nextOffset === stored.nextOffset
      if (!isThrough || reads === MAX_READS) return asRecords(bytes, offset, converted)
      from = nextOffset
    }
  }
}

const asRecords = (bytes: Buffer, offset: number, { nextOffset }: DownConverted): FetchedRecords => ({
  byteLength: bytes.length,
  parts: bytes.length === 0 ? [] : [bytes],
  firstOffset: offset,
  nextOffset,
  release: () => {},
})

function convert(stored: FetchedRecords, o: Parameters<typeof downConvert>[1]): DownConverted {
  try {
    return downConvert(stored.parts, o)
  } catch (error) {
    if (!(error instanceof RecordError)) throw error
    // Other partitions used up what may be expanded: this one's turn comes with a later request.
    if (error.code === 'TOO_LARGE' && o.maxExpandedBytes < MAX_EXPANDED_BYTES) {
      return { bytes: Buffer.alloc(0), nextOffset: o.firstOffset, expandedBytes: 0 }
    }
    const code = {
      CORRUPT: CORRUPT_MESSAGE,
      TOO_LARGE: MESSAGE_TOO_LARGE,
      OUT_OF_RANGE: INVALID_TIMESTAMP,
      UNSUPPORTED: UNSUPPORTED_COMPRESSION_TYPE,
    }[error.code]
    throw new KafkaError(code, `${error.message}.`)
  }
}
