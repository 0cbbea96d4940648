// ListGroups lists the groups that a broker coordinates.
// v1: throttle time, v4: states, and a filter of them (KIP-518), v5: types, and a filter of them (KIP-848).
import { api } from '../api.ts'
import { array, int16, since, string } from '../schema.ts'

export const ListGroups = api(16, 'ListGroups', {
  versions: [0, 5],
  flexible: 3,
  request: {
    statesFilter: since(4).array(string),
    typesFilter: since(5).array(string),
  },
  response: {
    throttleTimeMs: since(1).ignorable.int32.or(0),
    errorCode: int16,
    groups: array({
      groupId: string,
      protocolType: string,
      groupState: since(4).ignorable.string,
      groupType: since(5).ignorable.string,
    }),
  },
})
