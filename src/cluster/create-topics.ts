/** CreateTopics (KIP-4, 195, 464, 525, 516) as ControllerApis and ReplicationControlManager decide it. */
import {
  INVALID_CONFIG,
  INVALID_PARTITIONS,
  INVALID_REPLICA_ASSIGNMENT,
  INVALID_REPLICATION_FACTOR,
  INVALID_REQUEST,
  INVALID_TOPIC_EXCEPTION,
  NONE,
  POLICY_VIOLATION,
  TOPIC_ALREADY_EXISTS,
} from '../../protocol/errors.ts'
import type { ReplyOf, RequestOf } from '../../protocol/api.ts'
import type { CreateTopics } from '../../protocol/messages/index.ts'
import { duplicates, MAX_RECORDS_PER_DECISION, refuse, type Decision, type Refusal } from './decision.ts'
import type { MetadataView } from './image.ts'
import { newPartitionRecord, place, refuseAssignment } from './placement.ts'
import { ConfigResource, type MetadataRecord } from './records.ts'
import { CLUSTER_METADATA_TOPIC, topicNameError } from './topic-names.ts'

type Request = RequestOf<typeof CreateTopics>
type Topic = Request['topics'][number]
type Reply = ReplyOf<typeof CreateTopics>
type Result = Reply['topics'][number]

export interface TopicSetting {
  readonly name: string
  readonly value: string
}

/** One effective configuration in a reply (v5 and above). */
export interface TopicConfigEntry {
  readonly name: string
  readonly value: string | null
  readonly readOnly: boolean
  readonly configSource: number
  readonly isSensitive: boolean
}

export interface CreateTopicsOptions {
  /** `num.partitions` and `default.replication.factor`, for -1. */
  readonly numPartitions: number
  readonly replicationFactor: number
  newTopicId(): string
  /** Why the settings of a new topic are refused (INVALID_CONFIG), or null. Called for topics that have any. */
  validateConfigs(settings: readonly TopicSetting[], topic: string): Refusal | null
  /** The effective configuration of a topic with these settings, sorted by name. Left out: none in the reply. */
  describeConfigs?(configs: ReadonlyMap<string, string>): readonly TopicConfigEntry[]
}

/** ReplicationControlManager.MAX_PARTITIONS_PER_BATCH. */
export const MAX_PARTITIONS_PER_REQUEST = 10_000

/**
 * Results come in the order of the request; names given twice and `__cluster_metadata` follow. With `validateOnly`
 * the reply is the same and nothing is recorded. Too many partitions or records refuse every topic (POLICY_VIOLATION).
 */
export function createTopics(image: MetadataView, request: Request, options: CreateTopicsOptions): Decision<Reply> {
  const repeated = duplicates(request.topics.map(({ name }) => name))
  const wanted = request.topics.filter(({ name }) => !repeated.has(name) && name !== CLUSTER_METADATA_TOPIC)
  if (partitionsAskedFor(wanted, options.numPartitions) > MAX_PARTITIONS_PER_REQUEST)
    return refuseAll(request, `More than ${MAX_PARTITIONS_PER_REQUEST} partitions in one request.`)

  const records: MetadataRecord[] = []
  const ids = new Set<string>()
  const topics: Result[] = []
  for (const topic of wanted) {
    const outcome = createTopic(image, topic, uniqueId(image, ids, options), options)
    if ('errorCode' in outcome) topics.push(refused(topic.name, outcome))
    else {
      for (const record of outcome.records) records.push(record)
      topics.push(outcome.reply)
    }
    if (records.length > MAX_RECORDS_PER_DECISION)
      return refuseAll(request, `More than ${MAX_RECORDS_PER_DECISION} changes in one request.`)
  }
  for (const name of repeated)
    topics.push(refused(name, refuse(INVALID_REQUEST, 'The topic is named more than once in the request.')))
  if (!repeated.has(CLUSTER_METADATA_TOPIC) && request.topics.some(({ name }) => name === CLUSTER_METADATA_TOPIC))
    topics.push(refused(CLUSTER_METADATA_TOPIC, refuse(INVALID_REQUEST, 'The metadata log cannot be created.')))
  return { records: request.validateOnly ? [] : records, reply: { throttleTimeMs: 0, topics } }
}

const refused = (name: string, refusal: Refusal): Result => ({
  name,
  ...refusal,
  topicConfigErrorCode: NONE,
  configs: [],
})

const refuseAll = (request: Request, why: string): Decision<Reply> => ({
  records: [],
  reply: {
    throttleTimeMs: 0,
    topics: request.topics.map(({ name }) => refused(name, refuse(POLICY_VIOLATION, why))),
  },
})

const partitionsAskedFor = (topics: readonly Topic[], byDefault: number): number =>
  topics
    .map(({ assignments, numPartitions }) => assignments.length || (numPartitions === -1 ? byDefault : numPartitions))
    .reduce((total, count) => total + Math.max(count, 0), 0)

function uniqueId(image: MetadataView, ids: Set<string>, options: CreateTopicsOptions): string {
  let id = options.newTopicId()
  while (ids.has(id) || image.topicById(id) !== undefined) id = options.newTopicId()
  ids.add(id)
  return id
}

function createTopic(
  image: MetadataView,
  topic: Topic,
  topicId: string,
  options: CreateTopicsOptions,
): Decision<Result> | Refusal {
  const { name } = topic
  const refusal = refuseName(image, name) ?? refuseConfigs(topic, options)
  if (refusal !== null) return refusal
  const partitions = topic.assignments.length > 0 ? assigned(image, topic) : striped(image, topic, options)
  if ('errorCode' in partitions) return partitions

  const configs = new Map(topic.configs.map(config => [config.name, config.value ?? '']))
  const result: Result = {
    name,
    topicId,
    errorCode: NONE,
    errorMessage: null,
    topicConfigErrorCode: NONE,
    numPartitions: partitions.length,
    replicationFactor: partitions[0]?.length ?? 0,
    configs: [...(options.describeConfigs?.(configs) ?? [])],
  }
  return {
    reply: result,
    records: [
      { type: 'TopicRecord', value: { name, topicId } },
      ...configRecords(image, name, configs),
      ...partitions.map((replicas, partition) => newPartitionRecord(image, topicId, partition, replicas)),
    ],
  }
}

function refuseName(image: MetadataView, name: string): Refusal | null {
  if (image.topicByName(name) !== undefined) return refuse(TOPIC_ALREADY_EXISTS, `Topic '${name}' exists already.`)
  const reason = topicNameError(name)
  if (reason !== null) return refuse(INVALID_TOPIC_EXCEPTION, `This is no legal topic name: ${reason}.`)
  const other = image.collidingTopic(name)
  if (other === undefined) return null
  return refuse(INVALID_TOPIC_EXCEPTION, `Topic '${name}' differs from topic '${other}' only in '.' and '_'.`)
}

function refuseConfigs({ name: topic, configs }: Topic, options: CreateTopicsOptions): Refusal | null {
  if (configs.length === 0) return null
  const settings = new Map<string, string>()
  const missing: string[] = []
  for (const { name, value } of configs)
    if (value === null) missing.push(name)
    else settings.set(name, value)
  if (missing.length > 0) return refuse(INVALID_CONFIG, `A topic config cannot be null: ${missing.join(', ')}.`)
  return options.validateConfigs(
    [...settings].map(([name, value]) => ({ name, value })),
    topic,
  )
}

/** A manual assignment: numPartitions and replicationFactor must be left open, partitions be 0, 1, 2… in any order. */
function assigned(image: MetadataView, topic: Topic): readonly (readonly number[])[] | Refusal {
  if (topic.replicationFactor !== -1 || topic.numPartitions !== -1)
    return refuse(INVALID_REQUEST, 'With assignments, the replication factor and the number of partitions must be -1.')
  const partitions: (readonly number[])[] = []
  const seen = new Set<number>()
  let replicationFactor: number | null = null
  for (const { partitionIndex, brokerIds } of topic.assignments) {
    if (seen.has(partitionIndex))
      return refuse(INVALID_REPLICA_ASSIGNMENT, `Partition ${partitionIndex} is assigned more than once.`)
    seen.add(partitionIndex)
    const refusal = refuseAssignment(image, partitionIndex, brokerIds, replicationFactor)
    if (refusal !== null) return refusal
    replicationFactor = brokerIds.length
    if (partitionIndex >= 0 && partitionIndex < topic.assignments.length) partitions[partitionIndex] = brokerIds
  }
  for (let i = 0; i < topic.assignments.length; i++)
    if (!seen.has(i)) return refuse(INVALID_REPLICA_ASSIGNMENT, `Partition ${i} is missing: count from 0 without gaps.`)
  return partitions
}

function striped(
  image: MetadataView,
  topic: Topic,
  options: CreateTopicsOptions,
): readonly (readonly number[])[] | Refusal {
  if (topic.replicationFactor < -1 || topic.replicationFactor === 0)
    return refuse(INVALID_REPLICATION_FACTOR, 'The replication factor must be positive, or -1 for the default.')
  if (topic.numPartitions < -1 || topic.numPartitions === 0)
    return refuse(INVALID_PARTITIONS, 'The number of partitions must be positive, or -1 for the default.')
  const numPartitions = topic.numPartitions === -1 ? options.numPartitions : topic.numPartitions
  const replicationFactor = topic.replicationFactor === -1 ? options.replicationFactor : topic.replicationFactor
  return place(image, 0, numPartitions, replicationFactor)
}

/** Settings of the topic stand between its TopicRecord and its PartitionRecords, as in Kafka. */
function configRecords(image: MetadataView, topic: string, configs: ReadonlyMap<string, string>): MetadataRecord[] {
  const records: MetadataRecord[] = [...configs].map(([name, value]) => ({
    type: 'ConfigRecord',
    value: { resourceType: ConfigResource.TOPIC, resourceName: topic, name, value },
  }))
  // KIP-966: leader candidates were chosen under the old min.insync.replicas.
  if (configs.has('min.insync.replicas') && image.featureLevel('eligible.leader.replicas.version') > 0)
    records.push({ type: 'ClearElrRecord', value: { topicName: topic } })
  return records
}
