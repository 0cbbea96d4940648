// One side of the comparison: runs cases against one broker and gives their transcripts.
import type { Judge } from './keys.ts'
import { ApiVersions, Fetch, Produce } from '../../protocol/index.ts'
import { servedApis } from '../../src/apis/served.ts'
import { createBroker } from '../../src/index.ts'
import { open } from '../harness/wire.ts'
import { NEWEST, ourKeys, sharedKeys } from './keys.ts'
import { Case, warmUp, type AskedSide, type Exchange, type Ranges, type Scenario } from './scenario.ts'
import { makeDirs, stages, type StageName } from './stages.ts'

export interface Side {
  readonly address: string
  readonly dirs: readonly string[]
  stop(): Promise<void>
}

/** One scenario in one version. */
export interface Planned {
  readonly name: string
  readonly scenario: Scenario
  readonly version: number
}

/** Our broker in this process, in memory unless the stage asks for directories, configured as the judge is. */
export async function startOurs(name: StageName = 'usual'): Promise<Side> {
  const stage = stages[name]
  const { dirs, remove } = makeDirs(stage)
  const onDisk = dirs.length > 0 ? { 'log.dirs': dirs.join(',') } : {}
  const broker = createBroker({
    listen: '127.0.0.1:0',
    config: { ...sharedKeys, ...stage.keys, ...ourKeys, ...onDisk },
  })
  await broker.listen()
  const stop = async (): Promise<void> => {
    await broker.close().finally(remove)
  }
  return { address: broker.bootstrap, dirs, stop }
}

/** What a broker advertises. */
export async function rangesOf(address: string): Promise<Map<number, readonly [number, number]>> {
  const wire = await open(address)
  try {
    const { apiKeys } = await wire.request(ApiVersions, 0, {})
    return new Map(apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, [minVersion, maxVersion]]))
  } finally {
    wire.close()
  }
}

const apis = servedApis({ 'odradek.as.version': null, 'unstable.api.versions.enable': true })
const ours: Ranges = new Map(apis.map(({ api, versions }) => [api.key, versions]))

/** Kafka 4 tells of Produce 0 to 2 for the sake of old clients and closes the connection all the same (KAFKA-18659). */
const reallyServed = (key: number, [min, max]: readonly [number, number], judge: Ranges): readonly [number, number] =>
  key === Produce.key && (judge.get(Fetch.key)?.[0] ?? 0) >= 4 ? [3, max] : [min, max]

/** The versions that a judge and we both serve. */
export function common(judge: Ranges): Ranges {
  const both = new Map<number, readonly [number, number]>()
  for (const [key, [min, max]] of ours) {
    const told = judge.get(key)
    if (told === undefined) continue
    const theirs = reallyServed(key, told, judge)
    const range = [Math.max(min, theirs[0]), Math.min(max, theirs[1])] as const
    if (range[0] <= range[1]) both.set(key, range)
  }
  return both
}

/** Versions that we serve and none of these brokers does: nobody to ask. */
export function unjudged(ranges: readonly Ranges[]): string[] {
  return apis.flatMap(({ api, versions: [min, max] }) => {
    const left: number[] = []
    for (let version = min; version <= max; version++) {
      const judged = ranges.some(of => {
        const range = of.get(api.key)
        return range !== undefined && range[0] <= version && version <= range[1]
      })
      if (!judged) left.push(version)
    }
    return left.length === 0 ? [] : [`${api.name} ${left.join(', ')}`]
  })
}

/** The cases that a judge decides: the newest all it serves, the other one what the newest has dropped. */
export function plan(scenarios: readonly Scenario[], judge: Judge, ranges: Readonly<Record<Judge, Ranges>>): Planned[] {
  return scenarios.flatMap(scenario => {
    const { name, api, versions, judges } = scenario
    if (api === null) return (judges ?? [NEWEST]).includes(judge) ? [{ name, scenario, version: 0 }] : []
    if (judges !== undefined && !judges.includes(judge)) return []
    if (scenario.stage !== undefined && judge !== NEWEST) return []
    const both = common(ranges[judge]).get(api.key)
    if (both === undefined) return []
    const newest = common(ranges[NEWEST]).get(api.key)
    const planned: Planned[] = []
    for (let version = both[0]; version <= both[1]; version++) {
      if (versions !== undefined && (version < versions[0] || version > versions[1])) continue
      if (judge !== NEWEST && newest !== undefined && version >= newest[0]) continue
      planned.push({ name: `${name} v${version}`, scenario, version })
    }
    return planned
  })
}

/** The cases for each broker that has any. */
export function byStage(cases: readonly Planned[]): [StageName, Planned[]][] {
  const groups = new Map<StageName, Planned[]>()
  for (const planned of cases) {
    const stage = planned.scenario.stage ?? 'usual'
    groups.set(stage, [...(groups.get(stage) ?? []), planned])
  }
  return [...groups]
}

/** Runs the cases, several at a time, those that must be alone at the end, and hands each transcript to `done`. */
export async function runCases(
  side: AskedSide,
  cases: readonly Planned[],
  done: (name: string, exchanges: Exchange[]) => void,
  atOnce = 4,
): Promise<void> {
  const both = common(side.ranges)
  const first = new Case({ ...side, slug: 'warm-up', ranges: both })
  await warmUp(first)
  first.close()
  const worker = async (queue: Planned[]): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      done(next.name, await runCase({ ...side, ranges: both }, next))
    }
  }
  const together = cases.filter(({ scenario: { alone } }) => alone !== true)
  await Promise.all(Array.from({ length: atOnce }, () => worker(together)))
  await worker(cases.filter(({ scenario: { alone } }) => alone === true))
}

/** Runs one case on a broker that is warm. `ranges` are those of both sides. */
export async function runCase(side: AskedSide, planned: Planned): Promise<Exchange[]> {
  const slug = planned.name.replaceAll(/[^a-zA-Z0-9]+/g, '-')
  const on = new Case({ ...side, slug })
  try {
    await planned.scenario.run(on, planned.version)
    await on.leave()
  } catch (error) {
    on.note('the case ended early', (error as Error).message)
  }
  try {
    return await on.exchanges()
  } finally {
    on.close()
  }
}
