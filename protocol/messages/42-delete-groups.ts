// DeleteGroups deletes empty groups and their offsets (KIP-229).
// v3: an error message for each group.
import { api } from '../api.ts'
import { array, int16, int32, since, string } from '../schema.ts'

export const DeleteGroups = api(42, 'DeleteGroups', {
  versions: [0, 3],
  flexible: 2,
  request: {
    groupsNames: array(string),
  },
  response: {
    throttleTimeMs: int32.or(0),
    results: array({
      groupId: string,
      errorCode: int16,
      errorMessage: since(3).nullable.ignorable.string.or(null),
    }),
  },
})
