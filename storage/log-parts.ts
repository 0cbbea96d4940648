/** Small steps of the log that need none of its state. */
import { crc32c } from '../protocol/records/crc32c.ts'
import * as header from '../protocol/records/batch.ts'
import * as errors from '../protocol/errors.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { Records } from '../protocol/schema.ts'
import type { Files } from './files.ts'
import * as names from './names.ts'
import { formatPartitionMetadata, parsePartitionMetadata } from './partition-metadata.ts'

/** The bytes as one buffer; requests have them so already. */
export function contiguous(records: Records | Buffer): Buffer {
  if (Buffer.isBuffer(records)) return records
  const { parts } = records
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
}

/**
 * Positions of the batches that a follower takes from its leader's log: valid, with rising offsets from `nextOffset` on. It stops
 * at a cut-off batch, and at one of a later epoch than the leader asked (KAFKA-18723).
 * @throws KafkaError CORRUPT_MESSAGE, before any batch is handed out; UNKNOWN_SERVER_ERROR for offsets that do not rise
 */
export function replicatedBatches(bytes: Buffer, leaderEpoch: number, nextOffset: number): number[] {
  const positions: number[] = []
  for (let at = 0; ; at += header.sizeInBytes(bytes, at)) {
    const size = header.wholeBatchAt(bytes, at)
    if (size === header.INCOMPLETE) return positions
    if (size === header.INVALID || header.magic(bytes, at) !== 2 || !header.isCrcValid(bytes, at)) {
      throw new KafkaError(errors.CORRUPT_MESSAGE)
    }
    if (header.partitionLeaderEpoch(bytes, at) > leaderEpoch) return positions
    if (header.baseOffset(bytes, at) < nextOffset || header.lastOffsetDelta(bytes, at) < 0) {
      const offset = header.baseOffset(bytes, at)
      throw new KafkaError(errors.UNKNOWN_SERVER_ERROR, `Replicated offset ${offset} is below ${nextOffset}.`)
    }
    nextOffset = header.nextOffset(bytes, at)
    positions.push(at)
  }
}

/** The topic id a folder belongs to; written there if it is new. @throws Error when it is another than expected */
export function reconcileTopicId(files: Files, folder: string, expected: string | undefined): string | null {
  const path = names.join(folder, names.PARTITION_METADATA_FILE)
  const found = files.exists(path) ? parsePartitionMetadata(files.readAll(path), path) : null
  if (found !== null && expected !== undefined && found !== expected) {
    throw new Error(`${folder} belongs to topic id ${found}, not ${expected}`)
  }
  if (found === null && expected !== undefined) files.writeAtomic(path, formatPartitionMetadata(expected))
  return found ?? expected ?? null
}

/** 32 hexadecimal digits that tell deleted folders apart: of the topic id where there is one. */
export function folderId(topicId: string | null, folder: string): string {
  if (topicId !== null) return Buffer.from(topicId, 'base64url').toString('hex')
  return crc32c(Buffer.from(folder)).toString(16).padStart(32, '0')
}
