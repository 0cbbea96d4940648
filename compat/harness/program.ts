// Scenarios written in a client's own language. The program lists them as JSON (`--list`), and runs one in a process of
// its own: `PROGRAM SCENARIO BOOTSTRAP NAME`, where no other scenario uses NAME in names. It asks for what only this side
// can do by a line on its standard output, such as `@kill9`, and gets a line of JSON back.
import { spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import { batchesOnDisk } from './broker.ts'
import type { Context, Suite } from './scenarios.ts'

interface Listed {
  readonly name: string
  /** Keys of a broker of its own. */
  readonly own: Record<string, string> | null
  /** It looks at the broker's files. */
  readonly ours: boolean
  readonly timeoutSeconds: number
}

/** Adds the scenarios of a program, each under `client` and its own name, but for those that the client cannot do. */
export function addProgram(suite: Suite, client: string, program: string, cannot: readonly string[] = []): void {
  const { stdout, stderr, status, error } = spawnSync(program, ['--list'], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} --list: ${error?.message ?? stderr}`)
  const scenarios = JSON.parse(stdout) as Listed[]
  const unknown = cannot.filter(name => !scenarios.some(scenario => scenario.name === name))
  if (unknown.length > 0) throw new Error(`${client} has no scenario ${unknown.join(', ')}`)
  for (const scenario of scenarios.filter(({ name }) => !cannot.includes(name))) {
    suite.scenario(`${client}: ${scenario.name}`, context => runOne(context, program, [scenario.name]), {
      timeoutMs: scenario.timeoutSeconds * 1000,
      ours: scenario.ours,
      ...(scenario.own && { own: scenario.own }),
    })
  }
}

/** What a scenario may ask for. */
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

/** Runs one scenario: `args` say which; the broker's address and NAME follow. Rejects with the end of what it printed. */
export function runOne(context: Context, program: string, args: readonly string[], cwd?: string): Promise<void> {
  const child = spawn(program, [...args, context.broker.bootstrap, context.name('topic')], {
    ...(cwd !== undefined && { cwd }),
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  context.after(() => child.kill('SIGKILL'))
  let output = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
  // Its end is told by its exit code.
  child.stdin.on('error', () => {})
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', line => {
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
