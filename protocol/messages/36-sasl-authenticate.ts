// SaslAuthenticate carries the tokens of a SASL exchange (KIP-152).
// v1: lifetime of the session, after which the client authenticates again (KIP-368).
import { api } from '../api.ts'
import { bytes, int16, nullable, since } from '../schema.ts'

export const SaslAuthenticate = api(36, 'SaslAuthenticate', {
  versions: [0, 2],
  flexible: 2,
  request: {
    authBytes: bytes,
  },
  response: {
    errorCode: int16,
    errorMessage: nullable.string,
    authBytes: bytes,
    sessionLifetimeMs: since(1).ignorable.int64.or(0),
  },
})
