// The coordinators of this broker on their internal topics: built, told of the partitions that are led here, and joined to
// each other where a transaction commits offsets.
import type { MetadataView } from '../cluster/image.ts'
import type { BrokerConfig } from '../config/index.ts'
import type { Runtime } from '../runtime/index.ts'
import type { PartitionTable } from './partition-table.ts'
import type { Durability, Partition } from './partition.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { TRANSACTION_VERSION } from '../cluster/features.ts'
import { GROUP_METADATA_TOPIC, TRANSACTION_STATE_TOPIC } from '../cluster/topic-names.ts'
import { GroupCoordinator } from '../coordinators/group/coordinator.ts'
import { TransactionCoordinator } from '../coordinators/transaction/coordinator.ts'
import { CoordinatorLog } from './coordinator-log.ts'
import { committerKnows, Transactions, type Admission } from './transactions.ts'

export interface CoordinatorsOptions {
  readonly config: BrokerConfig
  readonly runtime: Runtime
  readonly image: MetadataView
  readonly partitions: PartitionTable
  readonly durability: Durability
  readonly newProducerId: () => Promise<number>
}

/** What the broker tells a coordinator of its partitions. */
interface Coordinator {
  onElected(partition: number, leaderEpoch: number): Promise<void>
  onResigned(partition: number): void
  committed(partition: number, highWatermark: number): void
  close(): void
}

export class Coordinators {
  readonly groups: GroupCoordinator
  readonly transactionCoordinator: TransactionCoordinator
  readonly transactions: Transactions
  readonly #byTopic: ReadonlyMap<string, Coordinator>
  /** How many partitions an internal topic had when it began to be served here. */
  readonly #counts = new Map<string, { readonly topicId: string; readonly count: number }>()
  readonly #image: MetadataView
  readonly #loading = new Set<Promise<void>>()

  constructor(o: CoordinatorsOptions) {
    const { config, runtime, image, partitions, durability } = o
    this.#image = image
    const count = (topic: string, configured: number): number => this.#countOf(topic) ?? configured
    const log = (topic: string, index: number): CoordinatorLog =>
      new CoordinatorLog({
        partition: partitions.require(topic, index),
        durability,
        loadBytes:
          config[
            topic === GROUP_METADATA_TOPIC ? 'offsets.load.buffer.size' : 'transaction.state.log.load.buffer.size'
          ],
        codec: topic === GROUP_METADATA_TOPIC ? config['offsets.topic.compression.codec'] : 0,
        committed: offset => this.#byTopic.get(topic)?.committed(index, offset),
        failed: () => this.#byTopic.get(topic)?.onResigned(index),
      })
    this.groups = new GroupCoordinator({
      config,
      runtime,
      partitions: () => count(GROUP_METADATA_TOPIC, config['offsets.topic.num.partitions']),
      log: index => log(GROUP_METADATA_TOPIC, index),
      topics: {
        topicId: name => image.topicByName(name)?.topicId,
        topicName: topicId => image.topicById(topicId)?.name,
        exists: (name, index) => image.partition(name, index) !== undefined,
      },
      admit: ({ transactionalId, producerId, producerEpoch }, index, apiVersion) => {
        const knows = committerKnows(apiVersion)
        const request = { transactionalId, producerId, producerEpoch, knows, now: runtime.clock.now() }
        // Offsets carry no sequence.
        const asked = [{ topic: GROUP_METADATA_TOPIC, partition: index, sequence: -1 }]
        const admitted = this.transactions.admit(request, asked)
        return admitted instanceof Promise ? admitted.then(admissionOf) : admissionOf(admitted)
      },
    })
    this.transactions = new Transactions({
      config,
      runtime,
      image,
      partitions,
      durability,
      groups: () => this.groups,
      coordinator: () => this.transactionCoordinator,
    })
    this.transactionCoordinator = new TransactionCoordinator({
      config,
      runtime,
      partitions: () => count(TRANSACTION_STATE_TOPIC, config['transaction.state.log.num.partitions']),
      log: index => log(TRANSACTION_STATE_TOPIC, index),
      newProducerId: o.newProducerId,
      version: () => image.featureLevel(TRANSACTION_VERSION),
      writeMarkers: (marker, to) => this.transactions.writeMarkers(marker, to),
    })
    this.#byTopic = new Map<string, Coordinator>([
      [GROUP_METADATA_TOPIC, this.groups],
      [TRANSACTION_STATE_TOPIC, this.transactionCoordinator],
    ])
  }

  /** Starts reading back what an internal topic's partition holds. */
  elected({ topic, partition, leaderEpoch }: Partition): void {
    const coordinator = this.#byTopic.get(topic)
    if (!coordinator) return
    this.#countOf(topic)
    const load = coordinator.onElected(partition, leaderEpoch).finally(() => this.#loading.delete(load))
    this.#loading.add(load)
  }

  gone(topic: string, partition: number): void {
    this.#byTopic.get(topic)?.onResigned(partition)
  }

  /** What they remember, roughly. */
  get stateBytes(): number {
    return this.groups.stateBytes + this.transactionCoordinator.stateBytes
  }

  /** Resolves when no load that has begun is under way. */
  async loaded(): Promise<void> {
    await Promise.all(this.#loading)
  }

  close(): void {
    for (const coordinator of this.#byTopic.values()) coordinator.close()
  }

  /**
   * Groups and transactional ids stay where they are: partitions that are added count from the next start on, as in Kafka
   * (GroupCoordinatorService.startup, TransactionStateManager.startup).
   */
  #countOf(topic: string): number | undefined {
    const known = this.#image.topicByName(topic)
    if (!known) return undefined
    const { topicId, partitions } = known
    const fixed = this.#counts.get(topic)
    if (fixed?.topicId === topicId) return fixed.count
    this.#counts.set(topic, { topicId, count: partitions.length })
    return partitions.length
  }
}

/** For the log; undefined where it is not to check. */
function admissionOf([admission]: readonly (Admission | KafkaError)[]): Admission | undefined {
  if (admission instanceof KafkaError) throw admission
  return admission ?? undefined
}
