// The two brokers that take turns on one directory: this one as its command line starts it, and Apache Kafka as one KRaft
// node. Both listen on the same port, so that clients find the other where the one was.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { built, eventually, freePort, within } from '../harness/index.ts'
import { answers } from '../harness/wire.ts'
import { jars } from '../oracle/kafka.ts'

export type Side = 'odradek' | '4.3.1' | '3.9.1'

/** The usual directory, or what newer clusters have: voters as records of the metadata log (kraft.version 1). */
export type Kind = 'plain' | 'voters recorded, two directories'

const START_MS = 90_000
const STOP_MS = 45_000
const CLUSTER_ID = 'b2RyYWRlay1zd2FwLTAwMQ'

/** Told to both: few partitions of internal topics, snapshots after every few records, quick rebalances. */
const keys: Readonly<Record<string, string>> = {
  'node.id': '1',
  'offsets.topic.num.partitions': '3',
  'offsets.topic.replication.factor': '1',
  'transaction.state.log.num.partitions': '3',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'group.initial.rebalance.delay.ms': '0',
  'log.cleaner.backoff.ms': '500',
  'metadata.log.max.record.bytes.between.snapshots': '3000',
  'metadata.max.retention.bytes': '20000',
  'internal.metadata.log.segment.bytes': '4096',
}

const jvm = ['-Xms96m', '-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Djava.awt.headless=true']

/** One directory, and whoever runs on it at the moment. */
export class Host {
  readonly folder = mkdtempSync(join(tmpdir(), 'odradek-swap-'))
  readonly dataDir = join(this.folder, 'data')
  readonly #kind: Kind
  readonly bootstrap: string
  readonly #ports: readonly [number, number]
  #child: ChildProcess | null = null
  #logPath = ''
  #turns = 0

  private constructor(ports: readonly [number, number], kind: Kind) {
    this.#ports = ports
    this.#kind = kind
    this.bootstrap = `127.0.0.1:${ports[0]}`
    process.once('exit', () => this.#child?.kill('SIGKILL'))
  }

  static async create(kind: Kind): Promise<Host> {
    const port = await freePort()
    return new Host([port, port + 10_000], kind)
  }

  get #logDirs(): string {
    return this.#kind === 'plain' ? this.dataDir : `${this.dataDir},${this.dataDir}-2`
  }

  /** As `kafka-storage format` leaves it. */
  format(version: Exclude<Side, 'odradek'>): void {
    const args = ['-Xmx128m', '-XX:TieredStopAtLevel=1', ...this.#logging(version), '-cp', jars(version)]
    const tool = ['kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', this.#properties()]
    if (this.#kind === 'voters recorded, two directories') tool.push('--standalone')
    const { status, stdout, stderr } = spawnSync('java', [...args, ...tool], { encoding: 'utf8' })
    if (status !== 0) throw new Error(`StorageTool: ${stdout}${stderr}`)
  }

  /** Resolves when it answers. @returns how long that took, in milliseconds */
  async start(side: Side): Promise<number> {
    const started = performance.now()
    this.#logPath = join(this.folder, `${++this.#turns}-${side}.log`)
    const log = openSync(this.#logPath, 'a')
    const [program, args] = side === 'odradek' ? this.#ours() : this.#kafka(side)
    const child = spawn(program, args, { cwd: this.folder, stdio: ['ignore', log, log] })
    closeSync(log)
    this.#child = child
    const isUp = () => {
      if (child.exitCode !== null) throw new Ended(`${side} ended with ${child.exitCode}:\n${this.log().slice(-2500)}`)
      return within(2000, 'an answer', answers(this.bootstrap))
    }
    for (;;) {
      try {
        await eventually(`an answer of ${side}`, isUp, { ms: 500 })
        return performance.now() - started
      } catch (error) {
        if (child.exitCode !== null || performance.now() - started > START_MS)
          throw new Error(`${String(error)}\n${this.log().slice(-2500)}`, { cause: error })
      }
    }
  }

  /** What the side that ran last has printed. */
  log(): string {
    return readFileSync(this.#logPath, 'utf8')
  }

  /** Starts ours beside whoever runs here. @returns what it says to that */
  intrude(): string {
    const [program, args] = this.#ours()
    const elsewhere = args.map(arg => (arg.startsWith('localhost:') ? 'localhost:0' : arg))
    const { status, stdout, stderr } = spawnSync(program, elsewhere, { encoding: 'utf8', timeout: STOP_MS })
    if (status === 0 || status === null) throw new Error(`it ended with ${status}: ${stdout}${stderr}`)
    return `${stdout}${stderr}`
  }

  /** The metadata log: how many snapshots, and where it starts. */
  metadata(): { snapshots: number; start: number } {
    const names = readdirSync(join(this.dataDir, '__cluster_metadata-0'))
    const bases = names.filter(name => name.endsWith('.log')).map(name => Number.parseInt(name, 10))
    return { snapshots: names.filter(name => name.endsWith('.checkpoint')).length, start: Math.min(...bases) }
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (child === null) return
    this.#child = null
    const gone = child.exitCode !== null ? Promise.resolve() : new Promise(resolve => void child.once('exit', resolve))
    child.kill(signal)
    await within(STOP_MS, `the end after ${signal}`, gone).catch((error: unknown) => {
      child.kill('SIGKILL')
      throw error
    })
  }

  async dispose(): Promise<void> {
    await this.stop('SIGKILL')
    if (process.env['SWAP_KEEP'] === undefined) rmSync(this.folder, { recursive: true, force: true })
    else console.log(`     kept: ${this.folder}`)
  }

  #ours(): [string, string[]] {
    const sets = Object.entries(keys).flatMap(([key, value]) => ['--set', `${key}=${value}`])
    const dirs = this.#kind === 'plain' ? ['--data-dir', this.dataDir] : ['--set', `log.dirs=${this.#logDirs}`]
    const args = [built(), '--listen', `localhost:${this.#ports[0]}`, ...dirs, ...sets]
    return [process.execPath, args]
  }

  #kafka(version: Exclude<Side, 'odradek'>): [string, string[]] {
    const logging = this.#logging(version)
    return ['java', [...jvm, ...logging, '-cp', jars(version), 'kafka.Kafka', this.#properties()]]
  }

  #properties(): string {
    const [port, controllerPort] = this.#ports
    const path = join(this.folder, 'server.properties')
    const all = {
      'process.roles': 'broker,controller',
      ...(this.#kind === 'plain'
        ? { 'controller.quorum.voters': `1@127.0.0.1:${controllerPort}` }
        : { 'controller.quorum.bootstrap.servers': `127.0.0.1:${controllerPort}` }),
      listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
      'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
      'controller.listener.names': 'CONTROLLER',
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      'log.dirs': this.#logDirs,
      ...keys,
    }
    const lines = Object.entries(all).map(([key, value]) => `${key}=${value}\n`)
    writeFileSync(path, lines.join(''))
    return path
  }

  /** Warnings and errors to the process's output; Kafka 4 uses log4j 2, before it was reload4j. */
  #logging(version: string): string[] {
    const old = version.startsWith('3.')
    const file = join(this.folder, `log4j-${version}.properties`)
    const lines = old
      ? [
          'log4j.rootLogger=WARN, out',
          'log4j.appender.out=org.apache.log4j.ConsoleAppender',
          'log4j.appender.out.layout=org.apache.log4j.PatternLayout',
          'log4j.appender.out.layout.ConversionPattern=%d %p %m (%c)%n',
        ]
      : [
          'rootLogger.level=WARN',
          'rootLogger.appenderRef.out.ref=out',
          'appender.out.type=Console',
          'appender.out.name=out',
          'appender.out.layout.type=PatternLayout',
          'appender.out.layout.pattern=%d %p %m (%c)%n%xEx',
        ]
    writeFileSync(file, `${lines.join('\n')}\n`)
    return [old ? `-Dlog4j.configuration=file:${file}` : `-Dlog4j2.configurationFile=${file}`]
  }
}

class Ended extends Error {}
