// Who may come in, and when. As in Kafka a connection that comes too fast (max.connection.creation.rate), or while there
// are enough (max.connections), is kept waiting, in the order of arrival; one too many of an address is refused. Kafka leaves those
// that wait to the operating system; Node has accepted them already, so that they are held here, unread, as many as its backlog
// would take. Kafka: SocketServer.scala (ConnectionQuotas).
import type { Runtime, Timer } from '../runtime/index.ts'
import { ConnectionRate, type RateOptions } from './connection-rate.ts'

/** Limits of one listener, or of all together. */
export interface ConnectionLimits {
  /** max.connections */
  readonly maxConnections: number
  /** max.connection.creation.rate, per second */
  readonly maxConnectionRate: number
}

export interface AdmissionLimits extends ConnectionLimits {
  /** quota.window.num and quota.window.size.seconds. */
  readonly connectionRateWindow: RateOptions
  /** Other limits of one listener than those of all, by its name. */
  readonly listenerLimits: ReadonlyMap<string, Partial<ConnectionLimits>>
  /** inter.broker.listener.name: beside others it takes connections beyond max.connections, for which others are closed. */
  readonly interBrokerListener: string | null
  /** Connections of one listener that wait to be let in; what comes beyond is refused. */
  readonly maxWaiting: number
}

export interface Newcomer {
  /** Its turn has come. False: it was refused after all and takes no place. */
  enter(): boolean
  refuse(reason: string): void
}

interface Waiting {
  readonly newcomer: Newcomer
  /** Number of its arrival, over all listeners. */
  readonly arrival: number
  /** Monotonic ms; -1 while others are before it: only then its arrival counts for the rate. */
  notBefore: number
}

interface Gate {
  readonly name: string
  readonly rate: ConnectionRate
  readonly waiting: Waiting[]
  open: number
  timer: Timer | null
}

/** Closes so many connections, those that are on their way out included, of listeners that are not protected: the idlest. */
export type MakeRoom = (excess: number, isProtected: (listener: string) => boolean) => void

export class Admission {
  readonly #runtime: Runtime
  readonly #limits: AdmissionLimits
  readonly #makeRoom: MakeRoom
  readonly #gates = new Map<string, Gate>()
  readonly #rate: ConnectionRate
  #open = 0
  #arrivals = 0
  #isDue = false
  #isClosed = false

  constructor(runtime: Runtime, limits: AdmissionLimits, makeRoom: MakeRoom) {
    this.#runtime = runtime
    this.#limits = limits
    this.#makeRoom = makeRoom
    this.#rate = new ConnectionRate(limits.connectionRateWindow)
  }

  /** Connections that wait, over all listeners. */
  get waiting(): number {
    let count = 0
    for (const gate of this.#gates.values()) count += gate.waiting.length
    return count
  }

  addListener(name: string): void {
    if (this.#gates.has(name)) return
    const rate = new ConnectionRate(this.#limits.connectionRateWindow)
    this.#gates.set(name, { name, rate, waiting: [], open: 0, timer: null })
  }

  /** Lets it in at once, or as soon as it may. */
  arrive(listener: string, newcomer: Newcomer): void {
    const gate = this.#gates.get(listener)!
    if (this.#isClosed) return newcomer.refuse('the server is closing')
    if (gate.waiting.length >= this.#limits.maxWaiting) return newcomer.refuse('too many connections wait to be let in')
    gate.waiting.push({ newcomer, arrival: this.#arrivals++, notBefore: -1 })
    this.#admit()
  }

  /** One that was let in is gone. */
  left(listener: string): void {
    this.#open--
    this.#gates.get(listener)!.open--
    // Not at once: whoever closes connections need not see new ones meanwhile.
    if (!this.#isDue && this.waiting > 0) {
      this.#isDue = true
      this.#runtime.timers.defer(() => {
        this.#isDue = false
        this.#admit()
      })
    }
  }

  /** Limits changed. */
  changed(): void {
    this.#closeExcess()
    this.#admit()
  }

  /** Nobody comes in any more. */
  close(): void {
    this.#isClosed = true
    for (const gate of this.#gates.values()) {
      gate.timer?.cancel()
      for (const { newcomer } of gate.waiting.splice(0)) newcomer.refuse('the server is closing')
    }
  }

  #admit(): void {
    for (let gate = this.#next(); gate !== undefined; gate = this.#next()) {
      const { newcomer } = gate.waiting.shift()!
      // Those it displaces count until they are gone.
      this.#open++
      gate.open++
      if (newcomer.enter()) this.#closeExcess()
      else {
        this.#open--
        gate.open--
      }
    }
  }

  /** The listener whose first in line came earliest of those that may come in. */
  #next(): Gate | undefined {
    const now = this.#runtime.clock.monotonic()
    let best: Gate | undefined
    for (const gate of this.#gates.values()) {
      const first = gate.waiting[0]
      if (first === undefined || !this.#mayEnter(gate, first, now)) continue
      if (best === undefined || first.arrival < best.waiting[0]!.arrival) best = gate
    }
    return best
  }

  #mayEnter(gate: Gate, first: Waiting, now: number): boolean {
    if (first.notBefore < 0) first.notBefore = now + this.#throttleMs(gate, now)
    if (first.notBefore > now) {
      gate.timer ??= this.#runtime.timers.after(first.notBefore - now, () => {
        gate.timer = null
        this.#admit()
      })
      return false
    }
    const { maxConnections, listenerLimits } = this.#limits
    const most = listenerLimits.get(gate.name)?.maxConnections ?? maxConnections
    return gate.open < most && (this.#isProtected(gate.name) || this.#open < maxConnections)
  }

  /** Whichever limit asks for the longer wait; connections of brokers do not count for the limit of all. */
  #throttleMs(gate: Gate, now: number): number {
    const { maxConnectionRate, listenerLimits } = this.#limits
    const ofAll = this.#isProtected(gate.name) ? 0 : this.#rate.record(now, maxConnectionRate)
    const own = listenerLimits.get(gate.name)?.maxConnectionRate ?? maxConnectionRate
    return Math.max(ofAll, gate.rate.record(now, own))
  }

  readonly #isProtected = (listener: string): boolean =>
    listener === this.#limits.interBrokerListener && this.#gates.size > 1

  #closeExcess(): void {
    const excess = this.#open - this.#limits.maxConnections
    if (excess > 0) this.#makeRoom(excess, this.#isProtected)
  }
}
