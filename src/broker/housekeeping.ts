// What a broker does by the clock: retention, flush.ms, checkpoints, expiry of producers, removal of deleted files.
// Kafka: LogManager.startup (its scheduled tasks), ReplicaManager (high watermark checkpoint).
import type { BrokerConfig } from '../config/index.ts'
import type { Runtime, Timer } from '../runtime/index.ts'
import type { Flusher } from './flusher.ts'
import type { LogDirs, OnlineDirectory } from './log-dirs.ts'
import type { PartitionTable } from './partition-table.ts'
import type { Partition } from './partition.ts'
import type { ReadAhead } from '../../storage/read-ahead.ts'

export interface HousekeepingOptions {
  readonly config: BrokerConfig
  readonly runtime: Runtime
  readonly dirs: LogDirs
  readonly partitions: PartitionTable
  readonly flusher: Flusher
  readonly readAhead: ReadAhead | null
  /** A disk call failed in this directory. */
  readonly suspect: (directory: OnlineDirectory) => void
}

/** flush.ms is looked after this often, or as often as log.flush.scheduler.interval.ms says. */
const FLUSH_CHECK_MS = 1000
/** What was read ahead and is not asked for is kept this long, at most twice. */
const READ_AHEAD_MS = 1000
/** Files of dropped segments and folders of deleted topics are looked after this often. */
const DELETE_CHECK_MS = 10_000
/** How long work on many partitions may hold up everybody else. */
const SLICE_MS = 10

export class Housekeeping {
  readonly #o: HousekeepingOptions
  readonly #timers = new Set<Timer>()
  #folderDue = Infinity
  #isStopped = false

  constructor(options: HousekeepingOptions) {
    this.#o = options
  }

  start(): void {
    const { config } = this.#o
    const first = config['log.initial.task.delay.ms']
    this.#every(config['log.retention.check.interval.ms'], () => this.#retention(), first)
    this.#every(config['log.flush.offset.checkpoint.interval.ms'], () => this.#checkpoint(), first)
    this.#every(Math.max(1, Math.min(FLUSH_CHECK_MS, config['log.flush.scheduler.interval.ms'])), () => this.#flush())
    this.#every(READ_AHEAD_MS, () => this.#o.readAhead?.sweep())
    this.#every(DELETE_CHECK_MS, () => this.#deleteFiles())
    this.#every(config['producer.id.expiration.check.interval.ms'], () => this.#expireProducers())
  }

  stop(): void {
    this.#isStopped = true
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
  }

  /** A topic's folder was marked for deletion: it goes once log.segment.delete.delay.ms has passed. */
  folderDeleted(): void {
    const { config, runtime } = this.#o
    // A later deletion goes with the earlier ones, a little early, rather than hold them back for ever.
    this.#folderDue = Math.min(this.#folderDue, runtime.clock.now() + config['log.segment.delete.delay.ms'])
  }

  #every(ms: number, task: () => void, firstMs = ms): void {
    const arm = (delay: number): void => {
      const timer = this.#o.runtime.timers.after(delay, () => {
        this.#timers.delete(timer)
        task()
        arm(ms)
      })
      this.#timers.add(timer)
    }
    arm(firstMs)
  }

  /** As #each, but for work that may take long: others get their turn in between. */
  #inSlices(task: (partition: Partition) => void): void {
    const { clock, timers } = this.#o.runtime
    const left = [...this.#o.partitions.all()].values()
    const slice = (): void => {
      const end = clock.monotonic() + SLICE_MS
      for (const partition of left) {
        if (this.#isStopped) return
        if (!partition.log.offline) partition.guard(() => task(partition))
        if (clock.monotonic() >= end) return timers.defer(slice)
      }
    }
    slice()
  }

  /** One partition's failing disk must not keep the others from their turn. */
  #each(task: (partition: Partition) => void): void {
    for (const partition of this.#o.partitions.all()) {
      if (!partition.log.offline) partition.guard(() => task(partition))
    }
  }

  #retention(): void {
    const now = this.#o.runtime.clock.now()
    this.#inSlices(partition => {
      const count = partition.applyRetention(now)
      const { topic, partition: index } = partition
      if (count > 0)
        this.#o.runtime.log.info({ topic, partition: index, segments: count }, 'Segments deleted by retention')
    })
  }

  #checkpoint(): void {
    const { dirs, runtime, suspect } = this.#o
    dirs.each(
      dir => {
        dir.writeCheckpoints()
        dir.mustBeThere()
      },
      (directory, error) => {
        // Old checkpoints only make the next recovery longer; the next round tries again.
        runtime.log.error({ path: directory.path, err: error }, 'The checkpoints could not be written')
        suspect(directory)
      },
    )
  }

  #flush(): void {
    const now = this.#o.runtime.clock.now()
    for (const partition of this.#o.partitions.all()) {
      if (!partition.log.offline && partition.log.flushDue(now)) this.#o.flusher.wantsSync(partition)
    }
  }

  #deleteFiles(): void {
    const now = this.#o.runtime.clock.now()
    this.#each(partition => void partition.log.deletePendingFiles(now))
    if (now < this.#folderDue) return
    this.#folderDue = Infinity
    this.cleanDeleted()
  }

  /** Removes the folders that are marked for deletion. */
  cleanDeleted(): void {
    const { dirs, runtime } = this.#o
    dirs.each(
      dir => void dir.cleanDeleted(),
      ({ path }, error) => {
        const message = 'Folders of deleted topics could not be removed; the next start tries again'
        runtime.log.error({ path, err: error }, message)
      },
    )
  }

  #expireProducers(): void {
    const now = this.#o.runtime.clock.now()
    this.#each(({ log }) => log.isOpen && log.producers.expire(now))
  }
}
