// UnregisterController takes a controller out of the cluster's metadata.
import { api } from '../api.ts'
import { int16, int32, nullable } from '../schema.ts'

export const UnregisterController = api(94, 'UnregisterController', {
  versions: [0, 0],
  flexible: 0,
  request: {
    controllerId: int32,
  },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: nullable.string,
  },
})
