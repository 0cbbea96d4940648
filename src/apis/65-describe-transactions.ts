// DescribeTransactions shows state and partitions of transactional ids (KIP-664). Kafka: TransactionCoordinator.scala
// (handleDescribeTransactions).
import { DescribeTransactions } from '../../protocol/messages/65-describe-transactions.ts'
import { handler } from './handler.ts'

export const describeTransactions = handler(
  DescribeTransactions,
  {
    onError: (request, error) => ({
      transactionStates: request.transactionalIds.map(transactionalId => ({
        errorCode: error.code,
        transactionalId,
        transactionState: '',
        transactionTimeoutMs: 0,
        transactionStartTimeMs: 0,
        producerId: 0,
        producerEpoch: 0,
        topics: [],
      })),
    }),
  },
  async (request, { broker }) => ({
    // An id that is named again is answered once: the answer may be much longer than its name.
    transactionStates: await Promise.all(
      [...new Set(request.transactionalIds)].map(id => broker.transactionCoordinator.describe(id)),
    ),
  }),
)
