// Schedules of transactional producers, clocks, disks and crashes, made by chance from a seed, and the one property that each
// must keep: read_committed sees every committed transaction whole and once, nothing else, and offsets with their transactions.
import fc from 'fast-check'
import { PARTITIONS, PRODUCERS, TransactionSimulation, type Step } from './transactions-simulation.ts'

const producer = fc.integer({ min: 0, max: PRODUCERS - 1 })
const operation = fc.oneof(
  { weight: 2, arbitrary: fc.record({ type: fc.constant('init' as const), producer }) },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('send' as const),
      producer,
      partition: fc.integer({ min: 0, max: PARTITIONS - 1 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('offset' as const), producer }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('commit' as const), producer }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('abort' as const), producer }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('late' as const), producer }) },
)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 20, arbitrary: operation },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('read' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.constantFrom(1, 30, 200, 5000, 41_000) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('crash' as const),
      turns: fc.integer({ min: 0, max: 16 }),
      syncs: fc.integer({ min: 0, max: 20 }),
      power: fc.boolean(),
      during: operation,
    }),
  },
)
/** Every producer begins with an epoch, so that short scripts do something. */
const begin: Step[] = Array.from({ length: PRODUCERS }, (_, n) => ({ type: 'init', producer: n }))

/** Runs one schedule over the real machines in virtual time; throws when the property is broken. Counts its crashes. */
async function runSchedule(steps: readonly Step[]): Promise<number> {
  const simulation = await TransactionSimulation.start()
  // oxlint-disable-next-line no-await-in-loop -- one after the other
  for (const each of [...begin, ...steps]) await simulation.run(each)
  await simulation.finish()
  return simulation.crashes
}

export interface Explored {
  readonly schedules: number
  readonly crashes: number
}

/**
 * Runs `runs` schedules of `seed`, or the one at `path`. Rejects with fast-check's report, which names seed and path and,
 * unless `shrink` is false, the smallest schedule that fails.
 */
export async function explore(o: { seed: number; runs: number; path?: string; shrink?: boolean }): Promise<Explored> {
  let [schedules, crashes] = [0, 0]
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 50, size: 'max' }), async steps => {
      crashes += await runSchedule(steps)
      schedules++
    }),
    { numRuns: o.runs, seed: o.seed, endOnFailure: o.shrink === false, ...(o.path !== undefined && { path: o.path }) },
  )
  return { schedules, crashes }
}
