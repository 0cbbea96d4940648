// `npm run crash [-- --rounds N --seed S --moment M --broker FILE]`: kills the broker with SIGKILL under load, restarts it, and
// checks that nothing it acknowledged is lost, changed or doubled. Ends with `N passed, N failed`.
import { parseArgs } from 'node:util'
import { codecReady, ZSTD } from '../../protocol/records/compression.ts'
import { builtBroker } from './broker-process.ts'
import { Random } from './random.ts'
import { Life, moments, type Moment, type RoundResult } from './rounds.ts'

/** Rounds on one directory before it is stopped cleanly, looked at, and left for a new one. */
const ROUNDS_PER_LIFE = 8
/** Rounds in a row that found nothing unanswered. */
const MAX_IDLE_ROUNDS = 20

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '50' },
    seed: { type: 'string' },
    moment: { type: 'string' },
    broker: { type: 'string', default: builtBroker },
  },
})

const rounds = Number(values.rounds)
// oxlint-disable-next-line no-restricted-properties -- without a seed any will do; it is printed
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
const wanted = values.moment === undefined ? moments : moments.filter(moment => moment === values.moment)
if (!Number.isInteger(rounds) || !Number.isInteger(seed) || wanted.length === 0) {
  process.stderr.write(`--rounds and --seed are numbers, --moment one of ${moments.join(', ')}\n`)
  process.exit(1)
}

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const random = new Random(seed)
let passed = 0
let failed = 0
let unansweredInAll = 0

/** Each moment comes once before any comes again. */
function* momentsInTurn(): Generator<Moment, never> {
  for (;;) {
    const left = [...wanted]
    while (left.length > 0) yield left.splice(random.int(0, left.length - 1), 1)[0]!
  }
}

function report(label: string, problems: readonly string[], dir: string): void {
  say(`FAILED ${label} (seed ${seed}), data kept in ${dir}`)
  for (const problem of problems) say(`    ${problem}`)
}

/** @returns the result, or what ended the round */
async function attempt(work: () => Promise<RoundResult>): Promise<RoundResult> {
  try {
    return await work()
  } catch (error) {
    return { unanswered: 0, how: '', problems: [error instanceof Error ? error.message : String(error)] }
  }
}

async function run(): Promise<void> {
  say(`seed ${seed}`)
  await codecReady(ZSTD)
  const turns = momentsInTurn()
  let idle = 0
  while (passed + failed < rounds) {
    const life = new Life(random.fork(), values.broker)
    let isWhole = true
    const begun = await attempt(async () => (await life.begin(), { unanswered: 0, how: '', problems: [] }))
    if (begun.problems.length > 0) {
      failed++
      report('first start', begun.problems, life.dir)
      isWhole = false
    }
    for (let inLife = 0; isWhole && inLife < ROUNDS_PER_LIFE && passed + failed < rounds;) {
      const moment = turns.next().value
      const withKafkaJs = random.chance(0.35)
      const { unanswered, how, problems } = await attempt(() => life.round(moment, withKafkaJs))
      const label = `round ${passed + failed + 1}: ${moment}${withKafkaJs ? ' with KafkaJS' : ''} ${how}`
      if (problems.length > 0) {
        failed++
        report(label, problems, life.dir)
        isWhole = false
      } else if (unanswered === 0 && ++idle < MAX_IDLE_ROUNDS) {
        say(`not counted: ${moment} ${how}, nothing was unanswered`)
      } else if (unanswered === 0) {
        throw new Error(`${idle} rounds without an unanswered request`)
      } else {
        idle = 0
        passed++
        inLife++
        unansweredInAll += unanswered
        say(`ok ${label}, ${unanswered} unanswered`)
      }
    }
    if (isWhole) {
      const { problems } = await attempt(async () => ({ unanswered: 0, how: '', problems: await life.end() }))
      if (problems.length > 0) {
        failed++
        report('clean stop and start', problems, life.dir)
      }
    }
    await life.abandon()
  }
  say(`${unansweredInAll} requests were unanswered when the broker was killed`)
  say(`${passed} passed, ${failed} failed`)
}

await run()
// Not by itself: after a failed round a client may still be trying to come back.
process.exit(failed > 0 ? 1 : 0)
