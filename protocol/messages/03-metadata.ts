// Metadata tells brokers, topics, partitions and leaders; a null list of topics asks for all (in v0 an empty one
// did). v1: racks, controller, internal topics; v2: cluster id, v3: throttle time, v4: auto-creation may be
// refused, v5: offline replicas (KIP-112), v7: leader epochs (KIP-320), v8: authorized operations (KIP-430; those
// of the cluster left in v11, KIP-700), v10: topic ids in the answer, v12: topics asked for by id (KIP-516), v13:
// error of the whole answer (KIP-1102).
import { api } from '../api.ts'
import { array, int16, int32, nullSince, since, string } from '../schema.ts'

export const Metadata = api(3, 'Metadata', {
  versions: [0, 13],
  flexible: 9,
  request: {
    /** Null: all topics. */
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
        /** -1: there is none. */
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
