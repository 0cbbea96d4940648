// JoinGroup.
import { api } from '../api.ts'
import { array, bytes, int16, int32, nullSince, since, string } from '../schema.ts'

export const JoinGroup = api(11, 'JoinGroup', {
  versions: [0, 9],
  flexible: 6,
  request: {
    groupId: string,
    sessionTimeoutMs: int32,
    rebalanceTimeoutMs: since(1).ignorable.int32.or(-1),
    memberId: string,
    groupInstanceId: since(5).nullable.string.or(null),
    protocolType: string,
    protocols: array({
      name: string,
      metadata: bytes,
    }),
    reason: since(8).nullable.ignorable.string.or(null),
  },
  response: {
    throttleTimeMs: since(2).ignorable.int32.or(0),
    errorCode: int16,
    generationId: int32.or(-1),
    protocolType: since(7).nullable.ignorable.string.or(null),
    protocolName: nullSince(7).string,
    leader: string,
    skipAssignment: since(9).bool.or(false),
    memberId: string,
    members: array({
      memberId: string,
      groupInstanceId: since(5).nullable.ignorable.string.or(null),
      metadata: bytes,
    }),
  },
})
