// A runtime for tests: time stands still until it is advanced, timers fire in order of due time and then of creation,
// deferred functions run when the test says so, randomness is seeded, log lines are kept.
import type { LogLine } from './log.ts'
import type { Runtime } from './index.ts'
import { recordingLogger } from './log.ts'
import { seededRandom } from './random.ts'

export interface VirtualRuntime extends Runtime {
  /** Everything logged so far. */
  readonly lines: LogLine[]
  /** How many timers are armed; a test can prove that nothing was left behind. */
  readonly pendingTimers: number
  /** Moves time forward; runs what is deferred, then every timer due on the way, at its due time, and what it defers. */
  advance(ms: number): void
  /** Like advance, but promise reactions run between the steps, as they do between the timers of a real event loop. */
  advanceAsync(ms: number): Promise<void>
  /** Runs deferred functions until none is left. */
  flush(): void
  /** Runs promise reactions and deferred functions until both are quiet; time stands still. */
  settle(): Promise<void>
}

interface Armed {
  due: number
  sequence: number
  fn: () => void
}

/** Turns until a program that defers for ever is called a bug of the test. */
const MAX_TURNS = 100_000

export function virtualRuntime(options: { now?: number; seed?: number } = {}): VirtualRuntime {
  const start = options.now ?? 1_700_000_000_000
  const armed = new Set<Armed>()
  const lines: LogLine[] = []
  let elapsed = 0
  let sequence = 0
  let deferred: (() => void)[] = []

  const turn = () => {
    const queue = deferred
    deferred = []
    for (const fn of queue) fn()
  }

  const flush = () => {
    for (let turns = 0; deferred.length > 0; turns++) {
      if (turns === MAX_TURNS) throw new Error('virtual runtime: deferred functions never end')
      turn()
    }
  }

  const settle = async () => {
    for (let quiet = 0, turns = 0; quiet < 2; turns++) {
      if (turns === MAX_TURNS) throw new Error('virtual runtime: deferred functions never end')
      // A real macrotask is the only moment at which all chained promise reactions are known to have run.
      await new Promise(resolve => setImmediate(resolve))
      quiet = deferred.length === 0 ? quiet + 1 : 0
      turn()
    }
  }

  const nextDue = (limit: number) => {
    let first: Armed | undefined
    for (const timer of armed) {
      if (timer.due > limit) continue
      if (!first || timer.due < first.due || (timer.due === first.due && timer.sequence < first.sequence)) first = timer
    }
    return first
  }

  const fire = (timer: Armed) => {
    armed.delete(timer)
    elapsed = Math.max(elapsed, timer.due)
    timer.fn()
  }

  return {
    lines,
    get pendingTimers() {
      return armed.size
    },
    clock: { now: () => start + elapsed, monotonic: () => elapsed },
    timers: {
      after(ms, fn) {
        const timer = { due: elapsed + Math.max(0, ms), sequence: sequence++, fn }
        armed.add(timer)
        return { cancel: () => void armed.delete(timer) }
      },
      defer: fn => void deferred.push(fn),
    },
    random: seededRandom(options.seed ?? 1),
    log: recordingLogger(lines),
    advance(ms) {
      const end = elapsed + ms
      flush()
      for (let timer = nextDue(end); timer; timer = nextDue(end)) {
        fire(timer)
        flush()
      }
      elapsed = end
    },
    async advanceAsync(ms) {
      const end = elapsed + ms
      await settle()
      for (let timer = nextDue(end); timer; timer = nextDue(end)) {
        fire(timer)
        await settle()
      }
      elapsed = end
    },
    flush,
    settle,
  }
}
