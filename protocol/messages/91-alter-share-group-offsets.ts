// AlterShareGroupOffsets moves the start of an empty share group (KIP-932).
import { api } from '../api.ts'
import { array, int16, int32, int64, nullable, string, uuid } from '../schema.ts'

export const AlterShareGroupOffsets = api(91, 'AlterShareGroupOffsets', {
  versions: [0, 0],
  flexible: 0,
  request: {
    groupId: string,
    topics: array({
      topicName: string,
      partitions: array({
        partitionIndex: int32,
        startOffset: int64,
      }),
    }),
  },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: nullable.string.or(null),
    responses: array({
      topicName: string,
      topicId: uuid,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        errorMessage: nullable.string.or(null),
      }),
    }),
  },
})
