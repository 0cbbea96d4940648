/**
 * The checkpoint files of a log directory: what they said when it was opened, and what they hold now, so that only what has
 * changed is written. A partition that is being moved stands there by topic and number, as in Apache Kafka.
 */
import { formatOffsetCheckpoint, offsetsByFolder, parseOffsetCheckpoint } from './checkpoint.ts'
import type { PartitionOffset } from './checkpoint.ts'
import { CorruptFileError } from './errors.ts'
import type { Files } from './files.ts'
import * as names from './names.ts'

/** What checkpoints say of one log. */
export interface Offsets {
  readonly topic: string
  readonly partition: number
  recoveryPoint: number
  logStartOffset: number
  highWatermark: number
}

export class DirCheckpoints {
  readonly #files: Files
  /** Last content of each file. */
  readonly #written = new Map<string, Buffer>()
  #rewrite = false
  /** Partitions of which it says more than 0, by file. */
  readonly #mentioned = new Map<string, ReadonlySet<string>>()
  readonly #recoveryPoints: ReadonlyMap<string, number>
  readonly #startOffsets: ReadonlyMap<string, number>
  readonly #highWatermarks: ReadonlyMap<string, number>

  /** Reads the files. What is wrong with them is added to `warnings`. */
  constructor(files: Files, warnings: string[]) {
    this.#files = files
    this.#recoveryPoints = this.#read(names.RECOVERY_POINT_CHECKPOINT_FILE, warnings)
    this.#startOffsets = this.#read(names.LOG_START_OFFSET_CHECKPOINT_FILE, warnings)
    this.#highWatermarks = this.#read(names.REPLICATION_OFFSET_CHECKPOINT_FILE, warnings)
  }

  /** As they were when the directory was opened; 0 where nothing was said. */
  found(topic: string, partition: number): Offsets {
    const key = names.partitionFolder(topic, partition)
    return {
      topic,
      partition,
      recoveryPoint: this.#recoveryPoints.get(key) ?? 0,
      logStartOffset: this.#startOffsets.get(key) ?? 0,
      highWatermark: this.#highWatermarks.get(key) ?? 0,
    }
  }

  /** Every log that had records on disk. */
  *durable(): Generator<Offsets> {
    for (const [folder, recoveryPoint] of this.#recoveryPoints) {
      const parsed = recoveryPoint > 0 ? names.parseFolder(folder) : null
      if (parsed?.kind === 'log') yield this.found(parsed.topic, parsed.partition)
    }
  }

  /** Whether a file on disk says of this partition what would not hold for a new log. */
  mention(topic: string, partition: number): boolean {
    const key = names.partitionFolder(topic, partition)
    for (const folders of this.#mentioned.values()) if (folders.has(key)) return true
    return false
  }

  /** Whether they mention a log, by folder name, that is none of these. */
  mentionOther(exists: (folder: string) => boolean): boolean {
    for (const folders of this.#mentioned.values()) for (const folder of folders) if (!exists(folder)) return true
    return false
  }

  /** The next write() writes every file, changed or not. */
  forget(): void {
    this.#rewrite = true
  }

  write(all: readonly Offsets[]): void {
    const entries = (offset: (o: Offsets) => number): PartitionOffset[] =>
      all.map(o => ({ topic: o.topic, partition: o.partition, offset: offset(o) }))
    this.#write(
      names.LOG_START_OFFSET_CHECKPOINT_FILE,
      entries(o => o.logStartOffset).filter(({ offset }) => offset > 0),
    )
    this.#write(
      names.RECOVERY_POINT_CHECKPOINT_FILE,
      entries(o => o.recoveryPoint),
    )
    this.#write(
      names.REPLICATION_OFFSET_CHECKPOINT_FILE,
      entries(o => o.highWatermark),
    )
    this.#rewrite = false
  }

  /** A file that cannot be read costs time (the whole log is scanned) or brings deleted records back, as in Apache Kafka. */
  #read(path: string, warnings: string[]): Map<string, number> {
    if (!this.#files.exists(path)) return new Map()
    const data = this.#files.readAll(path)
    this.#written.set(path, data)
    try {
      const entries = parseOffsetCheckpoint(data, path)
      this.#note(path, entries)
      return offsetsByFolder(entries)
    } catch (error) {
      if (!(error instanceof CorruptFileError)) throw error
      warnings.push(`${error.message}; every log begins at 0 there.`)
      return new Map()
    }
  }

  #write(path: string, entries: readonly PartitionOffset[]): void {
    const data = formatOffsetCheckpoint(entries)
    if (!this.#rewrite && this.#written.get(path)?.equals(data) === true) return
    this.#files.writeAtomic(path, data)
    this.#written.set(path, data)
    this.#note(path, entries)
  }

  #note(path: string, entries: readonly PartitionOffset[]): void {
    const used = entries.filter(({ offset }) => offset > 0)
    this.#mentioned.set(path, new Set(used.map(({ topic, partition }) => names.partitionFolder(topic, partition))))
  }
}
