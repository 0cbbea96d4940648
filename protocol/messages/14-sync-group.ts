// SyncGroup hands in the leader's assignment and is answered with the member's own.
// v1: throttle time, v3: static members (KIP-345), v5: protocol type and name, checked against the group's
// (KIP-559).
import { api } from '../api.ts'
import { array, bytes, int16, int32, since, string } from '../schema.ts'

export const SyncGroup = api(14, 'SyncGroup', {
  versions: [0, 5],
  flexible: 4,
  request: {
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: since(3).nullable.string.or(null),
    protocolType: since(5).nullable.ignorable.string.or(null),
    protocolName: since(5).nullable.ignorable.string.or(null),
    assignments: array({
      memberId: string,
      assignment: bytes,
    }),
  },
  response: {
    throttleTimeMs: since(1).ignorable.int32.or(0),
    errorCode: int16,
    protocolType: since(5).nullable.ignorable.string.or(null),
    protocolName: since(5).nullable.ignorable.string.or(null),
    assignment: bytes,
  },
})
