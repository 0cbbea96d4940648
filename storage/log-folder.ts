/** What makes a folder that of one partition: its topic id, and its name once it is deleted. */
import { errorCode } from './errors.ts'
import type { Files } from './files.ts'
import * as names from './names.ts'
import { formatPartitionMetadata, PARTITION_METADATA_SIZE, parsePartitionMetadata } from './partition-metadata.ts'

export const epochsPath = (folder: string): string => names.join(folder, names.LEADER_EPOCH_CHECKPOINT_FILE)

/**
 * Writes a file of a folder in which nothing counts yet, with no file beside it and no sync: a crash may leave a part of it, which
 * whoever reads it must be able to tell.
 */
export function writeFresh(files: Files, path: string, data: Uint8Array): void {
  const handle = files.open(path, 'write')
  try {
    handle.truncate(0)
    handle.append([data])
  } finally {
    handle.close()
  }
}

/** Synced with the first batch: a folder without a whole id has no records and is made anew. */
export function writeTopicId(files: Files, folder: string, topicId: string): void {
  writeFresh(files, names.join(folder, names.PARTITION_METADATA_FILE), formatPartitionMetadata(topicId))
}

/**
 * The topic id a folder belongs to; written there if it is new. `known`: what readTopicId told before.
 * @throws Error when it is another than expected
 */
export function reconcileTopicId(
  files: Files,
  folder: string,
  expected: string | undefined,
  known: string | null = readTopicId(files, folder),
): string | null {
  const found = known
  if (found !== null && expected !== undefined && found !== expected) {
    throw new Error(`${folder} belongs to topic id ${found}, not ${expected}`)
  }
  if (found === null && expected !== undefined) writeTopicId(files, folder, expected)
  return found ?? expected ?? null
}

/** Null where a stop of the machine left no id: no file, the beginning of one, or zeros in it. @throws CorruptFileError */
export function readTopicId(files: Files, folder: string): string | null {
  const path = names.join(folder, names.PARTITION_METADATA_FILE)
  const data = readIfThere(files, path)
  if (data === null) return null
  const neverSynced = data.length < PARTITION_METADATA_SIZE || data.includes(0)
  return neverSynced ? null : parsePartitionMetadata(data, path)
}

/** Whether a folder holds anything but empty segments. */
export function holdsRecords(files: Files, folder: string): boolean {
  const logs = files.list(folder).filter(name => name.endsWith(names.LOG_SUFFIX))
  return logs.some(name => files.size(names.join(folder, name)) > 0)
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

/** Null when there is no such file. */
export function readIfThere(files: Files, path: string): Buffer | null {
  try {
    return files.readAll(path)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
}
