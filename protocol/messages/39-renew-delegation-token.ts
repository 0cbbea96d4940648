// RenewDelegationToken moves a token's expiry (KIP-48). All versions carry the same fields.
// v0 is gone in Kafka 4.0.
import { api } from '../api.ts'
import { bytes, int16, int32, int64 } from '../schema.ts'

export const RenewDelegationToken = api(39, 'RenewDelegationToken', {
  versions: [0, 2],
  flexible: 2,
  request: {
    hmac: bytes,
    renewPeriodMs: int64,
  },
  response: {
    errorCode: int16,
    expiryTimestampMs: int64,
    throttleTimeMs: int32.or(0),
  },
})
