// Values kept with their version in front: an int16, then the message (MessageUtil.toVersionPrefixedBytes). So are the
// values of the coordinators' topics, the consumer protocol, principals, transaction markers.
import type { InputOf, Message, ValueOf } from '../api.ts'
import { decode, encode } from '../compile.ts'
import { Reader } from '../reader.ts'
import type { Shape } from '../schema.ts'
import { Writer } from '../writer.ts'

/** Throws EncodeError where the value does not fit the version. */
export function encodeVersioned<M extends Message<Shape>>(message: M, version: number, value: InputOf<M>): Buffer {
  const writer = new Writer()
  writer.int16(version)
  encode(message, version, value, writer)
  return writer.toBuffer()
}

/** Throws DecodeError, also for a version that is not known and for bytes left over. */
export function decodeVersioned<M extends Message<Shape>>(
  message: M,
  bytes: Uint8Array,
): { version: number; value: ValueOf<M> } {
  const reader = new Reader(bytes)
  const version = reader.int16()
  const value = decode(message, version, reader)
  reader.expectEnd()
  return { version, value }
}

/**
 * For what clients write (consumer protocol): a version above ours is read as our highest and what it adds is ignored,
 * as ConsumerProtocol.java does. Throws DecodeError.
 */
export function decodeForward<M extends Message<Shape>>(
  message: M,
  bytes: Uint8Array,
): { version: number; value: ValueOf<M> } {
  const reader = new Reader(bytes)
  const version = reader.int16()
  return { version, value: decode(message, Math.min(version, message.versions[1]), reader) }
}
