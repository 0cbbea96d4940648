// The transactional clients: how each is installed, and how its consume-transform-produce program is started.
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cacheFolder, clientJars, mavenJars } from '../harness/index.ts'

export interface TransactionalClient {
  readonly name: string
  /** Rejects with the reason when the client cannot be had here. */
  install(): Promise<unknown>
  start(args: readonly string[]): ChildProcess
  /** Runs its program of fencing; null where another folder has such scenarios of this client. */
  readonly fence: ((args: readonly string[]) => ChildProcess) | null
}

const here = dirname(fileURLToPath(import.meta.url))
const run = promisify(execFile)

const cache = (...parts: string[]): string => cacheFolder('transactions', ...parts)

const start = (program: string, args: readonly string[]): ChildProcess =>
  spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })

/** kafka-clients of Maven Central: 4.x speaks transaction.version 2, 2.8 that of before KIP-890. */
const java = (version: string): TransactionalClient => {
  let classPath = ''
  const program = (name: string, args: readonly string[]): ChildProcess =>
    start('java', ['-Xmx128m', '-XX:TieredStopAtLevel=1', '-cp', classPath, name, ...args])
  return {
    name: `Java ${version}`,
    async install() {
      const jars = await mavenJars(`clients-${version}`, clientJars(version))
      const classes = cache('java', version, 'classes')
      const sources = ['Transform', 'Fencing'].map(name => join(here, 'java', `${name}.java`))
      await run('javac', ['-nowarn', '-d', classes, '-cp', jars, ...sources])
      classPath = `${classes}:${jars}`
    },
    start: args => program('Transform', args),
    fence: args => program('Fencing', args),
  }
}

/** librdkafka, through confluent-kafka of PyPI. */
const python = (): TransactionalClient => {
  const venv = join(cache('python'), 'venv')
  const interpreter = join(venv, 'bin/python')
  return {
    name: 'confluent-kafka',
    async install() {
      if (!existsSync(interpreter)) await run('python3', ['-m', 'venv', venv])
      const packages = ['--only-binary', ':all:', 'confluent-kafka']
      await run(interpreter, ['-m', 'pip', 'install', '-q', ...packages], { timeout: 180_000 })
    },
    start: args => start(interpreter, [join(here, 'python/transform.py'), ...args]),
    fence: args => start(interpreter, [join(here, 'python/fencing.py'), ...args]),
  }
}

const script = (name: string, args: readonly string[]): ChildProcess =>
  start(process.execPath, ['--import', 'tsx', join(here, name), ...args])

const kafkajs: TransactionalClient = {
  name: 'KafkaJS',
  install: () => Promise.resolve(),
  start: args => script('kafkajs-transform.ts', args),
  fence: args => script('kafkajs-fencing.ts', args),
}

const platformatic: TransactionalClient = {
  name: '@platformatic/kafka',
  install: () => Promise.resolve(),
  start: args => script('platformatic-transform.ts', args),
  fence: args => script('platformatic-fencing.ts', args),
}

/** franz-go of the Go module proxy; speaks transaction.version 2. */
const franzGo = (): TransactionalClient => {
  const binary = join(cache('go'), 'transform')
  return {
    name: 'franz-go',
    install: () => run('go', ['build', '-o', binary, '.'], { cwd: join(here, 'go'), timeout: 180_000 }),
    start: args => start(binary, args),
    // compat/go
    fence: null,
  }
}

export const clients: readonly TransactionalClient[] = [
  java('4.4.0'),
  java('2.8.2'),
  python(),
  franzGo(),
  kafkajs,
  platformatic,
]
