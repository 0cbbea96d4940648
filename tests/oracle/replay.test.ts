// Every exchange that was recorded from Apache Kafka, once more with our broker in this process: its answers are the
// recorded ones, but for the lines of compat/oracle/differences.md. `npm run oracle -- --record` renews the recordings.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compare, readDifferences, shown, type Difference, type Known } from '../../compat/oracle/compare.ts'
import { readFixture } from '../../compat/oracle/fixtures.ts'
import { judges, NEWEST, OLDEST, type Judge } from '../../compat/oracle/keys.ts'
import { scenarios } from '../../compat/oracle/scenarios/index.ts'
import { byStage, plan, runCases, startOurs, type Planned, type Side } from '../../compat/oracle/sides.ts'
import { codecReady, ZSTD } from '../../protocol/records/compression.ts'

const fixtures = { [NEWEST]: readFixture(NEWEST)!, [OLDEST]: readFixture(OLDEST)! }
const ranges = { [NEWEST]: fixtures[NEWEST].ranges, [OLDEST]: fixtures[OLDEST].ranges }
const known = readDifferences(new URL('../../compat/oracle/differences.md', import.meta.url))
const used = new Set<Known>()

const explained = (difference: Difference): boolean => {
  const lines = known.filter(line => line.matches(difference))
  for (const line of lines) used.add(line)
  return lines.length > 0
}

const told = ({ label, path, theirs, ours }: Difference): string =>
  `${label}: ${path}\n  Kafka ${shown(theirs)}\n  ours  ${shown(ours)}`

/** A version that we serve by now and that was not recorded yet is for `npm run oracle -- --record`. */
const recorded = (judge: Judge): Planned[] =>
  plan(scenarios, judge, ranges).filter(({ name, scenario }) => {
    const versions = [...fixtures[judge].cases.keys()].filter(of => of.replace(/ v\d+$/, '') === scenario.name)
    return versions.length === 0 || fixtures[judge].cases.has(name)
  })

beforeAll(() => codecReady(ZSTD) ?? undefined)

describe.each(judges)('answers of Apache Kafka %s', judge => {
  const cases = recorded(judge)
  const found = new Map<string, Difference[]>()
  let ours: Side | null = null

  beforeAll(async () => {
    for (const [stage, planned] of byStage(cases)) {
      ours = await startOurs(stage)
      const side = { address: ours.address, dirs: ours.dirs, judge, ranges: ranges[judge] }
      await runCases(side, planned, (name, exchanges) => {
        const theirs = fixtures[judge].cases.get(name) ?? []
        found.set(
          name,
          compare(name, theirs, exchanges).filter(difference => !explained(difference)),
        )
      })
      await ours.stop()
      ours = null
    }
  }, 120_000)
  afterAll(() => ours?.stop())

  test.each(cases.map(({ name }) => name))('%s', name => {
    expect(found.get(name)?.map(told)).toEqual([])
  })

  test('nothing is recorded that no scenario asks for', () => {
    const planned = new Set(cases.map(({ name }) => name))
    expect([...fixtures[judge].cases.keys()].filter(name => !planned.has(name))).toEqual([])
  })
})

test('every line of differences.md explains something', () => {
  expect(known.filter(line => !used.has(line)).map(({ line }) => `line ${line}`)).toEqual([])
})
