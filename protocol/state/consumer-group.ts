// Records of __consumer_offsets for groups of the consumer protocol (KIP-848): types 3 to 8, and 16 for regular
// expressions. A group is its epoch and metadata, its members, the target assignment (as a whole, and for each
// member) and what members have at the moment.
import { message } from '../api.ts'
import { coordinatorRecord } from './coordinator-record.ts'
import { array, bytes, int32, int64, int8, nullable, string, tag, uuid } from '../schema.ts'

const topicPartitions = {
  topicId: uuid,
  partitions: array(int32),
  assignmentEpochs: nullable.tag(0).array(int32),
}

export const ConsumerGroupMetadataKey = message('ConsumerGroupMetadataKey', {
  versions: [0, 0],
  fields: {
    groupId: string,
  },
})

export const ConsumerGroupMetadataValue = message('ConsumerGroupMetadataValue', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    epoch: int32,
    metadataHash: tag(0).int64.or(0),
  },
})

export const ConsumerGroupPartitionMetadataKey = message('ConsumerGroupPartitionMetadataKey', {
  versions: [0, 0],
  fields: {
    groupId: string,
  },
})

export const ConsumerGroupPartitionMetadataValue = message('ConsumerGroupPartitionMetadataValue', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    topics: array({
      topicId: uuid,
      topicName: string,
      numPartitions: int32,
      partitionMetadata: array({
        partition: int32,
        racks: array(string),
      }),
    }),
  },
})

export const ConsumerGroupMemberMetadataKey = message('ConsumerGroupMemberMetadataKey', {
  versions: [0, 0],
  fields: {
    groupId: string,
    memberId: string,
  },
})

export const ConsumerGroupMemberMetadataValue = message('ConsumerGroupMemberMetadataValue', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    instanceId: nullable.string,
    rackId: nullable.string,
    clientId: string,
    clientHost: string,
    subscribedTopicNames: array(string),
    subscribedTopicRegex: nullable.string,
    rebalanceTimeoutMs: int32.or(-1),
    serverAssignor: nullable.string,
    classicMemberMetadata: nullable.tag(0).struct({
      sessionTimeoutMs: int32,
      supportedProtocols: array({
        name: string,
        metadata: bytes,
      }),
    }),
  },
})

export const ConsumerGroupTargetAssignmentMetadataKey = message('ConsumerGroupTargetAssignmentMetadataKey', {
  versions: [0, 0],
  fields: {
    groupId: string,
  },
})

export const ConsumerGroupTargetAssignmentMetadataValue = message('ConsumerGroupTargetAssignmentMetadataValue', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    assignmentEpoch: int32,
    assignmentTimestamp: tag(0).ignorable.int64.or(0),
  },
})

export const ConsumerGroupTargetAssignmentMemberKey = message('ConsumerGroupTargetAssignmentMemberKey', {
  versions: [0, 0],
  fields: {
    groupId: string,
    memberId: string,
  },
})

export const ConsumerGroupTargetAssignmentMemberValue = message('ConsumerGroupTargetAssignmentMemberValue', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    topicPartitions: array({
      topicId: uuid,
      partitions: array(int32),
    }),
  },
})

export const ConsumerGroupCurrentMemberAssignmentKey = message('ConsumerGroupCurrentMemberAssignmentKey', {
  versions: [0, 0],
  fields: {
    groupId: string,
    memberId: string,
  },
})

export const ConsumerGroupCurrentMemberAssignmentValue = message('ConsumerGroupCurrentMemberAssignmentValue', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    memberEpoch: int32,
    previousMemberEpoch: int32,
    state: int8,
    assignedPartitions: array(topicPartitions),
    partitionsPendingRevocation: array(topicPartitions),
  },
})

export const ConsumerGroupRegularExpressionKey = message('ConsumerGroupRegularExpressionKey', {
  versions: [0, 0],
  fields: {
    groupId: string,
    regularExpression: string,
  },
})

export const ConsumerGroupRegularExpressionValue = message('ConsumerGroupRegularExpressionValue', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    topics: array(string),
    version: int64,
    timestamp: int64,
  },
})

export const consumerGroupMetadataRecord = coordinatorRecord(3, ConsumerGroupMetadataKey, ConsumerGroupMetadataValue)
export const consumerGroupPartitionMetadataRecord = coordinatorRecord(
  4,
  ConsumerGroupPartitionMetadataKey,
  ConsumerGroupPartitionMetadataValue,
)
export const consumerGroupMemberMetadataRecord = coordinatorRecord(
  5,
  ConsumerGroupMemberMetadataKey,
  ConsumerGroupMemberMetadataValue,
)
export const consumerGroupTargetAssignmentMetadataRecord = coordinatorRecord(
  6,
  ConsumerGroupTargetAssignmentMetadataKey,
  ConsumerGroupTargetAssignmentMetadataValue,
)
export const consumerGroupTargetAssignmentMemberRecord = coordinatorRecord(
  7,
  ConsumerGroupTargetAssignmentMemberKey,
  ConsumerGroupTargetAssignmentMemberValue,
)
export const consumerGroupCurrentMemberAssignmentRecord = coordinatorRecord(
  8,
  ConsumerGroupCurrentMemberAssignmentKey,
  ConsumerGroupCurrentMemberAssignmentValue,
)
export const consumerGroupRegularExpressionRecord = coordinatorRecord(
  16,
  ConsumerGroupRegularExpressionKey,
  ConsumerGroupRegularExpressionValue,
)
