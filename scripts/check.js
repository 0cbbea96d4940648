// `npm run check`: types, lint, format, the rules of the house, generated pages. Runs all, then says which failed.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

const steps = {
  types: ['typescript/tsc', '-p', '.'],
  lint: ['oxlint/oxlint', '--type-aware', '--deny-warnings'],
  format: ['oxfmt/oxfmt', '--check', '.'],
  house: ['vitest/vitest', 'run', 'tests/tidy.test.ts'],
  docs: ['tsx/tsx', 'scripts/docs.ts', '--check'],
}

/** The script behind a command of a package, so that no shell is needed. */
function command(name) {
  const [packageName, bin] = name.split('/')
  const manifest = join(root, 'node_modules', packageName, 'package.json')
  const { bin: bins } = JSON.parse(readFileSync(manifest, 'utf8'))
  return join(dirname(manifest), typeof bins === 'string' ? bins : bins[bin])
}

const failed = []
for (const [step, [tool, ...args]] of Object.entries(steps)) {
  console.log(`\n== ${step}: ${tool.split('/')[1]} ${args.join(' ')}`)
  const { status, error } = spawnSync(process.execPath, [command(tool), ...args], { cwd: root, stdio: 'inherit' })
  if (error !== undefined) console.error(error.message)
  if (status !== 0) failed.push(step)
}
console.log(failed.length === 0 ? '\nall checks passed' : `\nfailed: ${failed.join(', ')}`)
process.exitCode = failed.length === 0 ? 0 : 1
