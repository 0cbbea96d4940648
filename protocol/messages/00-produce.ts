// Produce appends one record batch to each of several partitions.
// v1: throttle time, v2: log append time, v3: transactional id and batches of magic 2 only (KIP-98), v4:
// KAFKA_STORAGE_ERROR (KIP-112), v5: log start offset, v7: zstd (KIP-110), v8: which records were refused and why
// (KIP-467), v10: new leader and its endpoint with NOT_LEADER_OR_FOLLOWER (KIP-951), v11: TRANSACTION_ABORTABLE,
// v12: the partition joins the transaction by itself (KIP-890), v13: topic ids instead of names (KIP-516). v0-2
// carry message sets of magic 0 or 1.
import { api } from '../api.ts'
import { array, int16, int32, int64, nullable, since, string, until } from '../schema.ts'

export const Produce = api(0, 'Produce', {
  versions: [0, 13],
  flexible: 9,
  request: {
    transactionalId: since(3).nullable.string.or(null),
    /** 0: no answer at all, 1: written by the leader, -1: by all in-sync replicas. */
    acks: int16,
    timeoutMs: int32,
    topicData: array({
      name: until(12).ignorable.string,
      topicId: since(13).ignorable.uuid,
      partitionData: array({
        index: int32,
        records: nullable.records,
      }),
    }),
  },
  response: {
    responses: array({
      name: until(12).ignorable.string,
      topicId: since(13).ignorable.uuid,
      partitionResponses: array({
        index: int32,
        errorCode: int16,
        baseOffset: int64,
        /** -1 unless the topic uses LogAppendTime. */
        logAppendTimeMs: since(2).ignorable.int64.or(-1),
        logStartOffset: since(5).ignorable.int64.or(-1),
        /** Which records of the batch were refused, and why. */
        recordErrors: since(8).ignorable.array({
          batchIndex: int32,
          batchIndexErrorMessage: nullable.string.or(null),
        }),
        errorMessage: since(8).nullable.ignorable.string.or(null),
        currentLeader: since(10)
          .tag(0)
          .struct({
            leaderId: int32.or(-1),
            leaderEpoch: int32.or(-1),
          }),
      }),
    }),
    throttleTimeMs: since(1).ignorable.int32.or(0),
    /** Of the leaders named in currentLeader. */
    nodeEndpoints: since(10)
      .tag(0)
      .array({
        nodeId: int32,
        host: string,
        port: int32,
        rack: nullable.string.or(null),
      }),
  },
})
