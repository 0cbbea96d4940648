// InitProducerId gives a producer its id and epoch (KIP-98); with a transactional id it fences the ones before.
// v3: id and epoch of a producer that wants a new epoch (KIP-360), v4: PRODUCER_FENCED (KIP-588), v5:
// TRANSACTION_ABORTABLE (KIP-890), v6: two-phase commit (KIP-939), not stable in Kafka 4.4.
import { api } from '../api.ts'
import { ignorable, int16, int32, int64, nullable, since } from '../schema.ts'

export const InitProducerId = api(22, 'InitProducerId', {
  versions: [0, 6],
  flexible: 2,
  latestStable: 5,
  request: {
    /** Null: idempotent without transactions. */
    transactionalId: nullable.string,
    transactionTimeoutMs: int32,
    producerId: since(3).int64.or(-1),
    producerEpoch: since(3).int16.or(-1),
    enable2Pc: since(6).bool.or(false),
    keepPreparedTxn: since(6).bool.or(false),
  },
  response: {
    throttleTimeMs: ignorable.int32.or(0),
    errorCode: int16,
    producerId: int64.or(-1),
    producerEpoch: int16,
    ongoingTxnProducerId: since(6).int64.or(-1),
    ongoingTxnProducerEpoch: since(6).int16.or(-1),
  },
})
