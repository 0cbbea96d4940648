// Metadata.
import { api } from '../api.ts'
import { array, int16, int32, nullSince, since, string } from '../schema.ts'

export const Metadata = api(3, 'Metadata', {
  versions: [0, 13],
  flexible: 9,
  request: {
    topics: nullSince(1).array({
      topicId: since(10).ignorable.uuid,
      name: nullSince(10).string,
    }),
    allowAutoTopicCreation: since(4).bool.or(true),
    includeClusterAuthorizedOperations: since(8).until(10).bool,
    includeTopicAuthorizedOperations: since(8).bool,
  },
  response: {
    throttleTimeMs: since(3).ignorable.int32.or(0),
    brokers: array({
      nodeId: int32,
      host: string,
      port: int32,
      rack: since(1).nullable.ignorable.string.or(null),
    }),
    clusterId: since(2).nullable.ignorable.string.or(null),
    controllerId: since(1).ignorable.int32.or(-1),
    topics: array({
      errorCode: int16,
      name: nullSince(12).string,
      topicId: since(10).ignorable.uuid,
      isInternal: since(1).ignorable.bool.or(false),
      partitions: array({
        errorCode: int16,
        partitionIndex: int32,
        leaderId: int32,
        leaderEpoch: since(7).ignorable.int32.or(-1),
        replicaNodes: array(int32),
        isrNodes: array(int32),
        offlineReplicas: since(5).ignorable.array(int32),
      }),
      topicAuthorizedOperations: since(8).int32.or(-0x80000000),
    }),
    clusterAuthorizedOperations: since(8).until(10).int32.or(-0x80000000),
    errorCode: since(13).ignorable.int16,
  },
})
