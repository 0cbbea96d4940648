// JoinGroup enters a classic group and is answered when the rebalance has gathered its members.
// v1: rebalance time-out (KIP-62), v2: throttle time, v4: a new member is sent back with MEMBER_ID_REQUIRED and
// its id (KIP-394), v5: static members (KIP-345), v7: protocol type, and a null protocol name (KIP-559), v8:
// reason (KIP-800), v9: the leader may be told to skip the assignment (KIP-814).
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
    /** In the order that the member prefers. */
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
    /** For the leader alone; else empty. */
    members: array({
      memberId: string,
      groupInstanceId: since(5).nullable.ignorable.string.or(null),
      metadata: bytes,
    }),
  },
})
