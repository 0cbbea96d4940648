// When memory that connections share gets short, those that hold it and stand still are closed, the largest first, so that
// the others go on: requests that do not come to an end, answers that nobody takes, requests that wait for long. While
// memory is not short nobody is closed for that, and nothing runs.
import type { Timer, Timers } from '../runtime/index.ts'

/** One kind of memory that connections hold. */
export interface Shared<C> {
  readonly name: string
  isShort(): boolean
  /** Bytes that this connection holds; 0: it is not at fault. */
  heldBy(connection: C): number
  /** Grows as the connection gets on. */
  progressOf(connection: C): number
  /** It stands still if it holds `bytes` and its progress is less than this in `patienceMs`. */
  leastProgress(bytes: number): number
  readonly patienceMs: number
  /** Called at each look at which it is short and nobody was closed for it. */
  stuck?(): void
}

export interface PressureOptions<C> {
  readonly timers: Timers
  /** Monotonic ms. */
  readonly now: () => number
  readonly connections: Iterable<C>
  readonly shared: readonly Shared<C>[]
  readonly close: (connection: C, name: string, bytes: number) => void
}

const PERIOD_MS = 1000

interface Mark {
  progress: number
  since: number
}

export class Pressure<C extends object> {
  readonly #o: PressureOptions<C>
  readonly #marks: readonly Map<C, Mark>[]
  #timer: Timer | null = null
  #isStopped = false

  constructor(options: PressureOptions<C>) {
    this.#o = options
    this.#marks = options.shared.map(() => new Map<C, Mark>())
  }

  /** Some memory may be short: looks after it until it is not. */
  watch(): void {
    if (!this.#isStopped) this.#timer ??= this.#o.timers.after(PERIOD_MS, () => this.#look())
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  #look(): void {
    this.#timer = null
    let isShort = false
    for (const [i, shared] of this.#o.shared.entries()) {
      const marks = this.#marks[i]!
      if (!shared.isShort()) {
        marks.clear()
        continue
      }
      isShort = true
      // Those that wait try again before anything else is closed for them.
      if (!this.#closeIdle(shared, marks)) shared.stuck?.()
    }
    if (isShort) this.watch()
  }

  /** @returns whether it closed any */
  #closeIdle(shared: Shared<C>, marks: Map<C, Mark>): boolean {
    const now = this.#o.now()
    const before = new Map(marks)
    marks.clear()
    const idle: { connection: C; bytes: number }[] = []
    for (const connection of this.#o.connections) {
      const bytes = shared.heldBy(connection)
      if (bytes === 0) continue
      const progress = shared.progressOf(connection)
      let mark = before.get(connection)
      if (!mark || progress - mark.progress >= shared.leastProgress(bytes)) mark = { progress, since: now }
      marks.set(connection, mark)
      if (now - mark.since >= shared.patienceMs) idle.push({ connection, bytes })
    }
    for (const { connection, bytes } of idle.toSorted((a, b) => b.bytes - a.bytes)) {
      if (!shared.isShort()) break
      marks.delete(connection)
      this.#o.close(connection, shared.name, bytes)
    }
    return idle.length > 0
  }
}
