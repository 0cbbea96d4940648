// ConsumerGroupHeartbeat is a member's whole life in a group of the consumer protocol: join, report, receive,
// leave (KIP-848). In the request null means "as before". v1: subscription by regular expression, and the member
// makes its own id (KIP-1082).
import { api } from '../api.ts'
import { array, int16, int32, nullable, since, string, uuid } from '../schema.ts'

const topicPartitions = {
  topicId: uuid,
  partitions: array(int32),
}

export const ConsumerGroupHeartbeat = api(68, 'ConsumerGroupHeartbeat', {
  versions: [0, 1],
  flexible: 0,
  request: {
    groupId: string,
    memberId: string,
    memberEpoch: int32,
    instanceId: nullable.string.or(null),
    rackId: nullable.string.or(null),
    rebalanceTimeoutMs: int32.or(-1),
    subscribedTopicNames: nullable.array(string).or(null),
    subscribedTopicRegex: since(1).nullable.string.or(null),
    serverAssignor: nullable.string.or(null),
    topicPartitions: nullable.array(topicPartitions).or(null),
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
        topicPartitions: array(topicPartitions),
      })
      .or(null),
  },
})
