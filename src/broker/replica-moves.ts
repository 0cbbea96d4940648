// All moves of partitions between log directories: which are under way, where partitions that do not exist yet shall be made,
// what becomes of moves that a stop or a failure cut short. Kafka: ReplicaManager.scala (alterReplicaLogDirs),
// ReplicaAlterLogDirsManager.scala.
import type { KnownLog, LogDir } from '../../storage/log-dir.ts'
import type { Log } from '../../storage/log.ts'
import type { DirectoryAssignment } from '../cluster/directories.ts'
import type { BrokerConfig } from '../config/index.ts'
import type { Runtime } from '../runtime/index.ts'
import type { LogDirectory, LogDirs, OnlineDirectory } from './log-dirs.ts'
import type { PartitionTable } from './partition-table.ts'
import type { Partition } from './partition.ts'
import { CorruptFileError, isSystemError } from '../../storage/errors.ts'
import { copySlice, cutToCommon } from './replica-move.ts'

export interface ReplicaMovesOptions {
  readonly dirs: LogDirs
  readonly partitions: PartitionTable
  readonly config: BrokerConfig
  readonly runtime: Runtime
  /** Opens a log of this partition; what it remembers of appends is kept apart from the others' unless `isCurrent`. */
  readonly openLog: (known: KnownLog, o: { isCurrent: boolean }) => Log
  readonly topicId: (topic: string, partition: number) => string | undefined
  /** Has the directory of a replica recorded. Rejects where the metadata log failed. */
  readonly assign: (assignment: DirectoryAssignment) => Promise<void>
  /** A disk call failed there. */
  readonly suspect: (directory: OnlineDirectory, error: Error) => void
  /** Leaves a log alone that moves, and knows afterwards how much of it is compacted. */
  readonly compaction: {
    pause(log: Log): void
    isBusy(log: Log): boolean
    moved(topic: string, partition: number, from: LogDir<Log>, to: LogDir<Log>): void
  }
  /** The old folder waits for its removal. */
  readonly onMoved: () => void
}

interface Move {
  readonly topic: string
  readonly partition: number
  readonly from: OnlineDirectory
  readonly to: OnlineDirectory
  readonly log: Log
  /** The metadata says already that the partition is where it is going. */
  isAssigned: boolean
  isCancelled: boolean
  /** Ends a pause. */
  wake: () => void
}

/** What a copy may leave unsynced on the way, and when it takes over: that much is synced in one go then. */
const SYNC_BYTES = 32 * 1024 * 1024
const TAKE_OVER_BYTES = 1024 * 1024
/** Times that a copy waits for the disk at its end before it takes over with more: clients may write faster than it syncs. */
const MAX_ROUNDS = 20

/** How long a move waits where compaction left nothing to copy before the end of the log. */
const GAP_RETRY_MS = 500
/** The same while compaction, which was told to, has not stopped yet. */
const BUSY_RETRY_MS = 10
/** A rate is looked at again after this long. */
const MAX_REST_MS = 1000
/** Where partitions shall be made that do not exist: more are not remembered, the oldest go. */
const MAX_WISHES = 10_000

const keyOf = (topic: string, partition: number): string => `${topic}/${partition}`

export class ReplicaMoves {
  readonly #o: ReplicaMovesOptions
  readonly #moves = new Map<string, Move>()
  readonly #running = new Set<Promise<void>>()
  readonly #wishes = new Map<string, string>()

  constructor(options: ReplicaMovesOptions) {
    this.#o = options
  }

  /** The log that is being filled, and where; undefined while the partition does not move. */
  of(topic: string, partition: number): { readonly to: LogDirectory; readonly log: Log } | undefined {
    return this.#moves.get(keyOf(topic, partition))
  }

  /** The partition shall be made in this directory, if it ever is. */
  wish(topic: string, partition: number, path: string): void {
    const key = keyOf(topic, partition)
    this.#wishes.delete(key)
    this.#wishes.set(key, path)
    if (this.#wishes.size > MAX_WISHES)
      for (const oldest of this.#wishes.keys()) return void this.#wishes.delete(oldest)
  }

  /** What was wished for, once. */
  takeWish(topic: string, partition: number): LogDirectory | undefined {
    const key = keyOf(topic, partition)
    const path = this.#wishes.get(key)
    this.#wishes.delete(key)
    return path === undefined ? undefined : this.#o.dirs.byPath(path)
  }

  /** Begins to move a partition. Throws what the disk throws. */
  start(partition: Partition, to: OnlineDirectory): void {
    const { topic, partition: index } = partition
    const from = this.#o.dirs.of(topic, index)!
    // Of a move that was given up just now.
    to.dir.futures.discard(topic, index)
    const log = to.dir.futures.open(topic, index, known => this.#o.openLog(known, { isCurrent: false }))
    this.#begin({ topic, partition: index, from, to, log, isAssigned: false, isCancelled: false, wake: () => {} })
  }

  /** After a start: moves that were under way go on, what has nowhere to go is given up. */
  resume(): void {
    for (const directory of this.#o.dirs.online)
      for (const { topic, partition, log } of directory.dir.futures.all)
        if (!log) this.#resume(directory, topic, partition)
  }

  #resume(to: OnlineDirectory, topic: string, index: number): void {
    const { partitions, dirs, runtime } = this.#o
    const partition = partitions.get(topic, index)
    const from = dirs.of(topic, index)
    const moves = partition && from && from !== to && !this.of(topic, index)
    // It may belong to a log in a directory that is missing today.
    if (!partition && partitions.isOffline(topic, index)) return
    try {
      if (!moves || to.dir.futures.topicIdOf(topic, index) !== this.#o.topicId(topic, index)) {
        to.dir.futures.discard(topic, index)
        this.#o.onMoved()
        return
      }
      const log = to.dir.futures.open(topic, index, known => this.#o.openLog(known, { isCurrent: false }))
      cutToCommon(partition.log, log, runtime.clock.now())
      to.dir.writeCheckpoints()
      this.#begin({ topic, partition: index, from, to, log, isAssigned: false, isCancelled: false, wake: () => {} })
    } catch (error) {
      runtime.log.error({ topic, partition: index, path: to.path, err: error }, 'A move could not be resumed')
      if (error instanceof CorruptFileError) this.#discard(to, topic, index)
      else this.#suspect(to, error)
    }
  }

  /** Gives a move up: the partition stays where it is. */
  cancel(topic: string, partition: number): void {
    const move = this.#moves.get(keyOf(topic, partition))
    if (move) this.#giveUp(move)
  }

  /** A directory failed: what was moving into it or out of it stays where it is. */
  directoryFailed(directory: LogDirectory): void {
    for (const move of this.#moves.values()) {
      if (move.to === directory || move.from === directory) this.#giveUp(move, false)
    }
  }

  /** Stops copying, to go on after the next start. */
  async stop(): Promise<void> {
    for (const move of this.#moves.values()) {
      move.isCancelled = true
      move.wake()
    }
    this.#moves.clear()
    await Promise.all(this.#running)
  }

  #begin(move: Move): void {
    const { topic, partition, to } = move
    this.#moves.set(keyOf(topic, partition), move)
    this.#o.runtime.log.info({ topic, partition, path: to.path }, 'A partition moves to another log directory')
    const current = this.#o.partitions.get(topic, partition)?.log
    if (current) this.#o.compaction.pause(current)
    const running = this.#run(move).finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  async #run(move: Move): Promise<void> {
    let unsynced = 0
    let rounds = 0
    try {
      for (;;) {
        // Everybody else comes first.
        await new Promise<void>(resolve => this.#o.runtime.timers.defer(resolve))
        if (move.isCancelled) return
        const partition = this.#o.partitions.get(move.topic, move.partition)
        if (!partition || partition.log.offline) return this.#giveUp(move)
        const { bytes, isComplete } = this.#copy(partition, move)
        unsynced += bytes
        if (this.#o.compaction.isBusy(partition.log)) await this.#pause(move, BUSY_RETRY_MS)
        else if (isComplete && move.isAssigned && (unsynced <= TAKE_OVER_BYTES || rounds > MAX_ROUNDS)) {
          return this.#takeOver(partition, move)
        }
        if (isComplete || unsynced > SYNC_BYTES) {
          await move.log.sync()
          unsynced = 0
        }
        if (bytes === 0 && !isComplete) await this.#pause(move, GAP_RETRY_MS)
        else await this.#rest(move, bytes)
        if (isComplete) rounds++
        if (move.isCancelled) return
        if (isComplete && !move.isAssigned) await this.#prepare(partition, move)
      }
    } catch (error) {
      if (!move.isCancelled) this.#failed(move, error)
    }
  }

  #copy(partition: Partition, { log, to }: Move): { bytes: number; isComplete: boolean } {
    return copySlice(partition, log, this.#o.runtime.clock.now(), () => to.dir.writeCheckpoints())
  }

  /**
   * All that can be done before the turn in which the new log takes over. Recorded before it is done: after a crash in between, the
   * directory that is named holds all there is, or nothing yet.
   */
  async #prepare({ log }: Partition, move: Move): Promise<void> {
    move.isAssigned = true
    await this.#record(move, move.to)
    if (move.isCancelled) return
    move.log.advanceLogStartOffset(Math.min(log.logStartOffset, move.log.writtenOffset))
    move.to.dir.writeCheckpoints()
  }

  async #record({ topic, partition }: Move, { dir }: OnlineDirectory): Promise<void> {
    const topicId = this.#o.topicId(topic, partition)
    if (topicId !== undefined) await this.#o.assign({ topicId, partition, directoryId: dir.directoryId })
  }

  /** Within one turn: nothing is appended between the last copy and the first use of the new log. */
  #takeOver(partition: Partition, move: Move): void {
    const { topic, partition: index, from, to } = move
    const old = partition.log
    try {
      move.log.advanceLogStartOffset(old.logStartOffset)
      const log = to.dir.promoteFuture(topic, index, known => this.#o.openLog(known, { isCurrent: true }))
      this.#moves.delete(keyOf(topic, index))
      log.producers.adoptVerifications(old.producers)
      log.assignLeaderEpoch(partition.leaderEpoch, log.logEndOffset)
      partition.replaceLog(log)
    } catch (error) {
      // Where nobody knows which of the two folders the next start finds, none may be written to any more.
      if (!to.dir.futures.has(topic, index)) old.takeOffline(asError(error))
      return this.#failed(move, error)
    }
    try {
      from.dir.deleteLog(topic, index)
      this.#o.compaction.moved(topic, index, from.dir, to.dir)
    } catch (error) {
      this.#suspect(from, error)
    }
    // Until then a crash may bring the old folder's name back; the metadata say that it is not the one.
    from.dir.files.syncDir('').catch((error: unknown) => this.#suspect(from, error))
    this.#o.onMoved()
    this.#o.runtime.log.info(
      { topic, partition: index, path: to.path },
      'A partition has moved to another log directory',
    )
  }

  #failed(move: Move, error: unknown): void {
    const { topic, partition, to } = move
    this.#o.runtime.log.error(
      { topic, partition, path: to.path, err: error },
      'A partition could not be moved: it stays in its directory',
    )
    const failure = move.log.offline ?? (isSystemError(error) ? error : null)
    this.#giveUp(move)
    if (failure) this.#suspect(to, failure)
  }

  #giveUp(move: Move, discard = true): void {
    const { topic, partition, from, to } = move
    move.isCancelled = true
    move.wake()
    this.#moves.delete(keyOf(topic, partition))
    if (!move.isAssigned) {
      if (discard) this.#discard(to, topic, partition)
      return
    }
    // As long as the metadata name that directory, the folder in it says that not everything is there.
    this.#record(move, from).then(
      () => {
        if (discard && this.of(topic, partition)?.to !== to) this.#discard(to, topic, partition)
      },
      (error: unknown) => {
        const message = 'The directory of a partition could not be recorded'
        this.#o.runtime.log.error({ topic, partition, err: error }, message)
      },
    )
  }

  #discard(to: OnlineDirectory, topic: string, partition: number): void {
    try {
      to.dir.futures.discard(topic, partition)
      this.#o.onMoved()
    } catch (error) {
      this.#suspect(to, error)
    }
  }

  #suspect(directory: OnlineDirectory, error: unknown): void {
    if (!isSystemError(error))
      this.#o.runtime.log.error({ path: directory.path, err: error }, 'A log directory is not as expected')
    this.#o.suspect(directory, asError(error))
  }

  /** Keeps to replica.alter.log.dirs.io.max.bytes.per.second, which may change meanwhile; all moves share it. */
  async #rest(move: Move, bytes: number): Promise<void> {
    for (let owed = bytes; owed > 0 && !move.isCancelled;) {
      const rate = this.#o.config['replica.alter.log.dirs.io.max.bytes.per.second'] / Math.max(1, this.#moves.size)
      const ms = Math.min(MAX_REST_MS, Math.floor((owed * 1000) / rate))
      if (ms < 1) return
      await this.#pause(move, ms)
      owed -= (rate * ms) / 1000
    }
  }

  async #pause(move: Move, ms: number): Promise<void> {
    if (move.isCancelled) return
    await new Promise<void>(resolve => {
      const timer = this.#o.runtime.timers.after(ms, resolve)
      move.wake = () => {
        timer.cancel()
        resolve()
      }
    })
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))
