/** Shared by the tests of the cluster folder: images and stores with one registered broker, and how to look at them. */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { Metadata, type MetadataOptions } from '../../../src/cluster/metadata.ts'
import { MetadataImage, type MetadataView } from '../../../src/cluster/image.ts'
import {
  createTopics,
  registerBroker,
  type CreateTopicsOptions,
  type Decision,
} from '../../../src/cluster/controller.ts'
import type { MetadataRecord, RecordValues } from '../../../src/cluster/records.ts'
import { errorOf } from '../../../protocol/errors.ts'
import type { AskOf, RequestOf } from '../../../protocol/api.ts'
import type { CreateTopics } from '../../../protocol/messages/index.ts'
import { MemoryLog, MemoryQuorumState } from './memory-log.ts'

export const DIRECTORY = 'ZGlyZWN0b3J5LWlkLTEuMQ'

export const registration = {
  incarnationId: 'aW5jYXJuYXRpb24taWQuMQ',
  endPoints: [{ name: 'PLAINTEXT', host: 'localhost', port: 9092, securityProtocol: 0 }],
  rack: null,
  logDirs: [DIRECTORY],
  cleanShutdown: true,
}

/** Ids that read as their number: 'id-000000000000000007A' (16 bytes of base64url end in A, Q, g or w). */
export const idsFrom = (start = 1): (() => string) => {
  let next = start
  return () => `id-${String(next++).padStart(18, '0')}A`
}

export const options = (more: Partial<CreateTopicsOptions> = {}): CreateTopicsOptions => ({
  numPartitions: 1,
  replicationFactor: 1,
  newTopicId: idsFrom(),
  validateConfigs: () => null,
  ...more,
})

/** A new partition with one replica, on broker 1. */
export const partitionRecord = (
  topicId: string,
  partitionId: number,
  more: Partial<RecordValues['PartitionRecord']> = {},
) =>
  ({
    type: 'PartitionRecord',
    value: {
      partitionId,
      topicId,
      replicas: [1],
      isr: [1],
      removingReplicas: [],
      addingReplicas: [],
      leader: 1,
      leaderRecoveryState: 0,
      leaderEpoch: 0,
      partitionEpoch: 0,
      directories: [DIRECTORY],
      eligibleLeaderReplicas: null,
      lastKnownElr: null,
      ...more,
    },
  }) satisfies MetadataRecord

/** Takes a decision as the store would, and gives its reply. */
export function take<Reply>(image: MetadataImage, { records, reply }: Decision<Reply>): Reply {
  image.apply(records, image.endOffset + records.length)
  return reply
}

export function imageWithBrokers(...brokerIds: number[]): MetadataImage {
  const image = new MetadataImage()
  image.apply([{ type: 'FeatureLevelRecord', value: { name: 'metadata.version', featureLevel: 30 } }], 1)
  for (const brokerId of brokerIds) take(image, registerBroker(image, { ...registration, brokerId }))
  return image
}

type Topic = Partial<RequestOf<typeof CreateTopics>['topics'][number]> & { readonly name: string }

export const createRequest = (
  topics: readonly (Topic | string)[],
  more: Partial<AskOf<typeof CreateTopics>> = {},
): RequestOf<typeof CreateTopics> => ({
  timeoutMs: 1000,
  validateOnly: more.validateOnly ?? false,
  topics: topics.map(topic => ({
    numPartitions: -1,
    replicationFactor: -1,
    assignments: [],
    configs: [],
    ...(typeof topic === 'string' ? { name: topic } : topic),
  })),
})

/** Creates topics in an image as the store would. */
export const create = (image: MetadataImage, ...topics: Parameters<typeof createRequest>[0]) =>
  take(image, createTopics(image, createRequest(topics), options({ newTopicId: idsFrom(100 + image.endOffset) })))

/** `name ERROR` per result. */
export const outcome = (results: readonly { readonly errorCode: number; readonly name?: string | null }[]) =>
  results.map(({ name, errorCode }) => `${name} ${errorOf(errorCode).name}`)

/** Everything a reader can see, as plain data that compares. */
export const contents = (image: MetadataView) => ({
  topics: [...image.topics()].toSorted((a, b) => (a.topicId < b.topicId ? -1 : 1)),
  configs: [2, 4, 16, 32].flatMap(type =>
    [...image.configuredResources(type)].toSorted().map(name => [type, name, [...image.configs(type, name)]]),
  ),
  brokers: [...image.brokers()],
  features: [...image.features].toSorted(([a], [b]) => (a < b ? -1 : 1)),
  producerIdNext: image.producerIdNext,
  partitionCount: image.partitionCount,
  others: image.others,
})

export interface Opened {
  readonly metadata: Metadata
  readonly log: MemoryLog
  readonly quorumState: MemoryQuorumState
  readonly errors: Error[]
}

export async function open(more: Partial<MetadataOptions> & { log?: MemoryLog } = {}): Promise<Opened> {
  const log = more.log ?? new MemoryLog()
  const quorumState = new MemoryQuorumState()
  const errors: Error[] = []
  const metadata = await Metadata.open({
    log,
    quorumState,
    nodeId: 1,
    now: () => 1_700_000_000_000,
    registration,
    onError: error => errors.push(error),
    ...more,
  })
  return { metadata, log, quorumState, errors }
}

/** The metadata log of a directory that Apache Kafka wrote: '4.3.1-clean', '4.3.1-killed', '3.9.1-clean'. */
export const kafkaLog = (name: string): MemoryLog =>
  new MemoryLog(gunzipSync(readFileSync(new URL(`kafka/metadata-${name}.log.gz`, import.meta.url))))
