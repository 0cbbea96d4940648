// Turns appends into disk writes: everything that was appended in one event-loop turn is written by one vectored write
// per partition after the turn's reads, and everything that waits for the disk shares the next fdatasync (group commit:
// one round in flight, the next round takes whoever came meanwhile).
import type { Timers } from '../runtime/timers.ts'

/** The part of a partition that the flusher drives. Neither call throws: a failing disk takes the partition offline. */
export interface Flushable {
  /** Hands queued appends to the operating system and tells those who waited for that. */
  write(): void
  /** Makes what is written durable and tells those who waited for that. */
  sync(): Promise<void>
}

export class Flusher {
  readonly #timers: Timers
  #dirty: Flushable[] = []
  #toSync = new Set<Flushable>()
  #isSyncing = false
  #syncing: Promise<void> = Promise.resolve()

  constructor(timers: Timers) {
    this.#timers = timers
  }

  /** `partition` has queued appends: write them when this turn's reads are done. Called once per turn and partition. */
  wroteTo(partition: Flushable): void {
    if (this.#dirty.push(partition) === 1) this.#timers.defer(() => this.#writeTurn())
  }

  /** `partition` has written bytes that somebody wants on disk. */
  wantsSync(partition: Flushable): void {
    this.#toSync.add(partition)
    if (this.#isSyncing) return
    this.#isSyncing = true
    this.#syncing = this.#syncRounds()
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
    for (const partition of dirty) partition.write()
  }

  async #syncRounds(): Promise<void> {
    while (this.#toSync.size > 0) {
      const round = [...this.#toSync]
      this.#toSync.clear()
      // oxlint-disable-next-line no-await-in-loop -- one round in flight is the point
      await Promise.all(round.map(partition => partition.sync()))
    }
    this.#isSyncing = false
  }
}
