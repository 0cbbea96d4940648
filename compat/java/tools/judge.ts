// The tools' scenarios: what they print against our broker is compared with what they printed against Apache Kafka, which
// `recorded` holds; `--record` renews it.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { eventually, within, type Context, type Suite } from '../../harness/index.ts'
import { answers } from '../../harness/wire.ts'
import { startKafka } from '../../oracle/kafka.ts'
import { ourKeys, sharedKeys } from '../../oracle/keys.ts'
import { compare, readDifferences, type Known } from './differences.ts'
import { Runner, VERSION } from './runner.ts'
import { scenarios } from './scenarios/index.ts'
import type { ToolScenario } from './scenarios/scenario.ts'
import { parse, textOf, Transcript, type Step } from './transcript.ts'

const folder = new URL('../recorded/', import.meta.url)
const recording = (name: string): URL => new URL(`${name.replaceAll(/\W+/g, '-')}.txt`, folder)
const SCENARIO_MS = 120_000

/** Runs the scenarios whose names contain one of these against Apache Kafka. */
export async function record(parts: readonly string[]): Promise<void> {
  const runner = new Runner()
  for (const scenario of scenarios.filter(
    ({ name }) => parts.length === 0 || parts.some(part => name.includes(part)),
  )) {
    // oxlint-disable-next-line no-await-in-loop -- one Java process at a time
    const kafka = await startKafka(VERSION, { keys: { ...sharedKeys, ...scenario.sharedKeys } })
    try {
      // oxlint-disable-next-line no-await-in-loop -- until it answers
      await eventually('an answer', () => within(2000, 'an answer', answers(kafka.address)), { ms: 90_000 })
      const broker = { bootstrap: kafka.address, dataDir: join(dirname(kafka.logFile), 'data') }
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const steps = await transcript(runner, scenario, broker)
      writeFileSync(recording(scenario.name), textOf(steps))
      console.log(`Recorded ${scenario.name}: ${steps.length} commands`)
    } finally {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await kafka.stop()
    }
  }
  runner.close()
}

async function transcript(
  runner: Runner,
  scenario: ToolScenario,
  broker: { bootstrap: string; dataDir: string },
): Promise<Step[]> {
  const on = new Transcript(runner, broker)
  try {
    await scenario.run(on)
  } finally {
    await on.stopAll()
  }
  return on.steps
}

/** Adds a scenario for each, and one that looks for lines of differences.md that explain nothing any more. */
export function addTools(suite: Suite, complete: boolean): () => void {
  const known = readDifferences(new URL('../differences.md', import.meta.url))
  const used = new Set<Known>()
  const runner = new Runner()
  for (const scenario of scenarios) {
    const run = async ({ broker }: Context): Promise<void> => {
      const steps = await transcript(runner, scenario, { bootstrap: broker.bootstrap, dataDir: broker.dataDir! })
      const path = recording(scenario.name)
      if (process.env['COMPAT_SHOW'] !== undefined) console.log(textOf(steps))
      if (!existsSync(path)) throw new Error('nothing is recorded; see README.md')
      const differences = compare(parse(readFileSync(path, 'utf8')), steps)
      const unexplained = differences.filter(difference => {
        const lines = known.filter(line => line.matches(scenario.name, difference))
        for (const line of lines) used.add(line)
        return lines.length === 0
      })
      if (unexplained.length > 0) throw new Error(shown(unexplained))
    }
    const own = { ...sharedKeys, ...scenario.sharedKeys, ...ourKeys, ...scenario.keys }
    suite.scenario(`tools: ${scenario.name}`, run, { own, timeoutMs: SCENARIO_MS })
  }
  if (complete) {
    suite.scenario('tools: every line of differences.md explains something', () => {
      const idle = known.filter(line => !used.has(line)).map(({ line }) => `differences.md:${line}`)
      return idle.length === 0 ? Promise.resolve() : Promise.reject(new Error(idle.join(', ')))
    })
  }
  return () => runner.close()
}

function shown(differences: ReturnType<typeof compare>): string {
  let command = ''
  return differences
    .map(difference => {
      const head = difference.command === command ? '' : `$ ${difference.command}\n`
      command = difference.command
      return `${head}${difference.line}`
    })
    .join('\n')
}
