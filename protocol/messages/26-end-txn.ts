// EndTxn commits or aborts a transaction (KIP-98).
// v2: PRODUCER_FENCED (KIP-588), v4: TRANSACTION_ABORTABLE, v5: the answer carries the producer's next id and
// epoch (KIP-890).
import { api } from '../api.ts'
import { bool, int16, int32, int64, since, string } from '../schema.ts'

export const EndTxn = api(26, 'EndTxn', {
  versions: [0, 5],
  flexible: 3,
  request: {
    transactionalId: string,
    producerId: int64,
    producerEpoch: int16,
    committed: bool,
  },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    producerId: since(5).ignorable.int64.or(-1),
    producerEpoch: since(5).ignorable.int16.or(-1),
  },
})
