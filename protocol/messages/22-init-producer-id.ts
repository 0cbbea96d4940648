// InitProducerId.
import { api } from '../api.ts'
import { ignorable, int16, int32, int64, nullable, since } from '../schema.ts'

export const InitProducerId = api(22, 'InitProducerId', {
  versions: [0, 6],
  flexible: 2,
  latestStable: 5,
  request: {
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
