// ReadShareGroupState reads the state of share partitions; their leaders send it (KIP-932).
import { api } from '../api.ts'
import { array, int16, int32, int64, int8, nullable, string, uuid } from '../schema.ts'

export const ReadShareGroupState = api(84, 'ReadShareGroupState', {
  versions: [0, 0],
  flexible: 0,
  request: {
    groupId: string,
    topics: array({
      topicId: uuid,
      partitions: array({
        partition: int32,
        leaderEpoch: int32,
      }),
    }),
  },
  response: {
    results: array({
      topicId: uuid,
      partitions: array({
        partition: int32,
        errorCode: int16,
        errorMessage: nullable.string.or(null),
        stateEpoch: int32,
        startOffset: int64,
        stateBatches: array({
          firstOffset: int64,
          lastOffset: int64,
          deliveryState: int8,
          deliveryCount: int16,
        }),
      }),
    }),
  },
})
