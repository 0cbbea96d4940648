// Two ways to the same result, timed in rounds that alternate, so that what else the machine does meets both.

export interface Contest {
  readonly name: string
  readonly ours: () => unknown
  /** Who else does it, by name. */
  readonly reference: string
  readonly theirs: () => unknown
  /** What one call works on, for MB/s; left out where a call is the unit. */
  readonly bytes?: number
}

export interface Outcome {
  /** Time of ours by theirs, of the fastest round of each and of the median one: less is better. */
  readonly fastest: number
  readonly median: number
}

/** Long enough for the clock, short enough to fall between two time slices of the system. */
const ROUND_MS = 3
const WARM_MS = 60

/** Nanoseconds of one call, over `count` calls. */
function time(work: () => unknown, count: number): number {
  const start = process.hrtime.bigint()
  let last: unknown
  for (let i = 0; i < count; i++) last = work()
  if (last === undefined) throw new Error('it gave nothing')
  return Number(process.hrtime.bigint() - start) / count
}

function callsInRound(work: () => unknown): number {
  const until = performance.now() + WARM_MS
  let fastest = Infinity
  while (performance.now() < until) fastest = Math.min(fastest, time(work, 1))
  // A single call is timed with the clock's own cost.
  const some = Math.max(1, Math.min(2000, Math.round(1e6 / fastest)))
  return Math.max(1, Math.round((ROUND_MS * 1e6) / time(work, some)))
}

/** Prints a line; `budgetMs` is for both sides together. */
export function compare({ name, ours, reference, theirs, bytes }: Contest, budgetMs: number): Outcome {
  const count = Math.min(callsInRound(ours), callsInRound(theirs))
  const sides = [
    { work: ours, took: [] as number[] },
    { work: theirs, took: [] as number[] },
  ] as const
  const until = performance.now() + budgetMs
  for (let round = 0; round < 10 || performance.now() < until; round++) {
    // Who begins alternates too.
    for (const { work, took } of round % 2 === 0 ? sides : sides.toReversed()) took.push(time(work, count))
  }
  const [a, b] = sides.map(({ took }) => {
    const sorted = took.toSorted((x, y) => x - y)
    return { fastest: sorted[0]!, median: sorted[sorted.length >> 1]! }
  }) as [Outcome, Outcome]
  const shown = (ns: number): string =>
    (bytes === undefined ? `${(ns / 1000).toFixed(2)} us` : `${((bytes / ns) * 1000).toFixed(0)} MB/s`).padStart(11)
  const outcome = { fastest: a.fastest / b.fastest, median: a.median / b.median }
  const ratios = `${outcome.fastest.toFixed(2)}x (median ${outcome.median.toFixed(2)}x)`
  console.log(`${name.padEnd(42)} ${shown(a.fastest)} ${shown(b.fastest)}  ${ratios.padEnd(22)} ${reference}`)
  return outcome
}
