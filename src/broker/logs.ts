// The partitions' logs follow the metadata: folders are opened, made, marked for deletion or set aside at the start, and
// with every change after it, in whichever log directory they are. A directory that fails takes its partitions offline.
// Kafka: ReplicaManager.scala (applyDelta, handleLogDirFailure), LogManager.java, BrokerMetadataPublisher.scala.
import type { KnownLog } from '../../storage/log-dir.ts'
import type { DirectoryAssignment } from '../cluster/directories.ts'
import type { MetadataDelta, MetadataView, TopicImage } from '../cluster/image.ts'
import type { BrokerConfig } from '../config/index.ts'
import type { Runtime } from '../runtime/index.ts'
import type { Flusher } from './flusher.ts'
import type { LogDirectory, LogDirs, OnlineDirectory } from './log-dirs.ts'
import type { PartitionTable } from './partition-table.ts'
import { KafkaError, UNKNOWN_TOPIC_OR_PARTITION } from '../../protocol/errors.ts'
import { Arena } from '../../storage/arena.ts'
import { isSystemError } from '../../storage/errors.ts'
import { Log } from '../../storage/log.ts'
import { directoryOf, isOnline } from '../cluster/directories.ts'
import { reconcile } from '../cluster/reconcile.ts'
import { ConfigResource } from '../cluster/records.ts'
import { findFolders, setAside } from './partition-folders.ts'
import { Partition } from './partition.ts'
import { ReplicaMoves, type ReplicaMovesOptions } from './replica-moves.ts'
import { TopicSettings } from './topic-settings.ts'

export interface LogsOptions {
  readonly dirs: LogDirs
  readonly arena: Arena
  readonly config: BrokerConfig
  readonly runtime: Runtime
  readonly flusher: Flusher
  readonly nodeId: number
  readonly partitions: PartitionTable
  /** Told of every partition that begins to be led here, after the table has got it. */
  readonly onLed: (partition: Partition) => void
  /** Told of every partition that is led here no more: deleted, or its directory failed. */
  readonly onGone: (topic: string, partition: number) => void
  /** Told of every partition that is deleted. */
  readonly onDeleted: (topic: string, partition: number) => void
  readonly compaction: ReplicaMovesOptions['compaction']
  /** A folder waits for its removal. */
  readonly onFolderDeleted: () => void
  /** What the controller is told; both reject where the metadata log failed. */
  readonly assign: (assignments: readonly DirectoryAssignment[]) => Promise<void>
  readonly directoryFailed: (directoryId: string) => Promise<void>
}

export class Logs {
  readonly moves: ReplicaMoves
  readonly #o: LogsOptions
  readonly #image: MetadataView
  /** What is copied between directories must not push out what consumers are about to read. */
  readonly #copies = new Arena({ slabBytes: 1024 * 1024, tailBytes: 0 })
  #assignments: DirectoryAssignment[] = []
  readonly #suspected = new Set<LogDirectory>()
  readonly #settings: TopicSettings

  /** `image` stays the newest: the store moves its content. */
  constructor(options: LogsOptions, image: MetadataView) {
    this.#o = options
    this.#image = image
    this.#settings = new TopicSettings(options.config, image, options.runtime.log)
    const { dirs, partitions, config, runtime } = options
    this.moves = new ReplicaMoves({
      dirs,
      partitions,
      config,
      runtime,
      openLog: (known, { isCurrent }) => this.#openLog(known, isCurrent ? options.arena : this.#copies),
      topicId: topic => image.topicByName(topic)?.topicId,
      assign: assignment => options.assign([assignment]),
      suspect: directory => this.suspect(directory),
      compaction: options.compaction,
      onMoved: options.onFolderDeleted,
    })
  }

  /**
   * Brings folders and metadata together, and takes up moves. A log that cannot be opened makes its partition an offline one.
   * @throws LogDirError
   */
  start(deletedTopicIds: ReadonlySet<string>): void {
    const { dirs, nodeId, runtime } = this.#o
    const folders = findFolders({ dirs, image: this.#image, nodeId, log: runtime.log })
    const plan = reconcile(this.#image, nodeId, folders, deletedTopicIds)
    const isFound = new Map<object, OnlineDirectory>(folders.map(folder => [folder, folder.directory]))
    for (const folder of plan.remove) {
      const { topic, partition, topicId } = folder
      const { dir } = isFound.get(folder)!
      // Without an id nothing in it was ever acknowledged as durable; but nobody can be sure what else happened to it.
      if (topicId === null && dir.hasRecords(topic, partition))
        setAside(dir, topic, partition, 'has no topic id', runtime.log)
      else dir.discard(topic, partition)
    }
    for (const folder of plan.stray) {
      const { topic, partition } = folder
      setAside(isFound.get(folder)!.dir, topic, partition, 'belongs to no topic of this cluster', runtime.log)
    }
    for (const { topic, partition } of plan.open) this.#open(topic, partition)
    for (const { dir } of dirs.online)
      dir.forgetLost((topic, index) => !this.#image.partition(topic, index) || dirs.of(topic, index) !== undefined)
    for (const { topic, partition } of plan.create) {
      const loss = this.#lossOf(topic, partition)
      if (loss === null) this.#create(topic, partition)
      else this.#offline(topic, partition, new Error(loss))
    }
    this.moves.resume()
  }

  /** Where the records of a log without a folder may be; null: it has none yet. Apache Kafka begins an empty log. */
  #lossOf(topic: TopicImage, index: number): string | null {
    const { dirs } = this.#o
    const recorded = this.#recorded(topic, index)
    const directory = dirs.byId(recorded)
    const lost = dirs.online.find(({ dir }) => dir.hasLost(topic.name, index))
    if (lost) {
      const folder = `${topic.name}-${index}`
      return `its checkpoint in ${lost.path} tells of records, and the folder ${folder} is gone: bring it back, or delete the topic`
    }
    const isCopied = ({ dir: { futures } }: OnlineDirectory): boolean =>
      futures.hasRecords(topic.name, index) && futures.topicIdOf(topic.name, index) === topic.topicId
    if (dirs.online.some(isCopied)) return 'it was on its way to another log directory, and the one it was in is gone'
    // On its way there, all that there is may be in the directory that is missing.
    if (dirs.hasOffline && (!directory || directory.dir.futures.has(topic.name, index)))
      return 'its log may be in a log directory that is offline'
    if (recorded === '' || isOnline(recorded, dirs.onlineIds)) return null
    return `it is in the log directory with the directory.id ${recorded}, which is none of log.dirs: mount that one, or delete the topic`
  }

  /** Follows one change of the metadata. */
  apply(delta: MetadataDelta): void {
    for (const topic of delta.topicsDeleted) this.#delete(topic)
    for (const topic of delta.topicsCreated) for (const p of topic.partitions) this.#create(topic, p.partition)
    for (const { topic, partitions } of delta.partitionsAdded) for (const p of partitions) this.#create(topic, p)
    for (const { topic, partitions } of delta.partitionsChanged)
      for (const index of partitions) this.#change(topic, index)
    for (const { resourceType, resourceName } of delta.configsChanged) {
      if (resourceType === ConfigResource.TOPIC) this.#configure(resourceName)
    }
  }

  /** The broker's defaults changed: every topic gets them. */
  configureAll(): void {
    this.#settings.forget()
    for (const { name } of this.#image.topics()) this.#configure(name)
  }

  /** Takes no new partitions (cordoned.log.dirs). */
  isCordoned({ path, name }: LogDirectory): boolean {
    const cordoned = this.#o.config['cordoned.log.dirs']
    return cordoned.includes('*') || cordoned.includes(name) || cordoned.includes(path)
  }

  /** A disk call failed in this directory: it is looked whether that is so for all of it, once this turn is over. */
  suspect(directory: OnlineDirectory): void {
    if (directory.failure !== null || this.#suspected.has(directory)) return
    this.#suspected.add(directory)
    this.#o.runtime.timers.defer(() => {
      this.#suspected.delete(directory)
      const failure = directory.failure === null ? this.#o.dirs.hasFailed(directory) : null
      if (failure !== null) this.#fail(directory, failure)
    })
  }

  #fail(directory: OnlineDirectory, failure: Error): void {
    const { dirs, partitions, runtime, onGone, directoryFailed } = this.#o
    const { path, dir } = directory
    directory.failure = failure
    runtime.log.error({ path, err: failure }, 'A log directory failed: its partitions are offline until a restart')
    this.moves.directoryFailed(directory)
    for (const partition of partitions.all()) {
      const { topic, partition: index, log } = partition
      if (dir.log(topic, index) !== log) continue
      log.takeOffline(failure)
      onGone(topic, index)
    }
    const complain = (what: string) => (error: unknown) => runtime.log.error({ path, err: error }, what)
    if (dir === dirs.metadataDir) {
      runtime.log.error({ path }, 'The metadata log is in that directory: topics cannot be changed until a restart')
      return
    }
    dir.close(false).catch(complain('The log directory could not be given back'))
    directoryFailed(dir.directoryId).catch(complain('The failed log directory could not be recorded'))
  }

  #open(topic: TopicImage, index: number): void {
    const { dirs } = this.#o
    const directory = dirs.of(topic.name, index)!
    // A move ended in a directory that is not here: what is in this one may be older.
    if (dirs.hasOffline && !isOnline(this.#recorded(topic, index), dirs.onlineIds)) {
      this.#offline(topic, index, new Error('the metadata says that it is in a log directory that is offline'))
      return
    }
    try {
      this.#add(topic, index, open => directory.dir.openLog(topic.name, index, open))
      this.#assign(topic, index, directory)
    } catch (error) {
      this.#offline(topic, index, error)
      if (isSystemError(error)) this.suspect(directory)
    }
  }

  #create(topic: TopicImage, index: number): void {
    let failure: unknown = new Error('no log directory takes it')
    for (const directory of this.#place(topic, index)) {
      try {
        this.#add(topic, index, open => directory.dir.createLog(topic.name, index, open))
        return this.#assign(topic, index, directory)
      } catch (error) {
        failure = error
        if (!isSystemError(error)) break
        this.suspect(directory)
      }
    }
    this.#offline(topic, index, failure)
  }

  #place(topic: TopicImage, index: number): readonly OnlineDirectory[] {
    const { dirs } = this.#o
    const wish = this.moves.takeWish(topic.name, index)
    if (wish) return dirs.online.filter(directory => directory === wish)
    const recorded = dirs.byId(this.#recorded(topic, index))
    return recorded ? [recorded] : dirs.candidates(directory => this.isCordoned(directory))
  }

  #recorded(topic: TopicImage, index: number): string {
    return directoryOf(topic.partitions[index]!, this.#o.nodeId) ?? ''
  }

  /** Has it recorded where a partition is, together with the others of this turn. */
  #assign(topic: TopicImage, partition: number, { dir: { directoryId } }: OnlineDirectory): void {
    if (this.#recorded(topic, partition) === directoryId) return
    const { runtime, assign } = this.#o
    if (this.#assignments.push({ topicId: topic.topicId, partition, directoryId }) > 1) return
    runtime.timers.defer(() => {
      const assignments = this.#assignments
      this.#assignments = []
      assign(assignments).catch((error: unknown) => {
        runtime.log.error({ err: error }, 'It could not be recorded in which log directories partitions are')
      })
    })
  }

  /** Throws what the disk throws. */
  #add(topic: TopicImage, index: number, from: (open: (known: KnownLog) => Log) => Log): void {
    const { partitions, flusher, runtime, arena } = this.#o
    const settings = this.#settings.of(topic.name)
    const log = from(known => this.#openLog(known, arena, settings.log))
    const { replicas, leaderEpoch } = topic.partitions[index]!
    const partition = new Partition({
      log,
      leaderEpoch,
      replicas: replicas.length,
      minInsyncReplicas: settings.topic['min.insync.replicas'],
      flusher,
      logger: runtime.log,
    })
    partitions.add(partition)
    this.#lead(partition, topic)
  }

  #openLog(known: KnownLog, arena: Arena, settings = this.#settings.of(known.topic).log): Log {
    const { runtime, partitions, dirs } = this.#o
    const { topic, partition: index } = known
    const { topicId } = this.#image.topicByName(topic)!
    let log: Log | null = null
    const onError = (cause: Error): void => {
      const partition = partitions.get(topic, index)
      // A copy that fails is its move's affair.
      if (log === null || partition?.log !== log) return
      partition.wentOffline(cause)
      const directory = dirs.of(topic, index)
      if (directory) this.suspect(directory)
    }
    log = Log.open({
      ...known,
      arena,
      topicId,
      config: settings,
      now: runtime.clock.now(),
      random: () => runtime.random.int(2 ** 31) / 2 ** 31,
      onError,
    })
    return log
  }

  #offline(topic: TopicImage, index: number, error: unknown): void {
    this.#o.partitions.addOffline(topic.name, index)
    this.#o.runtime.log.error(
      { topic: topic.name, partition: index, err: error },
      'The log could not be opened: this partition is offline until the broker restarts',
    )
  }

  #change(topic: TopicImage, index: number): void {
    const partition = this.#o.partitions.get(topic.name, index)
    if (!partition || partition.leaderEpoch === topic.partitions[index]!.leaderEpoch) return
    partition.leaderEpoch = topic.partitions[index]!.leaderEpoch
    if (!partition.log.offline) this.#lead(partition, topic)
  }

  #lead(partition: Partition, topic: TopicImage): void {
    const { leader, leaderEpoch } = topic.partitions[partition.partition]!
    if (leader !== this.#o.nodeId) return
    partition.leaderEpoch = leaderEpoch
    partition.log.assignLeaderEpoch(leaderEpoch, partition.log.logEndOffset)
    this.#o.onLed(partition)
  }

  #delete(topic: TopicImage): void {
    const { dirs, partitions, runtime, onGone, onDeleted, onFolderDeleted } = this.#o
    for (const { partition } of topic.partitions) this.moves.cancel(topic.name, partition)
    const led = partitions.removeTopic(topic.name)
    for (const { partition: index } of topic.partitions) {
      const dir = dirs.of(topic.name, index)?.dir
      for (const other of dirs.online) other.dir.forgetLost((name, n) => name === topic.name && n === index)
      try {
        if (dir?.log(topic.name, index)) dir.deleteLog(topic.name, index)
        else dir?.discard(topic.name, index)
      } catch (error) {
        // The topic is deleted all the same; the next start finds the folder without an owner and removes it.
        runtime.log.error({ topic: topic.name, partition: index, err: error }, 'The folder of a deleted topic remains')
      }
    }
    for (const partition of led) {
      partition.retire(new KafkaError(UNKNOWN_TOPIC_OR_PARTITION))
      onGone(topic.name, partition.partition)
      onDeleted(topic.name, partition.partition)
      onFolderDeleted()
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
