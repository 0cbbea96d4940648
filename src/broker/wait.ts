// A long poll: a byte counter that fires exactly once — when enough bytes have arrived, when its time is up, when it is
// nudged (leadership or log start changed), or never, if it is cancelled because the client went away. Fetch waits on
// many partitions at once; nothing is re-evaluated per append, the handler simply reads again after firing.
import type { Timer, Timers } from '../runtime/timers.ts'

/** What a wait hangs in; a partition keeps such a set and tells every member how many bytes became readable. */
export type WaitSet = Set<Wait>

export class Wait {
  readonly #sets: readonly WaitSet[]
  readonly #fire: () => void
  #missingBytes: number
  #timer: Timer | null

  /**
   * Hangs in every set at once; `missingBytes` >= 1, `maxWaitMs` >= 1. `fire` must not throw; it is called at most once,
   * soon after what made it due, unless the wait was cancelled before.
   */
  constructor(timers: Timers, sets: readonly WaitSet[], missingBytes: number, maxWaitMs: number, fire: () => void) {
    this.#sets = sets
    this.#missingBytes = missingBytes
    this.#fire = fire
    for (const set of sets) set.add(this)
    this.#timer = timers.after(maxWaitMs, () => this.nudge())
  }

  /** `bytes` more can be read somewhere in the sets. */
  advanced(bytes: number): void {
    this.#missingBytes -= bytes
    if (this.#missingBytes <= 0) this.nudge()
  }

  /** Something other than bytes changed: whoever waits shall look again now. */
  nudge(): void {
    if (this.#timer === null) return
    this.cancel()
    // Not from here: what fires reads again, which may write, which may wake others, and so on down the stack.
    queueMicrotask(this.#fire)
  }

  /** Forgets the wait without firing. */
  cancel(): void {
    this.#timer?.cancel()
    this.#timer = null
    for (const set of this.#sets) set.delete(this)
  }
}
