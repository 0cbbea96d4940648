// Single-message produces from the client in small.c, which is compiled when its source has changed.
import { bytesOf, hostAndPort } from '../../compat/harness/wire.ts'
import { encodeRequest, encodeResponse, Produce } from '../../protocol/index.ts'
import { encodeBatch } from '../../protocol/records/record.ts'
import { runProgram } from '../measure.ts'
import { built } from './built.ts'

export const SMALL = 'bench/clients/small.c'
const VERSION = 9

const program = built('small')
export const whyNoSmall = program.whyNot

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
  const { stdout, cpuS } = await runProgram(program.path(), [host, ...numbers], messageOf(topic, o.bytes, o.acks))
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

/** A Produce of one message. */
export function messageOf(topic: string, bytes: number, acks: number): Buffer {
  const value = Buffer.alloc(bytes, 'odradek ')
  const batch = encodeBatch({ timestamp: Date.now(), records: [{ key: null, value }] })
  const records = { byteLength: batch.length, parts: [batch] }
  const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }]
  return bytesOf(encodeRequest(Produce, VERSION, 0, 'bench', { acks, timeoutMs: 30_000, topicData }).chunks)
}

/** How long a good answer is, and where its error code stands: both follow from the layout. */
export function answerOf(topic: string): { answerBytes: number; errorAt: number } {
  const answer = (errorCode: number): Buffer => {
    const partition = { index: 0, errorCode, baseOffset: 0, logStartOffset: 0, recordErrors: [] }
    const responses = [{ name: topic, partitionResponses: [partition] }]
    return bytesOf(encodeResponse(Produce, VERSION, 0, { responses }).chunks)
  }
  const [good, bad] = [answer(0), answer(0x0101)]
  return { answerBytes: good.length - 4, errorAt: good.findIndex((byte, at) => byte !== bad[at]) }
}
