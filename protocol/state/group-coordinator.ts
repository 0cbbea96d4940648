// The records of __consumer_offsets: one pair of key and value per record type, for every kind of group.
import * as classic from './classic-group.ts'
import * as consumer from './consumer-group.ts'
import * as share from './share-group.ts'
import * as streams from './streams-group.ts'
import type { CoordinatorRecord } from './coordinator-record.ts'

export * from './classic-group.ts'
export * from './consumer-group.ts'
export * from './share-group.ts'
export * from './streams-group.ts'

/** All of them, in the order of their types. */
export const groupCoordinatorRecords: readonly CoordinatorRecord[] = [
  classic.legacyOffsetCommitRecord,
  classic.offsetCommitRecord,
  classic.groupMetadataRecord,
  consumer.consumerGroupMetadataRecord,
  consumer.consumerGroupPartitionMetadataRecord,
  consumer.consumerGroupMemberMetadataRecord,
  consumer.consumerGroupTargetAssignmentMetadataRecord,
  consumer.consumerGroupTargetAssignmentMemberRecord,
  consumer.consumerGroupCurrentMemberAssignmentRecord,
  share.shareGroupMemberMetadataRecord,
  share.shareGroupMetadataRecord,
  share.shareGroupTargetAssignmentMetadataRecord,
  share.shareGroupTargetAssignmentMemberRecord,
  share.shareGroupCurrentMemberAssignmentRecord,
  share.shareGroupStatePartitionMetadataRecord,
  consumer.consumerGroupRegularExpressionRecord,
  streams.streamsGroupMetadataRecord,
  streams.streamsGroupMemberMetadataRecord,
  streams.streamsGroupTargetAssignmentMetadataRecord,
  streams.streamsGroupTargetAssignmentMemberRecord,
  streams.streamsGroupCurrentMemberAssignmentRecord,
  streams.streamsGroupTopologyRecord,
]
