// ExpireDelegationToken ends a token, at once or later (KIP-48). All versions carry the same fields.
// v0 is gone in Kafka 4.0.
import { api } from '../api.ts'
import { bytes, int16, int32, int64 } from '../schema.ts'

export const ExpireDelegationToken = api(40, 'ExpireDelegationToken', {
  versions: [0, 2],
  flexible: 2,
  request: {
    hmac: bytes,
    expiryTimePeriodMs: int64,
  },
  response: {
    errorCode: int16,
    expiryTimestampMs: int64,
    throttleTimeMs: int32.or(0),
  },
})
