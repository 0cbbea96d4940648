// AddRaftVoter makes a controller a voter of the metadata quorum (KIP-853).
// v1: whether to answer only once that is committed.
import { api } from '../api.ts'
import { array, int16, int32, nullable, since, string, uint16, uuid } from '../schema.ts'

export const AddRaftVoter = api(80, 'AddRaftVoter', {
  versions: [0, 1],
  flexible: 0,
  request: {
    clusterId: nullable.string,
    timeoutMs: int32,
    voterId: int32,
    voterDirectoryId: uuid,
    listeners: array({
      name: string,
      host: string,
      port: uint16,
    }),
    ackWhenCommitted: since(1).bool.or(true),
  },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: nullable.ignorable.string,
  },
})
