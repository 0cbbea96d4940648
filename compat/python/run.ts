// confluent-kafka of PyPI (librdkafka 2.16): Produce up to 10, Fetch up to 16 with topic ids, groups, admin client.
// `npm run compat -- python`, or `npx tsx compat/python/run.ts [part of a scenario's name…]`
//
// The scenarios are Python's; each runs in a process of its own (harness/program.ts).
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Suite } from '../harness/index.ts'
import { runOne } from '../harness/program.ts'

const here = dirname(fileURLToPath(import.meta.url))
const venv = join(process.env['ODRADEK_CACHE'] ?? join(homedir(), '.cache/odradek'), 'compat-python')
const python = join(venv, 'bin/python')

interface Listed {
  readonly module: string
  readonly function: string
  readonly name: string
  readonly own: Record<string, string> | null
  readonly ours: boolean
  readonly timeout: number
}

/** Makes the virtual environment with the pinned client; the reason why not, or null. */
function install(): string | null {
  if (spawnSync('python3', ['-c', 'import venv, ensurepip']).status !== 0) {
    return 'there is no python3 that can make a virtual environment'
  }
  mkdirSync(dirname(venv), { recursive: true })
  if (!existsSync(python) && spawnSync('python3', ['-m', 'venv', venv]).status !== 0) return `no venv in ${venv}`
  const requirements = join(here, 'requirements.txt')
  const { status, stderr } = spawnSync(
    python,
    ['-m', 'pip', 'install', '-q', '--only-binary', ':all:', '-r', requirements],
    {
      encoding: 'utf8',
    },
  )
  return status === 0 ? null : `pip could not install confluent-kafka: ${stderr.trim().split('\n').at(-1)}`
}

function list(): Listed[] {
  const { stdout, stderr, status } = spawnSync(python, ['scenarios.py', '--list'], { cwd: here, encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as Listed[]
}

const suite = new Suite()
const reason = install()
if (reason === null) {
  for (const scenario of list()) {
    suite.scenario(
      scenario.name,
      context => runOne(context, python, ['scenarios.py', scenario.module, scenario.function], here),
      {
        timeoutMs: scenario.timeout * 1000,
        ours: scenario.ours,
        ...(scenario.own && { own: scenario.own }),
      },
    )
  }
  await suite.run()
} else {
  suite.skip('all of confluent-kafka', reason)
  suite.end()
}
