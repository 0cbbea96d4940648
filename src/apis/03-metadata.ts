// Metadata tells brokers, topics and leaders, and creates missing topics where both sides allow it. Kafka: KafkaApis.scala
// (handleTopicMetadataRequest), MetadataRequest.java, AutoTopicCreationManager.
import type { ReplyOf, RequestOf } from '../../protocol/api.ts'
import type { TopicImage } from '../cluster/image.ts'
import type { RequestContext } from './handler.ts'
import {
  INVALID_REQUEST,
  INVALID_TOPIC_EXCEPTION,
  KafkaError,
  LEADER_NOT_AVAILABLE,
  NONE,
  UNKNOWN_TOPIC_ID,
  UNKNOWN_TOPIC_OR_PARTITION,
} from '../../protocol/errors.ts'
import { Metadata } from '../../protocol/messages/03-metadata.ts'
import { ZERO_UUID } from '../../protocol/schema.ts'
import { topicNameError } from '../cluster/topic-names.ts'
import { CLUSTER_OPERATIONS, TOPIC_OPERATIONS } from './authorized-operations.ts'
import { handler } from './handler.ts'

type Request = RequestOf<typeof Metadata>
type Reply = ReplyOf<typeof Metadata>
type TopicReply = Reply['topics'][number]

export const metadata = handler(
  Metadata,
  {
    onError: (request, error) => ({
      brokers: [],
      // Below version 12 a reply cannot leave the name out (MetadataRequest.getErrorResponse).
      topics: (request.topics ?? []).map(({ name, topicId }) => refusal(error.code, name ?? '', topicId)),
      errorCode: error.code,
    }),
    // It may create topics, which the next request of the connection must see.
    barrier: true,
  },
  (request, context) => {
    const { broker, apiVersion } = context
    // Version 0 has no null: there, empty asks for all.
    const all = request.topics === null || (apiVersion === 0 && request.topics.length === 0)
    if (all)
      return reply(
        request,
        context,
        [...broker.metadata.image.topics()].map(topic => describe(topic, request, context)),
      )
    const asked = request.topics ?? []
    if (apiVersion < 12) for (const topic of asked) checkNamed(topic, apiVersion)
    const topicIds = new Set(asked.map(topic => topic.topicId).filter(id => id !== ZERO_UUID))
    if (topicIds.size > 0)
      return reply(
        request,
        context,
        [...topicIds].map(id => byId(id, request, context)),
      )
    const names = [...new Set(asked.map(topic => topic.name ?? ''))]
    const missing = names.filter(name => !broker.metadata.image.topicByName(name))
    const mayCreate = broker.config['auto.create.topics.enable'] && request.allowAutoTopicCreation
    if (!mayCreate || missing.length === 0) {
      return reply(
        request,
        context,
        names.map(name => byName(name, UNKNOWN_TOPIC_OR_PARTITION, request, context)),
      )
    }
    return broker.autoCreateTopics(missing).then(errors =>
      reply(
        request,
        context,
        names.map(name => byName(name, errors.get(name) ?? LEADER_NOT_AVAILABLE, request, context)),
      ),
    )
  },
)

function checkNamed({ name, topicId }: { name: string | null; topicId: string }, version: number): void {
  if (name === null) throw new KafkaError(INVALID_REQUEST, `Topic name can not be null for version ${version}.`)
  if (topicId !== ZERO_UUID) {
    throw new KafkaError(INVALID_REQUEST, `Topic IDs are not supported in requests for version ${version}.`)
  }
}

function reply(request: Request, { broker, connection, apiVersion }: RequestContext, topics: TopicReply[]): Reply {
  return {
    brokers: broker.nodes(connection).map(({ nodeId, host, port, rack }) => ({ nodeId, host, port, rack })),
    clusterId: broker.clusterId,
    controllerId: broker.nodeId,
    topics,
    ...(request.includeClusterAuthorizedOperations &&
      apiVersion >= 8 &&
      apiVersion <= 10 && { clusterAuthorizedOperations: CLUSTER_OPERATIONS }),
    errorCode: NONE,
  }
}

function byId(topicId: string, request: Request, context: RequestContext): TopicReply {
  const topic = context.broker.metadata.image.topicById(topicId)
  return topic ? describe(topic, request, context) : refusal(UNKNOWN_TOPIC_ID, null, topicId)
}

function byName(name: string, errorCode: number, request: Request, context: RequestContext): TopicReply {
  const topic = context.broker.metadata.image.topicByName(name)
  if (topic) return describe(topic, request, context)
  const code = topicNameError(name) === null ? errorCode : INVALID_TOPIC_EXCEPTION
  return {
    ...refusal(code, name, ZERO_UUID),
    isInternal: context.broker.isInternalTopic(name),
    // What one may do with a topic that does not exist is told too.
    ...(request.includeTopicAuthorizedOperations && { topicAuthorizedOperations: TOPIC_OPERATIONS }),
  }
}

const refusal = (errorCode: number, name: string | null, topicId: string): TopicReply => ({
  errorCode,
  name,
  topicId,
  isInternal: false,
  partitions: [],
})

function describe(topic: TopicImage, request: Request, { broker }: RequestContext): TopicReply {
  return {
    errorCode: NONE,
    name: topic.name,
    topicId: topic.topicId,
    isInternal: broker.isInternalTopic(topic.name),
    partitions: topic.partitions.map(p => ({
      errorCode: p.leader < 0 ? LEADER_NOT_AVAILABLE : NONE,
      partitionIndex: p.partition,
      leaderId: p.leader,
      leaderEpoch: p.leaderEpoch,
      replicaNodes: [...p.replicas],
      isrNodes: [...p.isr],
      offlineReplicas: broker.offlineReplicas(topic.name, p),
    })),
    ...(request.includeTopicAuthorizedOperations && { topicAuthorizedOperations: TOPIC_OPERATIONS }),
  }
}
