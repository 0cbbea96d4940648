// Records of the metadata log (KIP-631), and of the snapshots of it. The order of definitions is that of the
// types.
import { message } from '../api.ts'
import { metadataRecord } from './metadata-record.ts'
import {
  array,
  bool,
  bytes,
  float64,
  int16,
  int32,
  int64,
  int8,
  nullable,
  since,
  string,
  tag,
  uint16,
  uuid,
} from '../schema.ts'

/** A broker registered. v1: controlled shutdown, v2: ZooKeeper migration, v3: log directories, v4: cordoned ones. */
export const RegisterBrokerRecord = message('RegisterBrokerRecord', {
  versions: [0, 4],
  flexible: 0,
  fields: {
    brokerId: int32,
    isMigratingZkBroker: since(2).bool.or(false),
    incarnationId: uuid,
    brokerEpoch: int64,
    endPoints: array({
      name: string,
      host: string,
      port: uint16,
      securityProtocol: int16,
    }),
    features: array({
      name: string,
      minSupportedVersion: int16,
      maxSupportedVersion: int16,
    }),
    rack: nullable.string,
    fenced: bool.or(true),
    inControlledShutdown: since(1).bool.or(false),
    logDirs: since(3).tag(0).array(uuid),
    cordonedLogDirs: since(4).nullable.tag(1).array(uuid).or(null),
  },
})

export const UnregisterBrokerRecord = message('UnregisterBrokerRecord', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    brokerId: int32,
    brokerEpoch: int64,
  },
})

/** A topic was created. */
export const TopicRecord = message('TopicRecord', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    name: string,
    topicId: uuid,
  },
})

/** A partition was created. v1: directories (KIP-858), v2: eligible leader replicas (KIP-966). */
export const PartitionRecord = message('PartitionRecord', {
  versions: [0, 2],
  flexible: 0,
  fields: {
    partitionId: int32.or(-1),
    topicId: uuid,
    replicas: array(int32),
    isr: array(int32),
    removingReplicas: array(int32),
    addingReplicas: array(int32),
    leader: int32.or(-1),
    leaderRecoveryState: tag(0).int8.or(0),
    leaderEpoch: int32.or(-1),
    partitionEpoch: int32.or(-1),
    directories: since(1).array(uuid),
    eligibleLeaderReplicas: since(2).nullable.tag(1).array(int32).or(null),
    lastKnownElr: since(2).nullable.tag(2).array(int32).or(null),
  },
})

/** A configuration key was set, or with null went back to its default. */
export const ConfigRecord = message('ConfigRecord', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    resourceType: int8,
    resourceName: string,
    name: string,
    value: nullable.string,
  },
})

/** Parts of a partition changed: null, -2 (leader) and -1 (recovery state) stand for what did not. */
export const PartitionChangeRecord = message('PartitionChangeRecord', {
  versions: [0, 2],
  flexible: 0,
  fields: {
    partitionId: int32.or(-1),
    topicId: uuid,
    /** Null, here and below: as before. */
    isr: nullable.tag(0).array(int32).or(null),
    leader: tag(1).int32.or(-2),
    replicas: nullable.tag(2).array(int32).or(null),
    removingReplicas: nullable.tag(3).array(int32).or(null),
    addingReplicas: nullable.tag(4).array(int32).or(null),
    leaderRecoveryState: tag(5).int8.or(-1),
    directories: since(1).nullable.tag(8).array(uuid).or(null),
    eligibleLeaderReplicas: since(2).nullable.tag(6).array(int32).or(null),
    lastKnownElr: since(2).nullable.tag(7).array(int32).or(null),
  },
})

export const FenceBrokerRecord = message('FenceBrokerRecord', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    id: int32,
    epoch: int64,
  },
})

export const UnfenceBrokerRecord = message('UnfenceBrokerRecord', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    id: int32,
    epoch: int64,
  },
})

/** A topic, with all its partitions, was deleted. */
export const RemoveTopicRecord = message('RemoveTopicRecord', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    topicId: uuid,
  },
})

export const DelegationTokenRecord = message('DelegationTokenRecord', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    owner: string,
    requester: string,
    renewers: array(string),
    issueTimestamp: int64,
    maxTimestamp: int64,
    expirationTimestamp: int64,
    tokenId: string,
  },
})

export const UserScramCredentialRecord = message('UserScramCredentialRecord', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    name: string,
    mechanism: int8,
    salt: bytes,
    storedKey: bytes,
    serverKey: bytes,
    iterations: int32,
  },
})

/** A feature was finalized at a level; 0 takes it away. */
export const FeatureLevelRecord = message('FeatureLevelRecord', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    name: string,
    featureLevel: int16,
  },
})

export const ClientQuotaRecord = message('ClientQuotaRecord', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    entity: array({
      entityType: string,
      entityName: nullable.string,
    }),
    key: string,
    value: float64,
    remove: bool,
  },
})

/** A block of producer ids was given to a broker; nextProducerId is the first free one. */
export const ProducerIdsRecord = message('ProducerIdsRecord', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    brokerId: int32,
    brokerEpoch: int64.or(-1),
    nextProducerId: int64,
  },
})

export const BrokerRegistrationChangeRecord = message('BrokerRegistrationChangeRecord', {
  versions: [0, 3],
  flexible: 0,
  fields: {
    brokerId: int32,
    brokerEpoch: int64,
    fenced: tag(0).int8,
    inControlledShutdown: since(1).tag(1).int8,
    logDirs: since(2).tag(2).array(uuid),
    cordonedLogDirs: since(3).nullable.tag(3).array(uuid).or(null),
  },
})

export const AccessControlEntryRecord = message('AccessControlEntryRecord', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    id: uuid,
    resourceType: int8,
    resourceName: string,
    patternType: int8,
    principal: string,
    host: string,
    operation: int8,
    permissionType: int8,
  },
})

export const RemoveAccessControlEntryRecord = message('RemoveAccessControlEntryRecord', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    id: uuid,
  },
})

/** Nothing: keeps the log moving. */
export const NoOpRecord = message('NoOpRecord', {
  versions: [0, 0],
  flexible: 0,
  fields: {},
})

export const ZkMigrationStateRecord = message('ZkMigrationStateRecord', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    zkMigrationState: int8,
  },
})

export const RemoveUserScramCredentialRecord = message('RemoveUserScramCredentialRecord', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    name: string,
    mechanism: int8,
  },
})

/** Opens a metadata transaction: what follows counts once EndTransactionRecord is there (KIP-868). */
export const BeginTransactionRecord = message('BeginTransactionRecord', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    name: nullable.tag(0).string.or(null),
  },
})

export const EndTransactionRecord = message('EndTransactionRecord', {
  versions: [0, 0],
  flexible: 0,
  fields: {},
})

export const AbortTransactionRecord = message('AbortTransactionRecord', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    reason: nullable.tag(0).string.or(null),
  },
})

export const RemoveDelegationTokenRecord = message('RemoveDelegationTokenRecord', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    tokenId: string,
  },
})

export const RegisterControllerRecord = message('RegisterControllerRecord', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    controllerId: int32,
    incarnationId: uuid,
    zkMigrationReady: bool,
    endPoints: array({
      name: string,
      host: string,
      port: uint16,
      securityProtocol: int16,
    }),
    features: array({
      name: string,
      minSupportedVersion: int16,
      maxSupportedVersion: int16,
    }),
  },
})

export const ClearElrRecord = message('ClearElrRecord', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    topicName: string,
  },
})

export const UnregisterControllerRecord = message('UnregisterControllerRecord', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    controllerId: int32,
  },
})

/** By Kafka's name. */
export const metadataRecords = {
  RegisterBrokerRecord: metadataRecord(0, RegisterBrokerRecord),
  UnregisterBrokerRecord: metadataRecord(1, UnregisterBrokerRecord),
  TopicRecord: metadataRecord(2, TopicRecord),
  PartitionRecord: metadataRecord(3, PartitionRecord),
  ConfigRecord: metadataRecord(4, ConfigRecord),
  PartitionChangeRecord: metadataRecord(5, PartitionChangeRecord),
  FenceBrokerRecord: metadataRecord(7, FenceBrokerRecord),
  UnfenceBrokerRecord: metadataRecord(8, UnfenceBrokerRecord),
  RemoveTopicRecord: metadataRecord(9, RemoveTopicRecord),
  DelegationTokenRecord: metadataRecord(10, DelegationTokenRecord),
  UserScramCredentialRecord: metadataRecord(11, UserScramCredentialRecord),
  FeatureLevelRecord: metadataRecord(12, FeatureLevelRecord),
  ClientQuotaRecord: metadataRecord(14, ClientQuotaRecord),
  ProducerIdsRecord: metadataRecord(15, ProducerIdsRecord),
  BrokerRegistrationChangeRecord: metadataRecord(17, BrokerRegistrationChangeRecord),
  AccessControlEntryRecord: metadataRecord(18, AccessControlEntryRecord),
  RemoveAccessControlEntryRecord: metadataRecord(19, RemoveAccessControlEntryRecord),
  NoOpRecord: metadataRecord(20, NoOpRecord),
  ZkMigrationStateRecord: metadataRecord(21, ZkMigrationStateRecord),
  RemoveUserScramCredentialRecord: metadataRecord(22, RemoveUserScramCredentialRecord),
  BeginTransactionRecord: metadataRecord(23, BeginTransactionRecord),
  EndTransactionRecord: metadataRecord(24, EndTransactionRecord),
  AbortTransactionRecord: metadataRecord(25, AbortTransactionRecord),
  RemoveDelegationTokenRecord: metadataRecord(26, RemoveDelegationTokenRecord),
  RegisterControllerRecord: metadataRecord(27, RegisterControllerRecord),
  ClearElrRecord: metadataRecord(28, ClearElrRecord),
  UnregisterControllerRecord: metadataRecord(29, UnregisterControllerRecord),
}
