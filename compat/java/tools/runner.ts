// The virtual machine in which all of Kafka's tools run, and what a tool printed.
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { jars } from '../../oracle/kafka.ts'
import { cacheFolder, within } from '../../harness/index.ts'

export const VERSION = '4.3.1'

export interface Printed {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface Job {
  /** What it has printed so far. */
  peek(): Promise<string>
  /** Ends it as SIGTERM does. */
  stop(): Promise<Printed>
  readonly done: Promise<Printed>
}

const classes = {
  'kafka-broker-api-versions': 'org.apache.kafka.tools.BrokerApiVersionsCommand',
  'kafka-client-metrics': 'org.apache.kafka.tools.ClientMetricsCommand',
  'kafka-cluster': 'org.apache.kafka.tools.ClusterTool',
  'kafka-configs': 'kafka.admin.ConfigCommand',
  'kafka-console-consumer': 'org.apache.kafka.tools.consumer.ConsoleConsumer',
  'kafka-console-producer': 'org.apache.kafka.tools.ConsoleProducer',
  'kafka-consumer-groups': 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  'kafka-consumer-perf-test': 'org.apache.kafka.tools.ConsumerPerformance',
  'kafka-delete-records': 'org.apache.kafka.tools.DeleteRecordsCommand',
  'kafka-dump-log': 'org.apache.kafka.tools.DumpLogSegments',
  'kafka-e2e-latency': 'org.apache.kafka.tools.EndToEndLatency',
  'kafka-features': 'org.apache.kafka.tools.FeatureCommand',
  'kafka-get-offsets': 'org.apache.kafka.tools.GetOffsetShell',
  'kafka-groups': 'org.apache.kafka.tools.GroupsCommand',
  'kafka-leader-election': 'org.apache.kafka.tools.LeaderElectionCommand',
  'kafka-log-dirs': 'org.apache.kafka.tools.LogDirsCommand',
  'kafka-metadata-quorum': 'org.apache.kafka.tools.MetadataQuorumCommand',
  'kafka-producer-perf-test': 'org.apache.kafka.tools.ProducerPerformance',
  'kafka-reassign-partitions': 'org.apache.kafka.tools.reassign.ReassignPartitionsCommand',
  'kafka-share-groups': 'org.apache.kafka.tools.consumer.group.ShareGroupCommand',
  'kafka-streams-groups': 'org.apache.kafka.tools.streams.StreamsGroupCommand',
  'kafka-topics': 'org.apache.kafka.tools.TopicCommand',
  'kafka-transactions': 'org.apache.kafka.tools.TransactionsCommand',
  'kafka-verifiable-consumer': 'org.apache.kafka.tools.VerifiableConsumer',
  'kafka-verifiable-producer': 'org.apache.kafka.tools.VerifiableProducer',
} as const

export type Tool = keyof typeof classes

const here = dirname(fileURLToPath(import.meta.url))
const COMMAND_MS = 60_000

export const cache = (...parts: string[]): string => cacheFolder('java', ...parts)

/** Compiles sources that are newer than what came of them last time. */
export function compile(sources: readonly string[], classPath: string, target: string): void {
  const mark = join(target, 'compiled')
  const since = existsSync(mark) ? statSync(mark).mtimeMs : 0
  if (sources.every(source => statSync(source).mtimeMs < since)) return
  const args = ['-nowarn', '-Xlint:-options', '-d', target, '-cp', classPath, ...sources]
  execFileSync('javac', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  writeFileSync(mark, '')
}

/** Why Java programs cannot run here, or null. */
export function missing(): string | null {
  for (const [program, flag] of [
    ['java', '-version'],
    ['javac', '-version'],
    ['mvn', '-v'],
  ] as const) {
    if (spawnSync(program, [flag]).status !== 0) return `there is no ${program}`
  }
  return null
}

const encoded = (text: string): string => Buffer.from(text).toString('base64')
const decoded = (text: string): string => Buffer.from(text, 'base64').toString()

/** One Java process for any number of commands. */
export class Runner {
  readonly #child: ChildProcess
  readonly #waiting = new Map<string, (fields: string[]) => void>()
  readonly #ready: Promise<void>
  #commands = 0

  constructor() {
    const target = cache('tools')
    const classPath = jars(VERSION)
    compile([join(here, 'ToolRunner.java')], classPath, target)
    const logging = join(target, 'log4j2.properties')
    writeFileSync(logging, 'rootLogger.level=OFF\n')
    const flags = ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', `-Dlog4j2.configurationFile=${logging}`]
    this.#child = spawn('java', [...flags, '-cp', `${target}:${classPath}`, 'ToolRunner'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#ready = new Promise((resolve, reject) => {
      this.#waiting.set('ready', () => resolve())
      this.#child.once('error', reject)
      this.#child.once('exit', () => reject(new Error('The tools have ended')))
    })
    this.#ready.catch(() => {})
    createInterface({ input: this.#child.stdout! }).on('line', line => {
      const fields = line.split(' ')
      this.#waiting.get(fields[1] === 'output' ? `${fields[0]} output` : fields[0]!)?.(fields)
    })
    process.once('exit', () => this.#child.kill('SIGKILL'))
  }

  /** Runs a tool to its end. */
  async run(tool: Tool, args: readonly string[], stdin = ''): Promise<Printed> {
    const job = await this.start(tool, args, stdin)
    try {
      return await within(COMMAND_MS, `${tool} ${args.join(' ')}`, job.done)
    } catch (error) {
      throw new Error(`${(error as Error).message}; so far: ${await job.peek()}`, { cause: error })
    }
  }

  async start(tool: Tool, args: readonly string[], stdin = ''): Promise<Job> {
    await within(COMMAND_MS, 'the start of Java', this.#ready)
    const id = String(++this.#commands)
    const done = this.#answer(id).then(([, , code, out, err]) => ({
      code: Number(code),
      out: decoded(out!),
      err: decoded(err!),
    }))
    this.#write(`run ${id} ${classes[tool]} ${encoded(stdin)} ${encoded(args.join('\0'))}`)
    return {
      done,
      peek: async () => {
        const answer = this.#answer(`${id} output`)
        this.#write(`peek ${id}`)
        const first = await within(COMMAND_MS, `the output of ${tool}`, Promise.race([answer, done]))
        return 'out' in first ? first.out : decoded(first[2]!)
      },
      stop: () => {
        this.#write(`stop ${id}`)
        return within(COMMAND_MS, `the end of ${tool}`, done)
      },
    }
  }

  close(): void {
    this.#child.stdin!.end()
  }

  #write(line: string): void {
    this.#child.stdin!.write(`${line}\n`)
  }

  #answer(id: string): Promise<string[]> {
    return new Promise(resolve => {
      this.#waiting.set(id, fields => {
        this.#waiting.delete(id)
        resolve(fields)
      })
    })
  }
}
