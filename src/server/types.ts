// What the server is given (handlers, limits) and what it gives to handlers.
import type { Api, KafkaError } from '../../protocol/index.ts'
import type { AdmissionLimits } from './admission.ts'

/**
 * One served API. `handle` does its order-sensitive work before its first await and returns the reply, a promise of it,
 * or null for no answer; record bytes of the request are valid until then. Throwing a KafkaError, or anything else (our
 * bug: UNKNOWN_SERVER_ERROR), makes `onError` give the reply; without it the connection is closed.
 */
export interface Handler<Context = unknown> {
  readonly api: Api
  /** Versions served; those of the API that Kafka calls stable unless given. */
  readonly versions?: readonly [number, number] | undefined
  /** True: the next request of the connection is started when this one's answer is settled. */
  barrier?(request: never): boolean
  handle(request: never, context: Context): unknown
  onError?(request: never, error: KafkaError, context: Context): unknown
}

/** One client connection as handlers see it. */
export interface ConnectionInfo {
  readonly id: number
  /** IPv4-mapped IPv6 addresses are given as IPv4. */
  readonly localAddress: string
  readonly localPort: number
  readonly remoteAddress: string
  readonly remotePort: number
  readonly listenerName: string
  /** What the client says it is in ApiVersions (KIP-511), 'unknown' until then; that handler sets them. */
  softwareName: string
  softwareVersion: string
  /** Bytes that one more answer should not exceed: the connection's part of what answers of all connections may hold. */
  readonly answerRoom: number
  /** Calls `fn` once when the connection closes (soon, if it has); returns what takes it back. */
  onClose(fn: () => void): () => void
}

/** What the server knows of one request besides its body. */
export interface Call {
  readonly apiVersion: number
  /** '' for null. */
  readonly clientId: string
  /** Wall clock in ms when the bytes arrived. */
  readonly now: number
  /** The next request of the connection is started when this one's answer is settled. Counts before the first await only. */
  holdNext(): void
  /** Takes no further request and closes when all earlier answers have left (Kafka's reply to a failed acks=0). */
  closeConnection(): void
}

type Changeable<T> = { -readonly [P in keyof T]: T[P] }

export interface ServerLimits extends Changeable<AdmissionLimits> {
  /** socket.request.max.bytes: the largest frame; a larger one closes the connection. */
  maxFrameBytes: number
  /** odradek.request.max.bytes: the same for every API but Produce. */
  maxRequestBytes: number
  /** queued.max.request.bytes: unfinished requests of all connections together (receive-memory.ts). */
  maxBufferedBytes: number
  /** Array elements of one request, all arrays together. */
  maxElements: number
  /** Per connection; reading stops above any of the three and goes on below half of it. */
  maxInFlightRequests: number
  maxInFlightBytes: number
  maxUnsentBytes: number
  /** The same over all connections: odradek.broker.max.requests and .bytes, and answers that have not left. */
  maxBrokerRequests: number
  maxBrokerBytes: number
  maxAnswerBytes: number
  /** connections.max.idle.ms; negative: never. */
  maxIdleMs: number
  /** max.connections.per.ip and its overrides by address. */
  maxConnectionsPerIp: number
  maxConnectionsPerIpOverrides: ReadonlyMap<string, number>
  /** How long a connection that is to be closed may take to deliver what it owes. */
  closeGraceMs: number
}

export const defaultLimits: ServerLimits = {
  maxFrameBytes: 100 << 20,
  maxRequestBytes: 8 << 20,
  maxBufferedBytes: 256 << 20,
  maxElements: 200_000,
  maxInFlightRequests: 1000,
  maxInFlightBytes: 32 << 20,
  maxUnsentBytes: 16 << 20,
  maxBrokerRequests: 100_000,
  maxBrokerBytes: 96 << 20,
  maxAnswerBytes: 128 << 20,
  maxIdleMs: 600_000,
  maxConnections: 2 ** 31 - 1,
  maxConnectionRate: 2 ** 31 - 1,
  connectionRateWindow: { samples: 11, windowMs: 1000 },
  listenerLimits: new Map(),
  interBrokerListener: null,
  maxWaiting: 511,
  maxConnectionsPerIp: 2 ** 31 - 1,
  maxConnectionsPerIpOverrides: new Map(),
  closeGraceMs: 5000,
}
