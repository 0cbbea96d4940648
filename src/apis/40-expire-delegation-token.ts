// ExpireDelegationToken ends a token (KIP-48), which nobody may ask for over a connection without
// authentication: all there are here. Kafka: KafkaApis.scala (handleExpireTokenRequest, allowTokenRequests).
import { DELEGATION_TOKEN_REQUEST_NOT_ALLOWED, KafkaError } from '../../protocol/errors.ts'
import { ExpireDelegationToken } from '../../protocol/messages/40-expire-delegation-token.ts'
import { handler } from './handler.ts'

export const expireDelegationToken = handler(
  ExpireDelegationToken,
  { onError: (_request, error) => ({ errorCode: error.code, expiryTimestampMs: -1 }) },
  () => {
    throw new KafkaError(DELEGATION_TOKEN_REQUEST_NOT_ALLOWED)
  },
)
