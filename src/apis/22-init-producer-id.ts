// InitProducerId hands out producer ids (KIP-98): without a transactional id always a new one, with epoch 0; with one the
// id's own with the next epoch, which fences all before. Kafka: KafkaApis.scala, TransactionCoordinator.scala.
import { INVALID_REQUEST, NONE } from '../../protocol/errors.ts'
import { InitProducerId } from '../../protocol/messages/22-init-producer-id.ts'
import { fencedFor } from './fenced.ts'
import { handler } from './handler.ts'

export const initProducerId = handler(
  InitProducerId,
  {
    versions: [0, 5],
    // KIP-939: answered as by a broker that has two-phase commit switched off.
    unstable: 6,
    onError: (_request, error) => ({ errorCode: error.code, producerId: -1, producerEpoch: -1 }),
  },
  async (request, { broker, apiVersion }) => {
    // An id needs its epoch and an epoch its id (KIP-360).
    const isHalf = (request.producerId === -1) !== (request.producerEpoch === -1)
    if (isHalf) return { errorCode: INVALID_REQUEST, producerId: -1, producerEpoch: -1 }
    if (request.transactionalId === null) {
      return { errorCode: NONE, producerId: await broker.producerIds.next(), producerEpoch: 0 }
    }
    const reply = await broker.transactionCoordinator.initProducerId(request)
    return { ...reply, errorCode: fencedFor(reply.errorCode, apiVersion, 4) }
  },
)
