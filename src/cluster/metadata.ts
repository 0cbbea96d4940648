/**
 * The metadata store. `MetadataStore` is what the broker needs of one; `Metadata` is the embedded driver: a log of
 * Kafka's metadata records in the broker's own directory, led by this broker alone.
 */
import { KAFKA_STORAGE_ERROR, KafkaError } from '../../protocol/errors.ts'
import { bootstrap, bootstrapFeatures, registerBroker, type Registration } from './broker-registration.ts'
import type { Decision } from './decision.ts'
import { MetadataImage, type MetadataDelta, type MetadataView } from './image.ts'
import {
  encodeDecision,
  leaderChangeBatch,
  quorumBatch,
  loadBatches,
  type MetadataLog,
  type QuorumStateFile,
} from './metadata-log.ts'
import { parseQuorumState } from '../../storage/quorum-state.ts'
import { checkVoters, fixedQuorum, type Quorum } from './quorum.ts'
import { formatQuorumState } from './quorum-state.ts'
import { METADATA_VERSION_LEVEL, type MetadataRecord } from './records.ts'
import { Snapshotter, type SnapshotRules, type SnapshotTaken } from './snapshotter.ts'

export type ChangeListener = (delta: MetadataDelta, image: MetadataView) => void

export interface MetadataStore {
  /** What is durably recorded and has been told to the listeners. The same object all the time; its content moves. */
  readonly image: MetadataView
  /** Who votes, as far as it is durable. */
  readonly quorum: Quorum
  /** Of this node as the leader of the metadata log. */
  readonly leaderEpoch: number
  /**
   * Decides on the newest image and quorum (which may be ahead of `image` and `quorum`) and records the decision. Everything up to the
   * decision happens before this returns; the promise resolves once the decision, and all before it, are durable and
   * were told to the listeners. Rejects with what `decide` throws, and with KafkaError KAFKA_STORAGE_ERROR when the
   * log failed, now or earlier.
   */
  submit<Reply>(decide: (image: MetadataView, quorum: Quorum) => Decision<Reply>): Promise<Reply>
  /** Called for every durable change, in order, before the submit that made it resolves. Returns the way out. */
  onChange(listener: ChangeListener): () => void
}

export interface MetadataOptions {
  readonly log: MetadataLog
  readonly quorumState: QuorumStateFile
  readonly nodeId: number
  /** Milliseconds; the timestamp of batches. */
  readonly now: () => number
  readonly registration: Omit<Registration, 'brokerId'>
  /** For an empty log. `features` defaults to those of a newly formatted Kafka cluster, `minInsyncReplicas` to 1. */
  readonly features?: Readonly<Record<string, number>>
  readonly minInsyncReplicas?: number
  /** For an empty log in a directory that was formatted already: recorded instead of features and configuration. */
  readonly bootstrapRecords?: readonly MetadataRecord[] | undefined
  readonly maxBatchBytes?: number
  /** When snapshots are written; never if left out. */
  readonly snapshots?: SnapshotRules
  /** Told of every snapshot that could not be written. Nothing is lost by it: the log is kept. */
  readonly onSnapshotError?: (error: Error) => void
  /** Told once when the log fails, and of every error that a listener throws. */
  readonly onError: (error: Error) => void
}

interface Pending {
  readonly records: readonly MetadataRecord[]
  readonly quorum: Quorum | undefined
  readonly endOffset: number
  readonly byteLength: number
  readonly timestamp: number
  readonly publish: (deliver: () => void) => void
  readonly reject: (error: Error) => void
}

export class Metadata implements MetadataStore {
  readonly #log: MetadataLog
  readonly #options: MetadataOptions
  readonly #committed: MetadataImage
  readonly #latest: MetadataImage
  readonly #listeners = new Set<ChangeListener>()
  #pending: Pending[] = []
  #committing: Promise<void> | null = null
  #offline: Error | null = null
  #quorum: Quorum
  #latestQuorum: Quorum
  readonly #snapshotter: Snapshotter | null
  /** Of the last committed batch. */
  #timestamp: number
  /** The epoch this broker leads the metadata log in. */
  readonly leaderEpoch: number
  /** Whether the log was empty: a new directory. */
  readonly isNew: boolean
  /** The ids of topics that the log says are deleted; see `reconcile`. */
  readonly deletedTopicIds: ReadonlySet<string>

  private constructor(options: MetadataOptions, loaded: Loaded) {
    this.#log = options.log
    this.#options = options
    this.#committed = loaded.image
    this.#latest = loaded.image.clone()
    this.deletedTopicIds = loaded.deletedTopicIds
    this.isNew = options.log.endOffset === 0
    this.leaderEpoch = loaded.leaderEpoch + 1
    this.#quorum = loaded.quorum
    this.#latestQuorum = loaded.quorum
    this.#timestamp = loaded.timestamp
    const { log, snapshots: rules, now } = options
    const write = log.writeSnapshot?.bind(log)
    const onError = options.onSnapshotError ?? options.onError
    this.#snapshotter =
      write === undefined || rules === undefined
        ? null
        : new Snapshotter({ rules, now, write, onError }, loaded.byteLength)
  }

  /**
   * Replays the newest snapshot and the log behind it, opens a new leader epoch, and records what is due at a start: bootstrap records, the broker's
   * registration, its leaderships. Resolves when that is durable. Throws MetadataReplayError for a log that is damaged
   * or not ours, CorruptFileError for an unreadable `quorum-state`, KafkaError KAFKA_STORAGE_ERROR when the disk fails.
   */
  static async open(options: MetadataOptions): Promise<Metadata> {
    const { nodeId, quorumState, now, log } = options
    const metadata = new Metadata(options, load(options))
    const { leaderEpoch } = metadata
    // Refuse a metadata.version that we cannot write before anything is written.
    const bootstrapOptions = {
      features: options.features ?? bootstrapFeatures,
      minInsyncReplicas: options.minInsyncReplicas ?? 1,
      records: options.bootstrapRecords,
    }
    bootstrap(metadata.image, bootstrapOptions)
    await quorumState.write(formatQuorumState(nodeId, leaderEpoch, metadata.#quorum))
    log.append(leaderChangeBatch(nodeId, metadata.#quorum, now()), leaderEpoch)
    metadata.#latest.apply([], log.endOffset)
    metadata.#committed.apply([], log.endOffset)
    const started = [
      metadata.submit(image => bootstrap(image, bootstrapOptions)),
      metadata.submit(image => registerBroker(image, { ...options.registration, brokerId: nodeId })),
    ]
    await Promise.all(started)
    return metadata
  }

  get image(): MetadataView {
    return this.#committed
  }

  get quorum(): Quorum {
    return this.#quorum
  }

  /** Why the log takes no more commands, or null. */
  get offline(): Error | null {
    return this.#offline
  }

  onChange(listener: ChangeListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  submit<Reply>(decide: (image: MetadataView, quorum: Quorum) => Decision<Reply>): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#offline !== null) throw storageError(this.#offline)
      const { records, reply, quorum } = decide(this.#latest, this.#latestQuorum)
      const timestamp = this.#options.now()
      const byteLength = records.length > 0 ? this.#append(records, quorum, timestamp) : 0
      // An answer that changes nothing still rests on what was decided before it.
      if (records.length === 0 && this.#pending.length === 0 && this.#committing === null) return resolve(reply)
      const publish = (deliver: () => void) => {
        try {
          deliver()
        } catch (error) {
          return reject(error)
        }
        resolve(reply)
      }
      const { endOffset } = this.#log
      this.#pending.push({ records, quorum, endOffset, byteLength, timestamp, publish, reject })
      this.#committing ??= this.#commitAll()
    })
  }

  /** Resolves when nothing is waiting to become durable, and no snapshot is being written. */
  async idle(): Promise<void> {
    while (this.#committing !== null) await this.#committing
    await this.#snapshotter?.idle()
  }

  /** Begins to write a snapshot if one is due; to be called by the clock, for commits ask by themselves. */
  snapshotIfDue(): void {
    this.#snapshotter?.writeIfDue(() => this.#snapshot())
  }

  /** Writes a snapshot of what is committed, due or not. Resolves when it is there or could not be written. */
  async writeSnapshot(): Promise<void> {
    await this.#snapshotter?.idle()
    await this.#snapshotter?.write(() => this.#snapshot())
  }

  /** Null in the middle of a metadata transaction: its records are no part of the image yet. */
  #snapshot(): SnapshotTaken | null {
    if (this.#offline !== null || this.#committed.inTransaction) return null
    return {
      id: { offset: this.#committed.endOffset, epoch: this.leaderEpoch },
      image: this.#committed.freeze(),
      quorum: this.#quorum,
      lastContainedTimestamp: this.#timestamp,
    }
  }

  /** @returns how many bytes the log got */
  #append(records: readonly MetadataRecord[], quorum: Quorum | undefined, timestamp: number): number {
    const level = this.#latest.metadataVersion || METADATA_VERSION_LEVEL
    const { batches } = encodeDecision(records, level, timestamp, this.#options.maxBatchBytes)
    if (quorum !== undefined) batches.unshift(quorumBatch(quorum, timestamp))
    try {
      for (const bytes of batches) this.#log.append(bytes, this.leaderEpoch)
      this.#latest.apply(records, this.#log.endOffset)
      this.#latestQuorum = quorum ?? this.#latestQuorum
    } catch (error) {
      throw this.#fail(error)
    }
    return batches.reduce((sum, { length }) => sum + length, 0)
  }

  /** One commit at a time; whoever comes while one is under way shares the next. */
  async #commitAll(): Promise<void> {
    await Promise.resolve() // let everything that is decided in this turn take part
    while (this.#pending.length > 0) {
      const batch = this.#pending
      this.#pending = []
      try {
        await this.#log.commit()
        if (this.#offline !== null) throw this.#offline
      } catch (error) {
        const failure = this.#fail(error)
        for (const { reject } of [...batch, ...this.#pending]) reject(failure)
        this.#pending = []
        break
      }
      for (const pending of batch) pending.publish(() => this.#publish(pending))
      this.snapshotIfDue()
    }
    this.#committing = null
  }

  #publish({ records, quorum, endOffset, byteLength, timestamp }: Pending): void {
    if (records.length === 0) return
    this.#quorum = quorum ?? this.#quorum
    this.#timestamp = timestamp
    this.#snapshotter?.committed(byteLength)
    const delta = this.#committed.apply(records, endOffset)
    const failures: unknown[] = []
    for (const listener of this.#listeners)
      try {
        listener(delta, this.#committed)
      } catch (error) {
        failures.push(error)
        this.#options.onError(asError(error))
      }
    if (failures.length > 0) throw failures[0]
  }

  /** From here on nothing is decided: the newest image may hold what the disk does not. */
  #fail(error: unknown): KafkaError {
    if (this.#offline === null) {
      this.#offline = asError(error)
      this.#options.onError(this.#offline)
    }
    return storageError(this.#offline)
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))

const storageError = (cause: Error): KafkaError => {
  const error = new KafkaError(KAFKA_STORAGE_ERROR, `The metadata log is offline: ${cause.message}`)
  error.cause = cause
  return error
}

interface Loaded {
  readonly image: MetadataImage
  readonly deletedTopicIds: ReadonlySet<string>
  /** The last epoch anybody led in. */
  readonly leaderEpoch: number
  readonly quorum: Quorum
  /** Of the last batch; 0 where there is none. */
  readonly timestamp: number
  /** Of the log behind the snapshot. */
  readonly byteLength: number
}

function load({ log, quorumState, nodeId }: MetadataOptions): Loaded {
  const { snapshot } = log
  const image = snapshot?.image.clone() ?? new MetadataImage()
  const deletedTopicIds = new Set<string>()
  const data = quorumState.read()
  const state = data === null ? null : parseQuorumState(data, 'quorum-state')
  let leaderEpoch = Math.max(state?.leaderEpoch ?? 0, snapshot?.id.epoch ?? 0)
  let quorum = snapshot?.quorum ?? fixedQuorum
  let timestamp = snapshot?.lastContainedTimestamp ?? 0
  let byteLength = 0
  for (const batch of loadBatches(log)) {
    const { topicsDeleted } = image.apply(batch.records, batch.endOffset)
    for (const { topicId } of topicsDeleted) deletedTopicIds.add(topicId)
    leaderEpoch = Math.max(leaderEpoch, batch.leaderEpoch)
    byteLength += batch.byteLength
    ;({ quorum, timestamp } = batch)
  }
  checkVoters(quorum, state, nodeId)
  return { image, deletedTopicIds, leaderEpoch, quorum, timestamp, byteLength }
}
