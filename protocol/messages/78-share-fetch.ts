// ShareFetch acquires records for a share group's member, and may acknowledge earlier ones (KIP-932).
// v0 was early access and is not defined here. v2: how strictly the batch size is kept (KIP-1206), and renewal of
// locks (KIP-1222).
import { api } from '../api.ts'
import { array, int16, int32, int64, int8, nullable, records, since, string, struct, uuid } from '../schema.ts'

export const ShareFetch = api(78, 'ShareFetch', {
  versions: [1, 2],
  flexible: 0,
  request: {
    groupId: nullable.string.or(null),
    memberId: nullable.string,
    shareSessionEpoch: int32,
    maxWaitMs: int32,
    minBytes: int32,
    maxBytes: int32.or(0x7fffffff),
    maxRecords: int32,
    batchSize: int32,
    shareAcquireMode: since(2).ignorable.int8.or(0),
    isRenewAck: since(2).bool.or(false),
    topics: array({
      topicId: uuid,
      partitions: array({
        partitionIndex: int32,
        acknowledgementBatches: array({
          firstOffset: int64,
          lastOffset: int64,
          acknowledgeTypes: array(int8),
        }),
      }),
    }),
    forgottenTopicsData: array({
      topicId: uuid,
      partitions: array(int32),
    }),
  },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: nullable.string.or(null),
    acquisitionLockTimeoutMs: int32,
    responses: array({
      topicId: uuid,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        errorMessage: nullable.string.or(null),
        acknowledgeErrorCode: int16,
        acknowledgeErrorMessage: nullable.string.or(null),
        currentLeader: struct({
          leaderId: int32,
          leaderEpoch: int32,
        }),
        records: records,
        acquiredRecords: array({
          firstOffset: int64,
          lastOffset: int64,
          deliveryCount: int16,
        }),
      }),
    }),
    nodeEndpoints: array({
      nodeId: int32,
      host: string,
      port: int32,
      rack: nullable.string.or(null),
    }),
  },
})
