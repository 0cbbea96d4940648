// DescribeAcls lists access control entries (KIP-140). There is no authorizer, and the answer says so. Kafka: AclApis.scala
// (handleDescribeAcls).
import { KafkaError, SECURITY_DISABLED } from '../../protocol/errors.ts'
import { DescribeAcls } from '../../protocol/messages/29-describe-acls.ts'
import { handler } from './handler.ts'
import { NO_AUTHORIZER } from './no-authorizer.ts'

export const describeAcls = handler(
  DescribeAcls,
  { onError: (_request, error) => ({ errorCode: error.code, errorMessage: error.message, resources: [] }) },
  () => {
    throw new KafkaError(SECURITY_DISABLED, NO_AUTHORIZER)
  },
)
