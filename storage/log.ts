/**
 * One partition's log (UnifiedLog.java, LocalLog.java): ordered segments in Kafka's own format. An append is synchronous and
 * ends in memory; write() hands everything queued to the operating system, sync() to the disk (log-offsets.ts keeps count).
 * A failed disk call takes the log offline for good: from then on nobody knows what the disk holds until it is opened anew.
 */
import assert from 'node:assert'
import * as errors from '../protocol/errors.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { Records } from '../protocol/schema.ts'
import { DiskGuard } from './disk-guard.ts'
import { GroupSync } from './group-sync.ts'
import type { AppendTarget } from './log-append.ts'
import { appendRecords } from './log-append.ts'
import { Compaction } from './compaction.ts'
import type { LogConfig } from './log-config.ts'
import type { LogFiles } from './log-files.ts'
import { LogContents } from './log-contents.ts'
import type { AppendInfo, AppendOptions, OpenOptions, ReadOptions } from './log-options.ts'
import { LogOffsets } from './log-offsets.ts'
import type { OffsetAndTimestamp } from './log-read.ts'
import { emptyRecords, findAborted, findByTimestamp, findLargestTimestamp, readSegments } from './log-read.ts'
import type { RestingLog } from './resting.ts'
import { restartLog, truncateLog } from './log-truncate.ts'
import type { ProducerState } from './producer-state.ts'
import { readMemoryOf, type ReadMemory } from './read-ahead.ts'
import { deleteOldSegments, rollIfOld } from './log-retention.ts'
import type { Tail, TailRecords } from './tail.ts'
import type { AbortedTxn } from './txn-index.ts'
import { expansionLimit } from './validate.ts'
import { WriteQueue } from './write-queue.ts'

export type { AppendOrigin, LogConfig } from './log-config.ts'
export type { AppendInfo, AppendOptions, OpenOptions, ReadOptions } from './log-options.ts'
export type { OffsetAndTimestamp } from './log-read.ts'
export { RecordBatchError } from './validate.ts'
export type { BatchRecordError } from './validate.ts'

/** Whole batches; to be released once they have left. Empty when nothing is there (yet). */
export type FetchedRecords = TailRecords

export class Log {
  readonly topic: string
  readonly partition: number
  readonly topicId: string | null
  /** Bytes that the recovery read when the log was opened; 0 after a clean stop. */
  readonly scannedBytes: number
  /** After a clean close: what the next start may know of the log without opening its folder. */
  resting: RestingLog | null = null
  readonly #contents: LogContents
  readonly #tail: Tail
  readonly #queue: WriteQueue
  readonly #memory: ReadMemory
  #parts: AppendTarget | null = null
  #compaction: Compaction | null = null
  readonly #offsets: LogOffsets
  #closed = false
  readonly #disk: DiskGuard
  readonly #sync = new GroupSync(() => this.#syncRound())

  /** Opens the folder and recovers it, or leaves that for later (log-contents.ts). @throws what LogContents throws */
  static open(o: OpenOptions): Log {
    return new Log(o)
  }

  private constructor(o: OpenOptions) {
    const contents = new LogContents(o)
    const { logStartOffset, logEndOffset, recoveryPoint, scannedBytes } = contents.start
    this.topic = o.topic
    this.partition = o.partition
    this.topicId = contents.topicId
    this.scannedBytes = scannedBytes
    this.#contents = contents
    this.#tail = o.arena.tail()
    this.#queue = new WriteQueue(o.arena)
    this.#disk = new DiskGuard(contents.folder, error => {
      this.#queue.clear()
      this.#tail.clear()
      o.onError?.(error)
    })
    this.#memory = readMemoryOf(o.arena)
    this.#offsets = new LogOffsets(contents.folder, logStartOffset, logEndOffset, recoveryPoint, o.now)
  }

  /** Opens them if they are not. @throws KafkaError KAFKA_STORAGE_ERROR */
  get #files(): LogFiles {
    return this.#contents.isOpen ? this.#contents.files : this.#disk.read(() => this.#contents.files)
  }

  get #target(): AppendTarget {
    if (this.#parts !== null) return this.#parts
    const roll = (now: number): void => this.roll(now)
    const own = { offsets: this.#offsets, disk: this.#disk, queue: this.#queue, tail: this.#tail, roll }
    return (this.#parts = { files: this.#files, producers: this.producers, ...own })
  }

  get producers(): ProducerState {
    return this.#contents.isOpen ? this.#contents.producers : this.#disk.read(() => this.#contents.producers)
  }

  get compaction(): Compaction {
    return (this.#compaction ??= new Compaction(this.#target, () => this.sync()))
  }

  /** Whether the folder was opened: before that nothing has happened here. */
  get isOpen(): boolean {
    return this.#contents.isOpen
  }

  get config(): LogConfig {
    return this.#contents.config
  }

  configure(config: LogConfig): void {
    if (!config.cleanupPolicy.compact) this.#compaction?.abort()
    this.#contents.configure(config)
  }

  get logStartOffset(): number {
    return this.#offsets.start
  }

  /** The offset the next record gets. */
  get logEndOffset(): number {
    return this.#offsets.end
  }

  /** Everything below it has reached the operating system: it survives the end of this process. */
  get writtenOffset(): number {
    return this.#offsets.written
  }

  /** Everything below it has reached the disk: the recovery point. */
  get syncedOffset(): number {
    return this.#offsets.synced
  }

  /** Why the log takes no more requests; null while all is well. */
  get offline(): Error | null {
    return this.#disk.failure
  }

  /** The disk below failed: nothing is read or written from now on. */
  takeOffline(cause: Error): void {
    this.#disk.failed(cause)
  }

  /** Bytes of all segments, queued ones included. */
  get sizeInBytes(): number {
    return this.#contents.sizeInBytes
  }

  get segmentCount(): number {
    return this.#contents.segmentCount
  }

  /** The segments in order; `time` is the largest timestamp of its records, or when it was created. */
  get segmentBounds(): { baseOffset: number; size: number; time: number }[] {
    return this.#files.segments.map(({ baseOffset, size, largestTimestamp: time }) => ({ baseOffset, size, time }))
  }

  /** Whether appends wait for write(). */
  get dirty(): boolean {
    return !this.#queue.isEmpty
  }

  /** Of the last batch or assignLeaderEpoch, -1 when unknown. */
  get latestEpoch(): number {
    return this.#files.epochs.latestEpoch
  }

  /**
   * Appends one batch (origin replication: any number), assigning offsets. The bytes are copied; they reach the file with
   * the next write().
   * @throws KafkaError: RecordBatchError (validate.ts), RECORD_LIST_TOO_LARGE, those of ProducerState.check,
   * KAFKA_STORAGE_ERROR
   */
  append(records: Records | Buffer, o: AppendOptions): AppendInfo {
    this.#mustBeOnline()
    return appendRecords(this.#target, records, o)
  }

  /** Writes everything queued in one call. @throws KafkaError KAFKA_STORAGE_ERROR: the log is offline then */
  write(): void {
    if (this.#queue.isEmpty) return
    this.#mustBeOnline()
    this.#disk.run(() => this.#files.write(this.#queue.parts(), this.#queue.byteLength))
    this.#queue.clear()
    this.#offsets.wrote()
  }

  /** Brings all that was appended to the disk. Calls made meanwhile share the next round. @throws KafkaError KAFKA_STORAGE_ERROR */
  sync(): Promise<void> {
    return this.#sync.sync()
  }

  /** flush.messages */
  get flushIntervalReached(): boolean {
    return this.#offsets.written - this.#offsets.synced >= this.config.flushMessages
  }

  /** Whether flush.messages or flush.ms ask for a sync, or a segment was sealed since the last one. */
  flushDue(now: number): boolean {
    if (this.offline !== null || !this.isOpen) return false
    if (this.flushIntervalReached || this.#files.hasSealedUnsynced) return true
    return this.#offsets.hasWaited(now, this.config.flushMs)
  }

  /**
   * Whole batches from the one that holds `offset` on, below `maxOffset`; none at the end of the log. What is queued and asked
   * for is written first.
   * @throws KafkaError OFFSET_OUT_OF_RANGE, KAFKA_STORAGE_ERROR, CORRUPT_MESSAGE
   */
  read(offset: number, o: ReadOptions): FetchedRecords {
    this.#mustBeOnline()
    this.#offsets.mustHold(offset)
    const end = Math.min(o.maxOffset, this.#offsets.end)
    if (offset >= end) return emptyRecords(offset)
    if (end > this.#offsets.written) this.write()
    return (
      this.#tail.read(offset, o) ?? this.#disk.read(() => readSegments(this.#files.segments, this.#memory, offset, o))
    )
  }

  /** The first record at or above the timestamp, exact to the record also inside compressed batches; null if there is none. */
  offsetForTimestamp(timestamp: number): OffsetAndTimestamp | null {
    return this.#search((all, limit) => findByTimestamp(all, this.#offsets.start, timestamp, limit))
  }

  /** The record with the largest timestamp (KIP-734); null when no record has one. */
  maxTimestamp(): OffsetAndTimestamp | null {
    return this.#search(findLargestTimestamp)
  }

  /** Where a leader epoch ended (KIP-101): see LeaderEpochs.endOffsetFor. */
  endOffsetForEpoch(epoch: number): { epoch: number; endOffset: number } {
    return this.#files.epochs.endOffsetFor(epoch, this.#offsets.end)
  }

  /** The leader epoch in force at an offset, -1 when unknown. */
  epochForOffset(offset: number): number {
    return this.#files.epochs.epochForOffset(offset)
  }

  /** A leader takes over: what is appended from `startOffset` on belongs to its epoch. */
  assignLeaderEpoch(epoch: number, startOffset: number): void {
    this.#mustBeOnline()
    this.#contents.beginEpoch(epoch, startOffset)
  }

  /** Aborted transactions that overlap [from, to), by last offset. */
  abortedTransactions(from: number, to: number): AbortedTxn[] {
    this.#mustBeOnline()
    return this.#disk.read(() => findAborted(this.#files.segments, from, to))
  }

  /** Seals the active segment and begins the next one. Does nothing while the active segment is empty. */
  roll(now: number): void {
    this.#mustBeOnline()
    this.write()
    if (this.#files.active.size === 0 && this.#files.active.baseOffset === this.#offsets.end) return
    this.#disk.run(() => this.#files.roll(this.#offsets.end, this.producers, now))
  }

  /**
   * Cuts the log so that it holds only batches wholly below `offset`. The caller writes the recovery point checkpoint
   * before it appends again.
   */
  truncateTo(offset: number, now: number): void {
    assert(offset >= 0, `truncation to ${offset}`)
    this.#mustBeOnline()
    this.write()
    this.compaction.abort()
    truncateLog(this.#target, offset, now)
  }

  /** Drops everything; the next record gets `offset`. The caller writes the checkpoints before it appends again. */
  truncateFullyAndStartAt(offset: number, now: number): void {
    this.#mustBeOnline()
    this.write()
    this.compaction.abort()
    restartLog(this.#target, offset, now)
  }

  /**
   * Moves the start of the log forward (DeleteRecords, retention); whole segments below it go with the next applyRetention().
   * @throws KafkaError OFFSET_OUT_OF_RANGE beyond what was written
   */
  advanceLogStartOffset(offset: number): void {
    this.#mustBeOnline()
    this.#offsets.mustBeWritten(offset)
    if (offset <= this.#offsets.start) return
    const { files, producers } = this.#target
    this.#offsets.startAt(offset)
    producers.onLogStartOffsetIncremented(offset)
    if (files.epochs.truncateFromStart(offset)) files.epochsChanged()
  }

  /**
   * Deletes the segments that retention.ms, retention.bytes or the log start offset give up, and rolls one older than
   * segment.ms that gets no appends. `readableEnd`: the high watermark, by default all that is written. @returns how many segments were deleted
   */
  applyRetention(now: number, readableEnd?: number): number {
    if (this.offline !== null || this.#closed || !this.#contents.mayExpire(now)) return 0
    this.write()
    rollIfOld(this.#target, now)
    // Compaction counts on its segments; retention comes again.
    if (this.compaction.isRunning) return 0
    return deleteOldSegments(this.#target, now, {
      readableEnd: readableEnd ?? this.#offsets.written,
      startAt: offset => this.advanceLogStartOffset(offset),
    })
  }

  /** Removes files of dropped segments once file.delete.delay.ms has passed. @returns how many */
  deletePendingFiles(now: number): number {
    if (this.offline !== null || this.#closed || !this.isOpen) return 0
    return this.#disk.run(() => this.#files.deletePending(now))
  }

  /**
   * Gives everything back. `clean`: after it resolves everything is on disk and the next open needs no recovery; a failure
   * rejects. Otherwise what is queued is dropped. An offline log is closed without a word: whoever marks the directory as
   * clean has to ask for `offline`.
   */
  async close(clean: boolean): Promise<void> {
    await this.#sync.idle()
    try {
      // Most of it in the thread pool: thousands of logs are closed at once.
      if (clean && this.isOpen && !this.#closed && this.offline === null) {
        this.write()
        this.#disk.run(() => this.#files.finish(this.producers))
        await this.sync()
      }
    } finally {
      this.closeNow(clean)
    }
  }

  /** As close, while no sync is under way. */
  closeNow(clean: boolean): void {
    if (this.#closed) return
    try {
      if (clean && this.offline === null) {
        this.write()
        this.#compaction?.abort()
        this.resting = this.#disk.run(() => this.#contents.finish(this.logStartOffset, this.writtenOffset))
        this.#offsets.syncStarts()
        this.#offsets.syncEnded()
      }
    } finally {
      this.#release()
    }
  }

  /** Renames the folder to `<topic>-<partition>.<id>-delete`, to be removed later. @returns its name; null if there is none */
  delete(): string | null {
    this.#release()
    return this.#contents.markDeleted()
  }

  async #syncRound(): Promise<void> {
    this.#mustBeOnline()
    this.write()
    this.#offsets.syncStarts()
    if (!this.isOpen) return
    try {
      await this.#files.sync(this.#offsets.written)
    } catch (error) {
      // Closed and renamed meanwhile: nobody waits for this folder any more.
      if (this.#closed) return
      throw this.#disk.failed(error)
    }
    if (this.#closed) return
    // A write may have failed meanwhile: this round's success says nothing then.
    this.#disk.check()
    this.#offsets.syncEnded()
  }

  #search<T>(find: (segments: LogFiles['segments'], maxExpandedBytes: number) => T): T {
    this.#mustBeOnline()
    this.write()
    return this.#disk.read(() => find(this.#files.segments, expansionLimit(this.config)))
  }

  #mustBeOnline(): void {
    this.#disk.check()
    if (!this.#closed) return
    throw new KafkaError(errors.NOT_LEADER_OR_FOLLOWER, `The log ${this.#contents.folder} is closed.`)
  }

  #release(): void {
    if (this.#closed) return
    this.#closed = true
    this.#compaction?.forget()
    this.#queue.clear()
    this.#tail.clear()
    this.#contents.close()
  }
}
