/**
 * The producer snapshots of one partition: `<offset>.snapshot` holds the producers as they were when `offset` was the end of
 * the log. One is taken at every roll and at a clean close; all are hints, the log can always be replayed instead.
 */
import { CorruptFileError } from './errors.ts'
import type { Files } from './files.ts'
import * as names from './names.ts'
import { formatProducerSnapshot, parseProducerSnapshot } from './producer-snapshot.ts'
import type { ProducerState } from './producer-state.ts'

export class SnapshotFiles {
  readonly #files: Files
  readonly #folder: string
  /** Offsets of the files, ascending. */
  #offsets: number[]
  /** Those written since the last sync. */
  #unsynced: number[] = []

  /** @param fileNames what lies in the folder */
  constructor(files: Files, folder: string, fileNames: readonly string[]) {
    this.#files = files
    this.#folder = folder
    this.#offsets = fileNames
      .filter(name => name.endsWith(names.PRODUCER_SNAPSHOT_SUFFIX))
      .map(name => names.offsetOfFile(name) ?? -1)
      .filter(offset => offset >= 0)
      .toSorted((a, b) => a - b)
  }

  get offsets(): readonly number[] {
    return this.#offsets
  }

  /** Whether an orderly stop needs one: without producers to remember it does not, unless an older one would be believed. */
  areDue(state: ProducerState): boolean {
    return state.size > 0 || this.#offsets.length > 0
  }

  get areUnsynced(): boolean {
    return this.#unsynced.length > 0
  }

  /** Writes the state at its end offset, unless there is a snapshot of it. */
  take(state: ProducerState): void {
    const offset = state.mapEndOffset
    if (this.#offsets.includes(offset)) return
    const handle = this.#files.open(this.#path(offset), 'write')
    try {
      handle.truncate(0)
      handle.append([formatProducerSnapshot(state.snapshot())])
    } finally {
      handle.close()
    }
    this.#offsets.push(offset)
    this.#offsets.sort((a, b) => a - b)
    this.#unsynced.push(offset)
  }

  /**
   * Loads the newest usable snapshot at or below `offset` and above `logStartOffset`; without one the state is empty and
   * begins at `logStartOffset`. Damaged files are removed on the way.
   */
  load(state: ProducerState, logStartOffset: number, offset: number, now: number): void {
    for (const candidate of this.#offsets.toReversed()) {
      if (candidate > offset || candidate <= logStartOffset) continue
      const path = this.#path(candidate)
      try {
        return state.load(parseProducerSnapshot(this.#files.readAll(path), path), candidate, now)
      } catch (error) {
        if (!(error instanceof CorruptFileError)) throw error
        this.#remove(candidate)
      }
    }
    state.clear(logStartOffset)
  }

  /** Removes those of a future that was cut off, and those at or below the start of the log. */
  keepWithin(logStartOffset: number, logEndOffset: number): void {
    for (const offset of this.#offsets) if (offset <= logStartOffset || offset > logEndOffset) this.#remove(offset)
  }

  /** Of those that belong to no segment only the newest is of use, and only behind the last segment's base. */
  removeStrays(baseOffsets: readonly number[]): void {
    const last = this.#offsets.at(-1)
    for (const offset of this.#offsets) {
      if (!baseOffsets.includes(offset) && !(offset === last && offset > baseOffsets.at(-1)!)) this.#remove(offset)
    }
  }

  /** Removes those of segments that are gone. */
  removeAt(baseOffsets: readonly number[]): void {
    for (const offset of baseOffsets) if (this.#offsets.includes(offset)) this.#remove(offset)
  }

  removeAll(): void {
    for (const offset of this.#offsets) this.#remove(offset)
  }

  async sync(): Promise<void> {
    for (const offset of this.#takeUnsynced()) {
      if (!this.#offsets.includes(offset)) continue
      const handle = this.#files.open(this.#path(offset), 'write')
      try {
        await handle.sync()
      } finally {
        handle.close()
      }
    }
  }

  syncNow(): void {
    for (const offset of this.#takeUnsynced()) {
      const handle = this.#files.open(this.#path(offset), 'write')
      try {
        handle.syncNow()
      } finally {
        handle.close()
      }
    }
  }

  #takeUnsynced(): number[] {
    const offsets = this.#unsynced
    this.#unsynced = []
    return offsets
  }

  #remove(offset: number): void {
    this.#offsets = this.#offsets.filter(other => other !== offset)
    this.#unsynced = this.#unsynced.filter(other => other !== offset)
    if (this.#files.exists(this.#path(offset))) this.#files.remove(this.#path(offset))
  }

  #path(offset: number): string {
    return names.join(this.#folder, names.producerSnapshotFile(offset))
  }
}
