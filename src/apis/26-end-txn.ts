// EndTxn commits or aborts; the answer leaves when the decision is durable, the markers follow. Version 5 is that of
// clients with an epoch per transaction (KIP-890). Kafka: KafkaApis.scala (handleEndTxnRequest).
import { EndTxn } from '../../protocol/messages/26-end-txn.ts'
import { fencedFor } from './fenced.ts'
import { handler } from './handler.ts'

export const endTxn = handler(
  EndTxn,
  { onError: (_request, error) => ({ errorCode: error.code }) },
  async ({ transactionalId, producerId, producerEpoch, committed }, { broker, apiVersion }) => {
    const reply = await broker.transactionCoordinator.endTransaction({
      transactionalId,
      producerId,
      producerEpoch,
      commit: committed,
      clientTransactionVersion: apiVersion >= 5 ? 2 : 0,
    })
    return { ...reply, errorCode: fencedFor(reply.errorCode, apiVersion, 2) }
  },
)
