// ListTransactions lists the transactions that a broker coordinates, by state and producer id (KIP-664).
// v1: by duration (KIP-994), v2: by a pattern of the transactional id (KIP-1152).
import { api } from '../api.ts'
import { array, int16, int32, int64, since, string } from '../schema.ts'

export const ListTransactions = api(66, 'ListTransactions', {
  versions: [0, 2],
  flexible: 0,
  request: {
    stateFilters: array(string),
    producerIdFilters: array(int64),
    durationFilter: since(1).int64.or(-1),
    transactionalIdPattern: since(2).nullable.string.or(null),
  },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    unknownStateFilters: array(string),
    transactionStates: array({
      transactionalId: string,
      producerId: int64,
      transactionState: string,
    }),
  },
})
