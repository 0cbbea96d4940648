// `npm run fuzz -- --minutes N --seed S`: makes cases by chance and runs them in a worker thread, which is stopped when one
// takes too long. A case that fails is kept as a file under tests/regressions, which npm test runs again. Ends with
// `N passed, N failed`: targets without a failure, and failures.
import { createHash, randomInt } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { randomOf } from './random.ts'
import { ready } from './records.ts'
import { caseToJson } from './target.ts'
import { chooseTarget, targets } from './targets.ts'
import type { Failure, Job } from './worker.ts'

/** A case that takes longer hangs. */
const KILL_MS = 20_000
/** Failures after which there is nothing more to learn. */
const ENOUGH = 20
const HEAP_MB = 512
const folder = join(import.meta.dirname, '../regressions')

/** A thread does not inherit what makes TypeScript run here. */
const START = `import('tsx/esm/api').then(({ register }) => {
  register()
  return import(${JSON.stringify(new URL('./worker.ts', import.meta.url).href)})
})`

interface Options {
  readonly seed: number
  readonly minutes: number
  readonly from: number
  readonly only: string | null
}

function optionsOf(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '1' },
      seed: { type: 'string', default: String(randomInt(2 ** 31)) },
      from: { type: 'string', default: '0' },
      only: { type: 'string' },
    },
  })
  const only = values.only ?? null
  if (only !== null && !targets.some(({ name }) => name === only)) {
    throw new Error(`--only must be one of ${targets.map(({ name }) => name).join(', ')}.`)
  }
  const number = (text: string, flag: string): number => {
    if (!/^\d+(\.\d+)?$/.test(text)) throw new Error(`--${flag} must be a number, but it is '${text}'.`)
    return Number(text)
  }
  return {
    seed: number(values.seed, 'seed'),
    minutes: number(values.minutes, 'minutes'),
    from: number(values.from, 'from'),
    only,
  }
}

/** Runs one worker to its end; the index after the last case, so that another can go on behind it. */
async function work(o: Options, from: number, deadline: number, counts: number[], report: Report): Promise<number> {
  const progress = new SharedArrayBuffer(4 * (2 + targets.length))
  const shared = new Int32Array(progress)
  const job: Job = { seed: o.seed, from, only: o.only, progress }
  shared[0] = from
  const worker = new Worker(START, {
    eval: true,
    workerData: job,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  })
  let stuck = 0
  let seen = -1
  const watch = setInterval(() => {
    const at = Atomics.load(shared, 0)
    stuck = at === seen ? stuck + 250 : 0
    seen = at
    if (Date.now() > deadline || report.count >= ENOUGH) Atomics.store(shared, 1, 1)
    if (stuck < KILL_MS) return
    report.failure(at, `it takes longer than ${KILL_MS} ms`)
    void worker.terminate()
  }, 250)
  try {
    return await new Promise(resolve => {
      worker.on('message', ({ index, what }: Failure) => report.failure(index, what))
      worker.on('error', error =>
        report.failure(Atomics.load(shared, 0), `the worker died: ${error.stack ?? error.message}`),
      )
      worker.on('exit', () => resolve(Atomics.load(shared, 0) + 1))
    })
  } finally {
    clearInterval(watch)
    targets.forEach((_, i) => (counts[i]! += shared[2 + i]!))
  }
}

/** Keeps and prints failures, each kind of them once. */
class Report {
  readonly #o: Options
  readonly #kinds = new Set<string>()
  readonly failed = new Set<string>()

  constructor(o: Options) {
    this.#o = o
  }

  get count(): number {
    return this.#kinds.size
  }

  failure(index: number, what: string): void {
    const { seed, only } = this.#o
    const random = randomOf(seed, index)
    const target = targets.find(({ name }) => name === only) ?? chooseTarget(random)
    const text = caseToJson({ target: target.name, ...target.generate(random) })
    const kind = what.replaceAll(/\d+/g, 'N').split('\n').slice(0, 3).join('\n')
    if (this.#kinds.has(kind)) return
    this.#kinds.add(kind)
    this.failed.add(target.name)
    const path = join(folder, `${target.name}-${createHash('sha1').update(text).digest('hex').slice(0, 8)}.json`)
    mkdirSync(folder, { recursive: true })
    writeFileSync(path, `${text}\n`)
    console.log(`FAIL ${target.name}: ${what}`)
    console.log(
      `  kept as ${path}; again: npm run fuzz -- --seed ${seed} --from ${index}${only ? ` --only ${only}` : ''}`,
    )
    if (text.length < 2000) console.log(`  ${text}`)
  }
}

async function main(o: Options): Promise<number> {
  console.log(`seed ${o.seed}`)
  // Cases are made again here when they fail.
  await ready()
  const start = Date.now()
  const deadline = start + o.minutes * 60_000
  const counts = targets.map(() => 0)
  const report = new Report(o)
  for (let from = o.from; Date.now() < deadline && report.count < ENOUGH;) {
    // oxlint-disable-next-line no-await-in-loop -- one worker after the other
    from = await work(o, from, deadline, counts, report)
  }
  const seconds = (Date.now() - start) / 1000
  const total = counts.reduce((sum, count) => sum + count, 0)
  targets.forEach(({ name }, i) => console.log(`${name.padEnd(12)} ${counts[i]}`))
  console.log(`seed ${o.seed}: ${total} executions in ${seconds.toFixed(0)} s, ${Math.round(total / seconds)} a second`)
  const ran = targets.filter(({ name }) => (o.only ?? name) === name)
  console.log(`${ran.length - report.failed.size} passed, ${report.count} failed`)
  return report.count === 0 && total > 0 ? 0 : 1
}

try {
  process.exitCode = await main(optionsOf(process.argv.slice(2)))
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
