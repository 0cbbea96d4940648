// ListTransactions lists what this broker coordinates, filtered by state, producer id, duration (KIP-994) and a pattern of
// the transactional id (KIP-1152). Kafka: TransactionStateManager.scala (listTransactionStates).
import { ListTransactions } from '../../protocol/messages/66-list-transactions.ts'
import { handler } from './handler.ts'

export const listTransactions = handler(
  ListTransactions,
  { onError: (_request, error) => ({ errorCode: error.code, unknownStateFilters: [], transactionStates: [] }) },
  (request, { broker }) => broker.transactionCoordinator.list(request),
)
