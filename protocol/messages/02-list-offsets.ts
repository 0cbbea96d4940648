// ListOffsets finds offsets by timestamp; negative timestamps name places: -1 end, -2 start.
// v0 (gone in Kafka 4.0): several offsets per partition; v1: one offset with its timestamp (KIP-79), v2: isolation
// level and throttle time, v4: leader epoch and fencing (KIP-320), v5: OFFSET_NOT_AVAILABLE (KIP-207), v7: -3
// greatest timestamp (KIP-734), v8: -4 local log start (KIP-405), v9: -5 last tiered (KIP-1005), v10: time-out for
// remote reads (KIP-1075), v11: -6 earliest not yet uploaded (KIP-1023).
import { api } from '../api.ts'
import { array, int16, int32, int64, since, string, until } from '../schema.ts'

export const ListOffsets = api(2, 'ListOffsets', {
  versions: [0, 11],
  flexible: 6,
  request: {
    /** -1 for clients. */
    replicaId: int32,
    isolationLevel: since(2).int8,
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        currentLeaderEpoch: since(4).ignorable.int32.or(-1),
        timestamp: int64,
        maxNumOffsets: until(0).int32.or(1),
      }),
    }),
    timeoutMs: since(10).ignorable.int32,
  },
  response: {
    throttleTimeMs: since(2).ignorable.int32.or(0),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        /** Version 0 alone; later ones give offset. */
        oldStyleOffsets: until(0).array(int64),
        timestamp: since(1).int64.or(-1),
        offset: since(1).int64.or(-1),
        leaderEpoch: since(4).int32.or(-1),
      }),
    }),
  },
})
