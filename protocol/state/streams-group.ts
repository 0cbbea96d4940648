// Records of __consumer_offsets for streams groups (KIP-1071): types 17, 19 to 23.
import { message } from '../api.ts'
import { coordinatorRecord } from './coordinator-record.ts'
import { array, int16, int32, int64, int8, nullable, string, tag, uint16 } from '../schema.ts'

const topicConfig = {
  key: string,
  value: string,
}

const topicInfo = {
  name: string,
  partitions: int32,
  replicationFactor: int16,
  topicConfigs: array(topicConfig),
}

export const StreamsGroupMetadataKey = message('StreamsGroupMetadataKey', {
  versions: [0, 0],
  fields: {
    groupId: string,
  },
})

export const StreamsGroupMetadataValue = message('StreamsGroupMetadataValue', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    epoch: int32,
    metadataHash: int64,
    validatedTopologyEpoch: tag(0).int32.or(-1),
    lastAssignmentConfigs: nullable.tag(1).array({
      key: string,
      value: string,
    }),
    storedDescriptionTopologyEpoch: tag(2).int32.or(-1),
    failedDescriptionTopologyEpoch: tag(3).int32.or(-1),
  },
})

export const StreamsGroupMemberMetadataKey = message('StreamsGroupMemberMetadataKey', {
  versions: [0, 0],
  fields: {
    groupId: string,
    memberId: string,
  },
})

export const StreamsGroupMemberMetadataValue = message('StreamsGroupMemberMetadataValue', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    instanceId: nullable.string,
    rackId: nullable.string,
    clientId: string,
    clientHost: string,
    rebalanceTimeoutMs: int32.or(-1),
    topologyEpoch: int32,
    processId: string,
    userEndpoint: nullable
      .struct({
        host: string,
        port: uint16,
      })
      .or(null),
    clientTags: array({
      key: string,
      value: string,
    }),
  },
})

export const StreamsGroupTargetAssignmentMetadataKey = message('StreamsGroupTargetAssignmentMetadataKey', {
  versions: [0, 0],
  fields: {
    groupId: string,
  },
})

export const StreamsGroupTargetAssignmentMetadataValue = message('StreamsGroupTargetAssignmentMetadataValue', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    assignmentEpoch: int32,
    assignmentTimestamp: tag(0).ignorable.int64.or(0),
  },
})

export const StreamsGroupTargetAssignmentMemberKey = message('StreamsGroupTargetAssignmentMemberKey', {
  versions: [0, 0],
  fields: {
    groupId: string,
    memberId: string,
  },
})

export const StreamsGroupTargetAssignmentMemberValue = message('StreamsGroupTargetAssignmentMemberValue', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    activeTasks: array({
      subtopologyId: string,
      partitions: array(int32),
    }),
    standbyTasks: array({
      subtopologyId: string,
      partitions: array(int32),
    }),
    warmupTasks: array({
      subtopologyId: string,
      partitions: array(int32),
    }),
  },
})

export const StreamsGroupCurrentMemberAssignmentKey = message('StreamsGroupCurrentMemberAssignmentKey', {
  versions: [0, 0],
  fields: {
    groupId: string,
    memberId: string,
  },
})

export const StreamsGroupCurrentMemberAssignmentValue = message('StreamsGroupCurrentMemberAssignmentValue', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    memberEpoch: int32,
    previousMemberEpoch: int32,
    state: int8,
    activeTasks: array({
      subtopologyId: string,
      partitions: array(int32),
      assignmentEpochs: nullable.tag(0).array(int32),
    }),
    standbyTasks: array({
      subtopologyId: string,
      partitions: array(int32),
      assignmentEpochs: nullable.tag(0).array(int32),
    }),
    warmupTasks: array({
      subtopologyId: string,
      partitions: array(int32),
      assignmentEpochs: nullable.tag(0).array(int32),
    }),
    activeTasksPendingRevocation: array({
      subtopologyId: string,
      partitions: array(int32),
      assignmentEpochs: nullable.tag(0).array(int32),
    }),
    standbyTasksPendingRevocation: array({
      subtopologyId: string,
      partitions: array(int32),
      assignmentEpochs: nullable.tag(0).array(int32),
    }),
    warmupTasksPendingRevocation: array({
      subtopologyId: string,
      partitions: array(int32),
      assignmentEpochs: nullable.tag(0).array(int32),
    }),
  },
})

export const StreamsGroupTopologyKey = message('StreamsGroupTopologyKey', {
  versions: [0, 0],
  fields: {
    groupId: string,
  },
})

export const StreamsGroupTopologyValue = message('StreamsGroupTopologyValue', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    epoch: int32,
    subtopologies: array({
      subtopologyId: string,
      sourceTopics: array(string),
      sourceTopicRegex: array(string),
      stateChangelogTopics: array(topicInfo),
      repartitionSinkTopics: array(string),
      repartitionSourceTopics: array(topicInfo),
      copartitionGroups: array({
        sourceTopics: array(int16),
        sourceTopicRegex: array(int16),
        repartitionSourceTopics: array(int16),
      }),
    }),
  },
})

export const streamsGroupMetadataRecord = coordinatorRecord(17, StreamsGroupMetadataKey, StreamsGroupMetadataValue)
export const streamsGroupMemberMetadataRecord = coordinatorRecord(
  19,
  StreamsGroupMemberMetadataKey,
  StreamsGroupMemberMetadataValue,
)
export const streamsGroupTargetAssignmentMetadataRecord = coordinatorRecord(
  20,
  StreamsGroupTargetAssignmentMetadataKey,
  StreamsGroupTargetAssignmentMetadataValue,
)
export const streamsGroupTargetAssignmentMemberRecord = coordinatorRecord(
  21,
  StreamsGroupTargetAssignmentMemberKey,
  StreamsGroupTargetAssignmentMemberValue,
)
export const streamsGroupCurrentMemberAssignmentRecord = coordinatorRecord(
  22,
  StreamsGroupCurrentMemberAssignmentKey,
  StreamsGroupCurrentMemberAssignmentValue,
)
export const streamsGroupTopologyRecord = coordinatorRecord(23, StreamsGroupTopologyKey, StreamsGroupTopologyValue)
