/**
 * What the metadata log says, in memory. `apply` replays records and is the only code that changes it; everything it
 * hands out is immutable, so a reader may keep what it got. Lookups are by name and by id; replaying a record costs
 * O(1), save that the first change to a topic in one `apply` copies that topic's list of partitions.
 */
import { FreezableMap } from './freezable-map.ts'
import { delta, newChanges, type Changes, type MetadataDelta } from './image-changes.ts'
import { ConfigResource, METADATA_VERSION, type BrokerEndpoint, type BrokerFeature } from './records.ts'
import { KRAFT_VERSION } from './features.ts'
import { OtherRecords } from './other-records.ts'
import { changedPartition, newPartition, unchanged, type PartitionImage } from './partition-image.ts'
import type { KnownRecord, MetadataRecord, OtherRecord, RecordValues } from './records.ts'
import { hasCollisionChars, topicNameError, unifyCollisionChars } from './topic-names.ts'

export type { MetadataDelta } from './image-changes.ts'
export type { PartitionImage } from './partition-image.ts'

export interface TopicImage {
  readonly name: string
  readonly topicId: string
  /** Index = partition number. */
  readonly partitions: readonly PartitionImage[]
}

export interface BrokerImage {
  readonly brokerId: number
  readonly incarnationId: string
  readonly brokerEpoch: number
  readonly endPoints: readonly BrokerEndpoint[]
  readonly features: readonly BrokerFeature[]
  readonly rack: string | null
  readonly fenced: boolean
  readonly inControlledShutdown: boolean
  readonly logDirs: readonly string[]
  readonly cordonedLogDirs: readonly string[] | null
}

/** The image as readers see it. */
export type MetadataView = Omit<MetadataImage, 'apply' | 'freeze'>

/** All of the image that records say, as it was at one offset. */
export type ImageContents = Pick<
  MetadataView,
  | 'inTransaction'
  | 'metadataVersion'
  | 'features'
  | 'featureLevel'
  | 'brokers'
  | 'topics'
  | 'configuredTypes'
  | 'configuredResources'
  | 'configs'
  | 'producerIdNext'
  | 'others'
>

/** Stands still until it is released; then it must not be read any more. */
export type FrozenImage = ImageContents & { release(): void }

/** A record that cannot follow what stands before it: the log is damaged or not ours. */
export class MetadataReplayError extends Error {
  override readonly name = 'MetadataReplayError'
}

const noConfigs: ReadonlyMap<string, string> = new Map()

export class MetadataImage {
  #byId = new Map<string, TopicImage>()
  #byName = new FreezableMap<string, TopicImage>()
  #collisions = new Map<string, Set<string>>()
  #configs = new Map<number, FreezableMap<string, ReadonlyMap<string, string>>>()
  #brokers = new Map<number, BrokerImage>()
  #features = new Map<string, number>()
  #others = new OtherRecords()
  #transaction: MetadataRecord[] | null = null
  #producerIdNext = 0
  #partitionCount = 0
  #endOffset = 0

  topicByName(name: string): TopicImage | undefined {
    return this.#byName.get(name)
  }
  topicById(topicId: string): TopicImage | undefined {
    return this.#byId.get(topicId)
  }
  topics(): Iterable<TopicImage> {
    return this.#byName.values()
  }
  get topicCount(): number {
    return this.#byName.size
  }
  get partitionCount(): number {
    return this.#partitionCount
  }
  partition(name: string, partition: number): PartitionImage | undefined {
    return this.#byName.get(name)?.partitions[partition]
  }
  /** An existing topic whose name equals `name` but for '.' and '_' (`name` itself included), if there is one. */
  collidingTopic(name: string): string | undefined {
    if (!hasCollisionChars(name)) return undefined
    return this.#collisions.get(unifyCollisionChars(name))?.values().next().value
  }
  broker(brokerId: number): BrokerImage | undefined {
    return this.#brokers.get(brokerId)
  }
  brokers(): Iterable<BrokerImage> {
    return this.#brokers.values()
  }
  /** Values set for one resource (`ConfigResource`); empty when none are. Broker defaults have the name ''. */
  configs(resourceType: number, resourceName: string): ReadonlyMap<string, string> {
    return this.#configs.get(resourceType)?.get(resourceName) ?? noConfigs
  }
  topicConfigs(name: string): ReadonlyMap<string, string> {
    return this.configs(ConfigResource.TOPIC, name)
  }
  /** The names of the resources of one type that have values set. */
  configuredResources(resourceType: number): Iterable<string> {
    return this.#configs.get(resourceType)?.keys() ?? []
  }
  /** The types of which some resource has values set. */
  configuredTypes(): Iterable<number> {
    return this.#configs.keys()
  }
  /** Finalized feature levels. */
  get features(): ReadonlyMap<string, number> {
    return this.#features
  }
  featureLevel(name: string): number {
    return this.#features.get(name) ?? 0
  }
  /** The `metadata.version` level; 0 while the log is empty. */
  get metadataVersion(): number {
    return this.featureLevel(METADATA_VERSION)
  }
  /** The first producer id that no block has taken. */
  get producerIdNext(): number {
    return this.#producerIdNext
  }
  /** Records we keep without acting on them, in log order; what later ones replaced or took away is gone. */
  get others(): readonly OtherRecord[] {
    return this.#others.list()
  }
  /** Whether a BeginTransactionRecord waits for its end. */
  get inTransaction(): boolean {
    return this.#transaction !== null
  }
  /** The offset after the last record that was applied, pending transactions included. */
  get endOffset(): number {
    return this.#endOffset
  }

  /** An independent copy; costs a map entry per topic. */
  clone(): MetadataImage {
    const copy = new MetadataImage()
    copy.#byId = new Map(this.#byId)
    copy.#byName = new FreezableMap(this.#byName.entries())
    copy.#collisions = new Map([...this.#collisions].map(([name, names]) => [name, new Set(names)]))
    copy.#configs = new Map(
      [...this.#configs].map(([type, resources]) => [type, new FreezableMap(resources.entries())]),
    )
    copy.#brokers = new Map(this.#brokers)
    copy.#features = new Map(this.#features)
    copy.#others = this.#others.clone()
    copy.#transaction = this.#transaction === null ? null : [...this.#transaction]
    copy.#producerIdNext = this.#producerIdNext
    copy.#partitionCount = this.#partitionCount
    copy.#endOffset = this.#endOffset
    return copy
  }

  /**
   * The content as it is now, for somebody who takes his time: what is applied until it is released is kept beside it. Costs
   * nothing for each topic. One at a time.
   */
  freeze(): FrozenImage {
    const topics = this.#byName.freeze()
    const frozen = [...this.#configs].map(([type, resources]) => ({ type, resources, held: resources.freeze() }))
    const configs = new Map(frozen.map(({ type, held }) => [type, held]))
    const [features, brokers] = [new Map(this.#features), [...this.#brokers.values()]]
    const { inTransaction, metadataVersion, producerIdNext, others } = this
    return {
      inTransaction,
      metadataVersion,
      producerIdNext,
      others,
      features,
      featureLevel: name => features.get(name) ?? 0,
      brokers: () => brokers,
      topics: () => topics.values(),
      configuredTypes: () => configs.keys(),
      configuredResources: type => configs.get(type)?.keys() ?? [],
      configs: (type, name) => configs.get(type)?.get(name) ?? noConfigs,
      release: () => {
        this.#byName.thaw()
        for (const { resources } of frozen) resources.thaw()
      },
    }
  }

  /**
   * Replays records in log order. Those between BeginTransactionRecord and EndTransactionRecord take effect together at
   * the end (KIP-868), possibly in a later call; AbortTransactionRecord drops them. `endOffset` is the log's offset
   * after them. Throws MetadataReplayError, after which the image must not be used.
   */
  apply(records: readonly MetadataRecord[], endOffset: number): MetadataDelta {
    const changes = newChanges()
    for (const record of records) {
      const pending = this.#transaction
      if (record.type === 'BeginTransactionRecord') {
        if (pending !== null) throw new MetadataReplayError('a metadata transaction begins inside another')
        this.#transaction = []
      } else if (record.type === 'EndTransactionRecord' || record.type === 'AbortTransactionRecord') {
        if (pending === null) throw new MetadataReplayError('a metadata transaction ends that never began')
        this.#transaction = null
        if (record.type === 'EndTransactionRecord') for (const held of pending) this.#replay(held, changes)
      } else if (pending === null) this.#replay(record, changes)
      else pending.push(record)
    }
    this.#endOffset = endOffset
    return delta(changes)
  }

  #replay(record: MetadataRecord, changes: Changes): void {
    switch (record.type) {
      case 'TopicRecord':
        return this.#createTopic(record.value, changes)
      case 'PartitionRecord':
        return this.#putPartition(record.value, changes)
      case 'PartitionChangeRecord':
        return this.#changePartition(record.value, changes)
      case 'RemoveTopicRecord':
        return this.#removeTopic(record.value.topicId, changes)
      case 'ConfigRecord':
        return this.#putConfig(record.value, changes)
      case 'ClearElrRecord':
        return this.#clearElr(record.value.topicName, changes)
      case 'ProducerIdsRecord':
        if (record.value.nextProducerId <= this.#producerIdNext && this.#producerIdNext !== 0)
          throw new MetadataReplayError(`producer ids go back to ${record.value.nextProducerId}`)
        this.#producerIdNext = record.value.nextProducerId
        return
      case 'FeatureLevelRecord':
        // By mistake in logs of some Kafka releases (KAFKA-18979): control records tell it.
        if (record.value.name === KRAFT_VERSION) return
        if (record.value.featureLevel === 0) this.#features.delete(record.value.name)
        else this.#features.set(record.value.name, record.value.featureLevel)
        changes.features = true
        return
      case 'RegisterBrokerRecord':
      case 'UnregisterBrokerRecord':
      case 'BrokerRegistrationChangeRecord':
      case 'FenceBrokerRecord':
      case 'UnfenceBrokerRecord':
        return this.#replayBroker(record, changes)
      case 'NoOpRecord':
        return
      case 'BeginTransactionRecord':
      case 'EndTransactionRecord':
      case 'AbortTransactionRecord':
        throw new MetadataReplayError(`${record.type} inside a transaction`)
      case 'other':
        this.#others.apply(record)
        return
    }
  }

  #createTopic({ name, topicId }: RecordValues['TopicRecord'], changes: Changes): void {
    const reason = topicNameError(name)
    if (reason !== null) throw new MetadataReplayError(`topic name ${JSON.stringify(name)}: ${reason}`)
    if (this.#byName.has(name)) throw new MetadataReplayError(`topic ${name} is created twice`)
    if (this.#byId.has(topicId)) throw new MetadataReplayError(`topic id ${topicId} is used twice`)
    const topic = { name, topicId, partitions: [] }
    changes.open.set(topicId, { topic, created: true, added: new Set(), changed: new Set() })
    this.#byId.set(topicId, topic)
    this.#byName.set(name, topic)
    if (!hasCollisionChars(name)) return
    const unified = unifyCollisionChars(name)
    const names = this.#collisions.get(unified)
    if (names === undefined) this.#collisions.set(unified, new Set([name]))
    else names.add(name)
  }

  /** The topic as this `apply` may change it: copied at its first change. */
  #openTopic(topicId: string, changes: Changes) {
    const entry = changes.open.get(topicId)
    if (entry !== undefined) return entry
    const before = this.#byId.get(topicId)
    if (before === undefined) throw new MetadataReplayError(`there is no topic with id ${topicId}`)
    const topic = { ...before, partitions: [...before.partitions] }
    const opened = { topic, created: false, added: new Set<number>(), changed: new Set<number>() }
    changes.open.set(topicId, opened)
    this.#byId.set(topicId, topic)
    this.#byName.set(topic.name, topic)
    return opened
  }

  #putPartition(value: RecordValues['PartitionRecord'], changes: Changes): void {
    const { topic, added, changed } = this.#openTopic(value.topicId, changes)
    const { partitionId } = value
    if (partitionId < 0 || partitionId > topic.partitions.length)
      throw new MetadataReplayError(`partition ${topic.name}-${partitionId} is out of sequence`)
    if (partitionId < topic.partitions.length) {
      if (!added.has(partitionId)) changed.add(partitionId)
    } else {
      added.add(partitionId)
      this.#partitionCount++
    }
    topic.partitions[partitionId] = newPartition(value)
  }

  #changePartition(value: RecordValues['PartitionChangeRecord'], changes: Changes): void {
    const { topic, added, changed } = this.#openTopic(value.topicId, changes)
    const before = topic.partitions[value.partitionId]
    if (before === undefined) throw new MetadataReplayError(`there is no partition ${topic.name}-${value.partitionId}`)
    topic.partitions[value.partitionId] = changedPartition(before, value)
    if (!added.has(value.partitionId)) changed.add(value.partitionId)
  }

  #removeTopic(topicId: string, changes: Changes): void {
    const topic = this.#byId.get(topicId)
    if (topic === undefined) throw new MetadataReplayError(`there is no topic with id ${topicId} to remove`)
    if (changes.open.get(topicId)?.created !== true) changes.deleted.set(topicId, topic)
    changes.open.delete(topicId)
    this.#byId.delete(topicId)
    this.#byName.delete(topic.name)
    this.#partitionCount -= topic.partitions.length
    this.#configs.get(ConfigResource.TOPIC)?.delete(topic.name)
    const unified = unifyCollisionChars(topic.name)
    const names = this.#collisions.get(unified)
    names?.delete(topic.name)
    if (names?.size === 0) this.#collisions.delete(unified)
  }

  #putConfig({ resourceType, resourceName, name, value }: RecordValues['ConfigRecord'], changes: Changes): void {
    let resources = this.#configs.get(resourceType)
    if (resources === undefined) this.#configs.set(resourceType, (resources = new FreezableMap()))
    const values = new Map(resources.get(resourceName))
    if (value === null) values.delete(name)
    else values.set(name, value)
    if (values.size === 0) resources.delete(resourceName)
    else resources.set(resourceName, values)
    changes.configs.set(`${resourceType}:${resourceName}`, { resourceType, resourceName })
  }

  #clearElr(topicName: string, changes: Changes): void {
    const named = this.#byName.get(topicName)
    if (topicName !== '' && named === undefined)
      throw new MetadataReplayError(`there is no topic ${topicName} to clear leader candidates of`)
    for (const { topicId, partitions } of named === undefined ? [...this.#byName.values()] : [named])
      for (const { partition, eligibleLeaderReplicas, lastKnownElr } of partitions) {
        if (eligibleLeaderReplicas.length === 0 && lastKnownElr.length === 0) continue
        const { topic, changed, added } = this.#openTopic(topicId, changes)
        const before = topic.partitions[partition]
        if (before === undefined) throw new MetadataReplayError(`there is no partition ${topic.name}-${partition}`)
        topic.partitions[partition] = changedPartition(before, {
          ...unchanged,
          eligibleLeaderReplicas: [],
          lastKnownElr: [],
        })
        if (!added.has(partition)) changed.add(partition)
      }
  }

  #replayBroker(record: Extract<KnownRecord, { type: BrokerRecordType }>, changes: Changes): void {
    if (record.type === 'RegisterBrokerRecord') {
      const { isMigratingZkBroker: _, ...broker } = record.value
      this.#brokers.set(broker.brokerId, broker)
      changes.brokers.add(broker.brokerId)
      return
    }
    const byId = record.type === 'FenceBrokerRecord' || record.type === 'UnfenceBrokerRecord'
    const brokerId = byId ? record.value.id : record.value.brokerId
    const epoch = byId ? record.value.epoch : record.value.brokerEpoch
    const before = this.#brokers.get(brokerId)
    if (before === undefined || before.brokerEpoch !== epoch)
      throw new MetadataReplayError(`broker ${brokerId} is not registered with epoch ${epoch}`)
    changes.brokers.add(brokerId)
    if (record.type === 'UnregisterBrokerRecord') this.#brokers.delete(brokerId)
    else if (record.type !== 'BrokerRegistrationChangeRecord')
      this.#brokers.set(brokerId, { ...before, fenced: record.type === 'FenceBrokerRecord' })
    else {
      const { fenced, inControlledShutdown, logDirs, cordonedLogDirs } = record.value
      this.#brokers.set(brokerId, {
        ...before,
        fenced: fenced === 0 ? before.fenced : fenced > 0,
        inControlledShutdown: inControlledShutdown === 0 ? before.inControlledShutdown : inControlledShutdown > 0,
        logDirs: logDirs.length === 0 ? before.logDirs : logDirs,
        cordonedLogDirs: cordonedLogDirs ?? before.cordonedLogDirs,
      })
    }
  }
}

type BrokerRecordType =
  | 'RegisterBrokerRecord'
  | 'UnregisterBrokerRecord'
  | 'BrokerRegistrationChangeRecord'
  | 'FenceBrokerRecord'
  | 'UnfenceBrokerRecord'
