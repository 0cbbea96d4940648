// DeleteTopics deletes topics.
// v1: throttle time, v5: error messages and THROTTLING_QUOTA_EXCEEDED (KIP-599), v6: by name or by id, in another
// layout (KIP-516).
import { api } from '../api.ts'
import { array, int16, int32, nullSince, nullable, since, string, until, uuid } from '../schema.ts'

export const DeleteTopics = api(20, 'DeleteTopics', {
  versions: [0, 6],
  flexible: 4,
  request: {
    topics: since(6).array({
      name: nullable.string.or(null),
      topicId: uuid,
    }),
    topicNames: until(5).ignorable.array(string),
    timeoutMs: int32,
  },
  response: {
    throttleTimeMs: since(1).ignorable.int32.or(0),
    responses: array({
      name: nullSince(6).string,
      topicId: since(6).ignorable.uuid,
      errorCode: int16,
      errorMessage: since(5).nullable.ignorable.string.or(null),
    }),
  },
})
