// DeleteShareGroupState deletes the state of share partitions; group coordinators send it (KIP-932).
import { api } from '../api.ts'
import { array, int16, int32, nullable, string, uuid } from '../schema.ts'

export const DeleteShareGroupState = api(86, 'DeleteShareGroupState', {
  versions: [0, 0],
  flexible: 0,
  request: {
    groupId: string,
    topics: array({
      topicId: uuid,
      partitions: array({
        partition: int32,
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
