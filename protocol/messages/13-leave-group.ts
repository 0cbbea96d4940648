// LeaveGroup takes members out of a classic group.
// v1: throttle time, v3: several members, by member or instance id, in another layout (KIP-345), v5: reason
// (KIP-800).
import { api } from '../api.ts'
import { int16, nullable, since, string, until } from '../schema.ts'

export const LeaveGroup = api(13, 'LeaveGroup', {
  versions: [0, 5],
  flexible: 4,
  request: {
    groupId: string,
    memberId: until(2).string,
    members: since(3).array({
      memberId: string,
      groupInstanceId: nullable.string.or(null),
      reason: since(5).nullable.ignorable.string.or(null),
    }),
  },
  response: {
    throttleTimeMs: since(1).ignorable.int32.or(0),
    errorCode: int16,
    members: since(3).array({
      memberId: string,
      groupInstanceId: nullable.string,
      errorCode: int16,
    }),
  },
})
