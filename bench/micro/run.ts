// `npm run bench:micro`: the inner loops, each against a named reference, in about a minute. `-- --only TEXT` takes those whose
// name contains it, `-- --ms N` changes how long each takes. Exit code 1 where the wire codec takes more than 1.3 times what one
// written by hand takes.
import { parseArgs } from 'node:util'
import { codecContests } from './codecs.ts'
import { compare, type Contest } from './contest.ts'
import { crcContests } from './crc.ts'
import { recordContests } from './records.ts'
import { wireContests } from './wire/contests.ts'

/** By the fastest rounds. */
const WIRE_GOAL = 1.3

const { values } = parseArgs({
  options: { only: { type: 'string', default: '' }, ms: { type: 'string', default: '1500' } },
})
const budgetMs = Number(values.ms)
if (!(budgetMs > 0)) throw new Error(`--ms is a number, not ${values.ms}`)
const wire = wireContests()
// The wire codec first: it has a goal, and what else ran before in the process shows in its figures.
const all: Contest[] = [...wire, ...crcContests(), ...(await codecContests()), ...recordContests()]
const chosen = all.filter(({ name }) => name.includes(values.only))
if (chosen.length === 0) throw new Error(`Nothing is called ${values.only}`)
console.log(`${' '.repeat(48)}ours   reference  time of ours by theirs`)
const missed = chosen.filter(contest => compare(contest, budgetMs).fastest > WIRE_GOAL && wire.includes(contest))
if (missed.length > 0) console.log(`above ${WIRE_GOAL}x: ${missed.map(({ name }) => name).join('; ')}`)
process.exitCode = missed.length === 0 ? 0 : 1
