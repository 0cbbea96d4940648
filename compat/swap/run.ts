// This broker and Apache Kafka take turns on one directory: what one left, the other has, and clients go on.
// `npm run compat -- swap`, or `npx tsx compat/swap/run.ts [part of a scenario's name…]`. SWAP_KEEP=1 keeps the directory.
import { deepEqual, match } from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { built, Suite } from '../harness/index.ts'
import { codecReady } from '../../protocol/records/compression.ts'
import { Live } from './live.ts'
import { Host, type Kind, type Side } from './sides.ts'
import { readState, recordVoters, type State } from './state.ts'
import { checkWhatWeKeep, writeWhatWeKeep } from './kept.ts'
import { World } from './world.ts'

interface Turn {
  readonly side: Side
  /** How it ends. */
  readonly end: 'SIGTERM' | 'SIGKILL'
}

const turn = (side: Side, end: Turn['end'] = 'SIGTERM'): Turn => ({ side, end })

interface Plan {
  readonly name: string
  /** Whether Apache Kafka formats the directory; else this broker makes it. */
  readonly formattedBy?: Exclude<Side, 'odradek'>
  readonly kind?: Kind
  /** kraft.version is raised to 1 in the first turn. */
  readonly raises?: boolean
  readonly turns: readonly Turn[]
}

const plans: readonly Plan[] = [
  {
    name: 'a directory of ours, with Apache Kafka 4.3.1 in turn, stopped and killed',
    turns: [
      turn('odradek'),
      turn('4.3.1'),
      turn('odradek', 'SIGKILL'),
      turn('4.3.1', 'SIGKILL'),
      turn('odradek'),
      turn('4.3.1'),
      turn('odradek'),
    ],
  },
  {
    name: 'a directory of Apache Kafka 4.3.1, with ours in turn',
    formattedBy: '4.3.1',
    turns: [turn('4.3.1'), turn('odradek'), turn('4.3.1')],
  },
  {
    name: 'a directory of Apache Kafka 3.9.1, with ours in turn, and in the end 4.3.1',
    formattedBy: '3.9.1',
    turns: [turn('3.9.1'), turn('odradek'), turn('3.9.1', 'SIGKILL'), turn('odradek', 'SIGKILL'), turn('4.3.1')],
  },
  {
    name: 'a directory of ours whose kraft.version is raised to 1, with Apache Kafka 4.3.1 in turn',
    raises: true,
    turns: [turn('odradek'), turn('4.3.1'), turn('odradek', 'SIGKILL'), turn('4.3.1')],
  },
  {
    name: 'a directory of Apache Kafka 4.3.1 whose kraft.version is raised to 1, with ours in turn',
    formattedBy: '4.3.1',
    raises: true,
    turns: [turn('4.3.1', 'SIGKILL'), turn('odradek'), turn('4.3.1')],
  },
  {
    name: 'two directories of Apache Kafka 4.3.1 whose voters are records, with ours in turn',
    formattedBy: '4.3.1',
    kind: 'voters recorded, two directories',
    turns: [turn('4.3.1'), turn('odradek'), turn('4.3.1')],
  },
]

/** What may differ at any time is left out: the live topic grows while we look. */
function comparable(state: State): State {
  const partitions = Object.entries(state.partitions).filter(([name]) => !name.startsWith('live-'))
  return { ...state, partitions: Object.fromEntries(partitions) }
}

const recordCount = (state: State): number =>
  Object.values(state.partitions).reduce((sum, { records, end, start }) => sum + (records ?? end - start), 0)

async function play({ formattedBy, kind = 'plain', raises = false, turns }: Plan): Promise<string[]> {
  const host = await Host.create(kind)
  const report: string[] = []
  const world = new World(host.bootstrap)
  const usedBy = new Set<Side>()
  let live: Live | null = null
  try {
    if (formattedBy !== undefined) host.format(formattedBy)
    built()
    let before: State | null = null
    for (const [n, { side, end }] of turns.entries()) {
      const ms = await host.start(side)
      if (before === null) await world.begin()
      else {
        const after = comparable(await readState(host.bootstrap))
        deepEqual(after, before, `${side} after ${turns[n - 1]!.side}`)
      }
      if (live === null) await (live = new Live(host.bootstrap)).start()
      await live.isAtWork()
      // Kafka puts DeleteRecords on the disk once a minute: a kill -9 before brings the records back.
      await world.write(side === 'odradek' || end === 'SIGTERM')
      if (side === 'odradek') usedBy.add(side)
      else if (!usedBy.has(side)) {
        usedBy.add(side)
        await writeWhatWeKeep(host.bootstrap)
        match(host.intrude(), /The data directory .* is in use by the running process \d+/)
      } else await checkWhatWeKeep(host.bootstrap)
      if (raises && n === 0) await recordVoters(host.bootstrap)
      before = comparable(await readState(host.bootstrap))
      const counts = `${recordCount(before)} records, ${Object.keys(before.topics).length} topics`
      report.push(`${side}: up in ${(ms / 1000).toFixed(1)} s, ${counts}, ${live.sent} live; ${end}`)
      if (n === turns.length - 1) {
        const { sent, consumed, repeated } = await live.finish()
        report.push(`live: ${sent} sent, ${consumed} consumed, ${repeated} consumed again`)
        live = null
      }
      await host.stop(end)
      const { snapshots, start } = host.metadata()
      report.push(`    metadata log from ${start}, ${snapshots} snapshots`)
      check(side, host.log(), turns[n - 1]?.end === 'SIGKILL')
    }
    return report
  } catch (error) {
    throw new Error(`${report.join('\n')}\n${String((error as Error).stack)}\n${host.log().slice(-1500)}`, {
      cause: error,
    })
  } finally {
    await live?.abandon()
    await host.dispose()
  }
}

/** Nothing that a side logs as an error. */
function check(side: Side, log: string, afterKill: boolean): void {
  const ours = /^\{"level":[56]0,/
  // What Kafka says of its own: segments this small are for tests, and a partition added to a topic was not there before.
  // A controller that registers before it leads tries again. Groups that are still being loaded when it stops are not loaded. Index files it misses, and makes, in folders that are
  // to be deleted, and in all after a kill -9.
  const missed = `${afterKill ? '' : '-delete'}/\\d+\\.log, recovering segment`
  const harmless = new RegExp(
    `Overriding internal\\.metadata|Expected partition|Stopped loading records|apiKey=CONTROLLER_REGISTRATION|${missed}`,
  )
  const lines = log
    .split('\n')
    .filter(line => (side === 'odradek' ? ours.test(line) : / (?:ERROR|FATAL) /.test(line)) && !harmless.test(line))
  if (lines.length > 0) throw new Error(`${side} logged:\n${lines.slice(0, 5).join('\n')}`)
}

function missing(): string | null {
  for (const [program, flag] of [
    ['java', '-version'],
    ['mvn', '-v'],
  ] as const)
    if (spawnSync(program, [flag]).status !== 0) return `there is no ${program}`
  return null
}

const suite = new Suite()
const reason = missing()
const chosen = process.argv.slice(2)
await codecReady(4)
for (const plan of plans.filter(({ name }) => chosen.length === 0 || chosen.some(part => name.includes(part)))) {
  if (reason !== null) {
    suite.skip(plan.name, reason)
    continue
  }
  const started = performance.now()
  try {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const report = await play(plan)
    for (const line of report) console.log(`     ${line}`)
    suite.pass(plan.name, performance.now() - started)
  } catch (error) {
    suite.fail(plan.name, (error as Error).message)
  }
}
suite.end()
