// AddPartitionsToTxn makes partitions part of a transaction, or (from version 4, which brokers send) says whether they are;
// several transactions at once then. Kafka: KafkaApis.scala (handleAddPartitionsToTxnRequest).
import type { ReplyOf, RequestOf } from '../../protocol/api.ts'
import type { TopicPartition } from '../coordinators/transaction/state.ts'
import type { RequestContext } from './handler.ts'
import {
  KafkaError,
  NONE,
  OPERATION_NOT_ATTEMPTED,
  UNKNOWN_TOPIC_OR_PARTITION,
  UNSUPPORTED_VERSION,
} from '../../protocol/errors.ts'
import { AddPartitionsToTxn } from '../../protocol/messages/24-add-partitions-to-txn.ts'
import { byTopic } from './by-topic.ts'
import { fencedFor } from './fenced.ts'
import { handler } from './handler.ts'

type Request = RequestOf<typeof AddPartitionsToTxn>
type Transaction = Request['transactions'][number]
type TopicResults = NonNullable<ReplyOf<typeof AddPartitionsToTxn>['resultsByTopicV3AndBelow']>

/** First version of brokers, in which several transactions have their partitions added or verified. */
const BROKER_VERSION = 4

export const addPartitionsToTxn = handler(
  AddPartitionsToTxn,
  {
    onError: (request, error) => ({
      errorCode: error.code,
      resultsByTransaction: [],
      resultsByTopicV3AndBelow: results(request.v3AndBelowTopics, () => error.code),
    }),
  },
  async (request, context) => {
    if (context.apiVersion >= BROKER_VERSION) {
      const answers = request.transactions.map(async transaction => ({
        transactionalId: transaction.transactionalId,
        topicResults: await oneTransaction(transaction, context),
      }))
      return { errorCode: NONE, resultsByTransaction: await Promise.all(answers), resultsByTopicV3AndBelow: [] }
    }
    const transaction = {
      transactionalId: request.v3AndBelowTransactionalId,
      producerId: request.v3AndBelowProducerId,
      producerEpoch: request.v3AndBelowProducerEpoch,
      verifyOnly: false,
      topics: request.v3AndBelowTopics,
    }
    return { resultsByTransaction: [], resultsByTopicV3AndBelow: await oneTransaction(transaction, context) }
  },
)

async function oneTransaction(transaction: Transaction, { broker, apiVersion }: RequestContext): Promise<TopicResults> {
  const partitions = partitionsOf(transaction.topics)
  const exists = ({ topic, partition }: TopicPartition): boolean =>
    broker.metadata.image.partition(topic, partition) !== undefined
  if (!partitions.every(exists)) {
    // All or nothing: what exists is told that it was not tried.
    return results(transaction.topics, partition =>
      exists(partition) ? OPERATION_NOT_ATTEMPTED : UNKNOWN_TOPIC_OR_PARTITION,
    )
  }
  const { transactionalId, producerId, producerEpoch } = transaction
  const identity = { transactionalId, producerId, producerEpoch, partitions }
  if (transaction.verifyOnly) {
    const codes = await broker.transactionCoordinator.verifyPartitions(identity)
    const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`
    const found = new Map(partitions.map((partition, i) => [nameOf(partition), codes[i]!]))
    return results(transaction.topics, partition => found.get(nameOf(partition))!)
  }
  const clientTransactionVersion = apiVersion >= BROKER_VERSION ? 2 : 0
  const code = await broker.transactionCoordinator.addPartitions({ ...identity, clientTransactionVersion })
  // transaction.version 0: it is the whole request that asks for too much.
  if (code === UNSUPPORTED_VERSION) throw new KafkaError(code)
  return results(transaction.topics, () => fencedFor(code, apiVersion, 2))
}

const partitionsOf = (topics: Transaction['topics']): TopicPartition[] =>
  topics.flatMap(({ name, partitions }) => partitions.map(partition => ({ topic: name, partition })))

/** A topic without partitions is answered too. */
function results(topics: Transaction['topics'], codeOf: (partition: TopicPartition) => number): TopicResults {
  const found = byTopic(partitionsOf(topics))
  return Array.from(new Set(topics.map(({ name }) => name)), name => ({
    name,
    resultsByPartition: (found.get(name) ?? []).map(partition => ({
      partitionIndex: partition.partition,
      partitionErrorCode: codeOf(partition),
    })),
  }))
}
