// Whatever producers, clocks, disks and crashes do, read_committed sees every committed transaction whole and once, nothing
// else, and offsets with their transactions. SIM_RUNS and SIM_SEED run more of it, SIM_SEED and SIM_PATH one run again.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PARTITIONS, PRODUCERS, TransactionSimulation, type Step } from './transactions-simulation.ts'

const RUNS = Number(process.env['SIM_RUNS'] ?? 25)
const seed = process.env['SIM_SEED'] === undefined ? 20_260 : Number(process.env['SIM_SEED'])

const path = process.env['SIM_PATH']

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
      turns: fc.integer({ min: 0, max: 12 }),
      power: fc.boolean(),
      during: operation,
    }),
  },
)
/** Every producer begins with an epoch, so that short scripts do something. */
const begin: Step[] = Array.from({ length: PRODUCERS }, (_, n) => ({ type: 'init', producer: n }))

test(
  'atomic, complete, once',
  async () => {
    let crashes = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 50, size: 'max' }), async steps => {
        const simulation = await TransactionSimulation.start()
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        for (const each of [...begin, ...steps]) await simulation.run(each)
        await simulation.finish()
        crashes += simulation.crashes
      }),
      { numRuns: RUNS, seed, endOnFailure: RUNS > 25, ...(path !== undefined && { path }) },
    )
    expect(crashes).toBeGreaterThan(RUNS)
  },
  60_000 + RUNS * 1000,
)
