// UnregisterBroker takes a broker out of the cluster's metadata (KIP-631).
import { api } from '../api.ts'
import { int16, int32, nullable } from '../schema.ts'

export const UnregisterBroker = api(64, 'UnregisterBroker', {
  versions: [0, 0],
  flexible: 0,
  request: {
    brokerId: int32,
  },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: nullable.string,
  },
})
