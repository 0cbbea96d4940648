// What handlers see: one broker with its metadata, partitions, groups and sessions. It holds things together and knows
// how to answer questions that need several of them; src/index.ts builds it.
import type { Runtime } from '../runtime/index.ts'
import type { LogLevels } from '../runtime/levels.ts'
import type { PartitionImage } from '../cluster/image.ts'
import type { MetadataStore } from '../cluster/metadata.ts'
import type { ProducerIds } from '../cluster/producer-ids.ts'
import type { BrokerConfig } from '../config/index.ts'
import type { GroupCoordinator } from '../coordinators/group/coordinator.ts'
import type { TransactionCoordinator } from '../coordinators/transaction/coordinator.ts'
import type { ClientTelemetry } from '../observe/client-telemetry.ts'
import type { FetchSessions } from './fetch-sessions.ts'
import type { LogDirs } from './log-dirs.ts'
import type { Logs } from './logs.ts'
import type { PartitionTable } from './partition-table.ts'
import type { Durability } from './partition.ts'
import type { Transactions } from './transactions.ts'
import { FENCED_LEADER_EPOCH, NOT_LEADER_OR_FOLLOWER } from '../../protocol/errors.ts'
import { autoCreateTopics, internalTopicsOf } from '../cluster/controller.ts'
import { KRAFT_VERSION, supportedFeatures, type ServedFeature } from '../cluster/features.ts'
import { GROUP_METADATA_TOPIC, isInternalTopic, TRANSACTION_STATE_TOPIC } from '../cluster/topic-names.ts'

/** A broker as clients are told of it. */
export interface Node {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

/** Where a connection came in: what we tell clients unless an address is advertised. */
export interface ReachedAt {
  readonly localAddress: string
  readonly localPort: number
  readonly listenerName: string
}

export interface BrokerParts {
  /** The loggers of this broker. */
  readonly levels: LogLevels
  readonly config: BrokerConfig
  readonly runtime: Runtime
  readonly nodeId: number
  readonly clusterId: string
  readonly dirs: LogDirs
  readonly logs: Logs
  readonly metadata: MetadataStore
  readonly partitions: PartitionTable
  readonly groups: GroupCoordinator
  readonly transactionCoordinator: TransactionCoordinator
  readonly transactions: Transactions
  /** Resolves when every load of a coordinator's partition that has begun is through. */
  readonly coordinatorsLoaded: () => Promise<void>
  readonly sessions: FetchSessions
  readonly telemetry: ClientTelemetry
  readonly producerIds: ProducerIds
  /** What acks=all waits for: the disk, or the operating system where the configuration says so. */
  readonly acksAllDurability: Durability
}

export type Feature = ServedFeature

export class Broker implements BrokerParts {
  readonly levels: LogLevels
  readonly config: BrokerConfig
  readonly runtime: Runtime
  readonly nodeId: number
  readonly clusterId: string
  readonly dirs: LogDirs
  readonly logs: Logs
  readonly metadata: MetadataStore
  readonly partitions: PartitionTable
  readonly groups: GroupCoordinator
  readonly transactionCoordinator: TransactionCoordinator
  readonly transactions: Transactions
  readonly sessions: FetchSessions
  readonly telemetry: ClientTelemetry
  readonly producerIds: ProducerIds
  readonly acksAllDurability: Durability
  readonly coordinatorsLoaded: () => Promise<void>

  constructor(parts: BrokerParts) {
    this.levels = parts.levels
    this.config = parts.config
    this.runtime = parts.runtime
    this.nodeId = parts.nodeId
    this.clusterId = parts.clusterId
    this.dirs = parts.dirs
    this.logs = parts.logs
    this.metadata = parts.metadata
    this.partitions = parts.partitions
    this.groups = parts.groups
    this.transactionCoordinator = parts.transactionCoordinator
    this.transactions = parts.transactions
    this.coordinatorsLoaded = parts.coordinatorsLoaded
    this.sessions = parts.sessions
    this.telemetry = parts.telemetry
    this.producerIds = parts.producerIds
    this.acksAllDurability = parts.acksAllDurability
  }

  /** The brokers of the cluster as this connection can reach them: the advertised address, else the one it used. */
  nodes(connection: ReachedAt): [Node] {
    const advertised = this.config.endpoints.find(({ name }) => name === connection.listenerName)?.advertised
    return [
      {
        nodeId: this.nodeId,
        host: advertised?.host ?? connection.localAddress,
        // A listener on a free port may be advertised by host alone.
        port: advertised?.port || connection.localPort,
        rack: this.config['broker.rack'],
      },
    ]
  }

  isInternalTopic(name: string): boolean {
    return isInternalTopic(name)
  }

  /** Replicas on a broker that is gone, or on a disk that failed. */
  offlineReplicas(topic: string, { partition, replicas }: PartitionImage): number[] {
    const online = this.partitions.get(topic, partition)?.log.offline === null
    return replicas.filter(id => id !== this.nodeId || !online)
  }

  /**
   * KIP-951: the leader, for the errors that mean "ask another". Kafka names itself too, when only the epoch is old;
   * that saves a client nothing but one Metadata request, and @platformatic/kafka 1.35, which cannot skip tagged fields,
   * would never read on after a restart.
   */
  currentLeader(
    errorCode: number,
    topic: string | null,
    index: number,
  ): { currentLeader?: { leaderId: number; leaderEpoch: number } } {
    if (errorCode !== NOT_LEADER_OR_FOLLOWER && errorCode !== FENCED_LEADER_EPOCH) return {}
    const partition = topic === null ? undefined : this.metadata.image.partition(topic, index)
    return partition && partition.leader !== this.nodeId
      ? { currentLeader: { leaderId: partition.leader, leaderEpoch: partition.leaderEpoch } }
      : {}
  }

  /** Creates missing topics with the broker's defaults; resolves with the error code of each name. */
  async autoCreateTopics(names: readonly string[]): Promise<Map<string, number>> {
    const results = await this.metadata.submit(image => autoCreateTopics(image, names, this.#creation()))
    return new Map(results.map(({ name, errorCode }) => [name, errorCode]))
  }

  /** Resolves once a coordinator's topic exists and, if it is new, is served; rejects with KafkaError. */
  async ensureInternalTopic(topic: string): Promise<void> {
    if (this.metadata.image.topicByName(topic)) return
    await this.autoCreateTopics([topic])
    await this.coordinatorsLoaded()
  }

  /** The broker that coordinates a group; undefined while its partition has no leader. */
  groupCoordinatorNode(groupId: string, connection: ReachedAt): Node | undefined {
    return this.#leaderOf(GROUP_METADATA_TOPIC, this.groups.partitionFor(groupId), connection)
  }

  /** The same for a transactional id. */
  transactionCoordinatorNode(transactionalId: string, connection: ReachedAt): Node | undefined {
    const partition = this.transactionCoordinator.partitionFor(transactionalId)
    return this.#leaderOf(TRANSACTION_STATE_TOPIC, partition, connection)
  }

  /** KIP-584. Only what is served is told; the epoch is the offset of the metadata log. */
  features(): { supported: readonly Feature[]; finalized: { name: string; level: number }[]; epoch: number } {
    return featuresOf(this.metadata)
  }

  #leaderOf(topic: string, index: number, connection: ReachedAt): Node | undefined {
    const partition = this.metadata.image.partition(topic, index)
    return this.nodes(connection).find(({ nodeId }) => nodeId === partition?.leader)
  }

  #creation(): Parameters<typeof autoCreateTopics>[2] {
    return {
      numPartitions: this.config['num.partitions'],
      replicationFactor: this.config['default.replication.factor'],
      newTopicId: () => this.runtime.random.uuid(),
      internalTopics: internalTopicsOf(this.config),
    }
  }
}

function featuresOf({ image, quorum }: MetadataStore): ReturnType<Broker['features']> {
  return {
    supported: supportedFeatures,
    finalized: supportedFeatures
      .map(({ name }) => ({ name, level: name === KRAFT_VERSION ? quorum.kraftVersion : image.featureLevel(name) }))
      .filter(({ level }) => level > 0),
    epoch: image.endOffset,
  }
}
