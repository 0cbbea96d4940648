// DescribeTopicPartitions tells topics' partitions page by page, in the order of names (KIP-966). Kafka:
// DescribeTopicPartitionsRequestHandler.java, KRaftMetadataCache.java (describeTopicResponse).
import type { ReplyOf, RequestOf } from '../../protocol/api.ts'
import type { TopicImage } from '../cluster/image.ts'
import type { RequestContext } from './handler.ts'
import {
  INVALID_REQUEST,
  INVALID_TOPIC_EXCEPTION,
  KafkaError,
  NONE,
  UNKNOWN_TOPIC_OR_PARTITION,
} from '../../protocol/errors.ts'
import { DescribeTopicPartitions } from '../../protocol/messages/75-describe-topic-partitions.ts'
import { ZERO_UUID } from '../../protocol/schema.ts'
import { topicNameError } from '../cluster/topic-names.ts'
import { TOPIC_OPERATIONS } from './authorized-operations.ts'
import { handler } from './handler.ts'

type Request = RequestOf<typeof DescribeTopicPartitions>
type Reply = ReplyOf<typeof DescribeTopicPartitions>
type TopicReply = Reply['topics'][number]

export const describeTopicPartitions = handler(
  DescribeTopicPartitions,
  {
    onError: (request, error) => ({
      topics: request.topics.map(({ name }) => ({
        errorCode: error.code,
        name,
        topicId: ZERO_UUID,
        partitions: [],
      })),
    }),
  },
  (request, context) => {
    const { broker } = context
    const { cursor } = request
    const wantsAll = request.topics.length === 0
    const names = namesFrom(request, context)
    const topics: TopicReply[] = []
    let left = Math.max(1, Math.min(broker.config['max.request.partition.size.limit'], request.responsePartitionLimit))
    for (const name of names) {
      // The cursor may name a topic that does not exist.
      if (left === 0) return { topics, nextCursor: { topicName: name, partitionIndex: 0 } }
      const topic = broker.metadata.image.topicByName(name)
      if (!topic) {
        if (!wantsAll) topics.push(missing(name, context))
        continue
      }
      const start = name === cursor?.topicName ? cursor.partitionIndex : 0
      const end = Math.min(topic.partitions.length, start + left)
      const partitions = topic.partitions.slice(start, end)
      topics.push(described(topic, partitions, context))
      if (end < topic.partitions.length) return { topics, nextCursor: { topicName: name, partitionIndex: end } }
      left -= partitions.length
    }
    return { topics }
  },
)

/** Sorted as Java sorts strings; from the cursor's topic on, which has to be among them. */
function namesFrom({ topics, cursor }: Request, { broker }: RequestContext): string[] {
  const first = cursor?.topicName ?? ''
  const asked = topics.length === 0 ? Array.from(broker.metadata.image.topics(), ({ name }) => name) : undefined
  const names = new Set((asked ?? topics.map(({ name }) => name)).filter(name => name >= first))
  if (asked === undefined && cursor && !names.has(first)) {
    throw new KafkaError(INVALID_REQUEST, `The topic of the cursor, ${first}, is not among the topics.`)
  }
  if (cursor && cursor.partitionIndex < 0) {
    throw new KafkaError(INVALID_REQUEST, `The partition of the cursor, ${cursor.partitionIndex}, is negative.`)
  }
  return [...names].toSorted((a, b) => (a < b ? -1 : 1))
}

const missing = (name: string, { broker }: RequestContext): TopicReply => ({
  errorCode: topicNameError(name) === null ? UNKNOWN_TOPIC_OR_PARTITION : INVALID_TOPIC_EXCEPTION,
  name,
  topicId: ZERO_UUID,
  isInternal: broker.isInternalTopic(name),
  partitions: [],
  topicAuthorizedOperations: TOPIC_OPERATIONS,
})

const described = (
  { name, topicId }: TopicImage,
  partitions: TopicImage['partitions'],
  { broker }: RequestContext,
): TopicReply => ({
  errorCode: NONE,
  name,
  topicId,
  isInternal: broker.isInternalTopic(name),
  partitions: partitions.map(p => ({
    errorCode: NONE,
    partitionIndex: p.partition,
    leaderId: p.leader,
    leaderEpoch: p.leaderEpoch,
    replicaNodes: [...p.replicas],
    isrNodes: [...p.isr],
    eligibleLeaderReplicas: [...p.eligibleLeaderReplicas],
    lastKnownElr: [...p.lastKnownElr],
    offlineReplicas: broker.offlineReplicas(name, p),
  })),
  topicAuthorizedOperations: TOPIC_OPERATIONS,
})
