/** Topics that come into being because somebody asked for them (DefaultAutoTopicCreationManager.java). */
import { NONE } from '../../protocol/errors.ts'
import { createTopics, type CreateTopicsOptions } from './create-topics.ts'
import type { Decision, Refusal } from './decision.ts'
import type { MetadataView } from './image.ts'
import { GROUP_METADATA_TOPIC, TRANSACTION_STATE_TOPIC } from './topic-names.ts'

/** How an internal topic is made. Its settings are the broker's own and pass no validation. */
export interface InternalTopic {
  readonly numPartitions: number
  readonly replicationFactor: number
  readonly configs: Readonly<Record<string, string>>
}

export interface OffsetsTopicConfig {
  readonly 'offsets.topic.num.partitions': number
  readonly 'offsets.topic.replication.factor': number
  readonly 'offsets.topic.segment.bytes': number
}

export interface TransactionTopicConfig {
  readonly 'transaction.state.log.num.partitions': number
  readonly 'transaction.state.log.replication.factor': number
  readonly 'transaction.state.log.min.isr': number
  readonly 'transaction.state.log.segment.bytes': number
}

/** The lower bound of `segment.bytes` (KIP-1030). */
const MIN_SEGMENT_BYTES = 1_048_576

/** `__consumer_offsets` (GroupCoordinatorService.groupMetadataTopicConfigs). */
export const offsetsTopic = (config: OffsetsTopicConfig): InternalTopic => ({
  numPartitions: config['offsets.topic.num.partitions'],
  replicationFactor: config['offsets.topic.replication.factor'],
  configs: {
    'compression.type': 'producer',
    'cleanup.policy': 'compact',
    ...segmentBytes(config['offsets.topic.segment.bytes']),
  },
})

/** `__transaction_state` (TransactionCoordinator.transactionStateTopicConfigs). */
const transactionTopic = (config: TransactionTopicConfig): InternalTopic => ({
  numPartitions: config['transaction.state.log.num.partitions'],
  replicationFactor: config['transaction.state.log.replication.factor'],
  configs: {
    'unclean.leader.election.enable': 'false',
    'compression.type': 'uncompressed',
    'cleanup.policy': 'compact',
    'min.insync.replicas': String(config['transaction.state.log.min.isr']),
    ...segmentBytes(config['transaction.state.log.segment.bytes']),
  },
})

/** The broker's key may be smaller than the topic's: then only the setting without a lower bound can hold it. */
const segmentBytes = (bytes: number): Record<string, string> => ({
  [bytes < MIN_SEGMENT_BYTES ? 'internal.segment.bytes' : 'segment.bytes']: String(bytes),
})

export interface AutoCreationOptions extends Omit<CreateTopicsOptions, 'validateConfigs' | 'describeConfigs'> {
  /** By name; those of coordinators that are served. */
  readonly internalTopics: ReadonlyMap<string, InternalTopic>
}

/** The internal topics of the coordinators that are served. */
export const internalTopicsOf = (
  config: OffsetsTopicConfig & TransactionTopicConfig,
): ReadonlyMap<string, InternalTopic> =>
  new Map([
    [GROUP_METADATA_TOPIC, offsetsTopic(config)],
    [TRANSACTION_STATE_TOPIC, transactionTopic(config)],
  ])

export interface AutoCreated extends Refusal {
  readonly name: string
}

/**
 * Creates those of `names` that do not exist, with the defaults of the broker or the layout of the internal topic.
 * One result per name, in order: NONE where the topic exists (now or before), else CreateTopics' errors.
 */
export function autoCreateTopics(
  image: MetadataView,
  names: Iterable<string>,
  options: AutoCreationOptions,
): Decision<AutoCreated[]> {
  const wanted = [...new Set(names)]
  const topics = wanted
    .filter(name => image.topicByName(name) === undefined)
    .map(name => {
      const internal = options.internalTopics.get(name)
      return {
        name,
        numPartitions: internal?.numPartitions ?? -1,
        replicationFactor: internal?.replicationFactor ?? -1,
        assignments: [],
        configs: Object.entries(internal?.configs ?? {}).map(([key, value]) => ({ name: key, value })),
      }
    })
  const { records, reply } = createTopics(
    image,
    { topics, timeoutMs: 0, validateOnly: false },
    { ...options, validateConfigs: () => null },
  )
  const results = new Map(reply.topics.map(topic => [topic.name, topic]))
  return {
    records,
    reply: wanted.map(name => {
      const { errorCode = NONE, errorMessage = null } = results.get(name) ?? {}
      return { name, errorCode, errorMessage }
    }),
  }
}
