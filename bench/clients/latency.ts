// Latencies at a fixed rate from the client in latency.c: its requests, and where in the answers what it looks at stands.
import { bytesOf, hostAndPort } from '../../compat/harness/wire.ts'
import { encodeRequest, encodeResponse, Fetch } from '../../protocol/index.ts'
import { encodeBatch } from '../../protocol/records/record.ts'
import { runProgram } from '../measure.ts'
import { built } from './built.ts'
import { messagesOf, producedLayout } from './small.ts'

export const LATENCY = 'bench/clients/latency.c'
const FETCH_VERSION = 11
const MAX_WAIT_MS = 500
const MAX_BYTES = 1 << 20
/** An offset that no other field of the request looks like. */
const MARK = 0x0102030405

const program = built('latency')
export const whyNoLatency = program.whyNot

interface Percentiles {
  readonly p50: number
  readonly p99: number
  readonly p999: number
}

interface Latencies {
  /** In microseconds, from the time the message was due. */
  readonly ack: Percentiles
  /** Of all consumers together. */
  readonly read: Percentiles
}

export interface LatencyRun extends Latencies {
  /** Records, warm-up included. */
  readonly total: number
  /** From the first to the last, read by all consumers. */
  readonly seconds: number
  readonly cpuS: number
}

export interface Load {
  readonly bytes: number
  readonly acks: 1 | -1
  /** Batches a second. */
  readonly rate: number
  /** In each batch; 1 if left out. */
  readonly records?: number
  /** 1 if left out. */
  readonly consumers?: number
  readonly warmMs: number
  readonly runMs: number
}

export async function latencies(address: string, topic: string, o: Load): Promise<LatencyRun> {
  const { host, port } = hostAndPort(address)
  const { answerBytes, errorAt } = producedLayout(topic)
  const { records: count = 1 } = o
  const produce = messagesOf(topic, { ...o, count })
  const fetch = fetchOf(topic, MARK)
  const mark = Buffer.alloc(8)
  mark.writeBigInt64BE(BigInt(MARK))
  const records = Array.from({ length: count }, () => ({ key: null, value: Buffer.alloc(o.bytes) }))
  const batchBytes = encodeBatch({ timestamp: 0, records }).length
  const numbers = [
    port,
    o.rate,
    o.warmMs,
    o.runMs,
    o.consumers ?? 1,
    answerBytes,
    errorAt,
    fetch.indexOf(mark),
    emptyFetched(topic),
    batchBytes,
    count,
  ]
  const { stdout, cpuS } = await runProgram(program.path(), [host, ...numbers.map(String)], {
    input: Buffer.concat([produce, fetch]),
  })
  const { total, took, ...percentiles } = JSON.parse(stdout) as { total: number; took: number } & Latencies
  return { ...percentiles, total: total * count, seconds: took / 1e6, cpuS }
}

function fetchOf(topic: string, fetchOffset: number): Buffer {
  const partitions = [
    { partition: 0, currentLeaderEpoch: -1, fetchOffset, logStartOffset: -1, partitionMaxBytes: MAX_BYTES },
  ]
  const request = {
    maxWaitMs: MAX_WAIT_MS,
    minBytes: 1,
    maxBytes: MAX_BYTES,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [{ topic, partitions }],
    forgottenTopicsData: [],
    rackId: '',
  }
  return bytesOf(encodeRequest(Fetch, FETCH_VERSION, 0, 'bench', request).chunks)
}

/** Bytes of an answer without records: they come last. */
function emptyFetched(topic: string): number {
  const partition = {
    partitionIndex: 0,
    errorCode: 0,
    highWatermark: 0,
    lastStableOffset: 0,
    logStartOffset: 0,
    abortedTransactions: null,
    preferredReadReplica: -1,
    records: { byteLength: 0, parts: [] },
  }
  const responses = [{ topic, partitions: [partition] }]
  return bytesOf(encodeResponse(Fetch, FETCH_VERSION, 0, { errorCode: 0, sessionId: 0, responses }).chunks).length
}
