// DescribeDelegationToken lists tokens (KIP-48), which nobody may ask for over a connection without authentication: all there
// are here. Kafka: KafkaApis.scala (handleDescribeTokensRequest, allowTokenRequests).
import { DELEGATION_TOKEN_REQUEST_NOT_ALLOWED, KafkaError } from '../../protocol/errors.ts'
import { DescribeDelegationToken } from '../../protocol/messages/41-describe-delegation-token.ts'
import { handler } from './handler.ts'

export const describeDelegationToken = handler(
  DescribeDelegationToken,
  { onError: (_request, error) => ({ errorCode: error.code, tokens: [] }) },
  () => {
    throw new KafkaError(DELEGATION_TOKEN_REQUEST_NOT_ALLOWED)
  },
)
