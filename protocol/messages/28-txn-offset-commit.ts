// TxnOffsetCommit stores a group's positions as part of a transaction (KIP-98).
// v2: leader epoch (KIP-320), v3: generation and member, for fencing (KIP-447), v4: TRANSACTION_ABORTABLE, v5: the
// group joins the transaction by itself (KIP-890), v6: topic ids instead of names.
import { api } from '../api.ts'
import { array, int16, int32, int64, nullable, since, string, until } from '../schema.ts'

export const TxnOffsetCommit = api(28, 'TxnOffsetCommit', {
  versions: [0, 6],
  flexible: 3,
  request: {
    transactionalId: string,
    groupId: string,
    producerId: int64,
    producerEpoch: int16,
    generationIdOrMemberEpoch: since(3).int32.or(-1),
    memberId: since(3).string.or(''),
    groupInstanceId: since(3).nullable.string.or(null),
    topics: array({
      name: until(5).ignorable.string,
      topicId: since(6).ignorable.uuid,
      partitions: array({
        partitionIndex: int32,
        committedOffset: int64,
        committedLeaderEpoch: since(2).ignorable.int32.or(-1),
        committedMetadata: nullable.string,
      }),
    }),
  },
  response: {
    throttleTimeMs: int32.or(0),
    topics: array({
      name: until(5).ignorable.string,
      topicId: since(6).ignorable.uuid,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
      }),
    }),
  },
})
