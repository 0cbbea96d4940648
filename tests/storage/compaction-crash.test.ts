// Compaction on a disk that fails and forgets: whatever happens at whichever call, a reader from any offset sees of each key the
// newest committed record, no aborted one, and of a deleted key nothing older than its tombstone.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Failure } from '../../storage/files-crash.ts'
import type { Step } from './compaction-model.ts'
import { compactedLife } from './compaction-model.ts'

const put = (producer: number, ...keys: number[]): Step => ({ do: 'put', producer, keys, tombstones: 0, codec: 0 })
const remove = (...keys: number[]): Step => ({ do: 'put', producer: -1, keys, tombstones: keys.length, codec: 0 })
const compact = (...meanwhile: Step[]): Step => ({ do: 'compact', meanwhile, mapKeys: 1000, isNoted: true })
const roll: Step = { do: 'roll' }
const sync: Step = { do: 'sync' }

const LIFE: readonly Step[] = [
  put(-1, 1, 2, 3),
  put(0, 1, 4),
  put(2, 5, 1),
  put(0, 2, 6),
  { do: 'end', producer: 2, commit: true },
  put(3, 1, 2, 7),
  remove(4, 3),
  { do: 'end', producer: 3, commit: false },
  put(1, 8, 9),
  roll,
  sync,
  compact(put(-1, 1), roll, { do: 'deleteFiles' }, put(0, 6)),
  { do: 'wait', ms: 60 },
  put(3, 5, 5),
  { do: 'end', producer: 3, commit: true },
  put(-1, 10, 11, 12),
  put(-1, 10, 11, 13),
  roll,
  sync,
  compact({ do: 'retention' }, put(1, 9)),
  { do: 'restart' },
  put(0, 3),
  roll,
  sync,
  compact({ do: 'deleteFiles' }),
  put(2, 2),
  sync,
  compact(),
]

const four = (...firsts: number[]): Step[] => firsts.map(key => put(-1, key, key + 1, key + 2, key + 3))

/** Full segments: both stay as they are, then the first goes on without its last record, and with a marker in it. */
const FULL: readonly Step[] = [
  put(2, 1, 2),
  ...four(20, 24, 28, 32, 36),
  { do: 'end', producer: 2, commit: false },
  roll,
  ...four(40, 44, 48, 52, 56, 60),
  roll,
  sync,
  compact(),
  compact(),
  put(-1, 39),
  roll,
  sync,
  compact(put(0, 41), put(1, 60)),
]

const failures: Failure[] = [
  { code: 'EHALT' },
  { code: 'EHALT', partial: true },
  { code: 'EIO' },
  { code: 'EIO', partial: true, cutFails: true, sticky: true },
  { code: 'ENOSPC', partial: true },
]

const lives = [
  { name: 'a long life', steps: LIFE, calls: 100, compactions: 3, segmentsLeft: 0, segmentsRewritten: 0 },
  { name: 'full segments', steps: FULL, calls: 40, compactions: 3, segmentsLeft: 3, segmentsRewritten: 1 },
].flatMap(life => failures.map(failure => ({ ...life, failure })))

test.each(lives)('$name, a failure at every single call: $failure', { timeout: 120_000 }, async life => {
  const { steps, failure } = life
  for (let failAt = 1; ; failAt++) {
    // The worst that a stopped machine can leave, the best, and a process that was killed, in turn.
    const stops = [() => 0, (n: number) => n - 1, null]
    const choosers = failure.code === 'EHALT' && failure.partial !== true ? stops : [stops[failAt % 3]!]
    let failed = false
    for (const choose of choosers) {
      const lived = await compactedLife(steps, { failAt, failure, choose, haltRecoveryAt: 0 })
      failed = lived.failed
      if (failed) continue
      expect(lived.compactions).toBeGreaterThanOrEqual(life.compactions)
      expect(lived.segmentsLeft).toBeGreaterThanOrEqual(life.segmentsLeft)
      expect(lived.segmentsRewritten).toBeGreaterThanOrEqual(life.segmentsRewritten)
    }
    if (!failed) return expect(failAt).toBeGreaterThan(life.calls)
  }
})

const begin: Step = put(2, 1)
const end = (commit: boolean): Step => ({ do: 'end', producer: 2, commit })

/** A machine that stops takes what decided, behind all that was compacted, that something may go. */
const decisions: { name: string; steps: readonly Step[] }[] = [
  { name: 'a commit: the older value would be gone', steps: [put(-1, 1), begin, roll, sync, end(true), compact()] },
  {
    name: 'an abort: what is left of the producer would be gone',
    steps: [begin, roll, sync, end(false), put(2, 2), compact()],
  },
  {
    name: 'a commit of what was compacted before as open',
    steps: [put(-1, 1), put(0, 2), roll, begin, roll, sync, compact(), put(0, 2), end(true), roll, compact()],
  },
  {
    name: 'the next batch of a producer: the last one of it that is left would be gone',
    steps: [put(0, 1), put(-1, 1), roll, sync, put(0, 2), compact()],
  },
  {
    name: 'the next batch of a producer, which came while the log was compacted',
    steps: [put(0, 1), put(-1, 1), roll, put(-1, 2), roll, sync, compact(put(0, 2), put(0, 3), put(2, 1), end(true))],
  },
]

test.each(decisions)('a crash takes $name', async ({ steps }) => {
  for (const choose of [() => 0, (n: number) => n >>> 1, (n: number) => n - 1, null]) {
    // oxlint-disable-next-line no-await-in-loop -- one life after the other
    const lived = await compactedLife(steps, { failAt: 0, failure: { code: 'EHALT' }, choose, haltRecoveryAt: 0 })
    expect(lived.compactions).toBeGreaterThanOrEqual(1)
  }
})

const uncut: { name: string; steps: readonly Step[] }[] = [
  { name: 'the next batch of a producer', steps: [put(0, 1), put(-1, 1), roll, sync, put(0, 2)] },
  { name: 'a commit', steps: [put(-1, 1), begin, roll, sync, end(true)] },
  { name: 'an abort', steps: [begin, put(-1, 2), roll, sync, put(-1, 3), end(false)] },
]

test.each(uncut)('what decided is below the high watermark, and not cut: $name', async ({ steps }) => {
  const o = { failAt: 0, failure: { code: 'EHALT' }, choose: null, haltRecoveryAt: 0 } as const
  const lived = await compactedLife([...steps, compact(), { do: 'truncate', back: 1 }, end(true)], o)
  expect(lived).toMatchObject({ failed: false, compactions: 2 })
})

test('a crash takes an abort at the end of a segment, and leaves the next segment with a commit of that producer', async () => {
  const steps = [begin, sync, end(false), roll, put(2, 3), roll, end(true), roll, put(-1, 4)]
  for (let bits = 0; bits < 1 << 5; bits++) {
    let left = bits
    const choose = (n: number) => {
      const isMost = (left & 1) === 1
      left >>>= 1
      return isMost ? n - 1 : 0
    }
    // oxlint-disable-next-line no-await-in-loop -- one life after the other
    await compactedLife(steps, { failAt: 0, failure: { code: 'EHALT' }, choose, haltRecoveryAt: 0 })
  }
})

test('a crash at every call of the recovery from a crash in a swap', { timeout: 120_000 }, async () => {
  for (let failAt = 20; failAt < 150; failAt += 7) {
    for (let haltRecoveryAt = 1; haltRecoveryAt < 25; haltRecoveryAt += 2) {
      const choose = haltRecoveryAt % 4 === 1 ? (n: number) => n - 1 : (n: number) => n >>> 1
      await compactedLife(LIFE, { failAt, failure: { code: 'EHALT' }, choose, haltRecoveryAt })
    }
  }
})

const simple: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      producer: fc.integer({ min: -1, max: 3 }),
      keys: fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 5 }),
      tombstones: fc.constantFrom(0, 0, 0, 1, 2),
      codec: fc.constantFrom(0, 0, 0, 1, 2, 3),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      producer: fc.integer({ min: 2, max: 3 }),
      commit: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('roll' as const, 'sync' as const, 'retention' as const, 'deleteFiles' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat({ max: 80 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('truncate' as const), back: fc.nat({ max: 12 }) }) },
)

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: simple },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('compact' as const),
      meanwhile: fc.array(simple, { maxLength: 6 }),
      mapKeys: fc.constantFrom(1000, 1000, 6),
      isNoted: fc.boolean(),
    }),
  },
)

test('any history, any crash', { timeout: 120_000 }, async () => {
  const sum = { compactions: 0, segmentsLeft: 0, segmentsRewritten: 0 }
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 60 }),
      fc.nat({ max: 250 }),
      fc.constantFrom(...failures),
      fc.infiniteStream(fc.nat({ max: 1_000_000 })),
      fc.boolean(),
      fc.nat({ max: 10 }),
      async (steps, failAt, failure, stream, machine, haltRecoveryAt) => {
        const choose = machine ? (choices: number) => (stream.next().value as number) % choices : null
        const life = await compactedLife(steps, { failAt, failure, choose, haltRecoveryAt })
        sum.compactions += life.compactions
        sum.segmentsLeft += life.segmentsLeft
        sum.segmentsRewritten += life.segmentsRewritten
      },
    ),
    { numRuns: Number(process.env['COMPACTION_RUNS'] ?? 100) },
  )
  expect(sum.compactions).toBeGreaterThan(30)
  expect(sum.segmentsLeft).toBeGreaterThan(30)
  expect(sum.segmentsRewritten).toBeGreaterThan(5)
})
