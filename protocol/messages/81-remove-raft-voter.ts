// RemoveRaftVoter takes a voter out of the metadata quorum (KIP-853).
import { api } from '../api.ts'
import { int16, int32, nullable, uuid } from '../schema.ts'

export const RemoveRaftVoter = api(81, 'RemoveRaftVoter', {
  versions: [0, 0],
  flexible: 0,
  request: {
    clusterId: nullable.string,
    voterId: int32,
    voterDirectoryId: uuid,
  },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: nullable.ignorable.string,
  },
})
