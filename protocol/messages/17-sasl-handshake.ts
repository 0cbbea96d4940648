// SaslHandshake.
import { api } from '../api.ts'
import { array, int16, string } from '../schema.ts'

export const SaslHandshake = api(17, 'SaslHandshake', {
  versions: [0, 1],
  request: {
    mechanism: string,
  },
  response: {
    errorCode: int16,
    mechanisms: array(string),
  },
})
