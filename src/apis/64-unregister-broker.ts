// UnregisterBroker takes a broker that is gone out of the metadata (KIP-631), such as one of a cluster that this directory
// was taken over from. The one that is running stays. Kafka: ReplicationControlManager.java (unregisterBroker).
import { INVALID_REQUEST, KafkaError, NONE } from '../../protocol/errors.ts'
import { UnregisterBroker } from '../../protocol/messages/64-unregister-broker.ts'
import { unregisterBroker as decide } from '../cluster/unregister-broker.ts'
import { handler } from './handler.ts'

export const unregisterBroker = handler(
  UnregisterBroker,
  { barrier: true, onError: (_request, error) => ({ errorCode: error.code, errorMessage: error.message }) },
  async ({ brokerId }, { broker }) => {
    if (brokerId === broker.nodeId)
      throw new KafkaError(INVALID_REQUEST, 'The broker cannot unregister itself while it runs.')
    await broker.metadata.submit(image => decide(image, brokerId))
    return { errorCode: NONE, errorMessage: null }
  },
)
