// kcat as a program: run to its end, or left running with its lines read as they come.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { eventually, within, type Context } from '../harness/index.ts'

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcess
  /** Complete lines of standard output so far. */
  lines(): string[]
  stderr(): string
  count(n: number, ms?: number): Promise<string[]>
  /** SIGTERM, and its end; a consumer leaves its group. */
  stop(): Promise<Ended>
  readonly ended: Promise<Ended>
}

const present = (): boolean => spawnSync('kcat', ['-V']).status === 0

/** Installs kcat where that is possible; the reason why not, or null. */
export function install(): string | null {
  if (present()) return null
  if (process.getuid?.() !== 0) return 'kcat is not installed, and only root may install it'
  if (spawnSync('apt-get', ['--version']).status !== 0) return 'kcat is not installed, and there is no apt-get'
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const apt = (...args: string[]): boolean =>
    spawnSync('apt-get', ['-qq', ...args], { env, stdio: 'ignore' }).status === 0
  if (!apt('install', '-y', 'kcat')) {
    apt('update')
    apt('install', '-y', 'kcat')
  }
  return present() ? null : 'apt-get could not install kcat'
}

/** Starts kcat on the scenario's broker; it ends with the scenario at the latest. */
export function start(context: Context, args: readonly string[], input?: string): Running {
  const child = spawn('kcat', ['-b', context.broker.bootstrap, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
  // kcat may be gone before it has read everything; its exit code tells.
  child.stdin.on('error', () => {})
  if (input !== undefined) child.stdin.end(input)
  const ended = new Promise<Ended>(resolve => void child.once('close', code => resolve({ code, stdout, stderr })))
  context.after(() => child.kill('SIGKILL'))
  const lines = (): string[] => stdout.split('\n').slice(0, -1)
  return {
    child,
    lines,
    stderr: () => stderr,
    ended,
    async count(n, ms = 15_000) {
      await eventually(`${n} lines of kcat`, () => lines().length >= n, { ms }).catch((error: Error) => {
        throw new Error(`${error.message} (${lines().length} lines) ${stderr}`)
      })
      return lines()
    },
    async stop() {
      child.kill('SIGTERM')
      return within(15_000, 'the end of kcat', ended)
    },
  }
}

/** Runs kcat to its end; rejects when it ends with another exit code than 0. */
export async function kcat(context: Context, args: readonly string[], input = ''): Promise<Ended> {
  const ended = await kcatEnds(context, args, input)
  if (ended.code !== 0) throw new Error(`kcat ${args.join(' ')}: exit code ${ended.code}: ${ended.stderr}`)
  return ended
}

/** Runs kcat to its end, whatever its exit code. */
export const kcatEnds = (context: Context, args: readonly string[], input = ''): Promise<Ended> =>
  within(25_000, `kcat ${args.join(' ')}`, start(context, args, input).ended)

/** A record as `kcat -J` prints it. */
export interface Printed {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly ts: number
  readonly tstype: string
  readonly key: string | null
  readonly payload: string | null
  readonly headers?: readonly string[]
}

/** Reads a topic from the beginning to its end. */
export async function read(context: Context, name: string, args: readonly string[] = []): Promise<Printed[]> {
  const { stdout } = await kcat(context, ['-C', '-t', name, '-o', 'beginning', '-e', '-q', '-J', ...args])
  return parse(stdout)
}

export const parse = (stdout: string): Printed[] =>
  stdout
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Printed)

/** Topics are made through another of its requests, so that one -L with auto-creation does it. */
export async function topic(context: Context, hint: string): Promise<string> {
  const name = context.name(hint)
  await kcat(context, ['-L', '-t', name, '-X', 'allow.auto.create.topics=true'])
  return name
}

/** Lines of numbers. */
export const lines = (values: readonly (number | string)[]): string => values.map(value => `${value}\n`).join('')
