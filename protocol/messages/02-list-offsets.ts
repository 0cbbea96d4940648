// ListOffsets.
import { api } from '../api.ts'
import { array, int16, int32, int64, since, string, until } from '../schema.ts'

export const ListOffsets = api(2, 'ListOffsets', {
  versions: [0, 11],
  flexible: 6,
  request: {
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
        oldStyleOffsets: until(0).array(int64),
        timestamp: since(1).int64.or(-1),
        offset: since(1).int64.or(-1),
        leaderEpoch: since(4).int32.or(-1),
      }),
    }),
  },
})
