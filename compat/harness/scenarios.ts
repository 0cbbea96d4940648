// Named scenarios, run one after the other on one broker: each passes, or fails with a reason, within its time. Prints a
// line for each and ends with `N passed, N failed, N skipped`, as compat/run.ts reads it.
//
// Arguments of the process choose scenarios by a part of their name. COMPAT_BOOTSTRAP runs them on another broker.
import { external, externalBroker, startBroker, type BrokerUnderTest } from './broker.ts'
import { within } from './wait.ts'

type Keys = Readonly<Record<string, string | number>>

export interface Context {
  readonly broker: BrokerUnderTest
  /** A name that no other scenario uses. */
  name(hint: string): string
  /** Runs when the scenario is over, last given first; errors fail it. */
  after(undo: () => unknown): void
}

interface Options {
  readonly timeoutMs?: number
  /** A broker of its own with these keys set, which it may stop and kill. */
  readonly own?: Keys
  /** It looks at the broker's files or process, so it needs one that we started. */
  readonly ours?: boolean
}

interface Scenario extends Options {
  readonly name: string
  readonly run: (context: Context) => Promise<unknown>
}

const TIMEOUT_MS = 30_000
const REASON_LENGTH = 3000

export class Suite {
  readonly #keys: Keys
  readonly #scenarios: Scenario[] = []
  readonly #counts = { passed: 0, failed: 0, skipped: 0 }
  #names = 0

  /** `keys` are set on the broker that the scenarios share. */
  constructor(keys: Keys = {}) {
    this.#keys = keys
  }

  scenario(name: string, run: Scenario['run'], options: Options = {}): void {
    this.#scenarios.push({ name, run, ...options })
  }

  pass(name: string, ms: number): void {
    this.#counts.passed++
    console.log(`ok   ${name} (${Math.round(ms)} ms)`)
  }

  fail(name: string, reason: string): void {
    this.#counts.failed++
    const text = reason.trim().replaceAll('\n', '\n     ')
    console.log(`FAIL ${name}: ${text.length > REASON_LENGTH ? `${text.slice(0, REASON_LENGTH)} …` : text}`)
  }

  skip(name: string, reason: string): void {
    this.#counts.skipped++
    console.log(`SKIP ${name}: ${reason}`)
  }

  /** Runs everything and prints the totals; sets the exit code. */
  async run(): Promise<void> {
    const chosen = process.argv.slice(2)
    const scenarios = this.#scenarios.filter(
      ({ name }) => chosen.length === 0 || chosen.some(part => name.includes(part)),
    )
    let shared: BrokerUnderTest
    try {
      shared = external === undefined ? await startBroker(this.#keys) : externalBroker(external)
    } catch (error) {
      this.fail('the broker starts', reasonOf(error))
      return this.end()
    }
    try {
      for (const scenario of scenarios) {
        if (external !== undefined && (scenario.own !== undefined || scenario.ours === true)) {
          this.skip(scenario.name, 'it needs a broker that it started')
        } else await this.#runOne(scenario, shared)
      }
      if (external === undefined) await this.#runOne(orderlyEnd, shared)
    } finally {
      await shared.dispose()
    }
    this.end()
  }

  end(): void {
    const { passed, failed, skipped } = this.#counts
    console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
    process.exitCode = failed === 0 ? 0 : 1
    // Clients that a failed scenario left behind would keep the process alive.
    if (failed > 0) process.exit()
  }

  async #runOne({ name, run, own, timeoutMs = TIMEOUT_MS }: Scenario, shared: BrokerUnderTest): Promise<void> {
    const started = performance.now()
    const undo: (() => unknown)[] = []
    try {
      const broker = own === undefined ? shared : await startBroker(own)
      if (own !== undefined) {
        undo.push(() => broker.dispose())
        undo.push(() => expectQuiet(broker))
      }
      const context: Context = {
        broker,
        name: hint => `${hint}-${process.pid}-${++this.#names}`,
        after: step => void undo.push(step),
      }
      await within(timeoutMs, 'the scenario', run(context))
      await this.#undo(undo)
      this.pass(name, performance.now() - started)
    } catch (error) {
      this.fail(name, reasonOf(error))
      await this.#undo(undo).catch((problem: unknown) => console.log(`     and afterwards: ${reasonOf(problem)}`))
    }
  }

  async #undo(steps: (() => unknown)[]): Promise<void> {
    let step: (() => unknown) | undefined
    while ((step = steps.pop()) !== undefined)
      await within(TIMEOUT_MS, 'the end of the scenario', Promise.resolve(step()))
  }
}

const orderlyEnd: Scenario = {
  name: 'the broker logged no error and stops with exit code 0',
  async run({ broker }) {
    expectQuiet(broker)
    await broker.stop()
    expectQuiet(broker)
  },
}

function expectQuiet(broker: BrokerUnderTest): void {
  const complaints = broker.complaints()
  if (complaints.length > 0) throw new Error(`the broker logged:\n${complaints.slice(0, 10).join('\n')}`)
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const where = error.stack?.split('\n').find(line => line.includes('/compat/') && !line.includes('/harness/'))
  return where === undefined ? error.message : `${error.message}\n${where.trim()}`
}
