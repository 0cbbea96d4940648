// Records of __consumer_offsets that classic groups use: committed offsets (types 0, 1) and the group itself (2).
// Offset values: v1 had an expiry, v3 the leader epoch (KIP-320), v4 the topic id as a tagged field. Group values:
// v1 rebalance time-out, v2 time of the last change, v3 static members (KIP-345), v4 flexible.
import { message } from '../api.ts'
import { coordinatorRecord } from './coordinator-record.ts'
import { array, bytes, int32, int64, nullable, since, string } from '../schema.ts'

/** Type 0: written by Kafka before 0.9; read, never written. */
export const LegacyOffsetCommitKey = message('LegacyOffsetCommitKey', {
  versions: [0, 0],
  fields: {
    group: string,
    topic: string,
    partition: int32,
  },
})

export const LegacyOffsetCommitValue = message('LegacyOffsetCommitValue', {
  versions: [0, 0],
  fields: {
    offset: int64,
    metadata: string,
    commitTimestamp: int64,
  },
})

export const OffsetCommitKey = message('OffsetCommitKey', {
  versions: [0, 0],
  fields: {
    group: string,
    topic: string,
    partition: int32,
  },
})

export const OffsetCommitValue = message('OffsetCommitValue', {
  versions: [0, 4],
  flexible: 4,
  fields: {
    offset: int64,
    leaderEpoch: since(3).ignorable.int32.or(-1),
    metadata: string,
    commitTimestamp: int64,
    /** Version 1 alone. */
    expireTimestamp: since(1).until(1).ignorable.int64.or(-1),
    topicId: since(4).tag(0).ignorable.uuid,
  },
})

export const GroupMetadataKey = message('GroupMetadataKey', {
  versions: [0, 0],
  fields: {
    group: string,
  },
})

export const GroupMetadataValue = message('GroupMetadataValue', {
  versions: [0, 4],
  flexible: 4,
  fields: {
    protocolType: string,
    generation: int32,
    protocol: nullable.string,
    leader: nullable.string,
    currentStateTimestamp: since(2).ignorable.int64.or(-1),
    members: array({
      memberId: string,
      groupInstanceId: since(3).nullable.ignorable.string.or(null),
      clientId: string,
      clientHost: string,
      rebalanceTimeout: since(1).ignorable.int32.or(-1),
      sessionTimeout: int32,
      subscription: bytes,
      assignment: bytes,
    }),
  },
})

export const legacyOffsetCommitRecord = coordinatorRecord(0, LegacyOffsetCommitKey, LegacyOffsetCommitValue)
export const offsetCommitRecord = coordinatorRecord(1, OffsetCommitKey, OffsetCommitValue)
export const groupMetadataRecord = coordinatorRecord(2, GroupMetadataKey, GroupMetadataValue)
