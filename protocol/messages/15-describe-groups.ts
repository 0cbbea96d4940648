// DescribeGroups shows state, protocol, members and assignments of classic groups.
// v1: throttle time, v3: authorized operations (KIP-430), v4: instance ids (KIP-345), v6: GROUP_ID_NOT_FOUND with
// a message instead of a group in state Dead (KIP-1043).
import { api } from '../api.ts'
import { array, bytes, int16, since, string } from '../schema.ts'

export const DescribeGroups = api(15, 'DescribeGroups', {
  versions: [0, 6],
  flexible: 5,
  request: {
    groups: array(string),
    includeAuthorizedOperations: since(3).bool,
  },
  response: {
    throttleTimeMs: since(1).ignorable.int32.or(0),
    groups: array({
      errorCode: int16,
      errorMessage: since(6).nullable.string.or(null),
      groupId: string,
      groupState: string,
      protocolType: string,
      protocolData: string,
      members: array({
        memberId: string,
        groupInstanceId: since(4).nullable.ignorable.string.or(null),
        clientId: string,
        clientHost: string,
        memberMetadata: bytes,
        memberAssignment: bytes,
      }),
      authorizedOperations: since(3).int32.or(-0x80000000),
    }),
  },
})
