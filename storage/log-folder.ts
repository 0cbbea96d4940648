/** What makes a folder that of one partition: its topic id, and its name once it is deleted. */
import type { Files } from './files.ts'
import * as names from './names.ts'
import { formatPartitionMetadata, PARTITION_METADATA_SIZE, parsePartitionMetadata } from './partition-metadata.ts'

/** The topic id a folder belongs to; written there if it is new. @throws Error when it is another than expected */
export function reconcileTopicId(files: Files, folder: string, expected: string | undefined): string | null {
  const path = names.join(folder, names.PARTITION_METADATA_FILE)
  const found = readTopicId(files, folder)
  if (found !== null && expected !== undefined && found !== expected) {
    throw new Error(`${folder} belongs to topic id ${found}, not ${expected}`)
  }
  // Synced with the first batch: a folder without an id has no records and is made anew.
  if (found === null && expected !== undefined) files.writeUnsynced(path, formatPartitionMetadata(expected))
  return found ?? expected ?? null
}

/** Null where a stop of the machine left no id: no file, the beginning of one, or zeros in it. @throws CorruptFileError */
export function readTopicId(files: Files, folder: string): string | null {
  const path = names.join(folder, names.PARTITION_METADATA_FILE)
  if (!files.exists(path)) return null
  const data = files.readAll(path)
  const neverSynced = data.length < PARTITION_METADATA_SIZE || data.includes(0)
  return neverSynced ? null : parsePartitionMetadata(data, path)
}

/** A name for the folder of a partition that is deleted, told from others by the topic id; not taken yet. */
export function freeDeletedName(files: Files, topic: string, partition: number, topicId: string | null): string {
  const id = topicId === null ? '' : Buffer.from(topicId, 'base64url').toString('hex')
  for (let n = 0; ; n++) {
    // Without an id, or with one that is taken: by a number.
    const uniqueId = n === 0 && id !== '' ? id : n.toString(16).padStart(32, '0')
    const name = names.markedFolder(topic, partition, uniqueId, 'delete')
    if (!files.exists(name)) return name
  }
}
