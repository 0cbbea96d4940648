/** `partition.metadata`: the topic id of a partition's folder (KIP-516), two lines: `version: 0` and `topic_id: <uuid>`. */
import { CorruptFileError } from './errors.ts'

const TOPIC_ID_PATTERN = /^[A-Za-z0-9_-]{22}$/

/** @returns the topic id, 22 characters of base64url. @throws CorruptFileError */
export function parsePartitionMetadata(data: Buffer, path: string): string {
  const fields = new Map(
    data
      .toString('utf8')
      .split(/\r?\n/)
      .map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
  )
  const topicId = fields.get('topic_id')
  if (fields.get('version') !== '0') throw new CorruptFileError(path, `unknown version ${fields.get('version')}`)
  if (topicId === undefined || !TOPIC_ID_PATTERN.test(topicId)) throw new CorruptFileError(path, 'no topic id')
  return topicId
}

/** Every such file has this many bytes at least. */
export const PARTITION_METADATA_SIZE = 'version: 0\ntopic_id: '.length + 22

export function formatPartitionMetadata(topicId: string): Buffer {
  return Buffer.from(`version: 0\ntopic_id: ${topicId}`)
}
