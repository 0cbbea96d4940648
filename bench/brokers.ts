// The brokers that are compared, each as a process that was started for this run: builds of Odradek and Apache Kafka.
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { eventually } from '../compat/harness/wait.ts'
import { answers } from '../compat/harness/wire.ts'
import { jars, startKafka, type RunningKafka } from '../compat/oracle/kafka.ts'
import { NEWEST } from '../compat/oracle/keys.ts'
import type { Build } from './builds.ts'
import { plainEnvironment, runProgram } from './measure.ts'

export interface Broker {
  /** host:port */
  readonly address: string
  readonly pid: number
  /** Its log directory. */
  readonly data: string
  /** From the start of the process to its first answer to ApiVersions. */
  readonly startMs: number
  /** How late the timers of its event loop came since the last question; null where it has none or was not watched. */
  eventLoop(): Promise<{ p99Ms: number; maxMs: number } | null>
  /** Takes what deleted topics left off the disk, where the broker would do so only some time later. */
  sweep(): void
  /** Rejects when `odradek verify` finds a fault in the data directory; ours alone. */
  verify(): Promise<void>
  /** Ends the process, in order or not, and starts another on the same data. */
  restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<Broker>
  stop(): Promise<void>
}

export interface StartOptions {
  /** Nothing on disk; ours alone. */
  readonly memory?: boolean
  /** Watch the event loop; ours alone. */
  readonly watch?: boolean
  /** The smallest heap that Apache Kafka gets through the rows of memory with, see smallJvm; Apache Kafka alone. */
  readonly smallHeap?: boolean
  /** Configuration of this start, the same on both sides. */
  readonly keys?: Readonly<Record<string, string>>
}

/** One column of the table. */
export interface Side {
  readonly id: 'ours' | 'defaults' | 'kafka' | 'before'
  readonly title: string
  /** Of ours. */
  readonly build?: Build
  start(options?: StartOptions): Promise<Broker>
}

export const KAFKA = NEWEST
const START_MS = 90_000
const LOOP_MS = 10_000
/** What a broker may take to write what it holds to the disk. */
const STOP_MS = 120_000

/** Both sides: one replica of everything, no wait for more members, and a deleted topic is soon off the disk. */
const keys: Readonly<Record<string, string>> = {
  'node.id': '1',
  'offsets.topic.replication.factor': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'group.initial.rebalance.delay.ms': '0',
  'log.segment.delete.delay.ms': '100',
}

export const withoutFsync: Readonly<Record<string, string>> = { 'odradek.flush.on.acks.all': 'false' }

/** As Kafka's own start scripts have it. */
export const kafkaJvm = [
  '-Xms1g',
  '-Xmx1g',
  '-server',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
  '-XX:+ExplicitGCInvokesConcurrent',
  '-Djava.awt.headless=true',
]

/** Little memory rather than speed. With 192 MB it ends with an OutOfMemoryError: its log cleaner alone takes 128 MB. */
export const smallJvm = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Djava.awt.headless=true']

/** Null where Apache Kafka can run here, else why not. */
export function whyNoKafka(): string | null {
  const { status, stderr } = spawnSync('java', ['-version'], { encoding: 'utf8' })
  if (status !== 0) return 'there is no Java'
  const version = /version "(\d+)/.exec(stderr)?.[1]
  if (!(Number(version) >= 17)) return `Java ${version} is too old for Apache Kafka ${KAFKA}`
  try {
    jars(KAFKA)
    return null
  } catch (error) {
    return `its jars could not be fetched: ${(error as Error).message}`
  }
}

export const javaVersion = (): string =>
  /version "([^"]+)"/.exec(spawnSync('java', ['-version'], { encoding: 'utf8' }).stderr)?.[1] ?? 'unknown'

export function kafkaSide(): Side {
  return {
    id: 'kafka',
    title: `Apache Kafka ${KAFKA}`,
    async start({ smallHeap = false, keys: own = {} } = {}) {
      // Resolves as soon as the process is started.
      return startedKafka(await startKafka(KAFKA, { jvm: smallHeap ? smallJvm : kafkaJvm, keys: { ...keys, ...own } }))
    },
  }
}

async function startedKafka(kafka: RunningKafka): Promise<Broker> {
  const from = performance.now()
  const folder = dirname(kafka.logFile)
  const data = join(folder, 'data')
  // After an interrupted benchmark; by then its process is killed.
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  process.once('exit', remove)
  await eventually('an answer of Apache Kafka', () => kafka.logFile !== '' && answers(kafka.address), {
    ms: START_MS,
    everyMs: 2,
  })
  const startMs = performance.now() - from
  const { address, pid } = kafka
  return {
    address,
    pid,
    data,
    startMs,
    eventLoop: () => Promise.resolve(null),
    sweep: () => undefined,
    verify: () => Promise.resolve(),
    async restart(signal) {
      const again = await kafka.restart(signal)
      process.off('exit', remove)
      return startedKafka(again)
    },
    async stop() {
      await kafka.stop()
      process.off('exit', remove)
    },
  }
}

export function ourSide(
  id: Side['id'],
  title: string,
  build: Build,
  parent: string,
  own: Readonly<Record<string, string>>,
): Side {
  return { id, title, build, start: options => startOurs(build, parent, own, options) }
}

async function startOurs(
  build: Build,
  parent: string,
  own: Readonly<Record<string, string>>,
  { memory = false, watch = false, keys: more = {} }: StartOptions = {},
): Promise<Broker> {
  const folder = mkdtempSync(join(parent, 'broker-'))
  return startOursOn(build, folder, { ...own, ...more }, { memory, watch })
}

async function startOursOn(
  build: Build,
  folder: string,
  own: Readonly<Record<string, string>>,
  { memory, watch }: { readonly memory: boolean; readonly watch: boolean },
): Promise<Broker> {
  const port = await freePort()
  const address = `127.0.0.1:${port}`
  const loopFile = join(folder, 'loop.json')
  const logFile = join(folder, 'broker.log')
  const data = join(folder, 'data')
  const args = [
    ...(watch ? ['--require', join(dirname(fileURLToPath(import.meta.url)), 'event-loop.cjs')] : []),
    join(build.folder, 'dist/odradek.cjs'),
    '--listen',
    address,
    '--log-level',
    'warn',
    ...(memory ? ['--memory'] : ['--data-dir', data]),
    ...Object.entries({ ...keys, ...own }).flatMap(([key, value]) => ['--set', `${key}=${value}`]),
  ]
  const verify = async (): Promise<void> => {
    // An earlier build of ours may not know how.
    if (memory || !existsSync(join(build.folder, 'dist/commands/verify.cjs'))) return
    await runProgram(process.execPath, [join(build.folder, 'dist/odradek.cjs'), 'verify', data])
  }
  const log = openSync(logFile, 'a')
  const env = { ...plainEnvironment(), BENCH_EVENT_LOOP_FILE: loopFile }
  const from = performance.now()
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', log, log], env })
  closeSync(log)
  const exited = new Promise<void>(resolve => void child.once('exit', () => resolve()))
  const kill = (): void => void child.kill('SIGKILL')
  // Before the folders are removed.
  process.prependOnceListener('exit', kill)
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    child.kill(signal)
    const timer = setTimeout(kill, STOP_MS)
    await exited
    clearTimeout(timer)
    process.off('exit', kill)
  }
  const ask = (): Promise<boolean> => {
    if (child.exitCode !== null) throw new Error(`Odradek ended: ${readFileSync(logFile, 'utf8').slice(-2000)}`)
    return answers(address)
  }
  await eventually('an answer of Odradek', ask, { ms: START_MS, everyMs: 1 })
  const startMs = performance.now() - from
  return {
    address,
    pid: child.pid!,
    data,
    startMs,
    async eventLoop() {
      if (!watch) return null
      rmSync(loopFile, { force: true })
      child.kill('SIGUSR2')
      await eventually('the delay of the event loop', () => existsSync(loopFile), { ms: LOOP_MS, everyMs: 5 })
      return JSON.parse(readFileSync(loopFile, 'utf8')) as { p99Ms: number; maxMs: number }
    },
    sweep() {
      for (const name of readdirSync(data)) {
        if (name.endsWith('-delete')) rmSync(join(data, name), { recursive: true, force: true })
      }
    },
    verify,
    async restart(signal) {
      await end(signal)
      return startOursOn(build, folder, own, { memory, watch })
    },
    async stop() {
      await end('SIGTERM')
      await verify()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function freePort(): Promise<number> {
  const server = createServer()
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
