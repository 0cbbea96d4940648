/**
 * One partition's log (UnifiedLog.java, LocalLog.java): ordered segments in Kafka's own format. An append is synchronous and
 * ends in memory; write() hands everything queued to the operating system, sync() to the disk. At any time
 *   logStartOffset <= syncedOffset <= writtenOffset <= logEndOffset
 * A failed disk call takes the log offline for good: from then on nobody knows what the disk holds until it is opened anew.
 */
import assert from 'node:assert'
import { crc32c } from '../protocol/records/crc32c.ts'
import * as header from '../protocol/records/batch.ts'
import * as errors from '../protocol/errors.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { Records } from '../protocol/schema.ts'
import type { Arena } from './arena.ts'
import type { Files } from './files.ts'
import type { LeaderEpochs } from './leader-epochs.ts'
import type { AppendOrigin, LogConfig } from './log-config.ts'
import type { OffsetAndTimestamp } from './log-read.ts'
import { emptyRecords, findByTimestamp, findLargestTimestamp, readSegments, segmentIndex } from './log-read.ts'
import * as names from './names.ts'
import { formatPartitionMetadata, parsePartitionMetadata } from './partition-metadata.ts'
import type { ProducerState } from './producer-state.ts'
import { firstOffsetOf } from './producer-state.ts'
import type { ReadBuffers } from './read-buffers.ts'
import { readBuffersOf } from './read-buffers.ts'
import type { LoadedLog } from './recovery.ts'
import { epochsPath, loadLog } from './recovery.ts'
import { applyBatch, indexTransaction, markerOf, replaySegments } from './replay.ts'
import { planRetention } from './retention.ts'
import { Segment } from './segment.ts'
import type { SnapshotFiles } from './snapshot-files.ts'
import type { Tail, TailReadOptions, TailRecords } from './tail.ts'
import type { AbortedTxn } from './txn-index.ts'
import { validateBatch } from './validate.ts'
import { WriteQueue } from './write-queue.ts'

export type { AppendOrigin, LogConfig } from './log-config.ts'
export type { OffsetAndTimestamp } from './log-read.ts'
export { RecordBatchError } from './validate.ts'
export type { BatchRecordError } from './validate.ts'

export type FetchedRecords = TailRecords
export type ReadOptions = TailReadOptions

export interface OpenOptions {
  readonly files: Files
  readonly arena: Arena
  readonly topic: string
  readonly partition: number
  /** Written beside a new log; an existing one must have the same. */
  readonly topicId?: string
  readonly config: LogConfig
  /** Whether the log was closed in order: then nothing is scanned. */
  readonly cleanShutdown: boolean
  /** syncedOffset as of the last checkpoint. */
  readonly recoveryPoint: number
  readonly logStartOffset: number
  readonly now: number
  /** In [0, 1): spreads the rolls of many logs over segment.jitter.ms. */
  readonly random?: () => number
  /** Told once, when the log goes offline. */
  readonly onError?: (error: Error) => void
}

export interface AppendOptions {
  /** For origin replication: batches of later epochs are left out. */
  readonly leaderEpoch: number
  readonly now: number
  readonly origin: AppendOrigin
  /** Version of the Produce request. */
  readonly apiVersion?: number | undefined
  /** Of a transaction marker (KIP-890). */
  readonly transactionVersion?: number | undefined
}

export interface AppendInfo {
  readonly firstOffset: number
  readonly lastOffset: number
  /** -1 unless the topic uses LogAppendTime. */
  readonly logAppendTime: number
  readonly logStartOffset: number
  /** Sent before: the offsets are those of the first time, and nothing was appended. */
  readonly duplicate: boolean
  readonly byteLength: number
}

interface DeletedFile {
  readonly path: string
  readonly due: number
}

export class Log {
  readonly topic: string
  readonly partition: number
  topicId: string | null
  readonly producers: ProducerState
  readonly #files: Files
  readonly #folder: string
  readonly #onError: (error: Error) => void
  readonly #random: (() => number) | undefined
  readonly #epochs: LeaderEpochs
  readonly #snapshots: SnapshotFiles
  readonly #segments: Segment[]
  readonly #tail: Tail
  readonly #queue: WriteQueue
  readonly #buffers: ReadBuffers
  #config: LogConfig
  #logStartOffset: number
  #logEndOffset: number
  #writtenOffset: number
  #syncedOffset: number
  #offline: Error | null = null
  #closed = false
  /** Segments with bytes, or indexes of a sealed segment, that were not synced; in order. */
  readonly #unsynced = new Set<Segment>()
  /** Whether names in the folder, or the folder's own name, were not synced. */
  #namesChanged = false
  #folderIsNew: boolean
  #syncing: Promise<void> | null = null
  #nextSync: Promise<void> | null = null
  /** How far the sync under way will have come; a truncation takes it back. */
  #syncTarget = 0
  /** When the oldest unsynced record was appended, -1: all are synced. */
  #unsyncedSince = -1
  #lastAppend = -1
  #deleted: DeletedFile[] = []

  /**
   * Opens the folder of the partition, creating it if need be, and recovers it (recovery.ts).
   * @throws what the disk throws; Error for a folder of another topic id
   */
  static open(o: OpenOptions): Log {
    const folder = names.partitionFolder(o.topic, o.partition)
    const isNew = !o.files.exists(folder)
    o.files.mkdir(folder)
    const topicId = reconcileTopicId(o, folder)
    const loaded = loadLog({ ...o, folder, rollJitterMs: () => rollJitter(o.config, o.random) })
    return new Log(o, folder, topicId, loaded, isNew)
  }

  private constructor(o: OpenOptions, folder: string, topicId: string | null, loaded: LoadedLog, isNew: boolean) {
    this.topic = o.topic
    this.partition = o.partition
    this.topicId = topicId
    this.#files = o.files
    this.#folder = folder
    this.#config = o.config
    this.#onError = o.onError ?? (() => {})
    this.#random = o.random
    this.#tail = o.arena.tail()
    this.#queue = new WriteQueue(o.arena)
    this.#buffers = readBuffersOf(o.arena)
    this.#segments = loaded.segments
    this.#epochs = loaded.epochs
    this.#snapshots = loaded.snapshots
    this.producers = loaded.producers
    this.#logStartOffset = loaded.logStartOffset
    this.#logEndOffset = this.#writtenOffset = loaded.logEndOffset
    this.#syncedOffset = loaded.recoveryPoint
    this.#folderIsNew = this.#namesChanged = isNew
    if (!o.cleanShutdown || isNew) for (const segment of this.#segments) this.#unsynced.add(segment)
    this.#deleteLater(loaded.deleted, o.now)
    if (this.#syncedOffset < this.#logEndOffset) this.#unsyncedSince = o.now
  }

  get config(): LogConfig {
    return this.#config
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
    return this.#offline
  }

  /** Bytes of all segments, queued ones included. */
  get sizeInBytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.size, 0)
  }

  get segmentCount(): number {
    return this.#segments.length
  }

  /** Whether appends wait for write(). */
  get dirty(): boolean {
    return !this.#queue.isEmpty
  }

  /** Of the last batch or assignLeaderEpoch, -1 when unknown. */
  get latestEpoch(): number {
    return this.#epochs.latestEpoch
  }

  configure(config: LogConfig): void {
    this.#config = config
    this.producers.expirationMs = config.producerIdExpirationMs
    for (const segment of this.#segments) segment.configure(config)
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
    if (o.origin === 'replication') return this.#appendReplicated(bytes, o)
    const { origin } = o
    const config = this.#config
    const batch = validateBatch(bytes, { config, now: o.now, origin, apiVersion: o.apiVersion })
    if (batch.size > config.segmentBytes) {
      throw new KafkaError(
        errors.RECORD_LIST_TOO_LARGE,
        `The batch of ${batch.size} bytes is larger than segment.bytes, ${config.segmentBytes}.`,
      )
    }
    const known = this.#checkProducer(batch.bytes, o)
    if (known !== null) return known
    const firstOffset = this.#logEndOffset
    this.#store(batch.bytes, 0, batch.size, firstOffset, batch.lastOffsetDelta, batch.maxTimestamp, o)
    return {
      firstOffset,
      lastOffset: firstOffset + batch.lastOffsetDelta,
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
    const active = this.#active
    this.#onDisk(() => active.write(this.#queue.parts(), this.#queue.byteLength))
    this.#queue.clear()
    this.#unsynced.add(active)
    this.#writtenOffset = this.#logEndOffset
    this.#checkInvariant()
  }

  /**
   * Brings everything appended so far to the disk. Calls made while the disk is busy share the next round.
   * @throws KafkaError KAFKA_STORAGE_ERROR: the log is offline then, and what was not synced may be lost
   */
  sync(): Promise<void> {
    if (this.#syncing === null) return this.#startSync()
    this.#nextSync ??= this.#syncing.then(
      () => this.#startSync(),
      () => this.#startSync(),
    )
    return this.#nextSync
  }

  /** flush.messages */
  get flushIntervalReached(): boolean {
    return this.#writtenOffset - this.#syncedOffset >= this.#config.flushMessages
  }

  /** Whether flush.messages or flush.ms ask for a sync, or a segment was sealed since the last one. */
  flushDue(now: number): boolean {
    if (this.flushIntervalReached || this.#unsynced.size > 1) return true
    return this.#unsyncedSince >= 0 && now - this.#unsyncedSince >= this.#config.flushMs
  }

  /**
   * Whole batches from the one that holds `offset` on, below `maxOffset`; none at the end of the log. They must be released.
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
    return this.#tail.read(offset, o) ?? this.#onDisk(() => readSegments(this.#segments, this.#buffers, offset, o))
  }

  /** The first record at or above the timestamp, exact to the record also inside compressed batches; null if there is none. */
  offsetForTimestamp(timestamp: number): OffsetAndTimestamp | null {
    this.write()
    this.#mustBeOnline()
    return this.#onDisk(() => findByTimestamp(this.#segments, this.#logStartOffset, timestamp))
  }

  /** The record with the largest timestamp (KIP-734); null when no record has one. */
  maxTimestamp(): OffsetAndTimestamp | null {
    this.write()
    this.#mustBeOnline()
    return this.#onDisk(() => findLargestTimestamp(this.#segments))
  }

  /** Where a leader epoch ended (KIP-101): see LeaderEpochs.endOffsetFor. */
  endOffsetForEpoch(epoch: number): { epoch: number; endOffset: number } {
    return this.#epochs.endOffsetFor(epoch, this.#logEndOffset)
  }

  /** The leader epoch in force at an offset, -1 when unknown. */
  epochForOffset(offset: number): number {
    return this.#epochs.epochForOffset(offset)
  }

  /** Aborted transactions that overlap [from, to), by last offset. */
  abortedTransactions(from: number, to: number): AbortedTxn[] {
    this.#mustBeOnline()
    const found: AbortedTxn[] = []
    this.#onDisk(() => {
      for (let n = segmentIndex(this.#segments, from); n < this.#segments.length; n++) {
        if (this.#segments[n]!.transactions.collect(from, to, found)) return
      }
    })
    return found
  }

  /** A leader takes over: what is appended from `startOffset` on belongs to its epoch. */
  assignLeaderEpoch(epoch: number, startOffset: number): void {
    this.#mustBeOnline()
    if (this.#epochs.assign(epoch, startOffset)) this.#writeEpochs()
  }

  /** Seals the active segment and begins the next one. Does nothing while the active segment is empty. */
  roll(now: number): void {
    this.#mustBeOnline()
    this.write()
    const active = this.#active
    if (active.size === 0 && active.baseOffset === this.#logEndOffset) return
    this.#onDisk(() => {
      active.seal()
      this.#unsynced.add(active)
      this.#addSegment(this.#logEndOffset, now)
      this.producers.mapEndOffset = this.#logEndOffset
      this.#snapshots.take(this.producers)
    })
  }

  /**
   * Cuts the log so that it holds only batches wholly below `offset`. The caller writes the recovery point checkpoint
   * before it appends again.
   */
  truncateTo(offset: number, now: number): void {
    this.#mustBeOnline()
    assert(offset >= 0, `truncation to ${offset}`)
    this.write()
    if (offset >= this.#logEndOffset) {
      // A leader that wrote nothing in its epoch leaves an entry behind.
      if (this.#epochs.truncateFromEnd(this.#logEndOffset)) this.#writeEpochs()
      return
    }
    if (offset < this.#segments[0]!.baseOffset) return this.truncateFullyAndStartAt(offset, now)
    this.#onDisk(() => {
      const keep = segmentIndex(this.#segments, offset)
      this.#dropSegments(keep + 1, this.#segments.length, now)
      this.#active.truncateTo(offset, now)
      this.#unsynced.add(this.#active)
      this.#moveEnd(this.#active.nextOffset())
      this.#logStartOffset = Math.min(this.#logStartOffset, this.#logEndOffset)
      this.#snapshots.keepWithin(-1, this.#logEndOffset)
      this.#snapshots.load(this.producers, this.#logStartOffset, this.#logEndOffset, now)
      replaySegments(this.producers, this.#segments, this.#logEndOffset)
      this.producers.mapEndOffset = this.#logEndOffset
    })
    if (this.#epochs.truncateFromEnd(this.#logEndOffset)) this.#writeEpochs()
  }

  /** Drops everything; the next record gets `offset`. The caller writes the checkpoints before it appends again. */
  truncateFullyAndStartAt(offset: number, now: number): void {
    this.#mustBeOnline()
    this.write()
    this.#onDisk(() => {
      this.#snapshots.removeAll()
      this.#dropSegments(0, this.#segments.length, now)
      this.#addSegment(offset, now)
    })
    this.#moveEnd(offset)
    this.#logEndOffset = this.#writtenOffset = this.#syncedOffset = this.#logStartOffset = offset
    this.producers.clear(offset)
    this.#epochs.clear()
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
    if (this.#epochs.truncateFromStart(offset)) this.#writeEpochs()
  }

  /**
   * Deletes the segments that retention.ms, retention.bytes or the log start offset give up, and rolls a segment older than
   * segment.ms that gets no appends. `readableEnd`: the high watermark. @returns how many segments were deleted
   */
  applyRetention(now: number, readableEnd: number = this.#writtenOffset): number {
    this.#mustBeOnline()
    this.write()
    const active = this.#active
    if (active.size > 0 && now - active.created > this.#config.segmentMs - active.rollJitterMs) this.roll(now)
    const facts = this.#segments.map(segment => {
      const { timestamp } = segment.largest
      const { baseOffset, size, created } = segment
      return { baseOffset, size, largestTimestamp: timestamp >= 0 ? timestamp : created }
    })
    const { count } = planRetention(facts, {
      config: this.#config,
      now,
      logStartOffset: this.#logStartOffset,
      logEndOffset: this.#logEndOffset,
      readableEnd,
    })
    if (count === 0) return 0
    if (count === this.#segments.length) this.roll(now)
    // Nobody may be sent to an offset whose file is about to go.
    this.advanceLogStartOffset(this.#segments[count]!.baseOffset)
    this.#onDisk(() => {
      this.#dropSegments(0, count, now)
      this.#snapshots.keepWithin(this.#logStartOffset, this.#logEndOffset)
    })
    return count
  }

  /** Removes files of dropped segments once file.delete.delay.ms has passed. @returns how many */
  deletePendingFiles(now: number): number {
    const due = this.#deleted.filter(file => file.due <= now)
    this.#deleted = this.#deleted.filter(file => file.due > now)
    this.#onDisk(() => {
      for (const { path } of due) if (this.#files.exists(path)) this.#files.remove(path)
    })
    return due.length
  }

  /**
   * Gives everything back. `clean`: after it resolves everything is on disk and the next open needs no recovery; a failure
   * rejects. Otherwise what is queued is dropped. An offline log is never closed cleanly.
   */
  async close(clean: boolean): Promise<void> {
    if (this.#closed) return
    try {
      if (this.#syncing !== null) await this.#syncing
      if (clean && this.#offline === null) this.#closeCleanly()
    } finally {
      this.#release()
    }
  }

  /** Renames the folder to `<topic>-<partition>.<id>-delete`, to be removed later. The log answers no more. @returns its name */
  delete(): string {
    this.#release()
    const id = folderId(this.topicId, this.#folder)
    let target = names.markedFolder(this.topic, this.partition, id, 'delete')
    for (let n = 1; this.#files.exists(target); n++) {
      target = names.markedFolder(this.topic, this.partition, folderId(null, `${id}${n}`), 'delete')
    }
    this.#files.rename(this.#folder, target)
    this.#files.syncDirNow('')
    return target
  }

  get #active(): Segment {
    return this.#segments.at(-1)!
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
      logAppendTime: this.#config.timestampType === 'LogAppendTime' ? known.timestamp : -1,
      logStartOffset: this.#logStartOffset,
      duplicate: true,
      byteLength: 0,
    }
  }

  #appendReplicated(bytes: Buffer, o: AppendOptions): AppendInfo {
    const firstOffset = this.#logEndOffset
    let at = 0
    for (;;) {
      const size = header.wholeBatchAt(bytes, at)
      if (size === header.INCOMPLETE) break
      if (size === header.INVALID || header.magic(bytes, at) !== 2 || !header.isCrcValid(bytes, at)) {
        throw new KafkaError(errors.CORRUPT_MESSAGE)
      }
      const epoch = header.partitionLeaderEpoch(bytes, at)
      // Sent by a leader of a later epoch than the one fetched from (KAFKA-18723).
      if (epoch > o.leaderEpoch) break
      const baseOffset = header.baseOffset(bytes, at)
      if (baseOffset < this.#logEndOffset || header.lastOffsetDelta(bytes, at) < 0) {
        throw new KafkaError(
          errors.UNKNOWN_SERVER_ERROR,
          `Replicated offset ${baseOffset} is below ${this.#logEndOffset}.`,
        )
      }
      const { now } = o
      const maxTimestamp = header.maxTimestamp(bytes, at)
      const lastOffsetDelta = header.lastOffsetDelta(bytes, at)
      this.#store(bytes, at, size, baseOffset, lastOffsetDelta, maxTimestamp, { ...o, leaderEpoch: epoch, now })
      at += size
    }
    return {
      firstOffset,
      lastOffset: this.#logEndOffset - 1,
      logAppendTime: -1,
      logStartOffset: this.#logStartOffset,
      duplicate: false,
      byteLength: at,
    }
  }

  /** The batch at `at` is accepted: copies it into the arena, patches it there and takes note of it everywhere. */
  #store(
    bytes: Buffer,
    at: number,
    size: number,
    baseOffset: number,
    lastOffsetDelta: number,
    maxTimestamp: number,
    { leaderEpoch, now, origin }: AppendOptions,
  ): void {
    const lastOffset = baseOffset + lastOffsetDelta
    if (leaderEpoch >= 0 && this.#epochs.assign(leaderEpoch, baseOffset)) this.#writeEpochs()
    if (this.#active.shouldRoll(size, maxTimestamp, lastOffset, now, this.#config)) this.roll(now)
    const slice = this.#queue.add(at === 0 && size === bytes.length ? bytes : bytes.subarray(at, at + size))
    const { buffer } = slice.slab
    if (origin !== 'replication') {
      header.setBaseOffset(buffer, slice.start, baseOffset)
      header.setLeaderEpoch(buffer, slice.start, leaderEpoch)
      header.setMaxTimestampAndType(buffer, slice.start, maxTimestamp, this.#config.timestampType)
    }
    this.#active.append(buffer, slice.start)
    this.#tail.push(baseOffset, lastOffset + 1, slice)
    this.#logEndOffset = lastOffset + 1
    this.#lastAppend = now
    if (this.#unsyncedSince < 0) this.#unsyncedSince = now
    const completed = applyBatch(this.producers, buffer, slice.start)
    if (completed !== null) this.#onDisk(() => indexTransaction(this.producers, this.#active, completed))
  }

  #startSync(): Promise<void> {
    this.#nextSync = null
    const round = this.#syncRound().finally(() => {
      if (this.#syncing === round) this.#syncing = null
    })
    this.#syncing = round
    return round
  }

  async #syncRound(): Promise<void> {
    this.write()
    this.#mustBeOnline()
    const active = this.#active
    const segments = [...this.#unsynced]
    this.#unsynced.clear()
    this.#syncTarget = this.#writtenOffset
    const lastAppend = this.#lastAppend
    try {
      await this.#syncNames()
      await this.#snapshots.sync()
      for (const segment of segments) await segment.sync(segment !== active)
    } catch (error) {
      throw this.#fail(error)
    }
    this.#mustBeOnline()
    this.#syncedOffset = Math.max(this.#syncedOffset, this.#syncTarget)
    this.#unsyncedSince = this.#syncedOffset < this.#logEndOffset ? lastAppend : -1
    this.#checkInvariant()
  }

  /** New files must be findable before their content counts. */
  async #syncNames(): Promise<void> {
    if (!this.#namesChanged) return
    this.#namesChanged = false
    if (this.#folderIsNew) await this.#files.syncDir('')
    this.#folderIsNew = false
    await this.#files.syncDir(this.#folder)
  }

  #closeCleanly(): void {
    this.write()
    this.#onDisk(() => {
      const active = this.#active
      active.finishTimeIndex()
      for (const segment of new Set([...this.#unsynced, active])) segment.syncNow()
      if (this.producers.mapEndOffset > this.#logStartOffset) {
        this.#snapshots.take(this.producers)
        this.#snapshots.syncNow()
      }
      if (this.#folderIsNew) this.#files.syncDirNow('')
      this.#files.syncDirNow(this.#folder)
    })
    this.#syncedOffset = this.#writtenOffset
    this.#checkInvariant()
  }

  #release(): void {
    if (this.#closed) return
    this.#closed = true
    this.#queue.clear()
    this.#tail.clear()
    for (const segment of this.#segments) segment.close()
  }

  #addSegment(baseOffset: number, now: number): void {
    const jitter = rollJitter(this.#config, this.#random)
    const segment = new Segment(this.#files, this.#folder, baseOffset, this.#config, now, jitter)
    segment.create()
    this.#segments.push(segment)
    this.#unsynced.add(segment)
    this.#namesChanged = true
  }

  #dropSegments(from: number, to: number, now: number): void {
    for (const segment of this.#segments.splice(from, to - from)) {
      this.#unsynced.delete(segment)
      this.#deleteLater(segment.markDeleted(), now)
    }
    this.#namesChanged = true
  }

  #deleteLater(paths: readonly string[], now: number): void {
    for (const path of paths) this.#deleted.push({ path, due: now + this.#config.fileDeleteDelayMs })
  }

  /** The log was cut: offsets from `end` on will be given out again. */
  #moveEnd(end: number): void {
    this.#tail.truncateTo(end)
    this.#logEndOffset = this.#writtenOffset = end
    this.#syncedOffset = Math.min(this.#syncedOffset, end)
    this.#syncTarget = Math.min(this.#syncTarget, end)
  }

  #writeEpochs(): void {
    this.#onDisk(() => this.#files.writeAtomic(epochsPath(this.#folder), this.#epochs.format()))
  }

  /** Runs disk calls; what they throw takes the log offline. KafkaErrors are answers, not failures. */
  #onDisk<T>(run: () => T): T {
    try {
      return run()
    } catch (error) {
      if (error instanceof KafkaError) throw error
      throw this.#fail(error)
    }
  }

  #fail(cause: unknown): KafkaError {
    if (this.#offline === null) {
      this.#offline = cause instanceof Error ? cause : new Error(String(cause))
      this.#queue.clear()
      this.#onError(this.#offline)
    }
    return this.#storageError()
  }

  #storageError(): KafkaError {
    return new KafkaError(errors.KAFKA_STORAGE_ERROR, `The disk of ${this.#folder} failed; the partition is offline.`)
  }

  #mustBeOnline(): void {
    if (this.#offline !== null) throw this.#storageError()
    assert(!this.#closed, `${this.#folder} is closed`)
  }

  #checkInvariant(): void {
    assert(
      this.#syncedOffset <= this.#writtenOffset && this.#writtenOffset <= this.#logEndOffset,
      `${this.#folder}: synced ${this.#syncedOffset}, written ${this.#writtenOffset}, end ${this.#logEndOffset}`,
    )
  }
}

function contiguous(records: Records | Buffer): Buffer {
  if (Buffer.isBuffer(records)) return records
  const { parts } = records
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
}

const rollJitter = ({ segmentJitterMs }: LogConfig, random: (() => number) | undefined): number =>
  Math.floor((random?.() ?? 0) * segmentJitterMs)

/** 32 hexadecimal digits: of the topic id where there is one. */
function folderId(topicId: string | null, folder: string): string {
  if (topicId !== null) return Buffer.from(topicId, 'base64url').toString('hex')
  return crc32c(Buffer.from(folder)).toString(16).padStart(32, '0')
}

function reconcileTopicId(o: OpenOptions, folder: string): string | null {
  const path = names.join(folder, names.PARTITION_METADATA_FILE)
  const found = o.files.exists(path) ? parsePartitionMetadata(o.files.readAll(path), path) : null
  if (found !== null && o.topicId !== undefined && found !== o.topicId) {
    throw new Error(`${folder} belongs to topic id ${found}, not ${o.topicId}`)
  }
  if (found === null && o.topicId !== undefined) o.files.writeAtomic(path, formatPartitionMetadata(o.topicId))
  return found ?? o.topicId ?? null
}
