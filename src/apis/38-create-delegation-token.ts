// CreateDelegationToken issues a token to authenticate with (KIP-48), which nobody may ask for over a connection without
// authentication: all there are here. Kafka: KafkaApis.scala (handleCreateTokenRequest, allowTokenRequests).
import { DELEGATION_TOKEN_REQUEST_NOT_ALLOWED, KafkaError } from '../../protocol/errors.ts'
import { CreateDelegationToken } from '../../protocol/messages/38-create-delegation-token.ts'
import { handler } from './handler.ts'

/** Who everybody is. */
const USER = 'User'
const ANONYMOUS = 'ANONYMOUS'

export const createDelegationToken = handler(
  CreateDelegationToken,
  {
    onError: ({ ownerPrincipalType, ownerPrincipalName }, error) => ({
      errorCode: error.code,
      principalType: ownerPrincipalName ? (ownerPrincipalType ?? '') : USER,
      principalName: ownerPrincipalName || ANONYMOUS,
      tokenRequesterPrincipalType: USER,
      tokenRequesterPrincipalName: ANONYMOUS,
      issueTimestampMs: -1,
      expiryTimestampMs: -1,
      maxTimestampMs: -1,
      tokenId: '',
      hmac: Buffer.alloc(0),
    }),
  },
  () => {
    throw new KafkaError(DELEGATION_TOKEN_REQUEST_NOT_ALLOWED)
  },
)
