/**
 * Compaction of one log (Cleaner.java): of each key the newest record stays. One run maps the keys of the dirty part, then
 * copies the segments before it, group by group, into new ones that take their place:
 *   N.log.cleaned      being written; worthless after a crash
 *   N.log.swap         finished and durable; a restart completes what follows (recovery.ts)
 *   old ones .deleted  then the new ones get their names
 * Between any two of these steps the folder is synced, without holding anybody up. The work pauses whenever the caller's pace
 * asks for it. The log may be appended to, read and rolled meanwhile; what cuts it ends the run first, with abort().
 */
import { codecReady } from '../protocol/records/compression.ts'
import * as header from '../protocol/records/batch.ts'
import type { FilterOptions, LastOfProducer } from './compaction-filter.ts'
import { filterBatch, visitRecords } from './compaction-filter.ts'
import type { HashKey, OffsetMap } from './compaction-map.ts'
import { mapFor } from './compaction-map.ts'
import type { Cleanable } from './compaction-plan.ts'
import { findCleanable, groupSegments } from './compaction-plan.ts'
import { SegmentReader } from './compaction-reader.ts'
import { CompactedTransactions } from './compaction-txns.ts'
import type { AppendTarget } from './log-append.ts'
import { findAborted } from './log-read.ts'
import * as names from './names.ts'
import type { Segment } from './segment.ts'
import { expansionLimit } from './validate.ts'

/** How fast the work may go, as the caller measures it. */
export interface Pace {
  /** So many bytes were read or written. */
  moved(bytes: number): void
  /** Whether it is time to let others have their turn. */
  readonly isSpent: boolean
  /** Resolves when the work may go on. */
  rest(): Promise<void>
  /** Waits for something that is done elsewhere, and holds nobody up. */
  during(work: Promise<void>): Promise<void>
}

export interface CompactOptions {
  readonly now: number
  readonly cleanable: Cleanable
  /** All records below it are below the high watermark. */
  readonly highWatermark: number
  readonly pace: Pace
  /** For the map of keys. */
  readonly mapBytes: number
  readonly mapLoadFactor: number
  readonly hashKey: HashKey
  /** How much is read at a time. */
  readonly bufferBytes: number
}

export interface CompactionCounts {
  /** Of the dirty part, for the map. */
  mapBytesRead: number
  bytesRead: number
  bytesWritten: number
  recordsRead: number
  recordsKept: number
  /** Of those dropped: a compacted topic should have none. */
  recordsWithoutKey: number
  segmentsBefore: number
  segmentsAfter: number
  /** How full the map was, of what it may hold. */
  mapUse: number
}

export interface CompactionResult {
  /** What lies below it is clean now; null when the run was ended before its end. */
  readonly cleanedOffset: number | null
  readonly counts: CompactionCounts
}

interface Run {
  readonly o: CompactOptions
  readonly counts: CompactionCounts
  isAborted: boolean
  /** The segment that is being written, or that waits for its name. */
  cleaned: Segment | null
  /** Whether it takes the place of others now: its files must not go. */
  isPlaced: boolean
}

/** Thrown inside a run that was ended by abort(). */
class AbortedError extends Error {}

export class Compaction {
  readonly #log: AppendTarget
  #run: Run | null = null

  constructor(log: AppendTarget) {
    this.#log = log
  }

  get isRunning(): boolean {
    return this.#run !== null
  }

  /** What of the log can be compacted, and whether it is time. */
  plan(o: { now: number; stableOffset: number; cleanedOffset: number | undefined }): Cleanable {
    const { files, offsets, disk } = this.#log
    const { config, segments } = files
    const { start: logStartOffset, end: logEndOffset, synced: syncedOffset } = offsets
    return disk.read(() => findCleanable(segments, { ...o, config, logStartOffset, logEndOffset, syncedOffset }))
  }

  /**
   * Compacts what the plan found; one run at a time. Rejects with what the disk or a batch that cannot be read throws, the log
   * as it was (and online, unless the disk failed in reading it or in the middle of a swap).
   */
  async run(o: CompactOptions): Promise<CompactionResult> {
    if (this.#run !== null) throw new Error('This log is being compacted.')
    const run: Run = { o, counts: newCounts(), isAborted: false, cleaned: null, isPlaced: false }
    this.#run = run
    try {
      return { cleanedOffset: await this.#compact(run), counts: run.counts }
    } catch (error) {
      if (run.isAborted) return { cleanedOffset: null, counts: run.counts }
      throw error
    } finally {
      if (!run.isAborted) this.abort()
      this.#run = null
    }
  }

  /**
   * Ends a run at once: no file of it is left when this returns, or all are in place. To be called before anything takes segments
   * out of the log or cuts them.
   */
  abort(): void {
    const run = this.#run
    if (run === null || run.isAborted) return
    run.isAborted = true
    const { cleaned } = run
    if (cleaned === null || cleaned.isClosed) return
    const { disk, files } = this.#log
    if (!run.isPlaced) cleaned.discard()
    else if (disk.failure !== null) cleaned.close()
    else {
      disk.run(() => {
        files.syncFolderNow()
        files.finishSwap(cleaned)
      })
    }
    run.cleaned = null
  }

  /** The log is closed: what a run leaves in the folder is for the next start, or goes with the folder. */
  forget(): void {
    const run = this.#run
    if (run === null) return
    run.isAborted = true
    run.cleaned?.close()
    run.cleaned = null
  }

  #check(run: Run): void {
    if (run.isAborted) throw new AbortedError()
    this.#log.disk.check()
  }

  async #compact(run: Run): Promise<number> {
    const { files } = this.#log
    const { now, cleanable } = run.o
    const map = await this.#mapKeys(run)
    const end = map.latestOffset + 1
    const sealed = files.segments.filter(
      ({ baseOffset }) => baseOffset < end && baseOffset < cleanable.firstUncleanableOffset,
    )
    const { segmentBytes, segmentIndexBytes } = files.config
    const sized = sealed.map(segment => ({
      segment,
      baseOffset: segment.baseOffset,
      size: segment.size,
      offsetIndexBytes: segment.offsetIndex.bytes,
      timeIndexBytes: segment.timeIndex.bytes,
    }))
    const groups = groupSegments(sized, {
      segmentBytes,
      segmentIndexBytes,
      firstUncleanableOffset: cleanable.firstUncleanableOffset,
    })
    const transactions = new CompactedTransactions(txn => run.cleaned!.transactions.append(txn))
    for (const group of groups) {
      // oxlint-disable-next-line no-await-in-loop -- a group must be in place before the next one counts on it
      await this.#compactGroup(
        run,
        group.map(({ segment }) => segment),
        map,
        transactions,
        now,
      )
    }
    return end
  }

  /** Builds the map of the dirty part, as far as it goes into it. */
  async #mapKeys(run: Run): Promise<OffsetMap> {
    const { files } = this.#log
    const { cleanable, mapBytes: maxBytes, mapLoadFactor: loadFactor, hashKey: key } = run.o
    const { firstDirtyOffset: start, firstUncleanableOffset: end } = cleanable
    const { map, limit } = mapFor(end - start, { maxBytes, loadFactor, key })
    const transactions = new CompactedTransactions()
    transactions.add(this.#aborted(start, end))
    const dirty = files.segments.filter(
      ({ baseOffset }, n) => baseOffset < end && (files.segments[n + 1]?.baseOffset ?? end) > start,
    )
    const maxExpandedBytes = expansionLimit(files.config)
    let isFull = false
    const add = (bytes: Buffer, at: number): void => {
      if (header.isControl(bytes, at)) transactions.onControl(bytes, at)
      else if (!transactions.onData(bytes, at)) {
        visitRecords(bytes, at, maxExpandedBytes, ({ bytes: of, keyStart, keyEnd, offset }) => {
          if (keyEnd < keyStart || offset < start) return true
          isFull = !map.put(of, keyStart, keyEnd, offset, limit)
          return !isFull
        })
      }
      if (!isFull && header.lastOffset(bytes, at) >= start) map.latestOffset = header.lastOffset(bytes, at)
    }
    for (const [n, segment] of dirty.entries()) {
      const from = this.#log.disk.read(() => segment.offsetIndex.lookup(start).position)
      const reader = new SegmentReader(segment, from, run.o.bufferBytes)
      // oxlint-disable-next-line no-await-in-loop -- offsets must come in order
      await this.#eachBatch(
        run,
        reader,
        bytes => (run.counts.mapBytesRead += bytes),
        (bytes, at) => {
          add(bytes, at)
          return !isFull
        },
      )
      if (isFull) break
      // Offsets that are missing at its end were looked at, too.
      map.latestOffset = (dirty[n + 1]?.baseOffset ?? end) - 1
    }
    run.counts.mapUse = map.size / limit
    return map
  }

  async #compactGroup(
    run: Run,
    group: readonly Segment[],
    map: OffsetMap,
    transactions: CompactedTransactions,
    now: number,
  ): Promise<void> {
    const { files, disk, tail } = this.#log
    const { counts, o } = run
    const first = group[0]!
    const cleaned = files.newCleaned(first.baseOffset, now)
    run.cleaned = cleaned
    run.isPlaced = false
    cleaned.create()
    const options: FilterOptions = {
      map,
      transactions,
      producers: this.#lastOfProducers(),
      now,
      deleteRetentionMs: files.config.deleteRetentionMs,
      highWatermark: o.highWatermark,
      maxExpandedBytes: expansionLimit(files.config),
      counts,
    }
    for (const [n, segment] of group.entries()) {
      const end = group[n + 1]?.baseOffset ?? this.#endOf(segment)
      transactions.add(this.#aborted(segment.baseOffset, end))
      // oxlint-disable-next-line no-await-in-loop -- batches must come in order
      await this.#copy(run, segment, cleaned, options)
    }
    // What retention goes by where nothing with a timestamp is left.
    cleaned.created = group.at(-1)!.largestTimestamp
    cleaned.seal()
    // The old one's must not stay behind.
    cleaned.transactions.create()
    await o.pace.during(cleaned.sync(true))
    await o.pace.during(files.syncFolder())
    this.#check(run)
    disk.run(() => cleaned.moveTo(names.SWAP_SUFFIX))
    await o.pace.during(files.syncFolder())
    this.#check(run)
    if (!files.holds(group)) throw new Error('Segments left the log while it was compacted.')
    // From the first renaming on only a restart could take it back.
    run.isPlaced = true
    disk.run(() => files.replace(group, cleaned, now))
    tail.startAt(this.#endOf(cleaned))
    await o.pace.during(files.syncFolder())
    // Its names may have been given already, or there may be nothing left to be named.
    if (run.isAborted || cleaned.isClosed) throw new AbortedError()
    disk.run(() => files.finishSwap(cleaned))
    run.cleaned = null
    counts.segmentsBefore += group.length
    counts.segmentsAfter++
  }

  /** Copies what is left of a segment to the end of another. */
  async #copy(run: Run, from: Segment, to: Segment, options: FilterOptions): Promise<void> {
    const { counts, o } = run
    const reader = new SegmentReader(from, 0, o.bufferBytes)
    let parts: Buffer[] = []
    let size = 0
    const flush = (): void => {
      if (size === 0) return
      to.write(parts, size)
      counts.bytesWritten += size
      o.pace.moved(size)
      parts = []
      size = 0
    }
    await this.#eachBatch(
      run,
      reader,
      bytes => (counts.bytesRead += bytes),
      (bytes, at, length) => {
        const left = filterBatch(bytes, at, options)
        if (left === null) return true
        const kept = left === 'all' ? bytes.subarray(at, at + length) : left
        to.append(kept, 0)
        parts.push(kept)
        size += kept.length
        if (size >= o.bufferBytes) flush()
        return true
      },
      // The views among the parts are about to be overwritten.
      flush,
    )
    flush()
  }

  /** Visits the batches until `visit` returns false, pausing as the pace asks. `refill` is told before the buffer is used again. */
  async #eachBatch(
    run: Run,
    reader: SegmentReader,
    count: (bytes: number) => void,
    visit: (bytes: Buffer, at: number, size: number) => boolean,
    refill: () => void = () => {},
  ): Promise<void> {
    const { pace } = run.o
    for (;;) {
      this.#check(run)
      if (!reader.hasBatch) {
        refill()
        const bytes = this.#log.disk.read(() => reader.fill())
        if (bytes === 0) return
        count(bytes)
        pace.moved(bytes)
      }
      while (reader.hasBatch && !pace.isSpent) {
        const { buffer, at, size } = reader
        const loading = codecReady(header.codec(buffer, at))
        // oxlint-disable-next-line no-await-in-loop -- once in the life of the process
        if (loading !== null) await loading
        if (!visit(buffer, at, size)) return
        reader.advance()
      }
      // oxlint-disable-next-line no-await-in-loop -- that is what pauses are for
      if (pace.isSpent) await pace.rest()
    }
  }

  #aborted(from: number, to: number) {
    return this.#log.disk.read(() => findAborted(this.#log.files.segments, from, to))
  }

  #endOf(segment: Segment): number {
    return this.#log.disk.read(() => segment.nextOffset())
  }

  #lastOfProducers(): Map<number, LastOfProducer> {
    const found = new Map<number, LastOfProducer>()
    for (const { producerId, producerEpoch, batches } of this.#log.producers.activeProducers()) {
      found.set(producerId, { producerEpoch, lastDataOffset: batches.at(-1)?.lastOffset ?? -1 })
    }
    return found
  }
}

const newCounts = (): CompactionCounts => ({
  mapBytesRead: 0,
  bytesRead: 0,
  bytesWritten: 0,
  recordsRead: 0,
  recordsKept: 0,
  recordsWithoutKey: 0,
  segmentsBefore: 0,
  segmentsAfter: 0,
  mapUse: 0,
})
