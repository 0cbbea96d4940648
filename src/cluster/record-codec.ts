/** Metadata records <-> the bytes they have as values of the metadata log: Kafka's frame, then the message. */
import { DecodeError } from '../../protocol/reader.ts'
import {
  decodeMetadataFrame,
  decodeMetadataRecord,
  encodeMetadataRecord,
} from '../../protocol/state/metadata-record.ts'
import { Writer } from '../../protocol/writer.ts'
import { MetadataReplayError } from './image.ts'
import { messages, recordVersion, type KnownRecord, type MetadataRecord, type RecordType } from './records.ts'

const isKnown = (type: string): type is RecordType => type in messages
const typeByKey = new Map(
  Object.keys(messages)
    .filter(isKnown)
    .map(type => [messages[type].type, type]),
)

/** `level` is the `metadata.version` the log is at. */
export function encodeRecord(record: MetadataRecord, level: number): Buffer {
  if (record.type !== 'other')
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- type and value of one record belong together
    return encodeMetadataRecord(messages[record.type], recordVersion(record.type, level), record.value as never)
  const writer = new Writer()
  writer.uvarint(1)
  writer.uvarint(record.key)
  writer.uvarint(record.version)
  return Buffer.concat([writer.toBuffer(), record.body])
}

/** The result holds no view of `bytes`. Throws MetadataReplayError naming the offset when they are no metadata record. */
export function decodeRecord(bytes: Buffer, offset: number): MetadataRecord {
  try {
    const frame = decodeMetadataFrame(bytes)
    const type = typeByKey.get(frame.type)
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the value is decoded as what the type says
    if (type !== undefined) return { type, value: decodeMetadataRecord(messages[type], frame) } as KnownRecord
    const body = Buffer.from(bytes.subarray(frame.reader.offset))
    return { type: 'other', key: frame.type, version: frame.version, body }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    throw new MetadataReplayError(`the metadata record at offset ${offset} cannot be read: ${error.message}`)
  }
}
