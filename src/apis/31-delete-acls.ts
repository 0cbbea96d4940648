// DeleteAcls removes access control entries (KIP-140). There is no authorizer, and the answer says so. Kafka: AclApis.scala
// (handleDeleteAcls).
import { KafkaError, SECURITY_DISABLED } from '../../protocol/errors.ts'
import { DeleteAcls } from '../../protocol/messages/31-delete-acls.ts'
import { handler } from './handler.ts'
import { NO_AUTHORIZER } from './no-authorizer.ts'

export const deleteAcls = handler(
  DeleteAcls,
  {
    onError: (request, error) => ({
      filterResults: request.filters.map(() => ({
        errorCode: error.code,
        errorMessage: error.message,
        matchingAcls: [],
      })),
    }),
  },
  () => {
    throw new KafkaError(SECURITY_DISABLED, NO_AUTHORIZER)
  },
)
