// DeleteShareGroupOffsets forgets an empty share group's offsets of topics (KIP-932).
import { api } from '../api.ts'
import { array, int16, int32, nullable, string, uuid } from '../schema.ts'

export const DeleteShareGroupOffsets = api(92, 'DeleteShareGroupOffsets', {
  versions: [0, 0],
  flexible: 0,
  request: {
    groupId: string,
    topics: array({
      topicName: string,
    }),
  },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: nullable.string.or(null),
    responses: array({
      topicName: string,
      topicId: uuid,
      errorCode: int16,
      errorMessage: nullable.string.or(null),
    }),
  },
})
