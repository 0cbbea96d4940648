// Records of the coordinators' topics (__consumer_offsets, __transaction_state, __share_group_state): the key is an
// int16 that says the record's type, then the key message in its version 0; the value is a version, then the value
// message (CoordinatorRecordSerde.java). A null value is a tombstone.
import type { InputOf, Message, ValueOf } from '../api.ts'
import { decode, encode } from '../compile.ts'
import { Reader } from '../reader.ts'
import type { Shape } from '../schema.ts'
import { Writer } from '../writer.ts'

export interface CoordinatorRecord<K extends Shape = Shape, V extends Shape = Shape> {
  readonly type: number
  readonly key: Message<K>
  readonly value: Message<V>
}

export const coordinatorRecord = <K extends Shape, V extends Shape>(
  type: number,
  key: Message<K>,
  value: Message<V>,
): CoordinatorRecord<K, V> => ({ type, key, value })

/** Throws EncodeError where a part does not fit. */
export function encodeCoordinatorKey<R extends CoordinatorRecord>(record: R, key: InputOf<R['key']>): Buffer {
  const writer = new Writer()
  writer.int16(record.type)
  encode(record.key, 0, key as never, writer)
  return writer.toBuffer()
}

/** The type in front of a key, so that the record can be chosen. Throws DecodeError. */
export const coordinatorKeyType = (bytes: Uint8Array): number => new Reader(bytes).int16()

/** Throws DecodeError, also where the key is of another type. */
export function decodeCoordinatorKey<R extends CoordinatorRecord>(record: R, bytes: Uint8Array): ValueOf<R['key']> {
  const reader = new Reader(bytes)
  const type = reader.int16()
  if (type !== record.type) reader.fail(`key of type ${type}, not ${record.type}`)
  const key = decode(record.key, 0, reader)
  reader.expectEnd()
  return key as ValueOf<R['key']>
}
