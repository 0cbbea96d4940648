// RenewDelegationToken puts off the end of a token (KIP-48), which nobody may ask for over a connection without
// authentication: all there are here. Kafka: KafkaApis.scala (handleRenewTokenRequest, allowTokenRequests).
import { DELEGATION_TOKEN_REQUEST_NOT_ALLOWED, KafkaError } from '../../protocol/errors.ts'
import { RenewDelegationToken } from '../../protocol/messages/39-renew-delegation-token.ts'
import { handler } from './handler.ts'

export const renewDelegationToken = handler(
  RenewDelegationToken,
  { onError: (_request, error) => ({ errorCode: error.code, expiryTimestampMs: -1 }) },
  () => {
    throw new KafkaError(DELEGATION_TOKEN_REQUEST_NOT_ALLOWED)
  },
)
