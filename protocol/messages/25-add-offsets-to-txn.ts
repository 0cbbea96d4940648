// AddOffsetsToTxn makes a group's offsets part of a transaction (KIP-98).
// v2: PRODUCER_FENCED (KIP-588), v4: TRANSACTION_ABORTABLE (KIP-890).
import { api } from '../api.ts'
import { int16, int32, int64, string } from '../schema.ts'

export const AddOffsetsToTxn = api(25, 'AddOffsetsToTxn', {
  versions: [0, 4],
  flexible: 3,
  request: {
    transactionalId: string,
    producerId: int64,
    producerEpoch: int16,
    groupId: string,
  },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
  },
})
