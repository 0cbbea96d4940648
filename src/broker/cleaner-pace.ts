// How fast compaction may go: it works in short slices between the turns of the event loop, takes no more than its share of a
// busy one, and keeps to log.cleaner.io.max.bytes.per.second. Kafka: CleanerThread, Throttler.java.
import type { Pace } from '../../storage/compaction-options.ts'
import type { Runtime } from '../runtime/index.ts'

/** The longest slice. */
export const MAX_SLICE_MS = 5
const MIN_SLICE_MS = 1
/** Less work of others between two slices than this: nobody waits. */
const IDLE_MS = 0.2
/** What one of log.cleaner.threads may take of a busy event loop, and what all of them may. */
const SHARE_OF_THREAD = 0.25
const MAX_SHARE = 0.75

export interface CleanerPace extends Pace {
  /** The longest time that one slice took, in milliseconds. */
  readonly longestSliceMs: number
  /** Ends a pause at once. */
  stop(): void
}

export interface PaceOptions {
  readonly threads: number
  readonly maxBytesPerSecond: number
}

export function cleanerPace({ clock, timers }: Runtime, o: PaceOptions): CleanerPace {
  const share = Math.min(MAX_SHARE, o.threads * SHARE_OF_THREAD)
  let sliceStart = clock.monotonic()
  let sliceMs = MAX_SLICE_MS
  let longestSliceMs = 0
  /** When the bytes moved so far are allowed to have been moved. */
  let paidAt = sliceStart
  let wake: (() => void) | null = null
  let isStopped = false

  const sliceEnds = (): number => {
    const now = clock.monotonic()
    longestSliceMs = Math.max(longestSliceMs, now - sliceStart)
    return now
  }

  const waitFor = (ms: number): Promise<void> =>
    new Promise(resolve => {
      if (ms <= 0) return timers.defer(resolve)
      const timer = timers.after(ms, resolve)
      wake = () => {
        timer.cancel()
        resolve()
      }
    })

  return {
    get longestSliceMs() {
      return longestSliceMs
    },
    moved(bytes) {
      paidAt += (bytes / o.maxBytesPerSecond) * 1000
    },
    get isSpent() {
      const now = clock.monotonic()
      return now - sliceStart >= sliceMs || paidAt > now
    },
    async rest() {
      const end = sliceEnds()
      await waitFor(0)
      const deferred = clock.monotonic()
      const others = deferred - end
      sliceMs =
        others < IDLE_MS ? MAX_SLICE_MS : Math.min(MAX_SLICE_MS, Math.max(MIN_SLICE_MS, (others * share) / (1 - share)))
      if (paidAt > deferred && !isStopped) await waitFor(paidAt - deferred)
      wake = null
      sliceStart = clock.monotonic()
      // Time in which nothing was moved is not saved up.
      paidAt = Math.max(paidAt, sliceStart)
    },
    async during(work) {
      sliceEnds()
      try {
        return await work
      } finally {
        sliceStart = clock.monotonic()
      }
    },
    stop() {
      // It may come between the two waits of a rest, or before it.
      isStopped = true
      wake?.()
    },
  }
}
