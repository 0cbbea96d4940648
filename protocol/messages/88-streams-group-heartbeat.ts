// StreamsGroupHeartbeat is the life of a Kafka Streams process in a streams group (KIP-1071).
// In the request null means "as before". v1: the broker may ask for a description of the topology (KIP-1331).
import { api } from '../api.ts'
import { array, bool, int16, int32, int64, int8, nullable, since, string, struct, uint16, until } from '../schema.ts'

const keyValue = {
  key: string,
  value: string,
}

const taskIds = {
  subtopologyId: string,
  partitions: array(int32),
}

const endpoint = {
  host: string,
  port: uint16,
}

const taskOffset = {
  subtopologyId: string,
  partition: int32,
  offset: int64,
}

const topicPartition = {
  topic: string,
  partitions: array(int32),
}

const topicInfo = {
  name: string,
  partitions: int32,
  replicationFactor: int16,
  topicConfigs: array(keyValue),
}

export const StreamsGroupHeartbeat = api(88, 'StreamsGroupHeartbeat', {
  versions: [0, 1],
  flexible: 0,
  request: {
    groupId: string,
    memberId: string,
    memberEpoch: int32,
    endpointInformationEpoch: int32,
    instanceId: nullable.string.or(null),
    rackId: nullable.string.or(null),
    rebalanceTimeoutMs: int32.or(-1),
    topology: nullable
      .struct({
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
      })
      .or(null),
    activeTasks: nullable.array(taskIds).or(null),
    standbyTasks: nullable.array(taskIds).or(null),
    warmupTasks: nullable.array(taskIds).or(null),
    processId: nullable.string.or(null),
    userEndpoint: nullable.struct(endpoint).or(null),
    clientTags: nullable.array(keyValue).or(null),
    taskOffsets: nullable.array(taskOffset).or(null),
    taskEndOffsets: nullable.array(taskOffset).or(null),
    shutdownApplication: bool.or(false),
  },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: nullable.string.or(null),
    memberId: string,
    memberEpoch: int32,
    heartbeatIntervalMs: int32,
    acceptableRecoveryLagLegacy: until(0).int32,
    taskOffsetIntervalMs: int32,
    acceptableRecoveryLag: since(1).ignorable.int64.or(-1),
    status: nullable.array({
      statusCode: int8,
      statusDetail: string,
    }),
    activeTasks: nullable.array(taskIds).or(null),
    standbyTasks: nullable.array(taskIds).or(null),
    warmupTasks: nullable.array(taskIds).or(null),
    topologyDescriptionRequired: since(1).bool.or(false),
    endpointInformationEpoch: int32,
    partitionsByUserEndpoint: nullable
      .array({
        userEndpoint: struct(endpoint),
        activePartitions: array(topicPartition),
        standbyPartitions: array(topicPartition),
      })
      .or(null),
  },
})
