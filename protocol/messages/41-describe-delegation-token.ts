// DescribeDelegationToken lists the tokens of owners; null asks for all that one may see (KIP-48).
// v3: who requested the token (KIP-373). v0 is gone in Kafka 4.0.
import { api } from '../api.ts'
import { array, bytes, int16, int32, int64, nullable, since, string } from '../schema.ts'

export const DescribeDelegationToken = api(41, 'DescribeDelegationToken', {
  versions: [0, 3],
  flexible: 2,
  request: {
    owners: nullable.array({
      principalType: string,
      principalName: string,
    }),
  },
  response: {
    errorCode: int16,
    tokens: array({
      principalType: string,
      principalName: string,
      tokenRequesterPrincipalType: since(3).string,
      tokenRequesterPrincipalName: since(3).string,
      issueTimestamp: int64,
      expiryTimestamp: int64,
      maxTimestamp: int64,
      tokenId: string,
      hmac: bytes,
      renewers: array({
        principalType: string,
        principalName: string,
      }),
    }),
    throttleTimeMs: int32.or(0),
  },
})
