// ConsumerGroupDescribe shows groups of the consumer protocol with members and assignments (KIP-848).
// v1: which protocol a member speaks (KIP-1099).
import { api } from '../api.ts'
import { array, bool, int16, int32, nullable, since, string, struct, uuid } from '../schema.ts'

const topicPartitions = {
  topicId: uuid,
  topicName: string,
  partitions: array(int32),
}

const assignment = {
  topicPartitions: array(topicPartitions),
}

export const ConsumerGroupDescribe = api(69, 'ConsumerGroupDescribe', {
  versions: [0, 1],
  flexible: 0,
  request: {
    groupIds: array(string),
    includeAuthorizedOperations: bool,
  },
  response: {
    throttleTimeMs: int32.or(0),
    groups: array({
      errorCode: int16,
      errorMessage: nullable.string.or(null),
      groupId: string,
      groupState: string,
      groupEpoch: int32,
      assignmentEpoch: int32,
      assignorName: string,
      members: array({
        memberId: string,
        instanceId: nullable.string.or(null),
        rackId: nullable.string.or(null),
        memberEpoch: int32,
        clientId: string,
        clientHost: string,
        subscribedTopicNames: array(string),
        subscribedTopicRegex: nullable.string.or(null),
        assignment: struct(assignment),
        targetAssignment: struct(assignment),
        memberType: since(1).ignorable.int8.or(-1),
      }),
      authorizedOperations: int32.or(-0x80000000),
    }),
  },
})
