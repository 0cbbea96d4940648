// ShareGroupHeartbeat is a member's life in a share group (KIP-932). v0 was early access and is not defined here.
// In the request null means "as before".
import { api } from '../api.ts'
import { array, int16, int32, nullable, string, uuid } from '../schema.ts'

export const ShareGroupHeartbeat = api(76, 'ShareGroupHeartbeat', {
  versions: [1, 1],
  flexible: 0,
  request: {
    groupId: string,
    memberId: string,
    memberEpoch: int32,
    rackId: nullable.string.or(null),
    subscribedTopicNames: nullable.array(string).or(null),
  },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: nullable.string.or(null),
    memberId: nullable.string.or(null),
    memberEpoch: int32,
    heartbeatIntervalMs: int32,
    assignment: nullable
      .struct({
        topicPartitions: array({
          topicId: uuid,
          partitions: array(int32),
        }),
      })
      .or(null),
  },
})
