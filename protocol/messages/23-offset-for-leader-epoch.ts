// OffsetForLeaderEpoch tells where a leader epoch ends, so that clients and followers find where logs part
// (KIP-101). v1: the epoch of the answer (KIP-279), v2: fencing by current epoch, throttle time (KIP-320), v3:
// replica id, -2 for debugging. v0-1 are gone in Kafka 4.0.
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
