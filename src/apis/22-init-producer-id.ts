// InitProducerId hands out a producer id for idempotence (KIP-98): without a transactional id always a new one, with
// epoch 0. Kafka: TransactionCoordinator.scala (handleInitProducerId). Transactions are not served yet.
import { INVALID_REQUEST, NONE } from '../../protocol/errors.ts'
import { InitProducerId } from '../../protocol/messages/22-init-producer-id.ts'
import { handler } from './handler.ts'

export const initProducerId = handler(
  InitProducerId,
  {
    versions: [0, 5],
    onError: (_request, error) => ({ errorCode: error.code, producerId: -1, producerEpoch: -1 }),
  },
  async (request, { broker }) => {
    // An id needs its epoch and an epoch its id (KIP-360).
    const half = (request.producerId === -1) !== (request.producerEpoch === -1)
    if (request.transactionalId !== null || half)
      return { errorCode: INVALID_REQUEST, producerId: -1, producerEpoch: -1 }
    return { errorCode: NONE, producerId: await broker.producerIds.next(), producerEpoch: 0 }
  },
)
