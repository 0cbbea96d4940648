/** The id of a topic, where the file of one of its partitions cannot be read: other partitions have it, and the metadata log. */
import { RecordError } from '../protocol/records/error.ts'
import { RecordCursor } from '../protocol/records/record.ts'
import * as header from '../protocol/records/batch.ts'
import { DecodeError } from '../protocol/reader.ts'
import { decodeMetadataFrame, decodeMetadataRecord } from '../protocol/state/metadata-record.ts'
import { metadataRecords } from '../protocol/state/index.ts'
import { CorruptFileError } from './errors.ts'
import type { Files } from './files.ts'
import { batchesOfFile } from './inspect-log.ts'
import { readTopicId } from './log-folder.ts'
import * as names from './names.ts'

/** Uuid.METADATA_TOPIC_ID. */
const METADATA_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'

/** @param folder whose own file is not asked; null where nothing tells */
export function topicIdFromElsewhere(files: Files, topic: string, folder: string): string | null {
  if (topic === names.CLUSTER_METADATA_TOPIC) return METADATA_TOPIC_ID
  for (const name of files.list('')) {
    const parsed = names.parseFolder(name)
    if (name === folder || parsed?.kind !== 'log' || parsed.topic !== topic) continue
    try {
      const id = readTopicId(files, name)
      if (id !== null) return id
    } catch (error) {
      if (!(error instanceof CorruptFileError)) throw error
    }
  }
  return fromMetadata(files, topic)
}

/** Snapshots first, then the log: the newest topic of that name counts. */
function fromMetadata(files: Files, topic: string): string | null {
  const folder = names.partitionFolder(names.CLUSTER_METADATA_TOPIC, 0)
  if (!files.exists(folder)) return null
  const all = files.list(folder)
  const paths = [names.CHECKPOINT_SUFFIX, names.LOG_SUFFIX].flatMap(ending => all.filter(name => name.endsWith(ending)))
  let found: string | null = null
  for (const name of paths) {
    for (const { bytes } of batchesOfFile(files, names.join(folder, name))) found = lastIn(bytes, topic) ?? found
  }
  return found
}

function lastIn(bytes: Buffer, topic: string): string | null {
  if (header.magic(bytes, 0) !== 2 || header.isControl(bytes, 0)) return null
  let found: string | null = null
  try {
    for (const cursor = new RecordCursor(bytes); cursor.next();) {
      const value = cursor.value()
      if (value === null) continue
      const frame = decodeMetadataFrame(value)
      if (frame.type !== metadataRecords.TopicRecord.type) continue
      const record = decodeMetadataRecord(metadataRecords.TopicRecord, frame)
      if (record.name === topic) found = record.topicId
    }
  } catch (error) {
    // A record that cannot be read says nothing.
    if (!(error instanceof RecordError) && !(error instanceof DecodeError)) throw error
  }
  return found
}
