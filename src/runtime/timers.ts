// Timers of the machine. A timer never keeps the process alive; a deferred function does, until it has run.

export interface Timer {
  /** Idempotent; a no-op once the timer has fired. */
  cancel(): void
}

export interface Timers {
  /** Calls `fn` once, not before about `ms` milliseconds have passed (any finite ms >= 0; more than 2^31 works). */
  after(ms: number, fn: () => void): Timer
  /** Calls `fn` after the reads of this event-loop turn, in the order of the calls; in the next turn if called from `fn`. */
  defer(fn: () => void): void
}

/** The longest delay that setTimeout takes; it fires at once for anything longer. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1

class SystemTimer implements Timer {
  #left: number
  #fn: (() => void) | null
  #handle: NodeJS.Timeout | undefined

  constructor(ms: number, fn: () => void) {
    this.#left = Math.max(0, ms)
    this.#fn = fn
    this.#arm()
  }

  cancel(): void {
    clearTimeout(this.#handle)
    this.#fn = null
  }

  #arm(): void {
    const ms = Math.min(this.#left, MAX_TIMEOUT_MS)
    this.#left -= ms
    this.#handle = setTimeout(() => this.#fire(), ms).unref()
  }

  #fire(): void {
    if (this.#left > 0) return this.#arm()
    const fn = this.#fn
    this.#fn = null
    fn?.()
  }
}

export const systemTimers: Timers = {
  after: (ms, fn) => new SystemTimer(ms, fn),
  defer: fn => void setImmediate(fn),
}
