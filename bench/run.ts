// `npm run bench`: Odradek and Apache Kafka side by side, the same clients on the same machine, in turns. See
// docs/PERFORMANCE.md for what is measured and how; `-- --help` for the flags.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { javaVersion, KAFKA, kafkaJvm, kafkaSide, ourSide, whyNoKafka, withoutFsync } from './brokers.ts'
import type { Broker, Side } from './brokers.ts'
import { buildHere, buildRevision } from './builds.ts'
import { whyNoRdkafka } from './clients/rdkafka.ts'
import { machineClass, residentMb } from './measure.ts'
import { clients, number, spreadOf, table, type Result } from './report.ts'
import type { Row, Sample } from './row.ts'
import { coldRows } from './rows/cold.ts'
import { fanOutRows } from './rows/fan-out.ts'
import { hugeRows } from './rows/huge.ts'
import { latencyRows } from './rows/latency.ts'
import { manyRows } from './rows/many.ts'
import { memoryRows } from './rows/memory.ts'
import { rateRows, settle } from './rows/rates.ts'
import { rebalanceRows } from './rows/rebalance.ts'
import { smallRows } from './rows/small.ts'
import { startRows } from './rows/starts.ts'
import { stockRows } from './rows/stock.ts'
import { transactionRows } from './rows/transactions.ts'
import { soak } from './soak.ts'

/** What the rows that goals speak of fit in. */
const MINUTES = 40
const help = `npm run bench -- [flags]

  --only TEXT       rows whose name contains it, also those of --full if there are no others; may be repeated
  --reps N          pairs of runs (default 3)
  --peer kafka|none whom to compare with (default kafka; with --against none)
  --against REV     compare with an earlier commit of ours
  --minutes N       begin no further row after that (default ${MINUTES}; no end with --full)
  --full            also rows that no goal speaks of: hours
  --quick           a try-out: tiny runs, a fresh JVM, no figures to quote
  --soak MINUTES    no rows: full load on ours for so long, and whether its memory stays what it is
  --json FILE       every sample, for programs
`
const REPS = 3
/** Runs before the first row. A virtual machine needs them; ours gets what is enough for it. */
const SETTLING = { kafka: 20, ours: 5, quick: 1 }
/** A run beside which others used more than this is done again, once. */
const DISTURBED_CORES = 0.3

interface Flags {
  readonly only: readonly string[]
  readonly reps: number
  readonly peer: 'kafka' | 'none'
  readonly against: string | undefined
  readonly quick: boolean
  readonly full: boolean
  readonly minutes: number
  readonly soak: number | null
  readonly json: string | undefined
}

function flagsOf(args: string[]): Flags | null {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string', multiple: true, default: [] },
      reps: { type: 'string' },
      peer: { type: 'string' },
      against: { type: 'string' },
      quick: { type: 'boolean', default: false },
      full: { type: 'boolean', default: false },
      json: { type: 'string' },
      minutes: { type: 'string' },
      soak: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return null
  const peer = values.peer ?? (values.against === undefined ? 'kafka' : 'none')
  if (peer !== 'kafka' && peer !== 'none') throw new Error(`--peer is kafka or none, not ${peer}`)
  const reps = Number(values.reps ?? (values.quick ? 1 : REPS))
  if (!Number.isInteger(reps) || reps < 1) throw new Error(`--reps is a number of pairs, not ${values.reps}`)
  const minutes = Number(values.minutes ?? (values.full ? Infinity : MINUTES))
  if (!(minutes > 0)) throw new Error(`--minutes is a number, not ${values.minutes}`)
  const soakMinutes = values.soak === undefined ? null : Number(values.soak)
  if (soakMinutes !== null && !(soakMinutes > 0)) throw new Error(`--soak is a number of minutes, not ${values.soak}`)
  const { only, against, quick, full, json } = values
  return { only, reps, peer, against, quick, full, minutes, soak: soakMinutes, json }
}

function sidesOf(flags: Flags, folder: string): Side[] {
  const here = buildHere(folder)
  const sides = [
    ourSide('ours', 'Odradek', here, folder, withoutFsync),
    ourSide('defaults', 'Odradek at its defaults', here, folder, {}),
  ]
  console.log(`Odradek ${here.revision}; ${machineClass()}`)
  if (flags.against !== undefined) {
    const before = buildRevision(folder, flags.against)
    sides.push(ourSide('before', `Odradek ${before.revision}`, before, folder, withoutFsync))
  }
  const why = flags.peer === 'none' ? 'not asked for' : whyNoKafka()
  if (why === null) {
    console.log(`Apache Kafka ${KAFKA}, Java ${javaVersion()}, ${kafkaJvm.join(' ')}`)
    sides.push(kafkaSide())
  } else {
    console.log(`Without Apache Kafka: ${why}.`)
  }
  return sides
}

/** Brokers that live through all rows, started when they are first needed. */
function longLived(quick: boolean): { of(side: Side): Promise<Broker>; started: Map<Side, Broker> } {
  const started = new Map<Side, Broker>()
  return {
    started,
    async of(side) {
      const known = started.get(side)
      if (known !== undefined) return known
      const broker = await side.start({ watch: true })
      started.set(side, broker)
      const runs = quick ? SETTLING.quick : side.id === 'kafka' ? SETTLING.kafka : SETTLING.ours
      if (whyNoRdkafka() === null) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        for (let i = 0; i < runs; i++) await settle(broker, { quick })
      }
      return broker
    },
  }
}

async function runRow(
  row: Row,
  sides: readonly Side[],
  flags: Flags,
  of: (side: Side) => Promise<Broker>,
  timeLeft: () => boolean,
): Promise<Result> {
  const taking = sides.filter(
    ({ id }) => (id !== 'defaults' || row.defaultsDiffer) && !(row.oursOnly === true && id === 'kafka'),
  )
  const samples = new Map<Side['id'], Sample[]>(taking.map(({ id }) => [id, []]))
  const used = new Map<Side, Broker>()
  const run = (side: Side): Promise<Sample> =>
    row.run(side, async () => {
      const broker = await of(side)
      used.set(side, broker)
      return broker
    })
  const disturbed = (sample: Sample): boolean =>
    !flags.quick && (sample.othersCores ?? 0) > DISTURBED_CORES && timeLeft()
  for (let rep = -(flags.quick ? 0 : row.warmUps); rep < flags.reps; rep++) {
    for (const side of taking) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, in turns
      let sample = await run(side)
      // oxlint-disable-next-line no-await-in-loop -- one after the other, in turns
      if (rep >= 0 && disturbed(sample)) sample = less(sample, await run(side))
      if (rep >= 0) samples.get(side.id)!.push(sample)
    }
  }
  // oxlint-disable-next-line no-await-in-loop -- few
  for (const broker of used.values()) await row.finish?.(broker)
  return { row, samples }
}

const less = (a: Sample, b: Sample): Sample => ((a.othersCores ?? 0) <= (b.othersCores ?? 0) ? a : b)

function disturbances(results: readonly Result[]): string[] {
  // The rows of starts and topics do not look.
  const all = results.flatMap(({ samples }) =>
    [...samples.values()].flat().flatMap(({ othersCores }) => othersCores ?? []),
  )
  const count = all.filter(cores => cores > DISTURBED_CORES).length
  return [
    `${count} of ${all.length} runs of the rates stayed disturbed: others used more than ${DISTURBED_CORES} processors.`,
  ]
}

/** One line while the rest is running. */
function progress(result: Result, sides: readonly Side[]): void {
  const [measure] = result.row.measures
  const parts = sides.flatMap(({ id, title }) => {
    const found = spreadOf(result, id, measure!)
    return found === null ? [] : [`${title} ${number(found.median)}`]
  })
  console.log(`${result.row.name}: ${parts.join(', ')} ${measure!.unit}`)
}

function rowsOf(flags: Flags): Row[] {
  const all = [
    ...startRows(flags),
    ...memoryRows(flags),
    ...manyRows(flags),
    ...rateRows(flags),
    ...coldRows(flags),
    ...smallRows(flags),
    ...latencyRows(flags),
    ...fanOutRows(flags),
    ...rebalanceRows(flags),
    ...stockRows(flags),
    ...transactionRows(flags),
    ...hugeRows(flags),
  ]
  const named = all.filter(({ name }) => flags.only.length === 0 || flags.only.some(text => name.includes(text)))
  if (named.length === 0) throw new Error(`No row is called ${flags.only.join(' or ')}`)
  const ofGoals = named.filter(({ fullOnly }) => fullOnly !== true)
  return flags.full || ofGoals.length === 0 ? named : ofGoals
}

async function main(): Promise<void> {
  const flags = flagsOf(process.argv.slice(2))
  if (flags === null) {
    console.log(help)
    return
  }
  const rows = rowsOf(flags)
  const folder = mkdtempSync(join(tmpdir(), 'odradek-bench-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  if (flags.soak !== null) {
    process.exitCode = (await soak(flags.soak, folder)) ? 0 : 1
    return
  }
  const sides = sidesOf(flags, folder)
  const brokers = longLived(flags.quick)
  const results: Result[] = []
  for (const [index, row] of rows.entries()) {
    // Repeating must not cost the rows that come last.
    const timeLeft = (): boolean => performance.now() < flags.minutes * 60_000 * ((index + 1) / rows.length)
    const late = performance.now() > flags.minutes * 60_000
    const why = late ? `${flags.minutes} minutes are over` : (row.why?.() ?? null)
    if (why !== null) {
      console.log(`SKIP ${row.name}: ${why}`)
      continue
    }
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const result = await runRow(row, sides, flags, side => brokers.of(side), timeLeft)
    progress(result, sides)
    results.push(result)
  }
  const memory = [...brokers.started].map(([side, broker]) => ({ title: side.title, ...residentMb(broker.pid) }))
  // oxlint-disable-next-line no-await-in-loop -- few
  for (const broker of brokers.started.values()) await broker.stop()
  const settled = flags.quick ? 'was fresh' : `had done ${SETTLING.kafka} runs before`
  const jvm = [...brokers.started.keys()].some(({ id }) => id === 'kafka')
    ? ` The JVM of the long-lived broker ${settled}.`
    : ''
  console.log(`\nMedian (minimum to maximum) of ${flags.reps} runs in turns.${jvm}\n`)
  for (const line of [...table(results, sides), '', ...clients(results, sides), '', ...disturbances(results), ''])
    console.log(line)
  for (const { title, now, peak } of memory) {
    console.log(`${title}: RSS after the rows ${number(now)} MB, at most ${number(peak)} MB`)
  }
  if (flags.quick) console.log('\nA quick run: too short to be quoted.')
  if (flags.json !== undefined) writeFileSync(flags.json, jsonOf(results, memory))
}

function jsonOf(results: readonly Result[], memory: readonly object[]): string {
  const rows = results.map(({ row: { name, promise, client }, samples }) => ({
    name,
    promise,
    client,
    samples: Object.fromEntries(samples),
  }))
  return `${JSON.stringify({ machine: machineClass(), rows, memory }, null, 2)}\n`
}

try {
  await main()
} catch (error) {
  console.error(`bench: ${(error as Error).stack}`)
  // Brokers that still run end with this process.
  process.exit(1)
}
