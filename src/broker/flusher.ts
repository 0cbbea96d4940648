// Turns appends into disk writes: everything that was appended in one event-loop turn is written by one vectored write
// per partition after the turn's reads, and everything that waits for the disk shares the next fdatasync (group commit:
// one round in flight, the next round takes whoever came meanwhile). While a round is in flight small appends are not even
// written: a write would wait for the file system's journal, and hold the event loop up, until the sync is through.
import type { Timers } from '../runtime/timers.ts'

/** The part of a partition that the flusher drives. Neither call throws: a failing disk takes the partition offline. */
export interface Flushable {
  /** Whether what is queued is little, and nobody waits for the write alone: it may come with the next sync. */
  readonly mayWriteLater: boolean
  /** Hands queued appends to the operating system and tells those who waited for that. */
  write(): void
  /** Makes what is written durable and tells those who waited for that. */
  sync(): Promise<void>
}

/** How many partitions may have something that waits for the round in flight. */
const MOST_HELD = 256

export class Flusher {
  readonly #timers: Timers
  #dirty: Flushable[] = []
  /** Those that write when the round in flight is over. */
  #held = new Set<Flushable>()
  #toSync = new Set<Flushable>()
  #isWriting = false
  #isSyncing = false
  #syncing: Promise<void> = Promise.resolve()

  constructor(timers: Timers) {
    this.#timers = timers
  }

  /** `partition` has queued appends: write them when this turn's reads are done. */
  wroteTo(partition: Flushable): void {
    if (this.#dirty.push(partition) === 1) this.#timers.defer(() => this.#writeTurn())
  }

  /** `partition` has written bytes that somebody wants on disk. */
  wantsSync(partition: Flushable): void {
    this.#toSync.add(partition)
    // Everything that this turn writes shares the round.
    if (!this.#isSyncing && !this.#isWriting) this.#startSyncing()
  }

  /** Writes and syncs everything that is pending; resolves when nothing is in flight. */
  async settle(): Promise<void> {
    this.#writeTurn()
    await this.#syncing
  }

  #writeTurn(): void {
    const dirty = this.#dirty
    if (dirty.length === 0) return
    this.#dirty = []
    const mayHold = this.#isSyncing
    this.#isWriting = true
    for (const partition of dirty) {
      if (mayHold && partition.mayWriteLater && this.#held.size < MOST_HELD) this.#held.add(partition)
      else partition.write()
    }
    this.#isWriting = false
    if (!this.#isSyncing && this.#toSync.size > 0) this.#startSyncing()
  }

  #startSyncing(): void {
    this.#isSyncing = true
    this.#syncing = this.#syncRounds()
  }

  async #syncRounds(): Promise<void> {
    while (this.#toSync.size > 0 || this.#held.size > 0) {
      const held = this.#held
      this.#held = new Set()
      for (const partition of held) partition.write()
      const round = [...this.#toSync]
      this.#toSync.clear()
      // oxlint-disable-next-line no-await-in-loop -- one round in flight is the point
      await Promise.all(round.map(partition => partition.sync()))
    }
    this.#isSyncing = false
  }
}
