// StreamsGroupDescribe shows streams groups with topology, members and tasks (KIP-1071).
// v1: the description of the topology (KIP-1331) and the assignor (KIP-1357).
import { api } from '../api.ts'
import { array, bool, int16, int32, int64, int8, nullable, since, string, struct, uint16 } from '../schema.ts'

const keyValue = {
  key: string,
  value: string,
}

const taskOffset = {
  subtopologyId: string,
  partition: int32,
  offset: int64,
}

const taskIds = {
  subtopologyId: string,
  partitions: array(int32),
}

const topologyDescriptionNode = {
  name: string,
  nodeType: int8,
  sourceTopics: array(string),
  sinkTopic: nullable.string.or(null),
  stores: array(string),
  successors: array(string),
}

const topicInfo = {
  name: string,
  partitions: int32,
  replicationFactor: int16,
  topicConfigs: array(keyValue),
}

const assignment = {
  activeTasks: array(taskIds),
  standbyTasks: array(taskIds),
  warmupTasks: array(taskIds),
}

export const StreamsGroupDescribe = api(89, 'StreamsGroupDescribe', {
  versions: [0, 1],
  flexible: 0,
  request: {
    groupIds: array(string),
    includeAuthorizedOperations: bool,
    includeTopologyDescription: since(1).bool.or(false),
  },
  response: {
    throttleTimeMs: int32.or(0),
    groups: array({
      errorCode: int16,
      errorMessage: nullable.string.or(null),
      groupId: string,
      groupState: string,
      groupEpoch: int32,
      assignmentEpoch: int32,
      topology: nullable
        .struct({
          epoch: int32,
          subtopologies: nullable
            .array({
              subtopologyId: string,
              sourceTopics: array(string),
              repartitionSinkTopics: array(string),
              stateChangelogTopics: array(topicInfo),
              repartitionSourceTopics: array(topicInfo),
            })
            .or(null),
        })
        .or(null),
      members: array({
        memberId: string,
        memberEpoch: int32,
        instanceId: nullable.string.or(null),
        rackId: nullable.string.or(null),
        clientId: string,
        clientHost: string,
        topologyEpoch: int32,
        processId: string,
        userEndpoint: nullable
          .struct({
            host: string,
            port: uint16,
          })
          .or(null),
        clientTags: array(keyValue),
        taskOffsets: array(taskOffset),
        taskEndOffsets: array(taskOffset),
        assignment: struct(assignment),
        targetAssignment: struct(assignment),
        isClassic: bool,
      }),
      authorizedOperations: int32.or(-0x80000000),
      topologyDescription: since(1)
        .nullable.struct({
          subtopologies: array({
            subtopologyId: string,
            nodes: array(topologyDescriptionNode),
          }),
          globalStores: array({
            source: struct(topologyDescriptionNode),
            processor: struct(topologyDescriptionNode),
          }),
        })
        .or(null),
      topologyDescriptionStatus: since(1).int8.or(0),
      assignorName: since(1).nullable.ignorable.string.or(null),
    }),
  },
})
