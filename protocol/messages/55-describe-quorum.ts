// DescribeQuorum shows leader, voters and observers of the metadata quorum (KIP-595).
// v1: when replicas last fetched and were caught up (KIP-836), v2: error messages, nodes, directory ids (KIP-853).
import { api } from '../api.ts'
import { array, int16, int32, int64, since, string, uint16 } from '../schema.ts'

const replicaState = {
  replicaId: int32,
  replicaDirectoryId: since(2).uuid,
  logEndOffset: int64,
  lastFetchTimestamp: since(1).ignorable.int64.or(-1),
  lastCaughtUpTimestamp: since(1).ignorable.int64.or(-1),
}

export const DescribeQuorum = api(55, 'DescribeQuorum', {
  versions: [0, 2],
  flexible: 0,
  request: {
    topics: array({
      topicName: string,
      partitions: array({
        partitionIndex: int32,
      }),
    }),
  },
  response: {
    errorCode: int16,
    errorMessage: since(2).nullable.ignorable.string,
    topics: array({
      topicName: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        errorMessage: since(2).nullable.ignorable.string,
        leaderId: int32,
        leaderEpoch: int32,
        highWatermark: int64,
        currentVoters: array(replicaState),
        observers: array(replicaState),
      }),
    }),
    nodes: since(2).array({
      nodeId: int32,
      listeners: array({
        name: string,
        host: string,
        port: uint16,
      }),
    }),
  },
})
