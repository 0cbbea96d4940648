// Small requests from the client in small.c, which is compiled when its source has changed: single-message produces, and
// whatever else is sent again and again.
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

export interface Sending {
  readonly connections: number
  /** On each. */
  readonly inFlight: number
  readonly warmMs: number
  readonly runMs: number
}

/** How long a good answer is, without its size, and where its error code stands. */
export interface AnswerLayout {
  readonly answerBytes: number
  readonly errorAt: number
}

/** Requests with their size, all of one length: connection n sends the nth. */
export async function sendSmall(
  address: string,
  requests: readonly Buffer[],
  { answerBytes, errorAt }: AnswerLayout,
  o: Sending,
): Promise<SmallRun> {
  const { host, port } = hostAndPort(address)
  const numbers = [port, o.connections, o.inFlight, o.warmMs, o.runMs, answerBytes, errorAt].map(String)
  const { stdout, cpuS } = await runProgram(program.path(), [host, ...numbers], { input: Buffer.concat(requests) })
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

/** Both follow from the layout of two answers that differ in the error code alone. */
export function layoutOf(answer: (errorCode: number) => readonly Uint8Array[]): AnswerLayout {
  const [good, bad] = [bytesOf(answer(0)), bytesOf(answer(0x0101))]
  return { answerBytes: good.length - 4, errorAt: good.findIndex((byte, at) => byte !== bad[at]) }
}

/** A Produce of so many messages. */
export function messagesOf(topic: string, o: { bytes: number; count?: number; acks: number }): Buffer {
  const value = Buffer.alloc(o.bytes, 'odradek ')
  const records = Array.from({ length: o.count ?? 1 }, () => ({ key: null, value }))
  const batch = encodeBatch({ timestamp: Date.now(), records })
  const partitionData = [{ index: 0, records: { byteLength: batch.length, parts: [batch] } }]
  const request = { acks: o.acks, timeoutMs: 30_000, topicData: [{ name: topic, partitionData }] }
  return bytesOf(encodeRequest(Produce, VERSION, 0, 'bench', request).chunks)
}

export const producedLayout = (topic: string): AnswerLayout =>
  layoutOf(errorCode => {
    const partition = { index: 0, errorCode, baseOffset: 0, logStartOffset: 0, recordErrors: [] }
    const responses = [{ name: topic, partitionResponses: [partition] }]
    return encodeResponse(Produce, VERSION, 0, { responses }).chunks
  })
