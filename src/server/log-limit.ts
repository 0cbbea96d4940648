// Lines that a client can cause at will: one per kind and period, with the number of those left out in between.
import type { Clock, Logger } from '../runtime/index.ts'

const PERIOD_MS = 10_000
/** Kinds told apart; what comes beyond shares one line. */
const MAX_KINDS = 64

export class LimitedLog {
  readonly #log: Logger
  readonly #clock: Clock
  readonly #kinds = new Map<string, { since: number; suppressed: number }>()

  constructor(log: Logger, clock: Clock) {
    this.#log = log
    this.#clock = clock
  }

  /** `kind` says which lines are alike; it may hold what the client sent. */
  line(level: 'warn' | 'error', kind: string, fields: Record<string, unknown>, message: string): void {
    const now = this.#clock.monotonic()
    const key = this.#kinds.has(kind) || this.#kinds.size < MAX_KINDS || this.#forget(now) ? kind : ''
    const known = this.#kinds.get(key)
    if (known && now - known.since < PERIOD_MS) {
      known.suppressed++
      return
    }
    const suppressed = known?.suppressed ?? 0
    this.#kinds.set(key, { since: now, suppressed: 0 })
    this.#log[level](suppressed > 0 ? { ...fields, suppressed } : fields, message)
  }

  /** Forgets kinds whose period is over; false if there is none. */
  #forget(now: number): boolean {
    for (const [kind, { since }] of this.#kinds) if (now - since >= PERIOD_MS) this.#kinds.delete(kind)
    return this.#kinds.size < MAX_KINDS
  }
}
