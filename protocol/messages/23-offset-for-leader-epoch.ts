// OffsetForLeaderEpoch.
import { api } from '../api.ts'
import { array, int16, int32, int64, since, string } from '../schema.ts'

export const OffsetForLeaderEpoch = api(23, 'OffsetForLeaderEpoch', {
  versions: [0, 4],
  flexible: 4,
  request: {
    replicaId: since(3).ignorable.int32.or(-2),
    topics: array({
      topic: string,
      partitions: array({
        partition: int32,
        currentLeaderEpoch: since(2).ignorable.int32.or(-1),
        leaderEpoch: int32,
      }),
    }),
  },
  response: {
    throttleTimeMs: since(2).ignorable.int32.or(0),
    topics: array({
      topic: string,
      partitions: array({
        errorCode: int16,
        partition: int32,
        leaderEpoch: since(1).ignorable.int32.or(-1),
        endOffset: int64.or(-1),
      }),
    }),
  },
})
