// UnregisterController takes a controller that is gone out of the metadata. The one there is leads and cannot go. Kafka:
// QuorumController.java, ClusterControlManager.java (unregisterController).
import { INVALID_REQUEST, KafkaError, UNSUPPORTED_VERSION } from '../../protocol/errors.ts'
import { UnregisterController } from '../../protocol/messages/94-unregister-controller.ts'
import { handler } from './handler.ts'

export const unregisterController = handler(
  UnregisterController,
  { onError: (_request, error) => ({ errorCode: error.code, errorMessage: error.message }) },
  ({ controllerId }, { broker }) => {
    if (controllerId === broker.nodeId)
      throw new KafkaError(INVALID_REQUEST, 'The controller cannot unregister itself while it is active.')
    // No record can say it below metadata.version 4.4-IV2.
    throw new KafkaError(UNSUPPORTED_VERSION, 'The metadata version is too old to unregister controllers.')
  },
)
