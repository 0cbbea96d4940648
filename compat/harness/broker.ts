// The broker as a user runs it, in a child process: built where needed, on a free port, in a folder of its own.
// COMPAT_BOOTSTRAP=host:port points all scenarios at a broker that runs already, such as Apache Kafka; what needs to
// stop it or to look at its files is then skipped. COMPAT_CLI=path runs another build of the command line.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { codecReady } from '../../protocol/records/compression.ts'
import { diskFiles } from '../../storage/files-disk.ts'
import { inspectFile } from '../../storage/inspect.ts'
import { eventually, within } from './wait.ts'
import { answers } from './wire.ts'

export interface BrokerUnderTest {
  /** host:port on 127.0.0.1, the same through every restart. */
  readonly bootstrap: string
  readonly port: number
  /** Null for a broker that we did not start. */
  readonly dataDir: string | null
  readonly pid: number
  /** SIGTERM, and start again; resolves when it answers. */
  restart(): Promise<void>
  /** SIGKILL; resolves when the process is gone. */
  kill9(): Promise<void>
  /** After kill9 or stop; resolves when it answers. */
  start(): Promise<void>
  /** SIGTERM; rejects unless it exits with 0. */
  stop(): Promise<void>
  /** Stops it as hard as needed and removes its folder. */
  dispose(): Promise<void>
  /** The lines it logged as errors (pino's level 50 and above), and whatever it wrote outside its log. */
  complaints(): string[]
}

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
const START_MS = 30_000
const STOP_MS = 30_000

/** host:port of a broker that is not ours to stop, from the environment. */
export const external: string | undefined = process.env['COMPAT_BOOTSTRAP']

/** Builds the command line if a source is newer than it, as `npm start` does, and returns its path. */
export function built(): string {
  const given = process.env['COMPAT_CLI']
  if (given !== undefined) return given
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'scripts/start.js'), '--version'], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`The broker does not build: ${stderr}`)
  return join(root, 'dist/odradek.cjs')
}

let cli: string | undefined

/** A port below those that the system gives to outgoing connections, so that none of them takes it during a restart. */
export async function freePort(): Promise<number> {
  for (let port = 20_000 + (process.pid % 10_000); ; port++) {
    const free = await new Promise<boolean>(resolve => {
      const server = createServer().once('error', () => resolve(false))
      server.listen(port, 'localhost', () => server.close(() => resolve(true)))
    })
    if (free) return port
  }
}

/** Starts a broker with these keys set; resolves when it answers ApiVersions. */
export async function startBroker(keys: Readonly<Record<string, string | number>> = {}): Promise<BrokerUnderTest> {
  cli ??= built()
  const port = await freePort()
  const bootstrap = `127.0.0.1:${port}`
  const folder = mkdtempSync(join(tmpdir(), 'odradek-compat-'))
  const dataDir = join(folder, 'data')
  const logPath = join(folder, 'broker.log')
  const sets = Object.entries(keys).flatMap(([key, value]) => ['--set', `${key}=${value}`])
  let child: ChildProcess | null = null

  async function start(): Promise<void> {
    const log = openSync(logPath, 'a')
    const args = [cli!, '--listen', `localhost:${port}`, '--data-dir', dataDir, ...sets]
    const started = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', log, log] })
    closeSync(log)
    child = started
    await eventually(
      'an answer to ApiVersions',
      () => {
        if (started.exitCode !== null)
          throw new Error(`exit code ${started.exitCode}: ${readFileSync(logPath, 'utf8')}`)
        return within(2000, 'an answer', answers(bootstrap))
      },
      { ms: START_MS },
    )
  }

  async function end(signalName: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    const running = child
    if (running === null) return 0
    child = null
    const gone =
      running.exitCode !== null || running.signalCode !== null
        ? Promise.resolve()
        : new Promise(resolve => void running.once('exit', resolve))
    running.kill(signalName)
    await within(STOP_MS, `the end of the broker after ${signalName}`, gone)
    return running.exitCode
  }

  async function stop(): Promise<void> {
    const code = await end('SIGTERM')
    if (code !== 0) throw new Error(`The broker ended with exit code ${code}`)
  }

  async function dispose(): Promise<void> {
    process.off('exit', killed)
    await end('SIGTERM').catch(() => end('SIGKILL'))
    rmSync(folder, { recursive: true, force: true })
  }
  const killed = (): void => void child?.kill('SIGKILL')
  process.once('exit', killed)

  const broker: BrokerUnderTest = {
    bootstrap,
    port,
    dataDir,
    get pid() {
      return child?.pid ?? -1
    },
    start,
    stop,
    kill9: async () => void (await end('SIGKILL')),
    async restart() {
      await stop()
      await start()
    },
    dispose,
    complaints: () =>
      readFileSync(logPath, 'utf8')
        .split('\n')
        .filter(line => line !== '' && !/^\{"level":[1-4]0,/.test(line)),
  }
  try {
    await start()
  } catch (error) {
    await dispose()
    throw error
  }
  return broker
}

/** A broker that runs already: it can be used, not stopped. */
export function externalBroker(bootstrap: string): BrokerUnderTest {
  const never = (): Promise<never> => Promise.reject(new Error('This broker is not ours to stop'))
  return {
    bootstrap,
    port: Number(bootstrap.slice(bootstrap.lastIndexOf(':') + 1)),
    dataDir: null,
    pid: -1,
    start: never,
    stop: never,
    kill9: never,
    restart: never,
    dispose: () => Promise.resolve(),
    complaints: () => [],
  }
}

export interface BatchOnDisk {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly count: number
  readonly codec: string
  readonly sizeInBytes: number
  readonly producerId: number
}

/** The batches of one partition as they stand in its files; null where the broker's files are out of reach. */
export async function batchesOnDisk(
  broker: BrokerUnderTest,
  topic: string,
  partition = 0,
): Promise<BatchOnDisk[] | null> {
  if (broker.dataDir === null) return null
  await codecReady(4)
  const files = diskFiles(broker.dataDir)
  const folder = `${topic}-${partition}`
  const lines = readdirSync(join(broker.dataDir, folder))
    .filter(name => name.endsWith('.log'))
    .sort()
    .flatMap(name => [...inspectFile(files, `${folder}/${name}`, { records: false })])
  return lines
    .filter(line => line.startsWith('baseOffset:'))
    .map(line => {
      const field = (name: string): string => new RegExp(`\\b${name}: (\\S+)`).exec(line)?.[1] ?? ''
      return {
        baseOffset: Number(field('baseOffset')),
        lastOffset: Number(field('lastOffset')),
        count: Number(field('count')),
        codec: field('compresscodec'),
        sizeInBytes: Number(field('size')),
        producerId: Number(field('producerId')),
      }
    })
}
