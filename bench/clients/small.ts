// Single-message produces from the client in small.c, which is compiled when its source has changed.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bytesOf, hostAndPort } from '../../compat/harness/wire.ts'
import { encodeRequest, encodeResponse, Produce } from '../../protocol/index.ts'
import { encodeBatch } from '../../protocol/records/record.ts'
import { runProgram } from '../measure.ts'
import { cache, missing, once, step } from './cache.ts'

export const SMALL = 'bench/clients/small.c'
const VERSION = 9
const source = join(dirname(fileURLToPath(import.meta.url)), 'small.c')

function program(): string {
  const hash = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 12)
  return join(cache(), `bench-small-${hash}`)
}

/** Null where the program is there or was built now, else why not. */
export const whyNoSmall = once(() => {
  if (existsSync(program())) return null
  const gone = missing(['gcc'])
  if (gone !== null) return gone
  mkdirSync(cache(), { recursive: true })
  const working = `${program()}.${process.pid}`
  step('gcc', ['-O2', '-o', working, source], dirname(source))
  renameSync(working, program())
  return null
})

export interface SmallRun {
  /** Answered, warm-up included. */
  readonly total: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Of the whole program. */
  readonly cpuS: number
  /** While it measured. */
  readonly busyCores: number
}

export async function produceSmall(
  address: string,
  topic: string,
  o: { bytes: number; acks: 1 | -1; connections: number; inFlight: number; warmMs: number; runMs: number },
): Promise<SmallRun> {
  const { host, port } = hostAndPort(address)
  const { answerBytes, errorAt } = answerOf(topic)
  const numbers = [port, o.connections, o.inFlight, o.warmMs, o.runMs, answerBytes, errorAt].map(String)
  const { stdout, cpuS } = await runProgram(program(), [host, ...numbers], requestOf(topic, o.bytes, o.acks))
  const told = JSON.parse(stdout) as { total: number; counted: number; p50: number; p99: number; cpu: number }
  return {
    total: told.total,
    perSecond: told.counted / (o.runMs / 1000),
    p50Ms: told.p50 / 1000,
    p99Ms: told.p99 / 1000,
    cpuS,
    busyCores: told.cpu / 1000 / o.runMs,
  }
}

function requestOf(topic: string, bytes: number, acks: number): Buffer {
  const value = Buffer.alloc(bytes, 'odradek ')
  const batch = encodeBatch({ timestamp: Date.now(), records: [{ key: null, value }] })
  const records = { byteLength: batch.length, parts: [batch] }
  const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }]
  return bytesOf(encodeRequest(Produce, VERSION, 0, 'bench', { acks, timeoutMs: 30_000, topicData }).chunks)
}

/** How long a good answer is, and where its error code stands: both follow from the layout. */
function answerOf(topic: string): { answerBytes: number; errorAt: number } {
  const answer = (errorCode: number): Buffer => {
    const partition = { index: 0, errorCode, baseOffset: 0, logStartOffset: 0, recordErrors: [] }
    const responses = [{ name: topic, partitionResponses: [partition] }]
    return bytesOf(encodeResponse(Produce, VERSION, 0, { responses }).chunks)
  }
  const [good, bad] = [answer(0), answer(0x0101)]
  return { answerBytes: good.length - 4, errorAt: good.findIndex((byte, at) => byte !== bad[at]) }
}
