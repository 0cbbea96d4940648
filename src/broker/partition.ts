// One partition as its leader sees it: a log, the leader epoch, the high watermark, and everyone who waits for bytes to
// become readable (long polls), written (acks=1) or durable (acks=all). A failing disk takes this partition offline, alone.
import type { Log, AppendInfo, AppendOptions, FetchedRecords } from '../../storage/log.ts'
import type { Records } from '../../protocol/schema.ts'
import type { Logger } from '../runtime/log.ts'
import type { Flushable, Flusher } from './flusher.ts'
import type { WaitSet } from './wait.ts'
import {
  FENCED_LEADER_EPOCH,
  KAFKA_STORAGE_ERROR,
  KafkaError,
  NOT_ENOUGH_REPLICAS,
  OFFSET_OUT_OF_RANGE,
  POLICY_VIOLATION,
  UNKNOWN_LEADER_EPOCH,
  UNKNOWN_TOPIC_OR_PARTITION,
} from '../../protocol/errors.ts'

export { RecordBatchError } from '../../storage/log.ts'

/** How far an append must have come before its acknowledgement leaves. */
export type Durability = 'written' | 'synced'

/** Told once: null when everything appended before the call is as durable as asked, else why it never will be. */
export type DurableCallback = (error: KafkaError | null) => void

/** One broker holds one replica of each partition. */
const IN_SYNC = 1

/**
 * So much is written at once, not at the end of the turn: one turn may read 16 MB and more from a fast producer, which by
 * then have left the processor's caches, and which the disk could have had in work meanwhile.
 */
const WRITE_AT_BYTES = 512 * 1024

/** So much may wait for the sync that is under way to end, where nobody waits for the write alone. */
const WRITE_LATER_BYTES = 64 * 1024

interface Waiting {
  readonly end: number
  readonly done: DurableCallback
}

export interface PartitionOptions {
  readonly log: Log
  readonly leaderEpoch: number
  readonly replicas: number
  readonly minInsyncReplicas: number
  readonly flusher: Flusher
  readonly logger: Logger
}

type TransactionalAppend = Pick<AppendOptions, 'apiVersion' | 'transactionVersion' | 'verification'>

export class Partition implements Flushable {
  #log: Log
  readonly topic: string
  readonly partition: number
  leaderEpoch: number
  /** min.insync.replicas of the topic. */
  minInsyncReplicas: number
  /** Who waits for readable bytes: read_uncommitted and read_committed consumers apart. */
  readonly waits: WaitSet = new Set()
  readonly committedWaits: WaitSet = new Set()
  readonly #flusher: Flusher
  readonly #logger: Logger
  readonly #replicas: number
  #highWatermark: number
  #bytesSinceAdvance = 0
  /** Appended while the last stable offset did not reach the end. */
  #bytesSinceStable = 0
  /** The topic is gone: its log is closed, and nothing is written or synced any more. */
  #isRetired = false
  #lastStableOffset: number
  #written: Waiting[] = []
  #synced: Waiting[] = []

  constructor(o: PartitionOptions) {
    this.#log = o.log
    this.topic = o.log.topic
    this.partition = o.log.partition
    this.leaderEpoch = o.leaderEpoch
    this.minInsyncReplicas = o.minInsyncReplicas
    this.#replicas = o.replicas
    this.#flusher = o.flusher
    this.#logger = o.logger
    this.#highWatermark = o.log.writtenOffset
    this.#lastStableOffset = this.lastStableOffset
  }

  get log(): Log {
    return this.#log
  }

  /** The log is in another directory now, with everything that was in it, and all of that is on the disk. */
  replaceLog(log: Log): void {
    this.#log = log
    if (this.#synced.length > 0) this.#flusher.wantsSync(this)
  }

  /** The end of what consumers may read: with one replica, what has reached the operating system. */
  get highWatermark(): number {
    return this.#highWatermark
  }

  /** Below it no transaction is open: the end of what read_committed consumers may read. */
  get lastStableOffset(): number {
    // A log that rests has no open transaction.
    const unstable = this.log.isOpen ? this.log.producers.firstUnstableOffset(this.#highWatermark) : null
    if (unstable === null) return this.#highWatermark
    // What an open transaction wrote may have been deleted since.
    return Math.min(Math.max(unstable, this.log.logStartOffset), this.#highWatermark)
  }

  /** Appends one batch; throws KafkaError. `acks` as in Produce; coordinators say -1. */
  append(
    records: Records | Buffer,
    o: { acks: number; now: number; origin: 'client' | 'coordinator' } & TransactionalAppend,
  ): AppendInfo {
    this.#mustBeOnline()
    // In sync is this broker alone. More than there are replicas is not asked for (Partition.scala, effectiveMinIsr).
    if (o.acks === -1 && Math.min(this.minInsyncReplicas, this.#replicas) > IN_SYNC) {
      throw new KafkaError(
        NOT_ENOUGH_REPLICAS,
        `Topic ${this.topic} asks for ${this.minInsyncReplicas} in-sync replicas and has ${IN_SYNC}.`,
      )
    }
    const wasDirty = this.log.dirty
    const info = this.log.append(records, {
      leaderEpoch: this.leaderEpoch,
      now: o.now,
      origin: o.origin,
      apiVersion: o.apiVersion,
      transactionVersion: o.transactionVersion,
      verification: o.verification,
    })
    if (info.duplicate) return info
    this.#bytesSinceAdvance += info.byteLength
    // A coordinator first notes what its append is for.
    if (o.origin === 'client' && this.#bytesSinceAdvance >= WRITE_AT_BYTES) this.write()
    else if (!wasDirty) this.#flusher.wroteTo(this)
    return info
  }

  /** Calls back once everything appended up to now is as durable as asked; at once if it already is. */
  whenDurable(durability: Durability, done: DurableCallback): void {
    const { log } = this
    if (log.offline) return done(offlineError(this))
    const end = log.logEndOffset
    if (durability === 'synced') {
      if (log.syncedOffset >= end) return done(null)
      this.#synced.push({ end, done })
      if (!log.dirty) this.#flusher.wantsSync(this)
    } else {
      if (log.dirty) {
        // What is queued may be waiting for a sync to end.
        if (this.#written.push({ end, done }) === 1) this.#flusher.wroteTo(this)
        return
      }
      // A batch sent again may find its original not synced yet, where flush.messages asks for that.
      if (log.flushIntervalReached) {
        this.#synced.push({ end, done })
        this.#flusher.wantsSync(this)
      } else done(null)
    }
  }

  get mayWriteLater(): boolean {
    return this.#written.length === 0 && this.#bytesSinceAdvance < WRITE_LATER_BYTES
  }

  /** Writes what is queued, moves the high watermark, wakes who waited for it, and starts the sync that others want. */
  write(): void {
    this.#writeQueued()
    if (this.#synced.length > 0) this.#flusher.wantsSync(this)
  }

  #writeQueued(): void {
    const { log } = this
    if (log.offline || this.#isRetired) return
    if (!this.#survives(() => log.write())) return
    if (log.writtenOffset > this.#highWatermark) this.#advance()
    if (this.#written.length > 0) {
      const waiting = this.#written
      this.#written = []
      // flush.messages holds every acknowledgement of the turn back until the disk has it, as in Kafka.
      if (log.flushIntervalReached) this.#synced.push(...waiting)
      else for (const { done } of waiting) done(null)
    }
  }

  async sync(): Promise<void> {
    this.#writeQueued()
    if (this.log.offline || this.#isRetired) return
    try {
      await this.log.sync()
    } catch (error) {
      // A sync that was under way when the topic was deleted found its files closed.
      if (this.log.offline || this.#isRetired) return
      throw error
    }
    const { syncedOffset } = this.log
    const waiting = this.#synced
    this.#synced = waiting.filter(w => w.end > syncedOffset)
    for (const { end, done } of waiting) if (end <= syncedOffset) done(null)
    // What came while the disk was busy takes the next round.
    if (this.#synced.length > 0) this.#flusher.wantsSync(this)
  }

  /**
   * Whole batches from `offset` on, below the high watermark or the last stable offset. Queued appends are written
   * first, so that a request sees every earlier request of its connection. Throws KafkaError.
   */
  read(offset: number, o: { maxBytes: number; minOneBatch: boolean; committed: boolean }): FetchedRecords {
    this.catchUp()
    this.#mustBeOnline()
    const maxOffset = o.committed ? this.lastStableOffset : this.#highWatermark
    return this.log.read(offset, { maxBytes: o.maxBytes, maxOffset, minOneBatch: o.minOneBatch, budgeted: true })
  }

  /** What a read_committed consumer must skip in what it was given (KIP-98). */
  abortedTransactions(from: number, to: number): { producerId: number; firstOffset: number }[] {
    if (from >= to) return []
    // The index goes by the markers. KafkaJS takes the list as it comes and needs it in the order of the records.
    return this.log
      .abortedTransactions(from, to)
      .map(({ producerId, firstOffset }) => ({ producerId, firstOffset }))
      .toSorted((a, b) => a.firstOffset - b.firstOffset)
  }

  /** Writes queued appends now, if there are any. */
  catchUp(): void {
    if (this.log.dirty) this.write()
  }

  /** Deletes what retention gives up. @returns how many segments went */
  applyRetention(now: number): number {
    this.write()
    return this.log.offline ? 0 : this.log.applyRetention(now, this.#highWatermark)
  }

  /**
   * Moves the start of the log forward (KIP-107); -1 means to the high watermark. Whole segments below it go with the next
   * retention. Throws OFFSET_OUT_OF_RANGE, POLICY_VIOLATION, KAFKA_STORAGE_ERROR. @returns where the log starts now
   */
  deleteRecords(offset: number): number {
    this.catchUp()
    this.#mustBeOnline()
    const { log } = this
    const { cleanupPolicy } = log.config
    if (cleanupPolicy.compact && !cleanupPolicy.delete) throw new KafkaError(POLICY_VIOLATION)
    const start = offset === -1 ? this.#highWatermark : offset
    if (start < 0 || start > this.#highWatermark) throw new KafkaError(OFFSET_OUT_OF_RANGE)
    if (start > log.logStartOffset) {
      log.advanceLogStartOffset(start)
      this.wake()
    }
    return log.logStartOffset
  }

  /** KIP-320: -1 asks for no check. Throws FENCED_LEADER_EPOCH or UNKNOWN_LEADER_EPOCH. */
  checkLeaderEpoch(currentLeaderEpoch: number): void {
    if (currentLeaderEpoch < 0 || currentLeaderEpoch === this.leaderEpoch) return
    throw new KafkaError(currentLeaderEpoch < this.leaderEpoch ? FENCED_LEADER_EPOCH : UNKNOWN_LEADER_EPOCH)
  }

  /** Runs disk work outside any request; a failing disk has taken the partition offline, which is all there is to say. */
  guard(work: () => void): void {
    this.#survives(work)
  }

  /** Lets everyone who waits for bytes look again. */
  wake(): void {
    for (const wait of [...this.waits, ...this.committedWaits]) wait.nudge()
  }

  /** The topic is going away: whoever waits looks again, and nothing can be acknowledged any more. */
  retire(error: KafkaError): void {
    this.#isRetired = true
    this.#rejectWaiting(error)
    this.wake()
  }

  #advance(): void {
    const { writtenOffset } = this.log
    assertForward(this.#highWatermark, writtenOffset)
    this.#highWatermark = writtenOffset
    const bytes = this.#bytesSinceAdvance
    this.#bytesSinceAdvance = 0
    for (const wait of this.waits) wait.advanced(bytes)
    const stable = this.lastStableOffset
    this.#bytesSinceStable += bytes
    if (stable > this.#lastStableOffset) {
      this.#lastStableOffset = stable
      // While transactions are open, bytes say little about what became visible: let committed readers look.
      const visible = stable === writtenOffset ? this.#bytesSinceStable : Infinity
      if (stable === writtenOffset) this.#bytesSinceStable = 0
      for (const wait of this.committedWaits) wait.advanced(visible)
    }
  }

  /** The log has gone offline, told once by the log itself: nobody who waits for it will be served any more. */
  wentOffline(cause: Error): void {
    this.#logger.error(
      { topic: this.topic, partition: this.partition, err: cause },
      'The disk failed: this partition is offline until the broker restarts; nothing acknowledged is lost.',
    )
    this.#rejectWaiting(offlineError(this))
    this.wake()
  }

  #survives(work: () => void): boolean {
    try {
      work()
      return true
    } catch (error) {
      if (this.log.offline) return false
      throw error
    }
  }

  #rejectWaiting(error: KafkaError): void {
    const waiting = [...this.#written, ...this.#synced]
    this.#written = []
    this.#synced = []
    for (const { done } of waiting) done(error)
  }

  #mustBeOnline(): void {
    if (this.#isRetired) throw new KafkaError(UNKNOWN_TOPIC_OR_PARTITION)
    if (this.log.offline) throw offlineError(this)
  }
}

function offlineError(p: Partition): KafkaError {
  return new KafkaError(KAFKA_STORAGE_ERROR, `The disk of ${p.topic}-${p.partition} failed; the partition is offline.`)
}

function assertForward(from: number, to: number): void {
  if (to < from) throw new Error(`high watermark may not go back from ${from} to ${to}`)
}
