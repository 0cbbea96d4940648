// `npm run compat [-- name…]`: stock clients against our broker, one folder each, one after the other.
//
// A folder holds `run` (an executable) or `run.ts`. It prints `SKIP name: reason` for what it leaves out and ends with
// `N passed, N failed, N skipped`. `needs`, if there is one, lists shell commands that succeed where its tool chain is
// installed. A folder whose needs are met (or that has none) must not skip: its skips count as failures.

import { spawn, spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

interface Totals {
  passed: number
  failed: number
  skipped: number
}

const here = dirname(fileURLToPath(import.meta.url))
const timeoutMs = 20 * 60_000

const runnable = (folder: string): boolean => ['run', 'run.ts'].some(name => existsSync(join(here, folder, name)))
const folders = readdirSync(here, { withFileTypes: true })
  .filter(entry => entry.isDirectory() && runnable(entry.name))
  .map(entry => entry.name)

/** Program and arguments of a folder's run. */
function command(folder: string): [string, string[]] {
  const program = join(here, folder, 'run')
  if (!existsSync(program)) return [process.execPath, ['--import', 'tsx', join(here, folder, 'run.ts')]]
  accessSync(program, constants.X_OK)
  return [program, []]
}

/** Runs one folder, passes its output on, and returns the lines of its standard output and how it ended. */
function run(folder: string): Promise<{ lines: string[]; ended: string | null }> {
  return new Promise(resolve => {
    const [program, args] = command(folder)
    const child = spawn(program, args, {
      cwd: join(here, folder),
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: timeoutMs,
    })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
      process.stdout.write(chunk)
    })
    child.on('error', error => resolve({ lines: [], ended: error.message }))
    child.on('close', (code, signal) => {
      const ended =
        code === 0
          ? null
          : signal === null
            ? `exit code ${code}`
            : `${signal} after at most ${timeoutMs / 60_000} minutes`
      resolve({ lines: output.split('\n').filter(line => line.trim() !== ''), ended })
    })
  })
}

/** Whether every command of the folder's `needs` succeeds; true where there is no such file. */
function toolChainPresent(folder: string): boolean {
  const needs = join(here, folder, 'needs')
  if (!existsSync(needs)) return true
  const commands = readFileSync(needs, 'utf8')
    .split('\n')
    .filter(line => line.trim() !== '' && !line.startsWith('#'))
  return commands.every(line => spawnSync('sh', ['-c', line], { stdio: 'ignore', timeout: 60_000 }).status === 0)
}

async function judge(folder: string): Promise<Totals> {
  console.log(`\n== ${folder}`)
  const { lines, ended } = await run(folder)
  const last = /^(\d+) passed, (\d+) failed, (\d+) skipped$/.exec(lines.at(-1) ?? '')
  if (last === null) return fail(`${folder} did not end with its totals${ended === null ? '' : ` (${ended})`}`)
  const totals = { passed: Number(last[1]), failed: Number(last[2]), skipped: Number(last[3]) }
  const named = lines.filter(line => /^SKIP \S.*: \S/.test(line)).length
  if (named !== totals.skipped) {
    return fail(`${folder} counts ${totals.skipped} skipped and names ${named}`, totals)
  }
  if (totals.skipped > 0 && toolChainPresent(folder)) {
    console.error(`FAIL ${folder}: its tool chain is present, so its ${totals.skipped} skipped count as failed`)
    return { passed: totals.passed, failed: totals.failed + totals.skipped, skipped: 0 }
  }
  if (ended !== null && totals.failed === 0) return fail(`${folder} ended with ${ended}`, totals)
  if (totals.passed + totals.failed + totals.skipped === 0) return fail(`${folder} ran nothing`)
  return totals
}

function fail(reason: string, totals: Totals = { passed: 0, failed: 0, skipped: 0 }): Totals {
  console.error(`FAIL ${reason}`)
  return { ...totals, failed: totals.failed + 1 }
}

const asked = process.argv.slice(2)
const unknown = asked.filter(name => !folders.includes(name))
const sum: Totals = { passed: 0, failed: 0, skipped: 0 }
if (unknown.length > 0) {
  console.error(`FAIL no folder ${unknown.join(', ')}; there are ${folders.join(', ')}`)
  sum.failed += unknown.length
} else if (folders.length === 0) {
  console.error('FAIL there is no client to run')
  sum.failed++
}
for (const folder of asked.length > 0 ? folders.filter(name => asked.includes(name)) : folders) {
  const { passed, failed, skipped } = await judge(folder)
  sum.passed += passed
  sum.failed += failed
  sum.skipped += skipped
}
console.log(`\n${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`)
process.exitCode = sum.failed === 0 ? 0 : 1
