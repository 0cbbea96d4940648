// Frame of a record of the metadata log: frame version (1), type, version, all unsigned varints, then the message
// (AbstractApiMessageSerde.java, KIP-595).
import type { InputOf, Message, ValueOf } from '../api.ts'
import { decode, encode } from '../compile.ts'
import { Reader } from '../reader.ts'
import type { Shape } from '../schema.ts'
import { Writer } from '../writer.ts'

const FRAME_VERSION = 1

export interface MetadataRecordType<S extends Shape = Shape> {
  readonly type: number
  readonly message: Message<S>
}

export const metadataRecord = <S extends Shape>(type: number, message: Message<S>): MetadataRecordType<S> => ({
  type,
  message,
})

/** Throws EncodeError where the value does not fit the version. */
export function encodeMetadataRecord<S extends Shape>(
  record: MetadataRecordType<S>,
  version: number,
  value: InputOf<Message<S>>,
): Buffer {
  const writer = new Writer()
  writer.uvarint(FRAME_VERSION)
  writer.uvarint(record.type)
  writer.uvarint(version)
  encode(record.message, version, value, writer)
  return writer.toBuffer()
}

export interface MetadataFrame {
  readonly type: number
  readonly version: number
  /** Stands at the message. */
  readonly reader: Reader
}

/** The frame alone, for records whose type may be unknown. Throws DecodeError. */
export function decodeMetadataFrame(bytes: Uint8Array): MetadataFrame {
  const reader = new Reader(bytes)
  const frame = reader.uvarint()
  if (frame !== FRAME_VERSION) reader.fail(`metadata record in frame version ${frame}`)
  const type = reader.uvarint()
  return { type, version: reader.uvarint(), reader }
}

/** The message of a frame of that type. Throws DecodeError, also for bytes left over. */
export function decodeMetadataRecord<S extends Shape>(
  { message }: MetadataRecordType<S>,
  { version, reader }: MetadataFrame,
): ValueOf<Message<S>> {
  const value = decode(message, version, reader)
  reader.expectEnd()
  return value
}
