/**
 * One partition's log (UnifiedLog.java, LocalLog.java): ordered segments in Kafka's own format. An append is synchronous and
 * ends in memory; write() hands everything queued to the operating system, sync() to the disk. At any time
 *   syncedOffset <= writtenOffset <= logEndOffset
 * A failed disk call takes the log offline for good: from then on nobody knows what the disk holds until it is opened anew.
 */
import assert from 'node:assert'
import * as header from '../protocol/records/batch.ts'
import * as errors from '../protocol/errors.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { Records } from '../protocol/schema.ts'
import { DiskGuard } from './disk-guard.ts'
import { GroupSync } from './group-sync.ts'
import { contiguous, folderId, reconcileTopicId, replicatedBatches } from './log-parts.ts'
import type { LogConfig } from './log-config.ts'
import { LogFiles } from './log-files.ts'
import type { AppendInfo, AppendOptions, OpenOptions, ReadOptions } from './log-options.ts'
import type { OffsetAndTimestamp } from './log-read.ts'
import { emptyRecords, findByTimestamp, findLargestTimestamp, readSegments, segmentIndex } from './log-read.ts'
import * as names from './names.ts'
import type { ProducerState } from './producer-state.ts'
import { firstOffsetOf } from './producer-state.ts'
import type { ReadBuffers } from './read-buffers.ts'
import { readBuffersOf } from './read-buffers.ts'
import { loadLog } from './recovery.ts'
import { applyBatch, indexTransaction, markerOf, replaySegments } from './replay.ts'
import { planRetention } from './retention.ts'
import type { Tail, TailRecords } from './tail.ts'
import type { AbortedTxn } from './txn-index.ts'
import { validateBatch } from './validate.ts'
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
  readonly producers: ProducerState
  readonly #o: OpenOptions
  readonly #files: LogFiles
  readonly #tail: Tail
  readonly #queue: WriteQueue
  readonly #buffers: ReadBuffers
  #logStartOffset: number
  #logEndOffset: number
  #writtenOffset: number
  #syncedOffset: number
  #closed = false
  readonly #disk: DiskGuard
  readonly #sync = new GroupSync(() => this.#syncRound())
  /** How far the sync under way will have come; a truncation takes it back. */
  #syncTarget = 0
  /** When the oldest unsynced record was appended, at the latest; -1: all are synced. */
  #unsyncedSince = -1
  #lastAppend = -1

  /**
   * Opens the folder of the partition, creating it if need be, and recovers it (recovery.ts).
   * @throws what the disk throws; Error for a folder of another topic id
   */
  static open(o: OpenOptions): Log {
    const folder = names.partitionFolder(o.topic, o.partition)
    const isNew = !o.files.exists(folder)
    o.files.mkdir(folder)
    const topicId = reconcileTopicId(o.files, folder, o.topicId)
    const rollJitterMs = () => Math.floor((o.random?.() ?? 0) * o.config.segmentJitterMs)
    const options = { ...o, folder, isNew, rollJitterMs }
    const loaded = loadLog(options)
    const log = new Log(o, topicId, new LogFiles(options, loaded), loaded.producers)
    log.#logStartOffset = loaded.logStartOffset
    log.#logEndOffset = log.#writtenOffset = loaded.logEndOffset
    log.#syncedOffset = loaded.recoveryPoint
    if (loaded.recoveryPoint < loaded.logEndOffset) log.#unsyncedSince = o.now
    return log
  }

  private constructor(o: OpenOptions, topicId: string | null, files: LogFiles, producers: ProducerState) {
    this.topic = o.topic
    this.partition = o.partition
    this.topicId = topicId
    this.producers = producers
    this.#o = o
    this.#files = files
    this.#tail = o.arena.tail()
    this.#queue = new WriteQueue(o.arena)
    this.#disk = new DiskGuard(files.folder, error => {
      this.#queue.clear()
      this.#tail.clear()
      o.onError?.(error)
    })
    this.#buffers = readBuffersOf(o.arena)
    this.#logStartOffset = this.#logEndOffset = this.#writtenOffset = this.#syncedOffset = 0
  }

  get config(): LogConfig {
    return this.#files.config
  }

  configure(config: LogConfig): void {
    this.#files.configure(config)
    this.producers.expirationMs = config.producerIdExpirationMs
  }

  /** The first offset that may be read. */
  get logStartOffset(): number {
    return this.#logStartOffset
  }

  /** The offset the next record gets. */
  get logEndOffset(): number {
    return this.#logEndOffset
  }

  /** Everything below it has reached the operating system: it survives the end of this process. */
  get writtenOffset(): number {
    return this.#writtenOffset
  }

  /** Everything below it has reached the disk: the recovery point. */
  get syncedOffset(): number {
    return this.#syncedOffset
  }

  /** Why the log takes no more requests; null while all is well. */
  get offline(): Error | null {
    return this.#disk.failure
  }

  /** Bytes of all segments, queued ones included. */
  get sizeInBytes(): number {
    return this.#files.segments.reduce((sum, segment) => sum + segment.size, 0)
  }

  get segmentCount(): number {
    return this.#files.segments.length
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
    const bytes = contiguous(records)
    const firstOffset = this.#logEndOffset
    const { config } = this
    if (o.origin === 'replication') return this.#appendReplicated(bytes, o)
    const batch = validateBatch(bytes, { config, now: o.now, origin: o.origin, apiVersion: o.apiVersion })
    if (batch.size > config.segmentBytes) {
      throw new KafkaError(
        errors.RECORD_LIST_TOO_LARGE,
        `The batch of ${batch.size} bytes is larger than segment.bytes, ${config.segmentBytes}.`,
      )
    }
    const known = this.#checkProducer(batch.bytes, o)
    if (known !== null) return known
    this.#store(batch.bytes, 0, batch.size, firstOffset, batch.maxTimestamp, o)
    return {
      firstOffset,
      lastOffset: this.#logEndOffset - 1,
      logAppendTime: config.timestampType === 'LogAppendTime' ? o.now : -1,
      logStartOffset: this.#logStartOffset,
      duplicate: false,
      byteLength: batch.size,
    }
  }

  /** Writes everything queued in one call. @throws KafkaError KAFKA_STORAGE_ERROR: the log is offline then */
  write(): void {
    if (this.#queue.isEmpty) return
    this.#mustBeOnline()
    this.#disk.run(() => this.#files.write(this.#queue.parts(), this.#queue.byteLength))
    this.#queue.clear()
    this.#writtenOffset = this.#logEndOffset
    this.#checkInvariant()
  }

  /**
   * Brings everything appended so far to the disk. Calls made while the disk is busy share the next round.
   * @throws KafkaError KAFKA_STORAGE_ERROR: the log is offline then, and what was not synced may be lost
   */
  sync(): Promise<void> {
    return this.#sync.sync()
  }

  /** flush.messages */
  get flushIntervalReached(): boolean {
    return this.#writtenOffset - this.#syncedOffset >= this.config.flushMessages
  }

  /** Whether flush.messages or flush.ms ask for a sync, or a segment was sealed since the last one. */
  flushDue(now: number): boolean {
    if (this.offline !== null) return false
    if (this.flushIntervalReached || this.#files.hasSealedUnsynced) return true
    return this.#unsyncedSince >= 0 && now - this.#unsyncedSince >= this.config.flushMs
  }

  /**
   * Whole batches from the one that holds `offset` on, below `maxOffset`; none at the end of the log. What is queued and asked
   * for is written first.
   * @throws KafkaError OFFSET_OUT_OF_RANGE, KAFKA_STORAGE_ERROR, CORRUPT_MESSAGE
   */
  read(offset: number, o: ReadOptions): FetchedRecords {
    this.#mustBeOnline()
    if (offset < this.#logStartOffset || offset > this.#logEndOffset) {
      throw new KafkaError(
        errors.OFFSET_OUT_OF_RANGE,
        `Offset ${offset} is outside the log, which has ${this.#logStartOffset} to ${this.#logEndOffset}.`,
      )
    }
    const end = Math.min(o.maxOffset, this.#logEndOffset)
    if (offset >= end) return emptyRecords(offset)
    if (end > this.#writtenOffset) this.write()
    return (
      this.#tail.read(offset, o) ?? this.#disk.run(() => readSegments(this.#files.segments, this.#buffers, offset, o))
    )
  }

  /** The first record at or above the timestamp, exact to the record also inside compressed batches; null if there is none. */
  offsetForTimestamp(timestamp: number): OffsetAndTimestamp | null {
    this.#mustBeOnline()
    this.write()
    return this.#disk.run(() => findByTimestamp(this.#files.segments, this.#logStartOffset, timestamp))
  }

  /** The record with the largest timestamp (KIP-734); null when no record has one. */
  maxTimestamp(): OffsetAndTimestamp | null {
    this.#mustBeOnline()
    this.write()
    return this.#disk.run(() => findLargestTimestamp(this.#files.segments))
  }

  /** Where a leader epoch ended (KIP-101): see LeaderEpochs.endOffsetFor. */
  endOffsetForEpoch(epoch: number): { epoch: number; endOffset: number } {
    return this.#files.epochs.endOffsetFor(epoch, this.#logEndOffset)
  }

  /** The leader epoch in force at an offset, -1 when unknown. */
  epochForOffset(offset: number): number {
    return this.#files.epochs.epochForOffset(offset)
  }

  /** A leader takes over: what is appended from `startOffset` on belongs to its epoch. */
  assignLeaderEpoch(epoch: number, startOffset: number): void {
    this.#mustBeOnline()
    if (this.#files.epochs.assign(epoch, startOffset)) this.#writeEpochs()
  }

  /** Aborted transactions that overlap [from, to), by last offset. */
  abortedTransactions(from: number, to: number): AbortedTxn[] {
    this.#mustBeOnline()
    const found: AbortedTxn[] = []
    const { segments } = this.#files
    return this.#disk.run(() => {
      for (let n = segmentIndex(segments, from); n < segments.length; n++) {
        if (segments[n]!.transactions.collect(from, to, found)) break
      }
      return found
    })
  }

  /** Seals the active segment and begins the next one. Does nothing while the active segment is empty. */
  roll(now: number): void {
    this.#mustBeOnline()
    this.write()
    if (this.#files.active.size === 0 && this.#files.active.baseOffset === this.#logEndOffset) return
    this.#disk.run(() => this.#files.roll(this.#logEndOffset, this.producers, now))
  }

  /**
   * Cuts the log so that it holds only batches wholly below `offset`. The caller writes the recovery point checkpoint
   * before it appends again.
   */
  truncateTo(offset: number, now: number): void {
    assert(offset >= 0, `truncation to ${offset}`)
    this.#mustBeOnline()
    this.write()
    const { segments, epochs, snapshots } = this.#files
    if (offset < segments[0]!.baseOffset) return this.truncateFullyAndStartAt(offset, now)
    // Even where no record goes: a leader that wrote nothing in its epoch leaves an entry behind.
    if (offset < this.#logEndOffset) {
      this.#disk.run(() => {
        this.#files.drop(segmentIndex(segments, offset) + 1, segments.length, now)
        this.#moveEnd(this.#files.cutActive(offset, now))
        snapshots.keepWithin(-1, this.#logEndOffset)
        snapshots.load(this.producers, this.#logStartOffset, this.#logEndOffset, now)
        replaySegments(this.producers, segments, this.#logEndOffset)
        this.producers.mapEndOffset = this.#logEndOffset
      })
    }
    if (epochs.truncateFromEnd(this.#logEndOffset)) this.#writeEpochs()
  }

  /** Drops everything; the next record gets `offset`. The caller writes the checkpoints before it appends again. */
  truncateFullyAndStartAt(offset: number, now: number): void {
    this.#mustBeOnline()
    this.write()
    this.#disk.run(() => this.#files.restartAt(offset, now))
    this.#moveEnd(offset)
    this.#tail.clear()
    this.#logStartOffset = offset
    this.producers.clear(offset)
    this.#files.epochs.clear()
    this.#writeEpochs()
  }

  /**
   * Moves the start of the log forward (DeleteRecords, retention); whole segments below it go with the next applyRetention().
   * @throws KafkaError OFFSET_OUT_OF_RANGE beyond what was written
   */
  advanceLogStartOffset(offset: number): void {
    this.#mustBeOnline()
    if (offset > this.#writtenOffset) {
      throw new KafkaError(
        errors.OFFSET_OUT_OF_RANGE,
        `The log cannot start at ${offset}: it ends at ${this.#writtenOffset}.`,
      )
    }
    if (offset <= this.#logStartOffset) return
    this.#logStartOffset = offset
    this.producers.onLogStartOffsetIncremented(offset)
    if (this.#files.epochs.truncateFromStart(offset)) this.#writeEpochs()
  }

  /**
   * Deletes the segments that retention.ms, retention.bytes or the log start offset give up, and rolls one older than
   * segment.ms that gets no appends. `readableEnd`: the high watermark, by default all that is written. @returns how many segments were deleted
   */
  applyRetention(now: number, readableEnd?: number): number {
    if (this.offline !== null || this.#closed) return 0
    this.write()
    const { active, segments, snapshots } = this.#files
    if (active.size > 0 && now - active.created > this.config.segmentMs - active.rollJitterMs) this.roll(now)
    const { config, logStartOffset, logEndOffset } = this
    const facts = { config, now, logStartOffset, logEndOffset, readableEnd: readableEnd ?? this.#writtenOffset }
    const { count } = this.#disk.run(() => planRetention(segments, facts))
    if (count === 0) return 0
    if (count === segments.length) this.roll(now)
    // Nobody may be sent to an offset whose file is about to go.
    this.advanceLogStartOffset(segments[count]!.baseOffset)
    this.#disk.run(() => {
      this.#files.drop(0, count, now)
      snapshots.keepWithin(this.#logStartOffset, this.#logEndOffset)
    })
    return count
  }

  /** Removes files of dropped segments once file.delete.delay.ms has passed. @returns how many */
  deletePendingFiles(now: number): number {
    if (this.offline !== null || this.#closed) return 0
    return this.#disk.run(() => this.#files.deletePending(now))
  }

  /**
   * Gives everything back. `clean`: after it resolves everything is on disk and the next open needs no recovery; a failure
   * rejects. Otherwise what is queued is dropped. An offline log is closed without a word: whoever marks the directory as
   * clean has to ask for `offline`.
   */
  async close(clean: boolean): Promise<void> {
    if (this.#closed) return
    try {
      await this.#sync.idle()
      if (clean && this.offline === null) {
        this.write()
        this.#disk.run(() => this.#files.syncForClose(this.producers))
        this.#syncedOffset = this.#writtenOffset
      }
    } finally {
      this.#release()
    }
  }

  /** Renames the folder to `<topic>-<partition>.<id>-delete`, to be removed later. The log answers no more. @returns its name */
  delete(): string {
    this.#release()
    const { files } = this.#o
    const id = folderId(this.topicId, this.#files.folder)
    let target = names.markedFolder(this.topic, this.partition, id, 'delete')
    for (let n = 1; files.exists(target); n++) {
      target = names.markedFolder(this.topic, this.partition, folderId(null, `${id}${n}`), 'delete')
    }
    files.rename(this.#files.folder, target)
    files.syncDirNow('')
    return target
  }

  /** The answer for a batch that was sent before, else null. */
  #checkProducer(bytes: Buffer, o: AppendOptions): AppendInfo | null {
    const producerId = header.producerId(bytes, 0)
    if (producerId < 0) return null
    const marker = markerOf(bytes, 0)
    if (marker !== null) {
      const epoch = header.producerEpoch(bytes, 0)
      this.producers.checkMarker(producerId, epoch, marker, o.transactionVersion ?? 0)
      return null
    }
    const known = this.producers.check(bytes, 0, o.origin)
    if (known === null) return null
    return {
      firstOffset: firstOffsetOf(known),
      lastOffset: known.lastOffset,
      logAppendTime: this.config.timestampType === 'LogAppendTime' ? known.timestamp : -1,
      logStartOffset: this.#logStartOffset,
      duplicate: true,
      byteLength: 0,
    }
  }

  #appendReplicated(bytes: Buffer, o: AppendOptions): AppendInfo {
    const firstOffset = this.#logEndOffset
    let byteLength = 0
    for (const at of replicatedBatches(bytes, o.leaderEpoch, firstOffset)) {
      const size = header.sizeInBytes(bytes, at)
      const leaderEpoch = header.partitionLeaderEpoch(bytes, at)
      const maxTimestamp = header.maxTimestamp(bytes, at)
      this.#store(bytes, at, size, header.baseOffset(bytes, at), maxTimestamp, { ...o, leaderEpoch })
      byteLength += size
    }
    const { logStartOffset, logEndOffset } = this
    const lastOffset = logEndOffset - 1
    return { firstOffset, lastOffset, logAppendTime: -1, logStartOffset, duplicate: false, byteLength }
  }

  /** The batch at `at` is accepted: copies it into the arena, patches it there and takes note of it everywhere. */
  #store(
    bytes: Buffer,
    at: number,
    size: number,
    baseOffset: number,
    maxTimestamp: number,
    { leaderEpoch, now, origin }: AppendOptions,
  ): void {
    const lastOffset = baseOffset + header.lastOffsetDelta(bytes, at)
    if (leaderEpoch >= 0 && this.#files.epochs.assign(leaderEpoch, baseOffset)) this.#writeEpochs()
    const mustRoll = this.#disk.run(() =>
      this.#files.active.shouldRoll(size, maxTimestamp, lastOffset, now, this.config),
    )
    if (mustRoll) this.roll(now)
    const slice = this.#queue.add(at === 0 && size === bytes.length ? bytes : bytes.subarray(at, at + size))
    const { buffer } = slice.slab
    if (origin !== 'replication') {
      header.setBaseOffset(buffer, slice.start, baseOffset)
      header.setLeaderEpoch(buffer, slice.start, leaderEpoch)
      header.setMaxTimestampAndType(buffer, slice.start, maxTimestamp, this.config.timestampType)
    }
    this.#disk.run(() => this.#files.active.append(buffer, slice.start))
    this.#tail.push(baseOffset, lastOffset + 1, slice)
    this.#logEndOffset = lastOffset + 1
    this.#lastAppend = now
    if (this.#unsyncedSince < 0) this.#unsyncedSince = now
    const completed = applyBatch(this.producers, buffer, slice.start)
    if (completed !== null) this.#disk.run(() => indexTransaction(this.producers, this.#files.active, completed))
  }

  async #syncRound(): Promise<void> {
    this.#mustBeOnline()
    this.write()
    this.#syncTarget = this.#writtenOffset
    const lastAppend = this.#lastAppend
    try {
      await this.#files.sync()
    } catch (error) {
      // Closed and renamed meanwhile: nobody waits for this folder any more.
      if (this.#closed) return
      throw this.#disk.failed(error)
    }
    if (this.#closed) return
    // A write may have failed meanwhile: this round's success says nothing then.
    this.#disk.check()
    this.#syncedOffset = Math.max(this.#syncedOffset, this.#syncTarget)
    this.#unsyncedSince = this.#syncedOffset < this.#logEndOffset ? lastAppend : -1
    this.#checkInvariant()
  }

  /** The log was cut: offsets from `end` on will be given out again. */
  #moveEnd(end: number): void {
    this.#tail.truncateTo(end)
    this.#logEndOffset = this.#writtenOffset = end
    this.#syncedOffset = Math.min(this.#syncedOffset, end)
    this.#syncTarget = Math.min(this.#syncTarget, end)
    this.#logStartOffset = Math.min(this.#logStartOffset, end)
  }

  #writeEpochs(): void {
    this.#disk.run(() => this.#files.writeEpochs())
  }

  #mustBeOnline(): void {
    this.#disk.check()
    if (!this.#closed) return
    throw new KafkaError(errors.NOT_LEADER_OR_FOLLOWER, `The log ${this.#files.folder} is closed.`)
  }

  #checkInvariant(): void {
    assert(
      this.#syncedOffset <= this.#writtenOffset && this.#writtenOffset <= this.#logEndOffset,
      `${this.#files.folder}: synced ${this.#syncedOffset}, written ${this.#writtenOffset}, end ${this.#logEndOffset}`,
    )
  }

  #release(): void {
    if (this.#closed) return
    this.#closed = true
    this.#queue.clear()
    this.#tail.clear()
    this.#files.close()
  }
}
