// Fetch.
import { api } from '../api.ts'
import { array, int16, int32, int64, nullable, since, string, until } from '../schema.ts'

export const Fetch = api(1, 'Fetch', {
  versions: [0, 18],
  flexible: 12,
  request: {
    clusterId: since(12).nullable.tag(0).ignorable.string.or(null),
    replicaId: until(14).int32.or(-1),
    replicaState: since(15)
      .tag(1)
      .struct({
        replicaId: int32.or(-1),
        replicaEpoch: int64.or(-1),
      }),
    maxWaitMs: int32,
    minBytes: int32,
    maxBytes: since(3).ignorable.int32.or(0x7fffffff),
    isolationLevel: since(4).ignorable.int8.or(0),
    sessionId: since(7).ignorable.int32.or(0),
    sessionEpoch: since(7).ignorable.int32.or(-1),
    topics: array({
      topic: until(12).ignorable.string,
      topicId: since(13).ignorable.uuid,
      partitions: array({
        partition: int32,
        currentLeaderEpoch: since(9).ignorable.int32.or(-1),
        fetchOffset: int64,
        lastFetchedEpoch: since(12).int32.or(-1),
        logStartOffset: since(5).ignorable.int64.or(-1),
        partitionMaxBytes: int32,
        replicaDirectoryId: since(17).tag(0).ignorable.uuid,
        highWatermark: since(18)
          .tag(1)
          .ignorable.int64.or(2 ** 63),
      }),
    }),
    forgottenTopicsData: since(7).array({
      topic: until(12).ignorable.string,
      topicId: since(13).ignorable.uuid,
      partitions: array(int32),
    }),
    rackId: since(11).ignorable.string.or(''),
  },
  response: {
    throttleTimeMs: since(1).ignorable.int32.or(0),
    errorCode: since(7).ignorable.int16,
    sessionId: since(7).int32.or(0),
    responses: array({
      topic: until(12).ignorable.string,
      topicId: since(13).ignorable.uuid,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        highWatermark: int64,
        lastStableOffset: since(4).ignorable.int64.or(-1),
        logStartOffset: since(5).ignorable.int64.or(-1),
        divergingEpoch: since(12)
          .tag(0)
          .struct({
            epoch: int32.or(-1),
            endOffset: int64.or(-1),
          }),
        currentLeader: since(12)
          .tag(1)
          .struct({
            leaderId: int32.or(-1),
            leaderEpoch: int32.or(-1),
          }),
        snapshotId: since(12)
          .tag(2)
          .struct({
            endOffset: int64.or(-1),
            epoch: int32.or(-1),
          }),
        abortedTransactions: since(4).nullable.ignorable.array({
          producerId: int64,
          firstOffset: int64,
        }),
        preferredReadReplica: since(11).int32.or(-1),
        records: nullable.records,
      }),
    }),
    nodeEndpoints: since(16)
      .tag(0)
      .array({
        nodeId: int32,
        host: string,
        port: int32,
        rack: nullable.string.or(null),
      }),
  },
})
