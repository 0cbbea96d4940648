// What clients have pushed, by client: the newest value of each gauge and the total of each sum. Bounded in memory: the
// clients that pushed longest ago are forgotten first, and what one client sends beyond its share is counted, not kept.
import type { Attributes, MetricsData, Point } from './otlp.ts'

export interface ClientMetric {
  readonly name: string
  readonly kind: 'gauge' | 'sum'
  readonly attributes: Attributes
  /** Of a sum: since the first push, or since the client began where it counts itself. */
  readonly value: number
  /** Milliseconds since the epoch, by the client's clock; 0: not told. */
  readonly timeMs: number
}

/** Who pushes, as far as the connection tells. */
export interface ClientIdentity {
  readonly clientInstanceId: string
  readonly clientId: string
  readonly softwareName: string
  readonly softwareVersion: string
  readonly address: string
  readonly port: number
}

export interface ClientMetrics extends ClientIdentity {
  readonly pushes: number
  /** Milliseconds since the epoch, by the broker's clock. */
  readonly lastPushMs: number
  /** The last push said that it is the last one. */
  readonly isTerminated: boolean
  /** Values that were not kept. */
  readonly omitted: number
  /** Labels of the client as a whole, such as its group. */
  readonly resource: Attributes
  readonly metrics: readonly ClientMetric[]
}

interface Kept {
  identity: ClientIdentity
  identityBytes: number
  pushes: number
  lastPushMs: number
  isTerminated: boolean
  omitted: number
  resource: Attributes
  resourceBytes: number
  readonly series: Map<string, ClientMetric>
  bytes: number
}

export interface KeptLimits {
  readonly totalBytes: number
  readonly clientBytes: number
}

/** What an entry takes besides its texts, roughly. */
const ENTRY_BYTES = 200
const CLIENT_BYTES = 1000

export class KeptClientMetrics {
  readonly #limits: KeptLimits
  /** The one that pushed last at the end. */
  readonly #clients = new Map<string, Kept>()
  #bytes = 0

  constructor(limits: KeptLimits = { totalBytes: 16 << 20, clientBytes: 2 << 20 }) {
    this.#limits = limits
  }

  /** Roughly. */
  get bytes(): number {
    return this.#bytes
  }

  record(identity: ClientIdentity, data: MetricsData, o: { isTerminating: boolean; now: number }): void {
    const { clientInstanceId } = identity
    const kept = this.#clients.get(clientInstanceId) ?? newClient(identity)
    this.#clients.delete(clientInstanceId)
    this.#clients.set(clientInstanceId, kept)
    const before = kept.pushes === 0 ? 0 : kept.bytes
    kept.identity = identity
    kept.bytes -= kept.identityBytes
    kept.identityBytes = sizeOf(JSON.stringify(identity))
    kept.bytes += kept.identityBytes
    kept.pushes++
    kept.lastPushMs = o.now
    kept.isTerminated = o.isTerminating
    kept.omitted += data.omitted
    this.#label(kept, data.resource)
    for (const point of data.points) this.#add(kept, point)
    this.#bytes += kept.bytes - before
    this.#forget(clientInstanceId)
  }

  /** The one that pushed last comes first. */
  list(): ClientMetrics[] {
    return [...this.#clients.values()]
      .toReversed()
      .map(({ identity, pushes, lastPushMs, isTerminated, omitted, resource, series }) => ({
        ...identity,
        pushes,
        lastPushMs,
        isTerminated,
        omitted,
        resource,
        metrics: [...series.values()],
      }))
  }

  #label(kept: Kept, resource: Attributes): void {
    const bytes = sizeOf(JSON.stringify(resource))
    if (kept.bytes - kept.resourceBytes + bytes > this.#limits.clientBytes) {
      kept.omitted++
      return
    }
    kept.bytes += bytes - kept.resourceBytes
    kept.resourceBytes = bytes
    kept.resource = resource
  }

  #add(kept: Kept, { name, kind, isDelta, attributes, value, timeMs }: Point): void {
    const key = `${name}\n${JSON.stringify(Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1)))}`
    const before = kept.series.get(key)
    const bytes = before === undefined ? 2 * sizeOf(key) + ENTRY_BYTES : 0
    if (kept.bytes + bytes > this.#limits.clientBytes) {
      kept.omitted++
      return
    }
    kept.bytes += bytes
    const sum = isDelta && before?.kind === 'sum' ? before.value + value : value
    kept.series.set(key, { name, kind, attributes: before?.attributes ?? attributes, value: sum, timeMs })
  }

  /** The last one to push stays. */
  #forget(last: string): void {
    for (const [id, { bytes }] of this.#clients) {
      if (this.#bytes <= this.#limits.totalBytes || id === last) return
      this.#clients.delete(id)
      this.#bytes -= bytes
    }
  }
}

const sizeOf = (text: string): number => 2 * text.length

const newClient = (identity: ClientIdentity): Kept => ({
  identity,
  identityBytes: 0,
  pushes: 0,
  lastPushMs: 0,
  isTerminated: false,
  omitted: 0,
  resource: {},
  resourceBytes: 0,
  series: new Map(),
  bytes: CLIENT_BYTES,
})
