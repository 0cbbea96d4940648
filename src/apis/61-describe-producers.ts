// DescribeProducers shows the producers that partitions led here remember (KIP-664). Kafka: KafkaApis.scala
// (handleDescribeProducersRequest), ReplicaManager.scala (activeProducerState).
import type { ReplyOf, RequestOf } from '../../protocol/api.ts'
import type { RequestContext } from './handler.ts'
import {
  INVALID_TOPIC_EXCEPTION,
  KAFKA_STORAGE_ERROR,
  KafkaError,
  NONE,
  UNKNOWN_TOPIC_OR_PARTITION,
} from '../../protocol/errors.ts'
import { DescribeProducers } from '../../protocol/messages/61-describe-producers.ts'
import { topicNameError } from '../cluster/topic-names.ts'
import { asServerError } from './errors.ts'
import { handler } from './handler.ts'

type Topics = RequestOf<typeof DescribeProducers>['topics']
type PartitionReply = ReplyOf<typeof DescribeProducers>['topics'][number]['partitions'][number]

const nothing = (partitionIndex: number, error: KafkaError): PartitionReply => ({
  partitionIndex,
  errorCode: error.code,
  errorMessage: error.message,
  activeProducers: [],
})

export const describeProducers = handler(
  DescribeProducers,
  {
    onError: (request, error) => ({
      topics: request.topics.map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map(index => nothing(index, error)),
      })),
    }),
  },
  (request, context) => ({
    topics: Array.from(distinct(request.topics), ([name, partitionIndexes]) => ({
      name,
      partitions: Array.from(partitionIndexes, index => producersOf(name, index, context)),
    })),
  }),
)

/** A partition that is named again is answered once: the answer may be much longer than its number. */
function distinct(topics: Topics): Map<string, Set<number>> {
  const found = new Map<string, Set<number>>()
  for (const { name, partitionIndexes } of topics) {
    const known = found.get(name) ?? new Set<number>()
    for (const index of partitionIndexes) known.add(index)
    found.set(name, known)
  }
  return found
}

function producersOf(topic: string, index: number, context: RequestContext): PartitionReply {
  try {
    const nameError = topicNameError(topic)
    if (nameError !== null) throw new KafkaError(INVALID_TOPIC_EXCEPTION, `The topic's name is invalid: ${nameError}.`)
    const known = context.broker.metadata.image.topicByName(topic)
    // Kafka has words for a topic that is missing, not for a partition.
    if (known && !known.partitions[index])
      return { ...nothing(index, new KafkaError(UNKNOWN_TOPIC_OR_PARTITION)), errorMessage: null }
    const { log } = context.broker.partitions.require(topic, index)
    if (log.offline) throw new KafkaError(KAFKA_STORAGE_ERROR)
    return {
      partitionIndex: index,
      errorCode: NONE,
      errorMessage: null,
      activeProducers: Array.from(log.producers.activeProducers(), producer => ({
        producerId: producer.producerId,
        producerEpoch: producer.producerEpoch,
        lastSequence: producer.batches.at(-1)?.lastSequence ?? -1,
        lastTimestamp: producer.lastTimestamp,
        coordinatorEpoch: producer.coordinatorEpoch,
        currentTxnStartOffset: producer.currentTxnFirstOffset,
      })),
    }
  } catch (error) {
    return nothing(index, asServerError(error, context))
  }
}
