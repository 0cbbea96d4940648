// Bodies of control records: what brokers write into partitions and quorums into their log.
import { message } from '../api.ts'
import { array, int16, int32, int64, since, string, struct, uint16, uuid } from '../schema.ts'

/** Key of every control record, its version in front; types are in records/control.ts. */
export const ControlRecordTypeSchema = message('ControlRecordTypeSchema', {
  versions: [0, 0],
  fields: {
    type: int16,
  },
})

/** Value of ABORT and COMMIT (KIP-98), its version in front. */
export const EndTxnMarker = message('EndTxnMarker', {
  versions: [0, 0],
  fields: {
    coordinatorEpoch: int32,
  },
})

/** Value of LEADER_CHANGE: the first record of a leader in the metadata log (KIP-595). */
export const LeaderChangeMessage = message('LeaderChangeMessage', {
  versions: [0, 1],
  flexible: 0,
  fields: {
    version: int16,
    leaderId: int32,
    voters: array({
      voterId: int32,
      voterDirectoryId: since(1).uuid,
    }),
    grantingVoters: array({
      voterId: int32,
      voterDirectoryId: since(1).uuid,
    }),
  },
})

/** Value of SNAPSHOT_HEADER: the first record of a snapshot of the metadata log (KIP-630). */
export const SnapshotHeaderRecord = message('SnapshotHeaderRecord', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    version: int16,
    lastContainedLogTimestamp: int64,
  },
})

/** Value of SNAPSHOT_FOOTER: the last one. */
export const SnapshotFooterRecord = message('SnapshotFooterRecord', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    version: int16,
  },
})

/** Value of KRAFT_VERSION (KIP-853). */
export const KRaftVersionRecord = message('KRaftVersionRecord', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    version: int16,
    kRaftVersion: int16,
  },
})

/** Value of KRAFT_VOTERS: who votes, and where they are reached (KIP-853). */
export const VotersRecord = message('VotersRecord', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    version: int16,
    voters: array({
      voterId: int32,
      voterDirectoryId: uuid,
      endpoints: array({
        name: string,
        host: string,
        port: uint16,
      }),
      kRaftVersionFeature: struct({
        minSupportedVersion: int16,
        maxSupportedVersion: int16,
      }),
    }),
  },
})
