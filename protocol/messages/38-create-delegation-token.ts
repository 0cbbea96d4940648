// CreateDelegationToken issues a token to authenticate with (KIP-48).
// v3: a token for another owner; owner and requester in the answer (KIP-373). v0 is gone in Kafka 4.0.
import { api } from '../api.ts'
import { array, bytes, int16, int32, int64, since, string } from '../schema.ts'

export const CreateDelegationToken = api(38, 'CreateDelegationToken', {
  versions: [0, 3],
  flexible: 2,
  request: {
    ownerPrincipalType: since(3).nullable.string,
    ownerPrincipalName: since(3).nullable.string,
    renewers: array({
      principalType: string,
      principalName: string,
    }),
    maxLifetimeMs: int64,
  },
  response: {
    errorCode: int16,
    principalType: string,
    principalName: string,
    tokenRequesterPrincipalType: since(3).string,
    tokenRequesterPrincipalName: since(3).string,
    issueTimestampMs: int64,
    expiryTimestampMs: int64,
    maxTimestampMs: int64,
    tokenId: string,
    hmac: bytes,
    throttleTimeMs: int32.or(0),
  },
})
