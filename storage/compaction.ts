/**
 * Compaction of one log (Cleaner.java): of each key the newest record stays. One run maps the keys of the dirty part, then
 * copies the segments before it, group by group, into new ones that take their place, save one of which all stays:
 *   N.log.cleaned      being written; worthless after a crash
 *   N.log.swap         finished and durable; a restart completes what follows (recovery.ts)
 *   old ones .deleted  then the new ones get their names
 * Between any two of these steps the folder is synced, without holding anybody up. The work pauses whenever the caller's pace
 * asks for it. The log may be appended to, read and rolled meanwhile; what cuts it ends the run first, with abort().
 */
import { codecReady } from '../protocol/records/compression.ts'
import * as header from '../protocol/records/batch.ts'
import type { FilterOptions, LastOfProducer, Steps } from './compaction-filter.ts'
import { filterBatch, KeptRecords, visitRecords } from './compaction-filter.ts'
import type { OffsetMap } from './compaction-map.ts'
import { mapFor } from './compaction-map.ts'
import type { CompactionCounts, CompactionResult, CompactOptions } from './compaction-options.ts'
import { newCounts } from './compaction-options.ts'
import type { Cleanable } from './compaction-plan.ts'
import { findCleanable, groupSegments } from './compaction-plan.ts'
import { SegmentReader } from './compaction-reader.ts'
import { Remains } from './compaction-remains.ts'
import { CompactedTransactions } from './compaction-txns.ts'
import type { AppendTarget } from './log-append.ts'
import { findAborted } from './log-read.ts'
import * as names from './names.ts'
import type { Segment } from './segment.ts'
import { expansionLimit } from './validate.ts'

interface Run {
  readonly o: CompactOptions
  readonly counts: CompactionCounts
  isAborted: boolean
  /** What is left of the group that is being compacted. */
  remains: Remains | null
  /** The segment that is being written, or that waits for its name. */
  cleaned: Segment | null
  /** Whether it takes the place of others now: its files must not go. */
  isPlaced: boolean
}

/** Thrown inside a run that was ended by abort(). */
class AbortedError extends Error {}

export class Compaction {
  readonly #log: AppendTarget
  readonly #sync: () => Promise<void>
  #run: Run | null = null

  /** @param sync brings all that was appended to the disk */
  constructor(log: AppendTarget, sync: () => Promise<void>) {
    this.#log = log
    this.#sync = sync
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
    const run: Run = { o, counts: newCounts(), isAborted: false, remains: null, cleaned: null, isPlaced: false }
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
    const producers = await this.#decided(run)
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
    const transactions = new CompactedTransactions(txn => run.remains!.abortedEnds(txn))
    for (const group of groups) {
      // oxlint-disable-next-line no-await-in-loop -- a group must be in place before the next one counts on it
      await this.#compactGroup(
        run,
        group.map(({ segment }) => segment),
        map,
        transactions,
        producers,
        now,
      )
    }
    return end
  }

  /**
   * What makes records superfluous may lie behind all that is compacted: the marker of a transaction, the next batch of a producer.
   * No crash may take it and leave the log without them, so it is brought to the disk first. Apache Kafka counts on replicas here.
   * @returns the last batches of the producers: no later crash goes back behind them
   */
  async #decided(run: Run): Promise<ReadonlyMap<number, LastOfProducer>> {
    const { offsets } = this.#log
    const producers = this.#lastOfProducers()
    if (offsets.synced < offsets.end) {
      await run.o.pace.during(this.#sync())
      this.#check(run)
    }
    return producers
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
    const add = function* (bytes: Buffer, at: number): Steps<boolean> {
      if (header.isControl(bytes, at)) transactions.onControl(bytes, at)
      else if (!transactions.onData(bytes, at)) {
        yield* visitRecords(bytes, at, maxExpandedBytes, ({ bytes: of, keyStart, keyEnd, offset }) => {
          if (keyEnd < keyStart || offset < start) return true
          isFull = !map.put(of, keyStart, keyEnd, offset, limit)
          return !isFull
        })
      }
      if (!isFull && header.lastOffset(bytes, at) >= start) map.latestOffset = header.lastOffset(bytes, at)
      return !isFull
    }
    for (const [n, segment] of dirty.entries()) {
      const from = this.#log.disk.read(() => segment.offsetIndex.lookup(start).position)
      const reader = new SegmentReader(segment, from, run.o.bufferBytes)
      // oxlint-disable-next-line no-await-in-loop -- offsets must come in order
      await this.#eachBatch(run, reader, bytes => (run.counts.mapBytesRead += bytes), add)
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
    producers: ReadonlyMap<number, LastOfProducer>,
    now: number,
  ): Promise<void> {
    const { files } = this.#log
    const { counts, o } = run
    const remains = new Remains(o.bufferBytes, bytes => {
      counts.bytesWritten += bytes
      o.pace.moved(bytes)
    })
    run.remains = remains
    const options: FilterOptions = {
      map,
      transactions,
      producers,
      now,
      deleteRetentionMs: files.config.deleteRetentionMs,
      highWatermark: o.highWatermark,
      maxExpandedBytes: expansionLimit(files.config),
      kept: new KeptRecords(),
      counts,
    }
    if (group.length > 1) this.#begin(run, group, remains)
    for (const [n, segment] of group.entries()) {
      const end = group[n + 1]?.baseOffset ?? this.#endOf(segment)
      transactions.add(this.#aborted(segment.baseOffset, end))
      // oxlint-disable-next-line no-await-in-loop -- batches must come in order
      await this.#copy(run, group, segment, remains, options)
    }
    counts.segmentsBefore += group.length
    counts.segmentsAfter++
    if (remains.segment === null) counts.segmentsLeft++
    else await this.#place(run, group, remains.segment)
  }

  #begin(run: Run, group: readonly Segment[], remains: Remains): void {
    this.#check(run)
    const cleaned = this.#log.files.newCleaned(group[0]!.baseOffset, run.o.now)
    run.cleaned = cleaned
    run.isPlaced = false
    remains.begin(cleaned)
  }

  /** Puts the finished segment in the place of the group. */
  async #place(run: Run, group: readonly Segment[], cleaned: Segment): Promise<void> {
    const { files, disk, tail } = this.#log
    const { now, pace } = run.o
    // What retention goes by where nothing with a timestamp is left.
    cleaned.created = group.at(-1)!.largestTimestamp
    cleaned.seal()
    // The old one's must not stay behind.
    cleaned.transactions.create()
    await pace.during(cleaned.sync(true))
    await pace.during(files.syncFolder())
    this.#check(run)
    disk.run(() => cleaned.moveTo(names.SWAP_SUFFIX))
    await pace.during(files.syncFolder())
    this.#check(run)
    if (!files.holds(group)) throw new Error('Segments left the log while it was compacted.')
    // Where the next one begins: the last records of the group may be among those that went.
    const end = files.segments[files.segments.indexOf(group.at(-1)!) + 1]!.baseOffset
    // From the first renaming on only a restart could take it back.
    run.isPlaced = true
    disk.run(() => files.replace(group, cleaned, now))
    tail.startAt(end)
    await pace.during(files.syncFolder())
    // Its names may have been given already, or there may be nothing left to be named.
    if (run.isAborted || cleaned.isClosed) throw new AbortedError()
    disk.run(() => files.finishSwap(cleaned))
    run.cleaned = null
  }

  /** Adds what is left of a segment of the group; of a group of one nothing, while all of it stays. */
  async #copy(
    run: Run,
    group: readonly Segment[],
    from: Segment,
    remains: Remains,
    options: FilterOptions,
  ): Promise<void> {
    const reader = new SegmentReader(from, 0, run.o.bufferBytes)
    const beginLate = () => this.#beginLate(run, group, from, remains)
    await this.#eachBatch(
      run,
      reader,
      bytes => (run.counts.bytesRead += bytes),
      function* (bytes, at, length): Steps<boolean> {
        const left = yield* filterBatch(bytes, at, options)
        if (remains.segment === null) {
          if (left === 'all') {
            remains.bytesAsTheyAre += length
            return true
          }
          yield beginLate
        }
        if (left !== null) remains.add(left === 'all' ? bytes.subarray(at, at + length) : left)
        return true
      },
      // The views among the batches that were added are about to be overwritten.
      () => remains.flush(),
    )
    if (remains.segment === null && !remains.hasAborted(this.#log.disk.read(() => from.transactions.entries))) {
      await beginLate()
    }
    remains.flush()
  }

  /** Something goes: what was read of the segment so far, and stays as it is, is copied first. */
  async #beginLate(run: Run, group: readonly Segment[], from: Segment, remains: Remains): Promise<void> {
    this.#begin(run, group, remains)
    await this.#eachBatch(
      run,
      new SegmentReader(from, 0, run.o.bufferBytes, remains.bytesAsTheyAre),
      bytes => (run.counts.bytesRead += bytes),
      // oxlint-disable-next-line require-yield -- a step as a whole
      function* (bytes, at, length): Steps<boolean> {
        remains.add(bytes.subarray(at, at + length))
        return true
      },
      () => remains.flush(),
    )
    remains.flush()
  }

  /** Visits the batches until `visit` returns false, pausing as the pace asks. `refill` is told before the buffer is used again. */
  async #eachBatch(
    run: Run,
    reader: SegmentReader,
    count: (bytes: number) => void,
    visit: (bytes: Buffer, at: number, size: number) => Steps<boolean>,
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
        const steps = visit(buffer, at, size)
        let step = steps.next()
        for (; step.done !== true; step = steps.next()) {
          // oxlint-disable-next-line no-await-in-loop -- one after the other
          if (step.value instanceof Promise) await pace.during(step.value)
          // oxlint-disable-next-line no-await-in-loop -- it pauses by itself
          else if (step.value !== undefined) await step.value()
          // oxlint-disable-next-line no-await-in-loop -- as below
          else if (pace.isSpent) await pace.rest()
          else continue
          this.#check(run)
        }
        if (!step.value) return
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
