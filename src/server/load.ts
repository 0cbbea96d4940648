// What all connections together have in flight: requests that were taken and not answered yet. Above a limit nobody reads
// on; who stopped for that goes on when it has come down to half.
import type { Timers } from '../runtime/index.ts'

export interface LoadLimits {
  /** odradek.broker.max.requests */
  readonly maxBrokerRequests: number
  /** odradek.broker.max.bytes */
  readonly maxBrokerBytes: number
}

export class Load {
  readonly #timers: Timers
  readonly #limits: LoadLimits
  readonly #stopped = new Set<() => void>()
  #requests = 0
  #bytes = 0

  constructor(timers: Timers, limits: LoadLimits) {
    this.#timers = timers
    this.#limits = limits
  }

  get requests(): number {
    return this.#requests
  }

  /** Whether more is in flight than this share of the limits. */
  exceeds(share: number): boolean {
    const { maxBrokerRequests, maxBrokerBytes } = this.#limits
    return this.#requests > maxBrokerRequests * share || this.#bytes > maxBrokerBytes * share
  }

  add(bytes: number): void {
    this.#requests++
    this.#bytes += bytes
  }

  remove(requests: number, bytes: number): void {
    this.#requests -= requests
    this.#bytes -= bytes
    if (this.#stopped.size > 0 && !this.exceeds(0.5)) this.#relieve()
  }

  /** Calls back once when there is room; a second call with the same function changes nothing. */
  whenRelieved(goOn: () => void): void {
    this.#stopped.add(goOn)
  }

  forget(goOn: () => void): void {
    this.#stopped.delete(goOn)
  }

  /** In a turn of its own: whoever goes on may at once have more in flight. */
  #relieve(): void {
    const all = [...this.#stopped]
    this.#stopped.clear()
    this.#timers.defer(() => {
      for (const goOn of all) goOn()
    })
  }
}
