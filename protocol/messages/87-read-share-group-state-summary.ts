// ReadShareGroupStateSummary reads share partitions' start offsets without the batches (KIP-932).
// v1: how many records past the start are done (KIP-1226).
import { api } from '../api.ts'
import { array, int16, int32, int64, nullable, since, string, uuid } from '../schema.ts'

export const ReadShareGroupStateSummary = api(87, 'ReadShareGroupStateSummary', {
  versions: [0, 1],
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
        leaderEpoch: int32,
        startOffset: int64,
        deliveryCompleteCount: since(1).ignorable.int32.or(-1),
      }),
    }),
  },
})
