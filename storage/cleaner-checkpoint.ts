/**
 * `cleaner-offset-checkpoint` of one log directory: up to which offset each log is compacted (checkpoint.ts has the format). It is
 * replaced without holding anybody up; what a crash leaves is the old content or the new, and an older one only means that
 * something is compacted again.
 */
import { formatOffsetCheckpoint, parseOffsetCheckpoint } from './checkpoint.ts'
import type { PartitionOffset } from './checkpoint.ts'
import { CorruptFileError } from './errors.ts'
import type { Files } from './files.ts'
import * as names from './names.ts'

const PATH = names.CLEANER_OFFSET_CHECKPOINT_FILE

export class CleanerCheckpoint {
  /** What was found wrong: every log counts as never compacted then. */
  readonly warning: string | null = null
  readonly #files: Files
  readonly #offsets = new Map<string, PartitionOffset>()
  #writing: Promise<void> = Promise.resolve()

  /** Reads the file. @throws what the disk throws */
  constructor(files: Files) {
    this.#files = files
    if (!files.exists(PATH)) return
    try {
      for (const entry of parseOffsetCheckpoint(files.readAll(PATH), PATH)) this.#offsets.set(keyOf(entry), entry)
    } catch (error) {
      if (!(error instanceof CorruptFileError)) throw error
      this.warning = `${error.message}; every log counts as never compacted.`
    }
  }

  get(topic: string, partition: number): number | undefined {
    return this.#offsets.get(keyOf({ topic, partition }))?.offset
  }

  /** Takes note; write() brings it to the disk. undefined: the log is gone, or must be compacted from its start. */
  set(topic: string, partition: number, offset: number | undefined): void {
    const key = keyOf({ topic, partition })
    if (offset === undefined) this.#offsets.delete(key)
    else this.#offsets.set(key, { topic, partition, offset })
  }

  /** Leaves only what can be true of the logs there are. @returns whether something else was there */
  retain(isPossible: (entry: PartitionOffset) => boolean): boolean {
    const before = this.#offsets.size
    for (const [key, entry] of this.#offsets) if (!isPossible(entry)) this.#offsets.delete(key)
    return this.#offsets.size < before
  }

  /** Resolves when what is noted now is on the disk. Rejects with what the disk throws. */
  write(): Promise<void> {
    const next = this.#writing.then(() => this.#replace())
    this.#writing = next.catch(() => {})
    return next
  }

  async #replace(): Promise<void> {
    const temporary = PATH + names.TEMPORARY_SUFFIX
    const handle = this.#files.open(temporary, 'write')
    try {
      handle.truncate(0)
      handle.append([formatOffsetCheckpoint([...this.#offsets.values()])])
      await handle.sync()
    } finally {
      handle.close()
    }
    this.#files.rename(temporary, PATH)
    await this.#files.syncDir('')
  }
}

const keyOf = ({ topic, partition }: { topic: string; partition: number }): string =>
  names.partitionFolder(topic, partition)
