// Records of __consumer_offsets for share groups (KIP-932): types 10 to 15.
import { message } from '../api.ts'
import { coordinatorRecord } from './coordinator-record.ts'
import { array, int32, int64, int8, nullable, string, tag, uuid } from '../schema.ts'

const topicPartitionsInfo = {
  topicId: uuid,
  topicName: string,
  partitions: array(int32),
}

export const ShareGroupMemberMetadataKey = message('ShareGroupMemberMetadataKey', {
  versions: [0, 0],
  fields: {
    groupId: string,
    memberId: string,
  },
})

export const ShareGroupMemberMetadataValue = message('ShareGroupMemberMetadataValue', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    rackId: nullable.string,
    clientId: string,
    clientHost: string,
    subscribedTopicNames: array(string),
  },
})

export const ShareGroupMetadataKey = message('ShareGroupMetadataKey', {
  versions: [0, 0],
  fields: {
    groupId: string,
  },
})

export const ShareGroupMetadataValue = message('ShareGroupMetadataValue', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    epoch: int32,
    metadataHash: int64,
  },
})

export const ShareGroupTargetAssignmentMetadataKey = message('ShareGroupTargetAssignmentMetadataKey', {
  versions: [0, 0],
  fields: {
    groupId: string,
  },
})

export const ShareGroupTargetAssignmentMetadataValue = message('ShareGroupTargetAssignmentMetadataValue', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    assignmentEpoch: int32,
    assignmentTimestamp: tag(0).ignorable.int64.or(0),
  },
})

export const ShareGroupTargetAssignmentMemberKey = message('ShareGroupTargetAssignmentMemberKey', {
  versions: [0, 0],
  fields: {
    groupId: string,
    memberId: string,
  },
})

export const ShareGroupTargetAssignmentMemberValue = message('ShareGroupTargetAssignmentMemberValue', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    topicPartitions: array({
      topicId: uuid,
      partitions: array(int32),
    }),
  },
})

export const ShareGroupCurrentMemberAssignmentKey = message('ShareGroupCurrentMemberAssignmentKey', {
  versions: [0, 0],
  fields: {
    groupId: string,
    memberId: string,
  },
})

export const ShareGroupCurrentMemberAssignmentValue = message('ShareGroupCurrentMemberAssignmentValue', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    memberEpoch: int32,
    previousMemberEpoch: int32,
    state: int8,
    assignedPartitions: array({
      topicId: uuid,
      partitions: array(int32),
    }),
  },
})

export const ShareGroupStatePartitionMetadataKey = message('ShareGroupStatePartitionMetadataKey', {
  versions: [0, 0],
  fields: {
    groupId: string,
  },
})

export const ShareGroupStatePartitionMetadataValue = message('ShareGroupStatePartitionMetadataValue', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    initializingTopics: array(topicPartitionsInfo),
    initializedTopics: array(topicPartitionsInfo),
    deletingTopics: array({
      topicId: uuid,
      topicName: string,
    }),
  },
})

export const shareGroupMemberMetadataRecord = coordinatorRecord(
  10,
  ShareGroupMemberMetadataKey,
  ShareGroupMemberMetadataValue,
)
export const shareGroupMetadataRecord = coordinatorRecord(11, ShareGroupMetadataKey, ShareGroupMetadataValue)
export const shareGroupTargetAssignmentMetadataRecord = coordinatorRecord(
  12,
  ShareGroupTargetAssignmentMetadataKey,
  ShareGroupTargetAssignmentMetadataValue,
)
export const shareGroupTargetAssignmentMemberRecord = coordinatorRecord(
  13,
  ShareGroupTargetAssignmentMemberKey,
  ShareGroupTargetAssignmentMemberValue,
)
export const shareGroupCurrentMemberAssignmentRecord = coordinatorRecord(
  14,
  ShareGroupCurrentMemberAssignmentKey,
  ShareGroupCurrentMemberAssignmentValue,
)
export const shareGroupStatePartitionMetadataRecord = coordinatorRecord(
  15,
  ShareGroupStatePartitionMetadataKey,
  ShareGroupStatePartitionMetadataValue,
)
