// From a frame to a started request: table lookup by API key, version check, decoding; and what becomes of requests that
// are not served (G2, G3, G6) or whose handler throws.
import assert from 'node:assert'
import type { Api, RequestHead } from '../../protocol/index.ts'
import type { ApiCounters, ServerCounters } from '../observe/counters.ts'
import type { Runtime } from '../runtime/index.ts'
import type { Refusal } from './frames.ts'
import type { Call, ConnectionInfo, Handler, ServerLimits } from './types.ts'
import { DecodeError, KafkaError, Reader, apiByKey, decode, decodeRequestHeader, errors } from '../../protocol/index.ts'
import { apiCounters } from '../observe/counters.ts'
import { LimitedLog } from './log-limit.ts'

const API_VERSIONS = 18
const PRODUCE = 0
/** What an element of an array takes when it is decoded, however few its bytes were. */
const ELEMENT_BYTES = 64

interface Route<Context> {
  readonly handler: Handler<Context>
  readonly min: number
  readonly max: number
  readonly counters: ApiCounters
}

/** A request on its way: decoded, and what is needed to answer it. */
export interface Exchange<Context> {
  readonly handler: Handler<Context>
  readonly version: number
  readonly correlationId: number
  readonly clientId: string
  readonly request: never
  readonly context: Context
  /** Size of its frame, and what its elements take besides, roughly. */
  readonly byteLength: number
}

/** What a connection lends to the requests that come over it. */
export interface Peer extends ConnectionInfo {
  /** Wall clock in ms when the bytes arrived. */
  readonly now: number
  readonly closeConnection: () => void
  readonly holdNext: () => void
}

export interface DispatcherOptions<Context> {
  readonly runtime: Runtime
  readonly handlers: readonly Handler<Context>[]
  readonly limits: ServerLimits
  readonly counters: ServerCounters
  context(connection: ConnectionInfo, call: Call): Context
}

export class Dispatcher<Context> {
  readonly #o: DispatcherOptions<Context>
  readonly #log: LimitedLog
  readonly #routes: Route<Context>[] = []
  readonly #apiOf = (key: number): Api | undefined => this.#routes[key]?.handler.api
  /** Answers ApiVersions of a version that we do not know, in version 0. */
  #unknownApiVersions: Handler<Context> | undefined

  constructor(options: DispatcherOptions<Context>) {
    this.#o = options
    this.#log = new LimitedLog(options.runtime.log, options.runtime.clock)
    for (const handler of options.handlers) {
      const { api, versions } = handler
      assert(this.#routes[api.key] === undefined, `two handlers for ${api.name}`)
      const [min, max] = versions ?? [api.versions[0], api.latestStable]
      this.#routes[api.key] = { handler, min, max, counters: apiCounters(options.counters, api.name) }
      if (api.key === API_VERSIONS) this.#unknownApiVersions = unknownApiVersions(api, min, max)
    }
  }

  /** The largest frame of an API; the answer for an unknown one does not matter, it is refused anyway. */
  maxBytesOf(apiKey: number): number {
    const { maxFrameBytes, maxRequestBytes } = this.#o.limits
    return apiKey === PRODUCE ? maxFrameBytes : Math.min(maxFrameBytes, maxRequestBytes)
  }

  /** Decodes one frame. Null: it is refused, which has been logged; the connection is to be closed. */
  start(peer: Peer, buffer: Buffer, start: number, end: number): Exchange<Context> | null {
    const reader = new Reader(buffer, start, end, this.#o.limits)
    let head: RequestHead | undefined
    try {
      head = decodeRequestHeader(reader, this.#apiOf)
      const route = this.#routes[head.apiKey]
      const version = head.apiVersion
      if (!route || version < route.min || version > route.max) return this.#notServed(peer, head, end - start)
      route.counters.requests++
      route.counters.requestBytes += end - start
      const request = decode(route.handler.api.request, version, reader) as never
      const elements = this.#o.limits.maxElements - reader.elements
      return this.#exchange(peer, head, route.handler, version, request, end - start + elements * ELEMENT_BYTES)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      this.#malformed(peer, head, error)
      return null
    }
  }

  /** The reply that stands for an error of a handler; undefined: none is known, the connection is to be closed. */
  failed(peer: Peer, exchange: Exchange<Context>, cause: unknown): unknown {
    const { handler, version, clientId, request, context } = exchange
    apiCounters(this.#o.counters, handler.api.name).failures++
    const error = cause instanceof KafkaError ? cause : new KafkaError(errors.UNKNOWN_SERVER_ERROR)
    let problem = cause
    if (handler.onError) {
      if (error !== cause) this.bug(peer, { api: handler.api.name, version, clientId }, cause, 'a handler failed')
      try {
        return handler.onError(request, error, context)
      } catch (second) {
        problem = second
      }
    }
    const message = 'a handler failed and has no error answer: connection closed'
    this.bug(peer, { api: handler.api.name, version, clientId }, problem, message)
    return undefined
  }

  refused(peer: Peer, refusal: Refusal): void {
    this.#o.counters.requestsRefused++
    const fields = { ...refusal, ...(refusal.kind === 'api' && { api: nameOf(refusal.apiKey) }), ...about(peer) }
    this.#log.line('warn', `size ${refusal.kind}`, fields, 'request size not allowed: connection closed')
  }

  bug(peer: Peer, fields: Record<string, unknown>, err: unknown, message: string): void {
    this.#log.line('error', `${message} ${String(fields['api'])}`, { ...fields, ...about(peer), err }, message)
  }

  #exchange(
    peer: Peer,
    head: RequestHead,
    handler: Handler<Context>,
    version: number,
    request: never,
    byteLength: number,
  ): Exchange<Context> {
    const { clientId, correlationId } = head
    const call = {
      apiVersion: version,
      clientId,
      now: peer.now,
      closeConnection: peer.closeConnection,
      holdNext: peer.holdNext,
    }
    const context = this.#o.context(peer, call)
    return { handler, version, correlationId, clientId, request, context, byteLength }
  }

  /** G2: ApiVersions above what we know is answered so that the client can ask again; G6: all else ends in silence. */
  #notServed(peer: Peer, head: RequestHead, byteLength: number): Exchange<Context> | null {
    if (head.apiKey === API_VERSIONS && this.#unknownApiVersions) {
      return this.#exchange(peer, head, this.#unknownApiVersions, 0, undefined as never, byteLength)
    }
    this.#o.counters.requestsRefused++
    const api = nameOf(head.apiKey)
    const fields = { api, version: head.apiVersion, clientId: head.clientId, ...about(peer) }
    this.#log.line('warn', `${api} ${head.apiVersion}`, fields, 'API or version not served: connection closed')
    return null
  }

  #malformed(peer: Peer, head: RequestHead | undefined, error: DecodeError): void {
    this.#o.counters.requestsMalformed++
    const api = head && nameOf(head.apiKey)
    const fields = { api, version: head?.apiVersion, clientId: head?.clientId, ...about(peer), reason: error.message }
    this.#log.line('warn', `malformed ${api}`, fields, 'malformed request: connection closed')
  }
}

function unknownApiVersions(api: Api, min: number, max: number): Handler {
  const reply = {
    errorCode: errors.UNSUPPORTED_VERSION,
    apiKeys: [{ apiKey: API_VERSIONS, minVersion: min, maxVersion: max }],
  }
  return { api, handle: () => reply }
}

function nameOf(apiKey: number): string {
  return apiByKey(apiKey)?.name ?? String(apiKey)
}

function about(peer: Peer) {
  const { id, remoteAddress, softwareName, softwareVersion } = peer
  return { connection: id, remoteAddress, softwareName, softwareVersion }
}
