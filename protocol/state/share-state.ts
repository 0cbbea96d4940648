// Records of __share_group_state (KIP-932): a snapshot of a share partition's state, and updates on top of it.
import { message } from '../api.ts'
import { coordinatorRecord, type CoordinatorRecord } from './coordinator-record.ts'
import { array, int16, int32, int64, int8, string, tag, uuid } from '../schema.ts'

const stateBatch = {
  firstOffset: int64,
  lastOffset: int64,
  deliveryState: int8,
  deliveryCount: int16,
}

export const ShareSnapshotKey = message('ShareSnapshotKey', {
  versions: [0, 0],
  fields: {
    groupId: string,
    topicId: uuid,
    partition: int32,
  },
})

export const ShareSnapshotValue = message('ShareSnapshotValue', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    snapshotEpoch: int32,
    stateEpoch: int32,
    leaderEpoch: int32,
    startOffset: int64,
    deliveryCompleteCount: tag(0).int32.or(-1),
    createTimestamp: int64,
    writeTimestamp: int64,
    stateBatches: array(stateBatch),
  },
})

export const ShareUpdateKey = message('ShareUpdateKey', {
  versions: [0, 0],
  fields: {
    groupId: string,
    topicId: uuid,
    partition: int32,
  },
})

export const ShareUpdateValue = message('ShareUpdateValue', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    snapshotEpoch: int32,
    leaderEpoch: int32,
    startOffset: int64,
    deliveryCompleteCount: tag(0).int32.or(-1),
    stateBatches: array(stateBatch),
  },
})

export const shareSnapshotRecord = coordinatorRecord(0, ShareSnapshotKey, ShareSnapshotValue)
export const shareUpdateRecord = coordinatorRecord(1, ShareUpdateKey, ShareUpdateValue)

/** All of them, in the order of their types. */
export const shareCoordinatorRecords: readonly CoordinatorRecord[] = [shareSnapshotRecord, shareUpdateRecord]
