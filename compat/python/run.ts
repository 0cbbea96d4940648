// confluent-kafka of PyPI (librdkafka 2.16): Produce up to 10, Fetch up to 16 with topic ids, groups, admin client.
// `npm run compat -- python`, or `npx tsx compat/python/run.ts [part of a scenario's name…]`
//
// The scenarios are Python's; each runs in a process of its own. It asks for what only this side can do by a line on
// its standard output, such as `@kill9`, and gets a line of JSON back.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { batchesOnDisk, Suite, type Context } from '../harness/index.ts'

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

/** What a scenario may ask of this side. */
async function ask({ broker }: Context, request: string): Promise<unknown> {
  const [what = '', ...args] = request.split(' ')
  if (what === 'restart') return broker.restart()
  if (what === 'kill9') {
    await broker.kill9()
    return broker.start()
  }
  if (what === 'batches') return batchesOnDisk(broker, args[0] ?? '', Number(args[1]))
  throw new Error(`nothing is known of '${request}'`)
}

function run(context: Context, { module, function: name }: Listed): Promise<void> {
  const args = ['scenarios.py', module, name, context.broker.bootstrap, context.name(name.replaceAll('_', '-'))]
  const child = spawn(python, args, { cwd: here, stdio: ['pipe', 'pipe', 'pipe'] })
  context.after(() => child.kill('SIGKILL'))
  let output = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
  const told = createInterface({ input: child.stdout })
  return new Promise((resolve, reject) => {
    told.on('line', line => {
      if (!line.startsWith('@')) {
        output += `${line}\n`
        return
      }
      ask(context, line.slice(1)).then(
        answer => child.stdin.write(`${JSON.stringify(answer ?? null)}\n`),
        (error: Error) => {
          child.kill('SIGKILL')
          reject(error)
        },
      )
    })
    child.once('error', reject)
    child.once('close', code => {
      if (code === 0) resolve()
      else reject(new Error(output.trim().split('\n').slice(-12).join('\n') || `exit code ${code}`))
    })
  })
}

const suite = new Suite()
const reason = install()
if (reason === null) {
  for (const scenario of list()) {
    suite.scenario(scenario.name, context => run(context, scenario), {
      timeoutMs: scenario.timeout * 1000,
      ours: scenario.ours,
      ...(scenario.own && { own: scenario.own }),
    })
  }
  await suite.run()
} else {
  suite.skip('all of confluent-kafka', reason)
  suite.end()
}
