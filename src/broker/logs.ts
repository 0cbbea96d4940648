// The partitions' logs follow the metadata: folders are opened, made, marked for deletion or set aside at the start, and
// with every change after it. Kafka: ReplicaManager.scala (applyDelta), LogManager, BrokerMetadataPublisher.scala.
import type { Arena } from '../../storage/arena.ts'
import type { KnownLog, LogDir } from '../../storage/log-dir.ts'
import type { MetadataDelta, MetadataView, TopicImage } from '../cluster/image.ts'
import type { BrokerConfig } from '../config/index.ts'
import type { Runtime } from '../runtime/index.ts'
import type { Flusher } from './flusher.ts'
import type { PartitionTable } from './partition-table.ts'
import { KafkaError, UNKNOWN_TOPIC_OR_PARTITION } from '../../protocol/errors.ts'
import { CorruptFileError } from '../../storage/errors.ts'
import { Log } from '../../storage/log.ts'
import { reconcile, type PartitionFolder } from '../cluster/reconcile.ts'
import { ConfigResource } from '../cluster/records.ts'
import { Partition } from './partition.ts'
import { TopicSettings } from './topic-settings.ts'

export interface LogsOptions {
  readonly dir: LogDir<Log>
  readonly arena: Arena
  readonly config: BrokerConfig
  readonly runtime: Runtime
  readonly flusher: Flusher
  readonly nodeId: number
  readonly partitions: PartitionTable
  /** Told of every partition that begins or ends to be led here, after the table has or has not got it. */
  readonly onLed: (partition: Partition) => void
  readonly onGone: (topic: string, partition: number) => void
}

export class Logs {
  readonly #o: LogsOptions
  readonly #image: MetadataView
  readonly #settings: TopicSettings

  /** `image` stays the newest: the store moves its content. */
  constructor(options: LogsOptions, image: MetadataView) {
    this.#o = options
    this.#image = image
    this.#settings = new TopicSettings(options.config, image)
  }

  /** Brings folders and metadata together. A log that cannot be opened makes its partition an offline one. */
  start(deletedTopicIds: ReadonlySet<string>): void {
    const { dir, nodeId } = this.#o
    const plan = reconcile(this.#image, nodeId, this.#readableFolders(), deletedTopicIds)
    for (const { topic, partition, topicId } of plan.remove) {
      // Without an id nothing in it was ever acknowledged as durable; but nobody can be sure what else happened to it.
      if (topicId === null && dir.hasRecords(topic, partition)) this.#setAside(topic, partition, 'has no topic id')
      else dir.discard(topic, partition)
    }
    for (const { topic, partition } of plan.stray) {
      this.#setAside(topic, partition, 'belongs to no topic of this cluster')
    }
    for (const { topic, partition } of plan.open) this.#open(topic, partition)
    for (const { topic, partition } of plan.create) this.#create(topic, partition)
  }

  /** Those whose topic id cannot be read are set aside at once. */
  #readableFolders(): PartitionFolder[] {
    const { dir } = this.#o
    return dir.partitions.flatMap(({ topic, partition }) => {
      try {
        return [{ topic, partition, topicId: dir.topicIdOf(topic, partition) }]
      } catch (error) {
        if (!(error instanceof CorruptFileError)) throw error
        this.#setAside(topic, partition, `cannot be told whose it is (${error.message})`)
        return []
      }
    })
  }

  #setAside(topic: string, partition: number, why: string): void {
    const folder = this.#o.dir.setAside(topic, partition)
    this.#o.runtime.log.error(
      { topic, partition, folder },
      `A partition folder ${why}: it was set aside, nothing is deleted`,
    )
  }

  /** Follows one change of the metadata. */
  apply(delta: MetadataDelta): void {
    for (const topic of delta.topicsDeleted) this.#delete(topic)
    for (const topic of delta.topicsCreated) for (const p of topic.partitions) this.#create(topic, p.partition)
    for (const { topic, partitions } of delta.partitionsAdded) for (const p of partitions) this.#create(topic, p)
    for (const { topic, partitions } of delta.partitionsChanged) {
      for (const index of partitions) {
        const partition = this.#o.partitions.get(topic.name, index)
        const { leaderEpoch } = topic.partitions[index]!
        if (partition && partition.leaderEpoch !== leaderEpoch) this.#lead(partition, leaderEpoch)
      }
    }
    for (const { resourceType, resourceName } of delta.configsChanged) {
      if (resourceType === ConfigResource.TOPIC) this.#configure(resourceName)
    }
  }

  /** The broker's defaults changed: every topic gets them. */
  configureAll(): void {
    this.#settings.forget()
    for (const { name } of this.#image.topics()) this.#configure(name)
  }

  #open(topic: TopicImage, index: number): void {
    this.#add(topic, index, opener => this.#o.dir.openLog(topic.name, index, opener))
  }

  #create(topic: TopicImage, index: number): void {
    this.#add(topic, index, opener => this.#o.dir.createLog(topic.name, index, opener))
  }

  #add(topic: TopicImage, index: number, from: (open: (known: KnownLog) => Log) => Log): void {
    const { partitions, flusher, runtime, arena } = this.#o
    const settings = this.#settings.of(topic.name)
    let partition: Partition | null = null
    try {
      const log = from(known =>
        Log.open({
          ...known,
          arena,
          topicId: topic.topicId,
          config: settings.log,
          now: runtime.clock.now(),
          random: () => runtime.random.int(2 ** 31) / 2 ** 31,
          onError: cause => partition?.wentOffline(cause),
        }),
      )
      const { replicas, leaderEpoch } = topic.partitions[index]!
      partition = new Partition({
        log,
        leaderEpoch,
        replicas: replicas.length,
        minInsyncReplicas: settings.topic['min.insync.replicas'],
        flusher,
        logger: runtime.log,
      })
      partitions.add(partition)
      this.#lead(partition, leaderEpoch)
    } catch (error) {
      partitions.addOffline(topic.name, index)
      runtime.log.error(
        { topic: topic.name, partition: index, err: error },
        'The log could not be opened: this partition is offline until the broker restarts',
      )
    }
  }

  #lead(partition: Partition, leaderEpoch: number): void {
    partition.leaderEpoch = leaderEpoch
    partition.log.assignLeaderEpoch(leaderEpoch, partition.log.logEndOffset)
    this.#o.onLed(partition)
  }

  #delete(topic: TopicImage): void {
    const { dir, partitions, runtime, onGone } = this.#o
    const led = partitions.removeTopic(topic.name)
    for (const { partition: index } of topic.partitions) {
      try {
        if (dir.log(topic.name, index)) dir.deleteLog(topic.name, index)
        else if (dir.has(topic.name, index)) dir.discard(topic.name, index)
      } catch (error) {
        // The topic is deleted all the same; the next start finds the folder without an owner and removes it.
        runtime.log.error({ topic: topic.name, partition: index, err: error }, 'The folder of a deleted topic remains')
      }
    }
    for (const partition of led) {
      partition.retire(new KafkaError(UNKNOWN_TOPIC_OR_PARTITION))
      onGone(topic.name, partition.partition)
    }
  }

  #configure(topic: string): void {
    const settings = this.#settings.of(topic)
    for (const partition of this.#o.partitions.ofTopic(topic)) {
      partition.log.configure(settings.log)
      partition.minInsyncReplicas = settings.topic['min.insync.replicas']
    }
  }
}
