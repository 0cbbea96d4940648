// librdkafka's rdkafka_performance. It is built once, from the source that the npm package node-rdkafka carries, and kept
// in the cache.
import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { plainEnvironment, runProgram } from '../measure.ts'
import { cache, missing, once, step } from './cache.ts'

export const RDKAFKA = 'rdkafka_performance (librdkafka 2.12.0)'
const PACKAGE = 'node-rdkafka@3.6.1'
const LINGER_MS = 5
const COMMIT_MS = 1000

const program = (): string => join(cache(), 'rdkafka_performance')

/** Null where the program is there or was built now, else why not. */
export const whyNoRdkafka = once(() => {
  if (existsSync(program())) return null
  const gone = missing(['npm', 'tar', 'gcc', 'make'])
  if (gone !== null) return gone
  mkdirSync(cache(), { recursive: true })
  const folder = mkdtempSync(join(cache(), 'building-'))
  console.log(`Building rdkafka_performance from ${PACKAGE} into ${cache()}`)
  try {
    step('npm', ['pack', '--silent', PACKAGE], folder)
    step('sh', ['-c', 'tar -xzf node-rdkafka-*.tgz'], folder)
    const source = join(folder, 'package/deps/librdkafka')
    step('./configure', ['--disable-ssl', '--disable-gssapi', '--disable-curl', '--disable-zstd'], source)
    step('make', ['-C', 'src'], source)
    step('make', ['-C', 'examples', 'rdkafka_performance'], source)
    // Whole or not at all.
    copyFileSync(join(source, 'examples/rdkafka_performance'), join(folder, 'program'))
    renameSync(join(folder, 'program'), program())
    return null
  } catch (error) {
    return `rdkafka_performance does not build: ${(error as Error).message}`
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

/** The tool ends with 1 where its own count of what it produced is off by one, with all delivered: what it prints is judged. */
const run = (args: string): ReturnType<typeof runProgram> => runProgram(program(), args.split(' '), { codes: [0, 1] })

export interface Transfer {
  readonly messages: number
  /** As the client tells it: from its first message to its last acknowledgement or message. */
  readonly seconds: number
  readonly cpuS: number
}

export interface Producing {
  readonly size: number
  readonly count: number
  readonly acks: '0' | '1' | '-1'
  /** More than one: spread at random. */
  readonly partitions?: number
  /** The one to write to where there is more than one. */
  readonly partition?: number
  readonly codec?: string
  readonly idempotent?: boolean
  /** Processes at the same time, each with its share of the messages. */
  readonly clients?: number
  /** Of librdkafka, such as `message.max.bytes=1000000`. */
  readonly settings?: readonly string[]
}

export async function produce(address: string, topic: string, o: Producing): Promise<Transfer> {
  const { clients = 1 } = o
  const share = Math.floor(o.count / clients)
  return together(Array.from({ length: clients }, () => () => produceOne(address, topic, { ...o, count: share })))
}

async function together(clients: readonly (() => Promise<Transfer>)[]): Promise<Transfer> {
  const from = performance.now()
  const runs = await Promise.all(clients.map(client => client()))
  const sum = (of: (done: Transfer) => number): number => runs.reduce((total, done) => total + of(done), 0)
  const seconds = runs.length === 1 ? runs[0]!.seconds : (performance.now() - from) / 1000
  return { messages: sum(({ messages }) => messages), seconds, cpuS: sum(({ cpuS }) => cpuS) }
}

const settingsOf = (settings: readonly string[] = []): string => settings.map(setting => ` -X ${setting}`).join('')

async function produceOne(address: string, topic: string, o: Producing): Promise<Transfer> {
  const partition = o.partition ?? ((o.partitions ?? 1) === 1 ? 0 : undefined)
  const where = partition === undefined ? '' : ` -p ${partition}`
  const codec = o.codec === undefined ? '' : ` -z ${o.codec}`
  const idempotent = o.idempotent === true ? ' -X enable.idempotence=true' : ''
  const { stdout, cpuS } = await run(
    `-P -t ${topic}${where} -b ${address} -s ${o.size} -c ${o.count} -a ${o.acks}${codec} -X linger.ms=${LINGER_MS}${idempotent}${settingsOf(o.settings)}`,
  )
  const found = [
    ...stdout.matchAll(/messages produced .*?, (\d+) delivered \(offset -?\d+, (\d+) failed\) in (\d+)ms/g),
  ]
  const [, delivered, failed, ms] = found.at(-1) ?? []
  if (Number(delivered) !== o.count || failed !== '0') throw new Error(`rdkafka_performance: ${stdout.slice(-1000)}`)
  return { messages: o.count, seconds: Number(ms) / 1000, cpuS }
}

export interface Consuming {
  /** In all partitions, which hold the same number of messages each. */
  readonly count: number
  readonly partitions?: number
  /** Processes at the same time, each with its share of the partitions. */
  readonly clients?: number
  /** Of librdkafka. */
  readonly settings?: readonly string[]
}

export function consume(
  address: string,
  topic: string,
  { count, partitions = 1, clients = 1, settings }: Consuming,
): Promise<Transfer> {
  const all = Array.from({ length: partitions }, (_, partition) => partition)
  const shares = Array.from({ length: clients }, (_, n) => all.filter(partition => partition % clients === n))
  return together(
    shares.map(share => () => consumeOne(address, topic, share, (count / partitions) * share.length, settings)),
  )
}

async function consumeOne(
  address: string,
  topic: string,
  partitions: readonly number[],
  count: number,
  settings: readonly string[] | undefined,
): Promise<Transfer> {
  const where = partitions.map(partition => ` -p ${partition}`).join('')
  const { stdout, cpuS } = await run(
    `-C -t ${topic}${where} -b ${address} -o beginning -c ${count}${settingsOf(settings)}`,
  )
  const [, messages, ms] = [...stdout.matchAll(/% (\d+) messages \(\d+ bytes\) consumed in (\d+)ms/g)].at(-1) ?? []
  if (Number(messages) !== count) throw new Error(`rdkafka_performance: ${stdout.slice(-1000)}`)
  return { messages: count, seconds: Number(ms) / 1000, cpuS }
}

export interface GroupConsumer {
  /** Leaves the group and resolves with how many messages were read; rejects where the program ended by itself. */
  stop(): Promise<number>
}

/** A member of a group that reads and commits until it is stopped. */
export function consumeInGroup(address: string, topic: string, group: string): GroupConsumer {
  const args = ['-G', group, '-t', topic, '-b', address, '-X', 'auto.offset.reset=earliest', '-X']
  const child = spawn(program(), [...args, `auto.commit.interval.ms=${COMMIT_MS}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: plainEnvironment(),
  })
  // It tells much while it runs; the end is what counts.
  let [told, complained] = ['', '']
  child.stdout.setEncoding('utf8').on('data', text => (told = `${told}${text}`.slice(-4000)))
  child.stderr.setEncoding('utf8').on('data', text => (complained = `${complained}${text}`.slice(-4000)))
  const ended = new Promise<number | null>(resolve => void child.once('close', resolve))
  process.once('exit', () => void child.kill('SIGKILL'))
  return {
    async stop() {
      const early = child.exitCode !== null
      child.kill('SIGINT')
      const code = await ended
      const [, messages] = [...told.matchAll(/% (\d+) messages \(\d+ bytes\) consumed in/g)].at(-1) ?? []
      if (early || code !== 0 || messages === undefined) {
        throw new Error(`rdkafka_performance ended with ${code}: ${told}${complained}`)
      }
      return Number(messages)
    },
  }
}
