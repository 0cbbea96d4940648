// InitializeShareGroupState starts the state of share partitions; group coordinators send it (KIP-932).
import { api } from '../api.ts'
import { array, int16, int32, int64, nullable, string, uuid } from '../schema.ts'

export const InitializeShareGroupState = api(83, 'InitializeShareGroupState', {
  versions: [0, 0],
  flexible: 0,
  request: {
    groupId: string,
    topics: array({
      topicId: uuid,
      partitions: array({
        partition: int32,
        stateEpoch: int32,
        startOffset: int64,
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
      }),
    }),
  },
})
