// CreateAcls adds access control entries (KIP-140). There is no authorizer, and the answer says so. Kafka: AclApis.scala
// (handleCreateAcls).
import { KafkaError, SECURITY_DISABLED } from '../../protocol/errors.ts'
import { CreateAcls } from '../../protocol/messages/30-create-acls.ts'
import { handler } from './handler.ts'
import { NO_AUTHORIZER } from './no-authorizer.ts'

export const createAcls = handler(
  CreateAcls,
  {
    onError: (request, error) => ({
      results: request.creations.map(() => ({ errorCode: error.code, errorMessage: error.message })),
    }),
  },
  () => {
    throw new KafkaError(SECURITY_DISABLED, NO_AUTHORIZER)
  },
)
