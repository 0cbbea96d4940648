// `npm run sim -- --seed N [--seeds K] [--runs R] [--path P]`: the transaction simulation with R schedules of each of the K
// seeds from N on. A failure prints the line that runs it again. Ends with `N passed, N failed`, counting seeds.
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { explore } from '../src/broker/transactions-schedules.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    seeds: { type: 'string', default: '1' },
    runs: { type: 'string', default: '10' },
    path: { type: 'string' },
  },
})
const numberOf = (flag: 'seed' | 'seeds' | 'runs'): number => {
  if (!/^\d+$/.test(values[flag])) throw new Error(`--${flag} must be a number, but it is '${values[flag]}'.`)
  return Number(values[flag])
}
const [first, seeds, runs] = [numberOf('seed'), numberOf('seeds'), numberOf('runs')]

const total = { schedules: 0, crashes: 0, failed: 0 }
for (let seed = first; seed < first + seeds; seed++) {
  try {
    // oxlint-disable-next-line no-await-in-loop -- one seed after the other
    const done = await explore({ seed, runs, ...(values.path !== undefined && { path: values.path }) })
    total.schedules += done.schedules
    total.crashes += done.crashes
  } catch (error) {
    total.failed++
    const report = error instanceof Error ? error.message : String(error)
    const path = /path: "([\d:]+)"/.exec(report)?.[1] ?? ''
    console.log(`${report}\nAgain: npm run sim -- --seed ${seed} --runs ${runs} --path ${path}`)
  }
}
console.log(`seeds ${first} to ${first + seeds - 1}: ${total.schedules} schedules, ${total.crashes} crashes in them`)
console.log(`${seeds - total.failed} passed, ${total.failed} failed`)
process.exitCode = total.failed === 0 ? 0 : 1
