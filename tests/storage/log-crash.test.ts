// The log on a disk that fails and forgets: whatever happens at whichever call, what was synced is there afterwards, the rest is a
// beginning of what was appended, offsets never change, and producers are known as before.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Failure } from '../../storage/files-crash.ts'
import type { Step } from './log-model.ts'
import { lifeAndDeath } from './log-model.ts'

const append = (producer: number, count = 2, size = 20): Step => ({ do: 'append', producer, count, size })

/** Everything a log does, in one life: several segments, two producers, a truncation, retention, a clean restart. */
const LIFE: readonly Step[] = [
  append(1),
  append(-1, 3),
  { do: 'sync' },
  { do: 'checkpoint' },
  append(2, 1, 300),
  append(1, 4, 100),
  { do: 'write' },
  append(1, 2, 400),
  append(2, 2, 400),
  { do: 'resend' },
  { do: 'sync' },
  append(-1, 5, 200),
  { do: 'roll' },
  append(1, 1),
  { do: 'write' },
  { do: 'truncate', back: 4 },
  append(2, 3, 200),
  { do: 'sync' },
  { do: 'newEpoch', producer: 1 },
  append(1, 2, 300),
  { do: 'restart' },
  append(1, 2, 500),
  append(2, 4, 300),
  append(-1, 3, 300),
  { do: 'write' },
  { do: 'checkpoint' },
  { do: 'advance', fraction: 0.3 },
  { do: 'retention' },
  { do: 'deleteFiles' },
  append(2, 1),
  { do: 'sync' },
  append(1, 2, 50),
]

const worst = () => 0
const best = (choices: number) => choices - 1
/** Of what is not synced every second change is there. */
const alternating = () => {
  let n = 0
  return (choices: number) => n++ % choices
}
const failures: Failure[] = [
  { code: 'EHALT' },
  { code: 'EHALT', partial: true },
  { code: 'EIO' },
  { code: 'EIO', partial: true, cutFails: true, sticky: true },
  { code: 'ENOSPC', partial: true },
]

test.each(failures.slice(1))('a failure at every single call: %o', { timeout: 60_000 }, async failure => {
  for (let failAt = 1; ; failAt++) {
    let failed = false
    for (const choose of failure.code === 'EHALT' ? [worst, failAt % 2 === 0 ? best : null] : [worst]) {
      ;({ failed } = await lifeAndDeath(LIFE, { failAt, failure, choose, haltRecoveryAt: 0 }))
    }
    if (!failed) {
      expect(failAt).toBeGreaterThan(60)
      return
    }
  }
})

test('a crash at every call of a truncation over several segments leaves no gap', async () => {
  const steps: readonly Step[] = [
    append(0, 5),
    append(2, 4),
    { do: 'roll' },
    append(0, 1),
    { do: 'roll' },
    append(0, 1),
    { do: 'sync' },
    { do: 'checkpoint' },
    { do: 'truncate', back: 12 },
  ]
  for (let failAt = 1; ; failAt++) {
    let failed = false
    for (const choose of [null, worst, best, (choices: number) => failAt % choices, alternating()]) {
      ;({ failed } = await lifeAndDeath(steps, { failAt, failure: { code: 'EHALT' }, choose, haltRecoveryAt: 0 }))
    }
    if (!failed) {
      expect(failAt).toBeGreaterThan(20)
      return
    }
  }
})

test('a log whose noted start lies behind all that a crash left begins there', async () => {
  const steps: readonly Step[] = [append(0, 2), { do: 'write' }, { do: 'advance', fraction: 0.5 }, { do: 'checkpoint' }]
  await lifeAndDeath(steps, { failAt: 0, failure: { code: 'EHALT' }, choose: worst, haltRecoveryAt: 0 })
})

test('a crash at every call of the recovery after a crash', { timeout: 60_000 }, async () => {
  const failure: Failure = { code: 'EHALT', partial: true }
  for (const failAt of [20, 45, 70, 85]) {
    for (let haltRecoveryAt = 1; haltRecoveryAt < 20; haltRecoveryAt++) {
      await lifeAndDeath(LIFE, { failAt, failure, choose: best, haltRecoveryAt })
      await lifeAndDeath(LIFE, { failAt, failure, choose: n => n >>> 1, haltRecoveryAt })
    }
  }
})

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      producer: fc.integer({ min: -1, max: 2 }),
      count: fc.integer({ min: 1, max: 5 }),
      size: fc.integer({ min: 0, max: 250 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'write' as const,
        'sync' as const,
        'roll' as const,
        'retention' as const,
        'checkpoint' as const,
        'restart' as const,
        'deleteFiles' as const,
        'resend' as const,
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('truncate' as const), back: fc.integer({ min: 0, max: 20 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('advance' as const), fraction: fc.double({ min: 0, max: 1, noNaN: true }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('newEpoch' as const), producer: fc.integer({ min: 0, max: 2 }) }),
  },
)

test('any life, any crash', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 40 }),
      fc.nat({ max: 120 }),
      fc.constantFrom(...failures),
      fc.infiniteStream(fc.nat({ max: 1_000_000 })),
      fc.boolean(),
      fc.nat({ max: 10 }),
      async (steps, failAt, failure, stream, machine, haltRecoveryAt) => {
        const choose = machine ? (choices: number) => (stream.next().value as number) % choices : null
        await lifeAndDeath(steps, { failAt, failure, choose, haltRecoveryAt })
      },
    ),
    { numRuns: Number(process.env['LOG_CRASH_RUNS'] ?? 500) },
  )
})
