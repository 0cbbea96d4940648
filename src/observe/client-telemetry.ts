// Client telemetry (KIP-714): subscriptions, the clients that asked for theirs, and what they push. Kafka:
// ClientMetricsManager.java, ClientMetricsInstance.java, with a receiver that keeps what it gets.
import type { ReplyOf, RequestOf } from '../../protocol/api.ts'
import type { GetTelemetrySubscriptions } from '../../protocol/messages/71-get-telemetry-subscriptions.ts'
import type { PushTelemetry } from '../../protocol/messages/72-push-telemetry.ts'
import type { BrokerConfig, ClientMetricsSubscription, Selector } from '../config/index.ts'
import type { Logger } from '../runtime/log.ts'
import {
  INVALID_RECORD,
  INVALID_REQUEST,
  NONE,
  TELEMETRY_TOO_LARGE,
  THROTTLING_QUOTA_EXCEEDED,
  UNKNOWN_SUBSCRIPTION_ID,
  UNSUPPORTED_COMPRESSION_TYPE,
} from '../../protocol/errors.ts'
import { codecName, codecReady, decompress, GZIP, LZ4, SNAPPY, ZSTD } from '../../protocol/records/compression.ts'
import { crc32c } from '../../protocol/records/crc32c.ts'
import { RecordError } from '../../protocol/records/error.ts'
import { ZERO_UUID } from '../../protocol/schema.ts'
import { clientMetricsSubscription } from '../config/index.ts'
import { KeptClientMetrics, type ClientIdentity, type ClientMetrics } from './client-metrics.ts'
import { decodeMetrics, OtlpError } from './otlp.ts'

type GetRequest = RequestOf<typeof GetTelemetrySubscriptions>
type GetReply = ReplyOf<typeof GetTelemetrySubscriptions>
type PushRequest = RequestOf<typeof PushTelemetry>

/** The connection that a request came over. */
export interface TelemetryClient extends Omit<ClientIdentity, 'clientInstanceId'> {
  readonly connectionId: number
  /** Calls `fn` when the connection closes. */
  onClose(fn: () => void): void
}

export interface TelemetryOptions {
  readonly config: BrokerConfig
  readonly newId: () => string
  readonly log: Logger
  readonly kept?: KeptClientMetrics
  /** A smaller number for tests; the clients that were heard of longest ago are forgotten. */
  readonly maxClients?: number
}

interface Instance {
  readonly identity: ClientIdentity
  /** `#version` when the fields below were worked out. */
  version: number
  metrics: readonly string[]
  pushIntervalMs: number
  subscriptionId: number
  lastGetMs: number
  lastPushMs: number
  isTerminating: boolean
  lastError: number
  expiresMs: number
}

const ACCEPTED_CODECS = [ZSTD, LZ4, GZIP, SNAPPY]
const RESERVED: readonly string[] = [ZERO_UUID, 'AAAAAAAAAAAAAAAAAAAAAQ']
const ALL = '*'
const DEFAULT_INTERVAL_MS = 300_000
const EXPIRY_MS = 60_000
const MAX_CLIENTS = 16_384
const MAX_POINTS = 20_000
/** Errors after which a client may ask for its subscription at once. */
const ASK_AGAIN: readonly number[] = [UNKNOWN_SUBSCRIPTION_ID, UNSUPPORTED_COMPRESSION_TYPE]

export class ClientTelemetry {
  readonly #o: TelemetryOptions
  readonly #kept: KeptClientMetrics
  readonly #subscriptions = new Map<string, ClientMetricsSubscription>()
  /** Goes up with every change of a subscription. */
  #version = 0
  /** The one that was heard of last at the end. */
  readonly #instances = new Map<string, Instance>()
  readonly #byConnection = new Map<number, string>()

  constructor(options: TelemetryOptions) {
    this.#o = options
    this.#kept = options.kept ?? new KeptClientMetrics()
  }

  /** Sets what a subscription is; without settings it is gone. Throws ConfigError for settings that cannot be. */
  subscribe(name: string, settings: ReadonlyMap<string, string>): void {
    if (settings.size === 0) {
      if (this.#subscriptions.delete(name)) this.#version++
      return
    }
    this.#subscriptions.set(name, clientMetricsSubscription(settings))
    this.#version++
  }

  /** What is kept of them takes so much memory, roughly. */
  get bytes(): number {
    return this.#kept.bytes
  }

  /** The metrics of the clients that pushed some; the one that pushed last comes first. */
  clients(): ClientMetrics[] {
    return this.#kept.list()
  }

  subscriptionOf(request: GetRequest, client: TelemetryClient, now: number): GetReply {
    const isNew = request.clientInstanceId === ZERO_UUID
    const clientInstanceId = isNew ? this.#newId(now) : request.clientInstanceId
    const instance = this.#instance(clientInstanceId, client, now)
    const isDue = now - Math.max(instance.lastGetMs, instance.lastPushMs) >= instance.pushIntervalMs
    if (isDue) instance.lastGetMs = now
    if (!isDue && !ASK_AGAIN.includes(instance.lastError)) return refusedGet(THROTTLING_QUOTA_EXCEEDED)
    instance.lastError = NONE
    return {
      errorCode: NONE,
      clientInstanceId,
      subscriptionId: instance.subscriptionId,
      requestedMetrics: [...instance.metrics],
      acceptedCompressionTypes: ACCEPTED_CODECS,
      pushIntervalMs: instance.pushIntervalMs,
      telemetryMaxBytes: this.#o.config['telemetry.max.bytes'],
      deltaTemporality: true,
    }
  }

  /** An error code: at once, or when the codec is loaded. */
  push(request: PushRequest, client: TelemetryClient, now: number): number | Promise<number> {
    if (RESERVED.includes(request.clientInstanceId)) return INVALID_REQUEST
    const instance = this.#instance(request.clientInstanceId, client, now)
    instance.lastError = this.#refusePush(request, instance, now)
    instance.isTerminating = request.terminating
    if (instance.lastError !== NONE || request.metrics.length === 0) return instance.lastError
    const loading = codecReady(request.compressionType)
    if (loading === null) return this.#keep(request, instance, now)
    return loading.then(
      () => this.#keep(request, instance, now),
      () => (instance.lastError = UNSUPPORTED_COMPRESSION_TYPE),
    )
  }

  #newId(now: number): string {
    for (;;) {
      const id = this.#o.newId()
      if (!this.#isKnown(id, now)) return id
    }
  }

  #isKnown(id: string, now: number): boolean {
    return (this.#instances.get(id)?.expiresMs ?? -Infinity) > now
  }

  /** The client as it was heard of last, or a new one; what it is asked for follows the subscriptions. */
  #instance(clientInstanceId: string, client: TelemetryClient, now: number): Instance {
    const known = this.#isKnown(clientInstanceId, now) ? this.#instances.get(clientInstanceId)! : null
    const isCurrent = known?.version === this.#version
    const instance = isCurrent ? known : this.#newInstance(known?.identity ?? identityOf(clientInstanceId, client))
    instance.expiresMs = now + Math.max(EXPIRY_MS, 3 * instance.pushIntervalMs)
    this.#instances.delete(clientInstanceId)
    this.#instances.set(clientInstanceId, instance)
    if (!isCurrent) this.#connected(clientInstanceId, client)
    this.#forget(now)
    return instance
  }

  #newInstance(identity: ClientIdentity): Instance {
    const matching = [...this.#subscriptions.values()].filter(({ match }) => matches(match, identity))
    const names = [...new Set(matching.flatMap(({ metrics }) => metrics))].toSorted()
    const metrics = names.includes(ALL) ? [ALL] : names
    const pushIntervalMs = Math.min(DEFAULT_INTERVAL_MS, ...matching.map(({ intervalMs }) => intervalMs))
    return {
      identity,
      version: this.#version,
      metrics,
      pushIntervalMs,
      subscriptionId: subscriptionId(metrics, pushIntervalMs, identity.clientInstanceId),
      lastGetMs: 0,
      lastPushMs: 0,
      isTerminating: false,
      lastError: NONE,
      expiresMs: 0,
    }
  }

  #connected(clientInstanceId: string, client: TelemetryClient): void {
    const { connectionId } = client
    const isFirst = !this.#byConnection.has(connectionId)
    this.#byConnection.set(connectionId, clientInstanceId)
    if (isFirst) client.onClose(() => this.#disconnected(connectionId))
  }

  #disconnected(connectionId: number): void {
    const clientInstanceId = this.#byConnection.get(connectionId)
    this.#byConnection.delete(connectionId)
    if (clientInstanceId !== undefined) this.#instances.delete(clientInstanceId)
  }

  /** Those whose time is over, as far as they stand in front, and those that are too many. */
  #forget(now: number): void {
    for (const [id, { expiresMs }] of this.#instances) {
      if (expiresMs > now && this.#instances.size <= (this.#o.maxClients ?? MAX_CLIENTS)) return
      this.#instances.delete(id)
    }
  }

  #refusePush(request: PushRequest, instance: Instance, now: number): number {
    if (instance.isTerminating) return INVALID_REQUEST
    // A push right after the subscription may come early: clients choose a time between half and one and a half intervals.
    const isDue = instance.lastGetMs > instance.lastPushMs || now - instance.lastPushMs >= instance.pushIntervalMs
    if (isDue) instance.lastPushMs = now
    else if (!request.terminating) return THROTTLING_QUOTA_EXCEEDED
    if (request.subscriptionId !== instance.subscriptionId) return UNKNOWN_SUBSCRIPTION_ID
    if (codecName(request.compressionType) === undefined) return UNSUPPORTED_COMPRESSION_TYPE
    return request.metrics.length > this.#o.config['telemetry.max.bytes'] ? TELEMETRY_TOO_LARGE : NONE
  }

  #keep({ compressionType, metrics, terminating }: PushRequest, instance: Instance, now: number): number {
    try {
      const bytes = decompress(compressionType, metrics, this.#o.config['telemetry.max.bytes'])
      const data = decodeMetrics(bytes, MAX_POINTS)
      this.#kept.record(instance.identity, data, { isTerminating: terminating, now })
      this.#o.log.debug({ ...instance.identity, values: data.points.length, terminating }, 'Metrics of a client')
    } catch (error) {
      if (!(error instanceof RecordError) && !(error instanceof OtlpError)) throw error
      instance.lastError = INVALID_RECORD
    }
    return instance.lastError
  }
}

/** As Kafka answers an error: everything else at its zero. */
export const refusedGet = (errorCode: number): GetReply => ({
  errorCode,
  clientInstanceId: ZERO_UUID,
  subscriptionId: 0,
  acceptedCompressionTypes: [],
  pushIntervalMs: 0,
  telemetryMaxBytes: 0,
  deltaTemporality: false,
  requestedMetrics: [],
})

function identityOf(clientInstanceId: string, client: TelemetryClient): ClientIdentity {
  const { clientId, softwareName, softwareVersion, address, port } = client
  return { clientInstanceId, clientId, softwareName, softwareVersion, address, port }
}

function matches(match: ClientMetricsSubscription['match'], identity: ClientIdentity): boolean {
  const texts: Readonly<Record<Selector, string>> = {
    client_instance_id: identity.clientInstanceId,
    client_id: identity.clientId,
    client_software_name: identity.softwareName,
    client_software_version: identity.softwareVersion,
    client_source_address: identity.address,
    client_source_port: String(identity.port),
  }
  return [...match].every(([selector, isMatch]) => isMatch(texts[selector]))
}

/** Changes with what is asked for; differs from client to client. Kafka's for a single name, whose order is the same. */
function subscriptionId(metrics: readonly string[], pushIntervalMs: number, clientInstanceId: string): number {
  const crc = crc32c(Buffer.from(`[${metrics.join(', ')}]${pushIntervalMs}`))
  const id = Buffer.from(clientInstanceId, 'base64url')
  // Java's hash of a UUID.
  return crc ^ id.readInt32BE(0) ^ id.readInt32BE(4) ^ id.readInt32BE(8) ^ id.readInt32BE(12)
}
