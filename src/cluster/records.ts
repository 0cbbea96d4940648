/**
 * The records of Kafka's metadata log that we understand, as values, and the version each is written in
 * (MetadataVersion.java, `common/metadata/*.json`). Whatever else a log holds is carried as an opaque record.
 */

export interface RecordValues {
  readonly RegisterBrokerRecord: {
    readonly brokerId: number
    readonly isMigratingZkBroker: boolean
    readonly incarnationId: string
    readonly brokerEpoch: number
    readonly endPoints: readonly BrokerEndpoint[]
    readonly features: readonly BrokerFeature[]
    readonly rack: string | null
    readonly fenced: boolean
    readonly inControlledShutdown: boolean
    readonly logDirs: readonly string[]
    readonly cordonedLogDirs: readonly string[] | null
  }
  readonly UnregisterBrokerRecord: { readonly brokerId: number; readonly brokerEpoch: number }
  readonly TopicRecord: { readonly name: string; readonly topicId: string }
  readonly PartitionRecord: {
    readonly partitionId: number
    readonly topicId: string
    readonly replicas: readonly number[]
    readonly isr: readonly number[]
    readonly removingReplicas: readonly number[]
    readonly addingReplicas: readonly number[]
    readonly leader: number
    readonly leaderRecoveryState: number
    readonly leaderEpoch: number
    readonly partitionEpoch: number
    readonly directories: readonly string[]
    readonly eligibleLeaderReplicas: readonly number[] | null
    readonly lastKnownElr: readonly number[] | null
  }
  /** null, -2 (leader) and -1 (leaderRecoveryState) mean "as before". */
  readonly PartitionChangeRecord: {
    readonly partitionId: number
    readonly topicId: string
    readonly isr: readonly number[] | null
    readonly leader: number
    readonly replicas: readonly number[] | null
    readonly removingReplicas: readonly number[] | null
    readonly addingReplicas: readonly number[] | null
    readonly leaderRecoveryState: number
    readonly directories: readonly string[] | null
    readonly eligibleLeaderReplicas: readonly number[] | null
    readonly lastKnownElr: readonly number[] | null
  }
  /** A null value takes the key back to its default. */
  readonly ConfigRecord: {
    readonly resourceType: number
    readonly resourceName: string
    readonly name: string
    readonly value: string | null
  }
  readonly FenceBrokerRecord: { readonly id: number; readonly epoch: number }
  readonly UnfenceBrokerRecord: { readonly id: number; readonly epoch: number }
  readonly RemoveTopicRecord: { readonly topicId: string }
  readonly FeatureLevelRecord: { readonly name: string; readonly featureLevel: number }
  readonly ProducerIdsRecord: {
    readonly brokerId: number
    readonly brokerEpoch: number
    readonly nextProducerId: number
  }
  /** fenced: -1 unfenced, 1 fenced, 0 as before. Empty logDirs and null cordonedLogDirs: as before. */
  readonly BrokerRegistrationChangeRecord: {
    readonly brokerId: number
    readonly brokerEpoch: number
    readonly fenced: number
    readonly inControlledShutdown: number
    readonly logDirs: readonly string[]
    readonly cordonedLogDirs: readonly string[] | null
  }
  readonly NoOpRecord: Record<string, never>
  readonly BeginTransactionRecord: { readonly name: string | null }
  readonly EndTransactionRecord: Record<string, never>
  readonly AbortTransactionRecord: { readonly reason: string | null }
  /** Empty name: every topic. */
  readonly ClearElrRecord: { readonly topicName: string }
}

export interface BrokerEndpoint {
  readonly name: string
  readonly host: string
  readonly port: number
  /** 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL. */
  readonly securityProtocol: number
}

export interface BrokerFeature {
  readonly name: string
  readonly minSupportedVersion: number
  readonly maxSupportedVersion: number
}

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
