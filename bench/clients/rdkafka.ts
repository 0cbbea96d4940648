// librdkafka's rdkafka_performance. It is built once, from the source that the npm package node-rdkafka carries, and kept
// in the cache.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { runProgram } from '../measure.ts'
import { cache, missing, once, step } from './cache.ts'

export const RDKAFKA = 'rdkafka_performance (librdkafka 2.12.0)'
const PACKAGE = 'node-rdkafka@3.6.1'
const LINGER_MS = 5

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

const run = (args: string): ReturnType<typeof runProgram> => runProgram(program(), args.split(' '))

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
  readonly codec?: string
  readonly idempotent?: boolean
  /** Processes at the same time, each with its share of the messages. */
  readonly clients?: number
}

export async function produce(address: string, topic: string, o: Producing): Promise<Transfer> {
  const { clients = 1 } = o
  const share = Math.floor(o.count / clients)
  const from = performance.now()
  const runs = await Promise.all(
    Array.from({ length: clients }, () => produceOne(address, topic, { ...o, count: share })),
  )
  const seconds = clients === 1 ? runs[0]!.seconds : (performance.now() - from) / 1000
  return { messages: share * clients, seconds, cpuS: runs.reduce((sum, { cpuS }) => sum + cpuS, 0) }
}

async function produceOne(address: string, topic: string, o: Producing): Promise<Transfer> {
  const where = (o.partitions ?? 1) === 1 ? ' -p 0' : ''
  const codec = o.codec === undefined ? '' : ` -z ${o.codec}`
  const idempotent = o.idempotent === true ? ' -X enable.idempotence=true' : ''
  const { stdout, cpuS } = await run(
    `-P -t ${topic}${where} -b ${address} -s ${o.size} -c ${o.count} -a ${o.acks}${codec} -X linger.ms=${LINGER_MS}${idempotent}`,
  )
  const found = [
    ...stdout.matchAll(/messages produced .*?, (\d+) delivered \(offset -?\d+, (\d+) failed\) in (\d+)ms/g),
  ]
  const [, delivered, failed, ms] = found.at(-1) ?? []
  if (Number(delivered) !== o.count || failed !== '0') throw new Error(`rdkafka_performance: ${stdout.slice(-1000)}`)
  return { messages: o.count, seconds: Number(ms) / 1000, cpuS }
}

export async function consume(address: string, topic: string, count: number): Promise<Transfer> {
  const { stdout, cpuS } = await run(`-C -t ${topic} -p 0 -b ${address} -o beginning -c ${count}`)
  const [, messages, ms] = [...stdout.matchAll(/% (\d+) messages \(\d+ bytes\) consumed in (\d+)ms/g)].at(-1) ?? []
  if (Number(messages) !== count) throw new Error(`rdkafka_performance: ${stdout.slice(-1000)}`)
  return { messages: count, seconds: Number(ms) / 1000, cpuS }
}
