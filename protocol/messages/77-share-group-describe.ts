// ShareGroupDescribe shows share groups with members and assignments (KIP-932).
// v0 was early access and is not defined here.
import { api } from '../api.ts'
import { array, bool, int16, int32, nullable, string, struct, uuid } from '../schema.ts'

export const ShareGroupDescribe = api(77, 'ShareGroupDescribe', {
  versions: [1, 1],
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
        rackId: nullable.string.or(null),
        memberEpoch: int32,
        clientId: string,
        clientHost: string,
        subscribedTopicNames: array(string),
        assignment: struct({
          topicPartitions: array({
            topicId: uuid,
            topicName: string,
            partitions: array(int32),
          }),
        }),
      }),
      authorizedOperations: int32.or(-0x80000000),
    }),
  },
})
