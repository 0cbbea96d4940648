// AddPartitionsToTxn makes partitions part of a transaction (KIP-98).
// v2: PRODUCER_FENCED (KIP-588). Up to v3 clients send it; from v4 brokers do, for several transactions at once or
// to verify alone, in another layout (KIP-890). v5: TRANSACTION_ABORTABLE.
import { api } from '../api.ts'
import { array, bool, int16, int32, int64, since, string, until } from '../schema.ts'

const addPartitionsToTxnTopic = {
  name: string,
  partitions: array(int32),
}

const addPartitionsToTxnPartitionResult = {
  partitionIndex: int32,
  partitionErrorCode: int16,
}

const addPartitionsToTxnTopicResult = {
  name: string,
  resultsByPartition: array(addPartitionsToTxnPartitionResult),
}

export const AddPartitionsToTxn = api(24, 'AddPartitionsToTxn', {
  versions: [0, 5],
  flexible: 3,
  request: {
    transactions: since(4).array({
      transactionalId: string,
      producerId: int64,
      producerEpoch: int16,
      verifyOnly: bool.or(false),
      topics: array(addPartitionsToTxnTopic),
    }),
    v3AndBelowTransactionalId: until(3).string,
    v3AndBelowProducerId: until(3).int64,
    v3AndBelowProducerEpoch: until(3).int16,
    v3AndBelowTopics: until(3).array(addPartitionsToTxnTopic),
  },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode: since(4).ignorable.int16,
    resultsByTransaction: since(4).array({
      transactionalId: string,
      topicResults: array(addPartitionsToTxnTopicResult),
    }),
    resultsByTopicV3AndBelow: until(3).array(addPartitionsToTxnTopicResult),
  },
})
