// The transactional clients: how each is installed, and how its consume-transform-produce program is started.
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

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

/** A folder that outlives the run and lies outside the checkout. */
function cache(...parts: string[]): string {
  const root = process.env['ODRADEK_CACHE'] ?? join(homedir(), '.cache/odradek')
  const folder = join(root, 'transactions', ...parts)
  mkdirSync(folder, { recursive: true })
  return folder
}

const start = (program: string, args: readonly string[]): ChildProcess =>
  spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })

/** kafka-clients of Maven Central: 4.x speaks transaction.version 2, 2.8 that of before KIP-890. */
const java = (version: string): TransactionalClient => {
  const lib = cache('java', version, 'lib')
  const classes = cache('java', version, 'classes')
  const program = (name: string, args: readonly string[]): ChildProcess =>
    start('java', ['-Xmx128m', '-XX:TieredStopAtLevel=1', '-cp', `${classes}:${lib}/*`, name, ...args])
  return {
    name: `Java ${version}`,
    async install() {
      if (!existsSync(join(lib, `kafka-clients-${version}.jar`))) await fetchJars(version, lib)
      const sources = ['Transform', 'Fencing'].map(name => join(here, 'java', `${name}.java`))
      await run('javac', ['-nowarn', '-d', classes, '-cp', `${lib}/*`, ...sources])
    },
    start: args => program('Transform', args),
    fence: args => program('Fencing', args),
  }
}

async function fetchJars(version: string, target: string): Promise<void> {
  const folder = cache('java', version)
  const dependency = (group: string, name: string, v: string) =>
    `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${v}</version></dependency>`
  writeFileSync(
    join(folder, 'pom.xml'),
    `<project><modelVersion>4.0.0</modelVersion><groupId>odradek</groupId><artifactId>transactions</artifactId><version>1</version>
<dependencies>${dependency('org.apache.kafka', 'kafka-clients', version)}${dependency('org.slf4j', 'slf4j-nop', '1.7.36')}</dependencies></project>`,
  )
  const goal = ['-q', '-B', 'dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${target}`]
  await run('mvn', goal, { cwd: folder, timeout: 180_000 })
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
