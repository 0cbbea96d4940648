/**
 * One segment of a log: `<baseOffset>.log` with its indexes (LogSegment.java). The last segment of a log is active and
 * grows; the others only answer reads. Files are opened, and sizes asked for, when first needed.
 */
import assert from 'node:assert'
import * as header from '../protocol/records/batch.ts'
import type { FileHandle, Files } from './files.ts'
import { BatchCursor, lastOffsetOf, maxTimestampOf } from './batch-cursor.ts'
import type { LogConfig } from './log-config.ts'
import * as names from './names.ts'
import { OffsetIndex } from './offset-index.ts'
import { TimeIndex } from './time-index.ts'
import type { TimestampOffset } from './time-index.ts'
import { TransactionIndex } from './txn-index.ts'

/** Positions in a segment and offsets relative to its base are int32. */
const MAX_INT32 = 0x7fffffff

/** Headers on the way to one batch; used within one call only. */
const scratch = Buffer.allocUnsafeSlow(16 * 1024)

export class Segment {
  readonly baseOffset: number
  offsetIndex!: OffsetIndex
  timeIndex!: TimeIndex
  transactions!: TransactionIndex
  /** Random part of the time after which this segment rolls, so that many logs do not roll at once. */
  readonly rollJitterMs: number
  /** How often its end was cut off: what was read before may not be there any more. */
  cuts = 0
  /** When it was created, or opened as the active segment: what age is counted from while its batches have no timestamp. */
  created: number
  readonly #files: Files
  readonly #folder: string
  #handle: FileHandle | null = null
  /** Of the file; -1 until known. */
  #written = -1
  /** Appended, but not yet written. */
  #queued = 0
  #bytesSinceIndexEntry = 0
  #largest: TimestampOffset | null = null
  /** maxTimestamp of the first batch; null until known, -1 if it has none. */
  #firstTimestamp: number | null = null
  #indexIntervalBytes: number
  readonly #indexBytes: number
  /** Whether #handle is open for writing. */
  #writable = false
  /** Closed for good: it answers no more. */
  #closed = false
  /** Behind the names of the files, while they take the place of others. */
  #suffix = ''

  /** @param suffix of the names of its files: CLEANED_SUFFIX for a segment that compaction writes */
  constructor(
    files: Files,
    folder: string,
    baseOffset: number,
    config: LogConfig,
    now: number,
    rollJitterMs = 0,
    suffix = '',
  ) {
    this.#files = files
    this.#folder = folder
    this.baseOffset = baseOffset
    this.created = now
    this.rollJitterMs = rollJitterMs
    this.#indexIntervalBytes = config.indexIntervalBytes
    this.#indexBytes = config.segmentIndexBytes
    this.#name(suffix)
  }

  get path(): string {
    return names.join(this.#folder, names.logFile(this.baseOffset, this.#suffix))
  }

  /** Bytes appended, written or not. */
  get size(): number {
    return this.written + this.#queued
  }

  /** Bytes in the file. */
  get written(): number {
    if (this.#written < 0) this.#written = this.#files.size(this.path)
    return this.#written
  }

  /** Largest timestamp and the last offset of the first batch that has it; (-1, base offset) if none has one. */
  get largest(): TimestampOffset {
    return (this.#largest ??= this.timeIndex.lastEntry)
  }

  /** What retention.ms judges by. */
  get largestTimestamp(): number {
    const { timestamp } = this.largest
    return timestamp >= 0 ? timestamp : this.created
  }

  /** Creates the (empty) log file, so that its name exists before a record depends on it. Indexes follow with their first entries. */
  create(): void {
    this.#open().truncate(0)
    this.#written = 0
    this.transactions.reset()
    this.offsetIndex.reset()
    this.timeIndex.reset()
  }

  /** Of a log that has no folder yet: no file is there, and none is made. */
  begin(): void {
    this.#written = 0
    this.expectFiles(new Set())
  }

  /** The names in the folder: what is not among them need not be asked for. */
  expectFiles(present: ReadonlySet<string>): void {
    const [index, timeIndex, transactions] = segmentFiles(this.baseOffset)
    if (!present.has(index!)) this.offsetIndex.begin()
    if (!present.has(timeIndex!)) this.timeIndex.begin()
    if (!present.has(transactions!)) this.transactions.begin()
  }

  /** Takes note of an appended batch, header at `at`, whose bytes follow with write(). */
  append(buffer: Buffer, at: number): void {
    const size = header.sizeInBytes(buffer, at)
    this.index(buffer, at, this.size, size)
    this.#queued += size
  }

  /** Enters a batch that lies, or will lie, at `position` into indexes and timestamps. */
  index(buffer: Buffer, at: number, position: number, size: number): void {
    const timestamp = maxTimestampOf(buffer, at)
    const lastOffset = lastOffsetOf(buffer, at)
    if (position === 0) this.#firstTimestamp = timestamp
    if (timestamp > this.largest.timestamp) this.#largest = { timestamp, offset: lastOffset }
    // Full indexes make a log roll, but segment.index.bytes may be smaller now than when the segment was written.
    const isFull = this.offsetIndex.isFull || this.timeIndex.isFull
    if (this.#bytesSinceIndexEntry > this.#indexIntervalBytes && !isFull) {
      this.offsetIndex.append(lastOffset, position)
      this.timeIndex.maybeAppend(this.largest.timestamp, this.largest.offset)
      this.#bytesSinceIndexEntry = 0
    }
    this.#bytesSinceIndexEntry += size
  }

  configure(config: LogConfig): void {
    this.#indexIntervalBytes = config.indexIntervalBytes
  }

  /** Writes bytes of batches announced by append(). After an error the file is as before. */
  write(parts: readonly Buffer[], size: number): void {
    this.#open().append(parts)
    this.#written = this.written + size
    this.#queued -= size
  }

  /** Forgets batches announced by append() that will never be written. */
  dropQueued(): void {
    this.#queued = 0
  }

  readAt(target: Buffer, position: number): number {
    return this.#open('read').readAt(target, position)
  }

  /** Whether a batch with these facts belongs into the next segment (LogSegment.shouldRoll). */
  shouldRoll(size: number, maxTimestamp: number, lastOffset: number, now: number, config: LogConfig): boolean {
    if (this.size > Math.min(config.segmentBytes, MAX_INT32) - size) return true
    if (this.size > 0 && this.age(now, maxTimestamp) > config.segmentMs - this.rollJitterMs) return true
    return this.offsetIndex.isFull || this.timeIndex.isFull || !this.offsetIndex.accepts(lastOffset)
  }

  /**
   * How long the segment has been filling, for segment.ms: by the timestamps of its first batch and the one to come, or by
   * the clock while they have none.
   */
  age(now: number, maxTimestamp: number): number {
    const first = this.firstTimestamp
    return first >= 0 ? maxTimestamp - first : now - this.created
  }

  /** maxTimestamp of the first batch, -1 for none. */
  get firstTimestamp(): number {
    if (this.#firstTimestamp === null) {
      const cursor = this.cursor(0)
      if (!cursor.next()) return -1
      this.#firstTimestamp = maxTimestampOf(cursor.buffer, cursor.at)
    }
    return this.#firstTimestamp
  }

  /** Walks the written batches from one that begins at `position`. */
  cursor(position: number, buffer?: Buffer): BatchCursor {
    return new BatchCursor(this, position, this.written, buffer)
  }

  /**
   * The first written batch whose last offset is at or above `offset`, or null. The cursor stands on it and must not
   * outlive the caller's turn: it reads into a buffer that all searches share.
   */
  find(offset: number): BatchCursor | null {
    const cursor = this.cursor(this.offsetIndex.lookup(offset).position, scratch)
    while (cursor.next()) if (lastOffsetOf(cursor.buffer, cursor.at) >= offset) return cursor
    return null
  }

  /** The offset behind the last written batch: the index tells where to look. */
  nextOffset(): number {
    const cursor = this.cursor(this.offsetIndex.lookup(Infinity).position, scratch)
    let next = this.baseOffset
    while (cursor.next()) next = lastOffsetOf(cursor.buffer, cursor.at) + 1
    return next
  }

  /** Cuts off the batch that holds `offset` and everything behind it. Nothing may be queued. */
  truncateTo(offset: number, now: number): void {
    const cut = this.find(offset)
    const position = cut?.position ?? this.written
    this.offsetIndex.truncateTo(offset)
    this.timeIndex.truncateTo(offset)
    this.transactions.truncateTo(offset)
    this.#open().truncate(position)
    this.cuts++
    this.#written = position
    this.#bytesSinceIndexEntry = 0
    this.#largest = null
    this.#firstTimestamp = null
    if (position === 0) this.created = now
    this.loadLargest()
  }

  /** Finds the largest timestamp, which the time index of an active segment may lag behind. */
  loadLargest(): void {
    this.#largest = this.timeIndex.lastEntry
    const cursor = this.cursor(this.offsetIndex.lookup(this.largest.offset).position, scratch)
    while (cursor.next()) {
      const timestamp = maxTimestampOf(cursor.buffer, cursor.at)
      if (timestamp > this.largest.timestamp) {
        this.#largest = { timestamp, offset: lastOffsetOf(cursor.buffer, cursor.at) }
      }
    }
  }

  /** Before a rebuild of the indexes from the log. */
  resetIndexes(): void {
    this.offsetIndex.reset()
    this.timeIndex.reset()
    this.transactions.reset()
    this.#bytesSinceIndexEntry = 0
    this.#largest = null
    this.#firstTimestamp = null
  }

  /** Cuts the file, after a scan that found nothing valid behind `position`. */
  cutAt(position: number): void {
    if (position === this.written) return
    this.#open().truncate(position)
    this.cuts++
    this.#written = position
  }

  /** The last index entries, so that the time index tells the largest timestamp; indexes reach their files. */
  seal(): void {
    this.finishTimeIndex()
    this.offsetIndex.seal()
    this.timeIndex.seal()
  }

  finishTimeIndex(): void {
    if (this.timeIndex.bytes > this.#indexBytes) return
    this.timeIndex.maybeAppend(this.largest.timestamp, this.largest.offset, true)
  }

  /**
   * fdatasync of the records, and of the indexes too once the segment is sealed: recovery will trust them from then on,
   * while it rebuilds those of an active segment. The segment may be deleted meanwhile; then nothing is left to do.
   */
  async sync(sealed: boolean): Promise<void> {
    if (!this.#closed) await this.#open().sync()
    if (sealed && !this.#closed) await this.offsetIndex.sync()
    if (sealed && !this.#closed) await this.timeIndex.sync()
    if (sealed && !this.#closed) await this.transactions.sync()
  }

  syncNow(): void {
    this.#open().syncNow()
    this.offsetIndex.syncNow()
    this.timeIndex.syncNow()
    this.transactions.syncNow()
  }

  /** Gives descriptors and memory back; what was not flushed is lost. */
  close(): void {
    this.#closed = true
    this.#release()
  }

  #release(): void {
    this.#handle?.close()
    this.#handle = null
    this.offsetIndex.release()
    this.timeIndex.release()
    this.transactions.release()
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** Adds `.deleted` to the names of all files. The segment answers no more. @returns the new paths */
  markDeleted(): string[] {
    this.close()
    return this.#rename(names.DELETED_SUFFIX)
  }

  /** Gives all files the suffix instead of the one they have. Everything must be flushed. */
  moveTo(suffix: string): void {
    this.#release()
    this.#rename(suffix)
    this.#name(suffix)
  }

  /** Removes the files of a segment that never became part of the log. */
  discard(): void {
    this.close()
    // A renaming may have come half way. What is left without a `.cleaned` file would pass for complete: it goes first.
    for (const suffix of [names.SWAP_SUFFIX, names.CLEANED_SUFFIX]) {
      for (const name of segmentFiles(this.baseOffset)) {
        const path = names.join(this.#folder, name) + suffix
        if (this.#files.exists(path)) this.#files.remove(path)
      }
    }
  }

  /** @returns the new paths of the files there are */
  #rename(suffix: string): string[] {
    const renamed: string[] = []
    // The log goes last: as long as it has its name, a restart finds a whole segment or rebuilds what is missing.
    for (const name of segmentFiles(this.baseOffset)) {
      const path = names.join(this.#folder, name)
      if (!this.#files.exists(path + this.#suffix)) continue
      this.#files.rename(path + this.#suffix, path + suffix)
      renamed.push(path + suffix)
    }
    return renamed
  }

  #name(suffix: string): void {
    this.#suffix = suffix
    const path = (name: string) => names.join(this.#folder, name) + suffix
    const [files, base, indexBytes] = [this.#files, this.baseOffset, this.#indexBytes]
    this.offsetIndex = new OffsetIndex(files, path(names.offsetIndexFile(base)), base, indexBytes)
    this.timeIndex = new TimeIndex(files, path(names.timeIndexFile(base)), base, indexBytes)
    this.transactions = new TransactionIndex(files, path(names.txnIndexFile(base)), base)
  }

  #open(mode: 'read' | 'write' = 'write'): FileHandle {
    assert(!this.#closed, `${this.path} is closed`)
    // A file once opened for reading is opened anew for writing; most segments are never written again.
    if (this.#handle === null || (mode === 'write' && !this.#writable)) {
      this.#handle?.close()
      this.#handle = this.#files.open(this.path, mode)
      this.#writable = mode === 'write'
    }
    return this.#handle
  }
}

/** All files a segment may have, the log last. */
export const segmentFiles = (baseOffset: number): string[] => [
  names.offsetIndexFile(baseOffset),
  names.timeIndexFile(baseOffset),
  names.txnIndexFile(baseOffset),
  names.logFile(baseOffset),
]
