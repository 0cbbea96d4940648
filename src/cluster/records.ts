/**
 * The records of Kafka's metadata log that we understand, as values, and the version each is written in
 * (MetadataVersion.java). Whatever else a log holds is carried as an opaque record.
 */

import { metadataRecords } from '../../protocol/state/metadata-records.ts'
import type { MetadataRecordType } from '../../protocol/state/metadata-record.ts'
import type { ValueOf } from '../../protocol/api.ts'

const {
  RegisterBrokerRecord,
  UnregisterBrokerRecord,
  TopicRecord,
  PartitionRecord,
  ConfigRecord,
  PartitionChangeRecord,
  FenceBrokerRecord,
  UnfenceBrokerRecord,
  RemoveTopicRecord,
  FeatureLevelRecord,
  ProducerIdsRecord,
  BrokerRegistrationChangeRecord,
  NoOpRecord,
  BeginTransactionRecord,
  EndTransactionRecord,
  AbortTransactionRecord,
  ClearElrRecord,
} = metadataRecords

/** The records that the image is built of; their fields are explained in Kafka's message definitions. */
export const messages = {
  RegisterBrokerRecord,
  UnregisterBrokerRecord,
  TopicRecord,
  PartitionRecord,
  ConfigRecord,
  PartitionChangeRecord,
  FenceBrokerRecord,
  UnfenceBrokerRecord,
  RemoveTopicRecord,
  FeatureLevelRecord,
  ProducerIdsRecord,
  BrokerRegistrationChangeRecord,
  NoOpRecord,
  BeginTransactionRecord,
  EndTransactionRecord,
  AbortTransactionRecord,
  ClearElrRecord,
}

type Immutable<T> = T extends readonly (infer E)[]
  ? readonly Immutable<E>[]
  : T extends object
    ? { readonly [K in keyof T]: Immutable<T[K]> }
    : T
type Messages = typeof messages

export type RecordValues = {
  readonly [T in keyof Messages]: Messages[T] extends MetadataRecordType<infer S> ? Immutable<ValueOf<S>> : never
}
export type BrokerEndpoint = RecordValues['RegisterBrokerRecord']['endPoints'][number]
export type BrokerFeature = RecordValues['RegisterBrokerRecord']['features'][number]

export type RecordType = keyof RecordValues
export type KnownRecord = { [T in RecordType]: { readonly type: T; readonly value: RecordValues[T] } }[RecordType]
/** A record we keep but do not act on: its key in the metadata schema, its version and its body as they stood. */
export interface OtherRecord {
  readonly type: 'other'
  readonly key: number
  readonly version: number
  readonly body: Buffer
}
export type MetadataRecord = KnownRecord | OtherRecord

/** `ConfigResource.Type` as stored in ConfigRecord. */
export const ConfigResource = { TOPIC: 2, BROKER: 4, CLIENT_METRICS: 16, GROUP: 32 } as const

/** DirectoryId.java: replica placements that name no real directory. */
export const DirectoryId = {
  MIGRATING: 'AAAAAAAAAAAAAAAAAAAAAA',
  UNASSIGNED: 'AAAAAAAAAAAAAAAAAAAAAQ',
  LOST: 'AAAAAAAAAAAAAAAAAAAAAg',
} as const

export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

/** `metadata.version` feature levels: the oldest log we open and the one a new log starts with (4.3-IV0, also Kafka 4.4's). */
export const METADATA_VERSION = 'metadata.version'
export const MIN_METADATA_VERSION = 13
export const METADATA_VERSION_LEVEL = 30

/** The records that grew fields: [from `metadata.version` level, record version], newest first. All others are version 0. */
const versions: { readonly [T in RecordType]?: readonly (readonly [number, number])[] } = {
  RegisterBrokerRecord: [
    [30, 4],
    [17, 3],
    [0, 2],
  ],
  PartitionRecord: [
    [23, 2],
    [17, 1],
  ],
  PartitionChangeRecord: [
    [23, 2],
    [17, 1],
  ],
  BrokerRegistrationChangeRecord: [
    [30, 3],
    [17, 2],
    [0, 1],
  ],
}

/** The version in which a record is written under a `metadata.version` level (MetadataVersion.java). */
export const recordVersion = (type: RecordType, level: number): number =>
  versions[type]?.find(([from]) => level >= from)?.[1] ?? 0
