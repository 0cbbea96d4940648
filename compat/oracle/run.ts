// `npm run oracle [-- --only PART] [--judge VERSION] [--record] [--coverage]`: the same exchanges to Apache Kafka and to our broker.
// Prints every difference that differences.md does not explain, and ends with `N passed, N failed, N skipped`, counted
// in cases (a scenario in one version).
import { parseArgs } from 'node:util'
import { apis as definitions } from '../../protocol/index.ts'
import { compare, readDifferences, shown, type Difference, type Known } from './compare.ts'
import { writePage } from './coverage.ts'
import { readFixture, writeFixture, type Fixture } from './fixtures.ts'
import { versionGroup } from './groups-of-versions.ts'
import { formattedStandalone, startKafka, startMs, type RunningKafka } from './kafka.ts'
import { judges, NEWEST, sharedKeys, type Judge } from './keys.ts'
import { answers } from '../harness/wire.ts'
import { errorOf } from '../../protocol/errors.ts'
import { codecReady, ZSTD } from '../../protocol/records/compression.ts'
import { pause, type AskedSide, type Exchange, type Ranges, type Scenario } from './scenario.ts'
import type { Json } from './readable.ts'
import { scenarios as allScenarios } from './scenarios/index.ts'
import { plan, rangesOf, runCases, startOurs, unjudged, type Planned } from './sides.ts'
import { stageNames, stages, writeFormatted, type StageName } from './stages.ts'

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    judge: { type: 'string', multiple: true, default: [...judges] },
    record: { type: 'boolean', default: false },
    show: { type: 'boolean', default: false },
    all: { type: 'boolean', default: false },
    coverage: { type: 'boolean', default: false },
  },
})

const known = readDifferences(new URL('differences.md', import.meta.url))
const used = new Set<Known>()
const totals = { passed: 0, failed: 0, skipped: 0 }
const differences = new Map<string, string[]>()
const counted = new Set<string>()
const errorsSeen = new Map<number, number>()
const chosen = allScenarios.filter(
  ({ name }) => flags.only.length === 0 || flags.only.some(part => name.includes(part)),
)

async function ready(kafka: RunningKafka): Promise<void> {
  for (const end = Date.now() + startMs; ;) {
    // oxlint-disable-next-line no-await-in-loop -- until it answers
    if (await answers(kafka.address).catch(() => false)) return
    if (Date.now() > end) throw new Error(`Apache Kafka does not answer; see ${kafka.logFile}`)
    // oxlint-disable-next-line no-await-in-loop -- until it answers
    await pause(100)
  }
}

interface Judged {
  readonly ranges: Ranges
  readonly cases: ReadonlyMap<string, Exchange[]>
}

async function judgeWith(judge: Judge, newest: Ranges | null): Promise<Ranges> {
  const found = new Map<string, Exchange[]>()
  let ranges: Ranges | null = null
  for (const stage of stageNames) {
    const scenarios = chosen.filter(scenario => (scenario.stage ?? 'usual') === stage)
    // Only the usual one is asked of the older judge too.
    if (scenarios.length === 0 || (stage !== 'usual' && judge !== NEWEST)) continue
    // oxlint-disable-next-line no-await-in-loop -- one Java process at a time
    const judged = await judgeOn(stage, scenarios, judge, newest)
    for (const [name, exchanges] of judged.cases) found.set(name, exchanges)
    ranges ??= judged.ranges
  }
  ranges ??= readFixture(judge)?.ranges ?? new Map()
  printDifferences()
  if (flags.record) record(judge, { ranges, cases: found })
  return ranges
}

async function judgeOn(
  stage: StageName,
  scenarios: readonly Scenario[],
  judge: Judge,
  newest: Ranges | null,
): Promise<Judged> {
  const { keys, dirs, standalone } = stages[stage]
  if (standalone && flags.record) writeFormatted(await formattedStandalone(judge))
  const kafka = await startKafka(judge, { keys: { ...sharedKeys, ...keys }, dirs, standalone })
  const ours = await startOurs(stage)
  try {
    await ready(kafka)
    const ranges = await rangesOf(kafka.address)
    const all = Object.fromEntries(judges.map(of => [of, of === judge ? ranges : (newest ?? ranges)]))
    const cases = plan(scenarios, judge, all as Record<Judge, Ranges>)
    console.log(`\n== Apache Kafka ${judge}, ${stage}: ${cases.length} cases`)
    const [theirs, mine] = await Promise.all([
      transcripts({ address: kafka.address, dirs: kafka.dirs, judge, ranges }, cases),
      transcripts({ address: ours.address, dirs: ours.dirs, judge, ranges }, cases),
    ])
    for (const { name } of cases) verdict(name, theirs.get(name) ?? [], mine.get(name) ?? [])
    return { ranges, cases: theirs }
  } finally {
    await Promise.all([kafka.stop(), ours.stop()])
  }
}

async function transcripts(side: AskedSide, cases: readonly Planned[]): Promise<Map<string, Exchange[]>> {
  const found = new Map<string, Exchange[]>()
  await runCases(side, cases, (name, exchanges) => found.set(name, exchanges))
  return found
}

function verdict(name: string, theirs: readonly Exchange[], ours: readonly Exchange[]): void {
  for (const exchange of theirs) count(name, exchange)
  if (flags.show)
    for (const { label, answer } of theirs) console.log(`     ${name}: ${label}: ${JSON.stringify(answer)}`)
  const early = theirs.find(({ label }) => label === 'the case ended early')
  const unexplained = compare(name, theirs, ours).filter(difference => !explained(difference))
  if (unexplained.length === 0 && early === undefined) {
    totals.passed++
    return
  }
  totals.failed++
  if (early !== undefined) console.log(`FAIL ${name}: the scenario is broken: ${shown(early.answer)}`)
  unexplained.forEach(remember)
}

/** Name of the scenario, and the version. */
function split(caseName: string): [string, string] {
  const [, name, version] = /^(.*) v(\d+)$/.exec(caseName) ?? []
  return [name ?? caseName, version ?? '-']
}

/** The same difference in several versions is one. */
function remember(difference: Difference): void {
  const [scenarioName, version] = split(difference.caseName)
  const { label, path, theirs, ours } = difference
  const key = `FAIL ${scenarioName}: ${label}: ${path}\n       theirs ${shown(theirs)}\n       ours   ${shown(ours)}`
  differences.set(key, [...(differences.get(key) ?? []), version])
}

/** What one exchange differs in, after its first few fields, is left out: one cause often shows in many places. */
const PRINTED = 6

function printDifferences(): void {
  const printed = new Map<string, number>()
  for (const [text, versions] of differences) {
    const [first, ...rest] = text.split('\n')
    const exchange = first!.split(': ').slice(0, 2).join(': ')
    const nth = (printed.get(exchange) ?? 0) + 1
    printed.set(exchange, nth)
    if (nth <= PRINTED || flags.all) console.log([`${first} (versions ${versions.join(', ')})`, ...rest].join('\n'))
    if (nth === PRINTED + 1 && !flags.all) console.log(`${exchange}: and more`)
  }
  differences.clear()
}

function explained(difference: Difference): boolean {
  const lines = known.filter(line => line.matches(difference))
  for (const line of lines) used.add(line)
  return lines.length > 0
}

/** Distinct in API, group of versions and behaviour. */
function count(name: string, { label, api, version, answer }: Exchange): void {
  const definition = definitions.find(of => of.name === api)
  const group = definition === undefined ? version : versionGroup(definition, version)
  const [scenarioName] = split(name)
  counted.add([scenarioName, api, group, label].join('\n'))
  countErrors(answer)
}

function countErrors(answer: Json): void {
  if (Array.isArray(answer)) for (const value of answer) countErrors(value)
  else if (typeof answer === 'object' && answer !== null) {
    for (const [name, value] of Object.entries(answer)) {
      if (/errorCode$/i.test(name) && typeof value === 'number') errorsSeen.set(value, (errorsSeen.get(value) ?? 0) + 1)
      else countErrors(value)
    }
  }
}

/** Of a partial run only its cases are renewed. */
function record(judge: Judge, fixture: Fixture): void {
  const partial = flags.only.length > 0
  const before = partial ? (readFixture(judge)?.cases ?? []) : []
  writeFixture(judge, { ranges: fixture.ranges, cases: new Map([...before, ...fixture.cases]) })
  console.log(`Recorded ${fixture.cases.size} cases of Apache Kafka ${judge}`)
}

if (flags.coverage) {
  writePage()
  process.exit()
}
await codecReady(ZSTD)
let newest: Ranges | null = readFixture(NEWEST)?.ranges ?? null
const allRanges: Ranges[] = []
for (const judge of judges.filter(of => flags.judge.includes(of))) {
  // oxlint-disable-next-line no-await-in-loop -- one Java process at a time
  const ranges = await judgeWith(judge, newest)
  allRanges.push(ranges)
  if (judge === NEWEST) newest = ranges
}
if (flags.only.length === 0 && allRanges.length === judges.length) {
  for (const line of known.filter(of => !used.has(of))) {
    totals.failed++
    console.log(`FAIL differences.md:${line.line} explains nothing any more`)
  }
  for (const line of unjudged(allRanges)) console.log(`Served by no Apache Kafka that can be had: ${line}`)
}
if (flags.record) writePage()
const codes = [...errorsSeen.keys()].sort((a, b) => a - b).map(code => `${code} ${errorOf(code).name}`)
console.log(`\nError codes seen: ${codes.join(', ')}`)
console.log(`${counted.size} exchanges compared, distinct in API, group of versions and behaviour`)
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`)
process.exitCode = totals.failed === 0 ? 0 : 1
