/**
 * What a controller records when it begins to lead and when a broker begins to serve: the bootstrap records of a new
 * log (ActivationRecordsGenerator.java, BootstrapMetadata.java) and the broker's registration (ClusterControlManager.java).
 */
import type { Decision } from './decision.ts'
import { directoryOf, isOnline, leaderLost } from './directories.ts'
import { ELR_VERSION } from './features.ts'
import { MetadataReplayError, type MetadataView } from './image.ts'
import { partitionChange, type PartitionChange, type PartitionImage } from './partition-image.ts'
import {
  ConfigResource,
  METADATA_VERSION,
  METADATA_VERSION_LEVEL,
  MIN_METADATA_VERSION,
  type BrokerEndpoint,
  type BrokerFeature,
  type MetadataRecord,
} from './records.ts'

/** Feature levels of a newly formatted Kafka 4.3 or 4.4 cluster, `metadata.version` apart. */
export const bootstrapFeatures: Readonly<Record<string, number>> = {
  'eligible.leader.replicas.version': 1,
  'group.version': 1,
  'share.version': 1,
  'streams.version': 1,
  'transaction.version': 2,
}

/** The levels a registration claims for its broker, as Kafka 4.3's does. */
const supportedFeatures: readonly BrokerFeature[] = [
  ...Object.entries(bootstrapFeatures).map(([name, level]) => feature(name, 0, level)),
  feature('kraft.version', 0, 1),
  feature(METADATA_VERSION, MIN_METADATA_VERSION, METADATA_VERSION_LEVEL),
]

function feature(name: string, minSupportedVersion: number, maxSupportedVersion: number): BrokerFeature {
  return { name, minSupportedVersion, maxSupportedVersion }
}

export interface BootstrapOptions {
  /** Feature levels besides `metadata.version`; 0 leaves one out. */
  readonly features: Readonly<Record<string, number>>
  /** Becomes the cluster's default where leader candidates are tracked (KIP-966), as in Kafka. */
  readonly minInsyncReplicas: number
  /** What a directory was formatted with (`bootstrap.checkpoint`): recorded instead. */
  readonly records?: readonly MetadataRecord[] | undefined
}

/**
 * What must be recorded before anything else: the end of a transaction that a crash left open, and in an empty log the
 * feature levels. Throws MetadataReplayError when the log has a `metadata.version` that we cannot write.
 */
export function bootstrap(image: MetadataView, options: BootstrapOptions): Decision<undefined> {
  const records: MetadataRecord[] = []
  if (image.inTransaction) records.push({ type: 'AbortTransactionRecord', value: { reason: 'Controller failover' } })
  checkMetadataVersion(image)
  if (image.metadataVersion !== 0) return { records, reply: undefined }

  records.push({ type: 'BeginTransactionRecord', value: { name: 'Bootstrap records' } })
  records.push(...(options.records ?? featureRecords(options.features)))
  if (records.some(record => record.type === 'FeatureLevelRecord' && record.value.name === ELR_VERSION))
    records.push({
      type: 'ConfigRecord',
      value: {
        resourceType: ConfigResource.BROKER,
        resourceName: '',
        name: 'min.insync.replicas',
        value: String(options.minInsyncReplicas),
      },
    })
  records.push({ type: 'EndTransactionRecord', value: {} })
  return { records, reply: undefined }
}

function featureRecords(features: BootstrapOptions['features']): MetadataRecord[] {
  const others = Object.entries(features)
    .filter(([, featureLevel]) => featureLevel > 0)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
  return [[METADATA_VERSION, METADATA_VERSION_LEVEL] as const, ...others].map(([name, featureLevel]) => ({
    type: 'FeatureLevelRecord',
    value: { name, featureLevel },
  }))
}

/** Throws MetadataReplayError for a level that we cannot write. */
export function checkMetadataVersion({ metadataVersion: level }: Pick<MetadataView, 'metadataVersion'>): void {
  if (level === 0 || (level >= MIN_METADATA_VERSION && level <= METADATA_VERSION_LEVEL)) return
  throw new MetadataReplayError(
    `the metadata log has metadata.version ${level}; ${MIN_METADATA_VERSION} (3.6-IV1) to ${METADATA_VERSION_LEVEL} (4.3-IV0) can be served`,
  )
}

export interface Registration {
  readonly brokerId: number
  /** New at every start of the process. */
  readonly incarnationId: string
  readonly endPoints: readonly BrokerEndpoint[]
  readonly rack: string | null
  /** The `directory.id` of each log directory that is online. */
  readonly logDirs: readonly string[]
  /** Whether the last run of this broker closed its logs in order. */
  readonly cleanShutdown: boolean
}

/**
 * Registers the broker, unfenced, under a new epoch (the offset of its record or one before it, so epochs only grow),
 * and makes it lead what it may lead. After an unclean stop the partitions that it led already begin a new leader epoch: records that a power cut took must not be mistaken for those that follow at the same offsets (KIP-320).
 */
export function registerBroker(image: MetadataView, registration: Registration): Decision<{ brokerEpoch: number }> {
  const { cleanShutdown, ...broker } = registration
  const brokerEpoch = image.endOffset
  const records: MetadataRecord[] = [
    {
      type: 'RegisterBrokerRecord',
      value: {
        ...broker,
        isMigratingZkBroker: false,
        brokerEpoch,
        features: supportedFeatures,
        fenced: false,
        inControlledShutdown: false,
        cordonedLogDirs: null,
      },
    },
  ]
  for (const { topicId, partitions } of image.topics())
    for (const partition of partitions) {
      const change = leadership(image, partition, broker, cleanShutdown)
      if (change !== null) records.push(partitionChange(topicId, partition.partition, change))
    }
  return { records, reply: { brokerEpoch } }
}

/**
 * An orderly stop: a controller of Apache Kafka that comes next need not wait until it takes this run for ended. What the broker
 * leads it leads again when it comes back.
 */
export function fenceBroker(image: MetadataView, brokerId: number): Decision<undefined> {
  const broker = image.broker(brokerId)
  if (broker === undefined || broker.fenced) return { records: [], reply: undefined }
  const { brokerEpoch } = broker
  const change = { brokerId, brokerEpoch, fenced: 1, inControlledShutdown: 0, logDirs: [], cordonedLogDirs: null }
  return { records: [{ type: 'BrokerRegistrationChangeRecord', value: change }], reply: undefined }
}

/**
 * What makes a broker that has come back lead a partition, null when nothing need change. Whose directory is not online
 * has no leader (KIP-858). It may lead without a leader
 * there when it is in the ISR, else among the eligible replicas, else when it led last (KIP-966,
 * PartitionChangeBuilder.electLeader): a Kafka broker that was the last one to stop leaves its partitions so.
 */
function leadership(
  image: MetadataView,
  partition: PartitionImage,
  { brokerId, logDirs }: Pick<Registration, 'brokerId' | 'logDirs'>,
  cleanShutdown: boolean,
): Partial<PartitionChange> | null {
  const directory = directoryOf(partition, brokerId)
  if (directory !== undefined && !isOnline(directory, logDirs))
    return partition.leader === brokerId ? leaderLost(image, partition, brokerId) : null
  const { leader, isr, eligibleLeaderReplicas, lastKnownElr, leaderRecoveryState } = partition
  if (leader !== -1) return leader === brokerId && !cleanShutdown ? { leader } : null
  const candidates = [isr, eligibleLeaderReplicas, lastKnownElr.length === 1 ? lastKnownElr : []]
  if (candidates.find(list => list.length > 0)?.includes(brokerId) !== true) return null
  const others = eligibleLeaderReplicas.filter(id => id !== brokerId)
  return {
    leader: brokerId,
    isr: isr.includes(brokerId) ? null : [brokerId],
    eligibleLeaderReplicas: others.length === eligibleLeaderReplicas.length ? null : others,
    lastKnownElr: lastKnownElr.length === 0 ? null : [],
    leaderRecoveryState: leaderRecoveryState === 0 ? -1 : 0,
  }
}
