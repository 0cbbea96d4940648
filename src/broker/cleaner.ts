// Compacts logs in the background: again and again the one with the largest share of dirty bytes, one at a time, with a pause
// when none is due. Kafka: LogCleaner.java, LogCleanerManager.java.
import type { Cleanable } from '../../storage/compaction-plan.ts'
import type { CompactionResult } from '../../storage/compaction-options.ts'
import { BYTES_PER_SLOT, type HashKey } from '../../storage/compaction-map.ts'
import type { LogDir } from '../../storage/log-dir.ts'
import type { Log } from '../../storage/log.ts'
import type { BrokerConfig } from '../config/index.ts'
import type { CleanerCounters } from '../observe/counters.ts'
import type { Runtime, Timer } from '../runtime/index.ts'
import type { MemoryMeter } from '../runtime/memory.ts'
import { CleanerCheckpoint } from '../../storage/cleaner-checkpoint.ts'
import { cleanerPace, MAX_SLICE_MS, type CleanerPace } from './cleaner-pace.ts'
import type { Partition } from './partition.ts'
import type { PartitionTable } from './partition-table.ts'

export interface CleanerOptions {
  readonly config: BrokerConfig
  readonly runtime: Runtime
  readonly partitions: PartitionTable
  readonly counters: CleanerCounters
  /** What a run may take, and takes. */
  readonly memory: MemoryMeter
  /** Those that are online. */
  readonly dirs: () => Iterable<LogDir<Log>>
  /** The directory that holds a partition's log; undefined where it has failed. */
  readonly dirOf: (topic: string, partition: number) => LogDir<Log> | undefined
  /** Whether a partition is on its way to another directory: it is left alone meanwhile. */
  readonly isMoving: (topic: string, partition: number) => boolean
}

interface Candidate {
  readonly partition: Partition
  readonly cleanable: Cleanable
}

export class Cleaner {
  readonly #o: CleanerOptions
  readonly #checkpoints = new Map<LogDir<Log>, CleanerCheckpoint>()
  /** Logs with something in them that cannot be compacted: left alone until a restart, as in Kafka. */
  readonly #uncleanable = new Set<Log>()
  #timer: Timer | null = null
  #working: Promise<void> = Promise.resolve()
  #pace: CleanerPace | null = null
  #current: Log | null = null
  #isStopped = false

  constructor(options: CleanerOptions) {
    this.#o = options
  }

  start(): void {
    const { config, runtime, dirs } = this.#o
    for (const dir of dirs()) {
      try {
        // Before a topic is made that has the name of a deleted one, of which a crash left an entry.
        this.#checkpointIn(dir)
      } catch (error) {
        runtime.log.error({ path: dir.path, err: error }, 'The checkpoint of compaction could not be read')
      }
    }
    if (config['log.cleaner.enable']) this.#arm(config['log.cleaner.backoff.ms'])
    else runtime.log.warn('log.cleaner.enable is false: logs with cleanup.policy=compact grow without bound')
  }

  /** Ends a compaction under way; resolves when nothing of it goes on. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#timer?.cancel()
    this.#current?.compaction.abort()
    this.#pace?.stop()
    await this.#working
  }

  /** The partition was deleted: a later one of its name begins anew. */
  gone(topic: string, partition: number): void {
    for (const checkpoint of this.#checkpoints.values()) {
      if (checkpoint.get(topic, partition) === undefined) continue
      checkpoint.set(topic, partition, undefined)
      void this.#write(checkpoint)
    }
  }

  /** The log is about to move to another directory. */
  pause(log: Log): void {
    if (this.#current === log) log.compaction.abort()
  }

  isBusy(log: Log): boolean {
    return this.#current === log
  }

  /** The partition's log is in another directory now, as clean as it was. */
  moved(topic: string, partition: number, from: LogDir<Log>, to: LogDir<Log>): void {
    const before = this.#checkpointIn(from)
    const cleanedOffset = before.get(topic, partition)
    if (cleanedOffset === undefined) return
    before.set(topic, partition, undefined)
    const after = this.#checkpointIn(to)
    after.set(topic, partition, cleanedOffset)
    void this.#write(after).then(() => this.#write(before))
  }

  /** Settings changed: the next look for something to do comes at once, as that of new threads does in Kafka. */
  reconfigured(): void {
    // Null: it is at work.
    if (this.#timer === null) return
    this.#timer.cancel()
    this.#arm(0)
  }

  #arm(ms: number): void {
    if (this.#isStopped) return
    this.#timer = this.#o.runtime.timers.after(ms, () => {
      this.#timer = null
      this.#working = this.#work().finally(() => this.#arm(this.#o.config['log.cleaner.backoff.ms']))
    })
  }

  async #work(): Promise<void> {
    while (!this.#isStopped && this.#o.config['log.cleaner.threads'] > 0) {
      // oxlint-disable-next-line no-await-in-loop -- one at a time
      const dirtiest = await this.#dirtiest()
      if (dirtiest === null) break
      // oxlint-disable-next-line no-await-in-loop -- one at a time
      await this.#clean(dirtiest)
    }
    if (!this.#isStopped) await this.#deleteOldSegments()
  }

  /** All partitions, in slices between which others get their turn: there may be thousands, and logs at rest are opened. */
  async *#partitions(): AsyncGenerator<Partition, void, undefined> {
    const { partitions, runtime } = this.#o
    let end = runtime.clock.monotonic() + MAX_SLICE_MS
    for (const partition of partitions.all()) {
      if (runtime.clock.monotonic() >= end) {
        // oxlint-disable-next-line no-await-in-loop -- that is what slices are for
        await new Promise<void>(resolve => runtime.timers.defer(resolve))
        end = runtime.clock.monotonic() + MAX_SLICE_MS
      }
      if (this.#isStopped) return
      if (partitions.get(partition.topic, partition.partition) === partition) yield partition
    }
  }

  /** The log that is most in need of it; null when none is due. */
  async #dirtiest(): Promise<Candidate | null> {
    const { partitions, counters, runtime } = this.#o
    const now = runtime.clock.now()
    let found: Candidate | null = null as Candidate | null
    let maxDirtyRatio = 0
    let maxDelayMs = 0
    counters.lastRunAt = now
    for await (const partition of this.#partitions()) {
      const { log } = partition
      // The active segment is never compacted.
      if (!log.config.cleanupPolicy.compact || log.segmentCount < 2) continue
      if (log.offline !== null || this.#uncleanable.has(log)) continue
      if (this.#o.isMoving(partition.topic, partition.partition)) continue
      this.#guard(partition, () => {
        const cleanable = this.#plan(partition, now)
        maxDirtyRatio = Math.max(maxDirtyRatio, cleanable.dirtyRatio)
        maxDelayMs = Math.max(maxDelayMs, cleanable.overdueMs)
        if (!cleanable.isDue || (found !== null && found.cleanable.dirtyRatio >= cleanable.dirtyRatio)) return
        found = { partition, cleanable }
      })
    }
    counters.maxDirtyPercent = Math.floor(maxDirtyRatio * 100)
    counters.maxCompactionDelayMs = maxDelayMs
    if (found === null || this.#isStopped) return null
    const { partition } = found
    const { topic, partition: index, log } = partition
    const isLeft = partitions.get(topic, index) !== partition || log.offline !== null || this.#o.isMoving(topic, index)
    if (isLeft || !log.config.cleanupPolicy.compact) return null
    // Much may have happened to it since it was looked at.
    this.#guard(partition, () => (found = { partition, cleanable: this.#plan(partition, now) }))
    return found.cleanable.isDue && !this.#uncleanable.has(log) ? found : null
  }

  #plan(partition: Partition, now: number): Cleanable {
    const { topic, partition: index, log } = partition
    const cleanedOffset = this.#checkpointOf(partition).get(topic, index)
    return log.compaction.plan({ now, cleanedOffset, stableOffset: partition.lastStableOffset })
  }

  async #clean({ partition, cleanable }: Candidate): Promise<void> {
    const { config, runtime, memory } = this.#o
    const { log, topic, partition: index } = partition
    const threads = config['log.cleaner.threads']
    const pace = cleanerPace(runtime, { threads, maxBytesPerSecond: config['log.cleaner.io.max.bytes.per.second'] })
    const from = runtime.clock.monotonic()
    const bufferBytes = Math.min(config['log.cleaner.io.buffer.size'], memory.limitBytes / 8) / threads / 2
    const mapBytes = Math.min(config['log.cleaner.dedupe.buffer.size'], memory.limitBytes - bufferBytes * 2) / threads
    const mapLoadFactor = config['log.cleaner.io.buffer.load.factor']
    const keys = cleanable.firstUncleanableOffset - cleanable.firstDirtyOffset
    const taken = Math.min(mapBytes, (keys / mapLoadFactor) * BYTES_PER_SLOT) + bufferBytes * 2
    this.#pace = pace
    this.#current = log
    memory.add(taken)
    try {
      this.#checkpointRecovery(topic, index, cleanable)
      const result = await log.compaction.run({
        now: runtime.clock.now(),
        cleanable,
        highWatermark: partition.highWatermark,
        pace,
        mapBytes,
        mapLoadFactor,
        hashKey: newHashKey(runtime),
        bufferBytes,
      })
      if (result.cleanedOffset !== null) await this.#cleaned(partition, result, runtime.clock.monotonic() - from)
    } catch (error) {
      this.#failed(partition, error)
    } finally {
      memory.add(-taken)
      this.#o.counters.longestSliceMs = Math.max(this.#o.counters.longestSliceMs, pace.longestSliceMs)
      this.#pace = null
      this.#current = null
    }
  }

  /** What replaces records that were on the disk must not be taken, after a crash, for the place where the log was cut off. */
  #checkpointRecovery(topic: string, partition: number, { firstUncleanableOffset }: Cleanable): void {
    const dir = this.#o.dirOf(topic, partition)
    if (dir && dir.recoveryPointOf(topic, partition) < firstUncleanableOffset) dir.writeCheckpoints()
  }

  async #cleaned(partition: Partition, { cleanedOffset, counts }: CompactionResult, ms: number): Promise<void> {
    const { counters, runtime } = this.#o
    const { topic, partition: index } = partition
    counters.runs++
    counters.bytesRead += counts.mapBytesRead + counts.bytesRead
    counters.bytesWritten += counts.bytesWritten
    counters.recordsRead += counts.recordsRead
    counters.recordsKept += counts.recordsKept
    counters.maxBufferPercent = Math.floor(counts.mapUse * 100)
    runtime.log.info({ topic, partition: index, cleanedOffset, ms: Math.round(ms), ...counts }, 'Log compacted')
    if (counts.recordsWithoutKey > 0) {
      runtime.log.warn(
        { topic, partition: index, records: counts.recordsWithoutKey },
        'Records without a key were removed',
      )
    }
    // Deleted while the last of it was written: a later partition of this name begins anew.
    if (this.#o.partitions.get(topic, index) !== partition) return
    const checkpoint = this.#checkpointOf(partition)
    checkpoint.set(topic, index, cleanedOffset ?? undefined)
    await this.#write(checkpoint)
  }

  #failed({ log, topic, partition }: Partition, error: unknown): void {
    const { counters, runtime } = this.#o
    // The partition itself has told of it.
    if (log.offline !== null) return
    const isDisk = error instanceof Error && 'syscall' in error
    runtime.log.error(
      { topic, partition, err: error },
      isDisk
        ? 'A log could not be compacted just now'
        : 'A log cannot be compacted: it is left as it is until a restart',
    )
    if (isDisk) return
    this.#uncleanable.add(log)
    counters.uncleanablePartitions = this.#uncleanable.size
  }

  /** Retention of compacted logs: it had to wait while they were compacted. */
  async #deleteOldSegments(): Promise<void> {
    const now = this.#o.runtime.clock.now()
    for (const log of this.#uncleanable) {
      if (this.#o.partitions.get(log.topic, log.partition)?.log !== log) this.#uncleanable.delete(log)
    }
    this.#o.counters.uncleanablePartitions = this.#uncleanable.size
    for await (const partition of this.#partitions()) {
      const { log } = partition
      if (!log.config.cleanupPolicy.compact || log.segmentCount < 2 || log.offline !== null) continue
      partition.guard(() => void partition.applyRetention(now))
    }
  }

  #checkpointOf({ topic, partition }: Partition): CleanerCheckpoint {
    const dir = this.#o.dirOf(topic, partition)
    if (!dir) throw new Error(`the log directory of ${topic}-${partition} is offline`)
    return this.#checkpointIn(dir)
  }

  #checkpointIn(dir: LogDir<Log>): CleanerCheckpoint {
    let found = this.#checkpoints.get(dir)
    if (found === undefined) {
      found = new CleanerCheckpoint(dir.files)
      if (found.warning !== null) this.#o.runtime.log.warn(found.warning)
      const endOf = (topic: string, index: number) => this.#o.partitions.get(topic, index)?.log.logEndOffset ?? -1
      const hasChanged = found.retain(({ topic, partition, offset }) => offset <= endOf(topic, partition))
      this.#checkpoints.set(dir, found)
      if (hasChanged) void this.#write(found)
    }
    return found
  }

  async #write(checkpoint: CleanerCheckpoint): Promise<void> {
    try {
      await checkpoint.write()
    } catch (error) {
      this.#o.runtime.log.error({ err: error }, 'The checkpoint of compaction could not be written')
    }
  }

  /** What cannot even be looked into is left alone. */
  #guard(partition: Partition, look: () => void): void {
    try {
      look()
    } catch (error) {
      this.#failed(partition, error)
    }
  }
}

const newHashKey = ({ random }: Runtime): HashKey => {
  const bytes = random.bytes(16)
  return [bytes.readInt32LE(0), bytes.readInt32LE(4), bytes.readInt32LE(8), bytes.readInt32LE(12)]
}
