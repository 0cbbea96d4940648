// What a handler is: one API, the versions it serves, and a function from request to reply. Everything that must happen
// in order happens before the function's first await; after it a handler only waits.
import type { Api, ReplyOf, RequestOf } from '../../protocol/api.ts'
import type { KafkaError } from '../../protocol/errors.ts'
import type { Shape } from '../../protocol/schema.ts'
import type { Broker } from '../broker/broker.ts'

/** Who is at the other end of a connection, and where they reached us. */
export interface ConnectionInfo {
  readonly id: number
  readonly localAddress: string
  readonly localPort: number
  readonly remoteAddress: string
  readonly remotePort: number
  readonly listenerName: string
  /** From ApiVersions 3+ (KIP-511); "unknown" before. */
  softwareName: string
  softwareVersion: string
  /** Bytes that one more answer should not exceed: this connection's part of the memory for answers. */
  readonly answerRoom: number
  /** Calls `fn` when the connection closes; the returned function takes that back. */
  onClose(fn: () => void): () => void
}

export interface RequestContext {
  readonly broker: Broker
  readonly connection: ConnectionInfo
  readonly apiVersion: number
  /** Empty when the request had none. */
  readonly clientId: string
  /** Milliseconds since the epoch at the request's start. */
  readonly now: number
  /** The connection's next request waits until this one is answered. To be called before the handler's first await. */
  holdNext(): void
  /** Closes without an answer: the only way to tell a producer with acks=0 of an error. */
  closeConnection(): void
}

type Versions = readonly [number, number]

export interface Options<Req extends Shape, Res extends Shape> {
  /** The versions served; all that are defined unless given. */
  readonly versions?: Versions
  /** The versions that ApiVersions tells, where they differ from those served. */
  readonly advertised?: Versions
  /** The highest version with `unstable.api.versions.enable`, where that is one that Kafka calls unstable. */
  readonly unstable?: number
  /** Holds back the connection's next request until this one is answered, because that one must see its effects. */
  readonly barrier?: boolean
  /** The answer when the handler throws: the API's own way to carry an error code. */
  readonly onError: (request: RequestOf<Api<Req, Res>>, error: KafkaError) => ReplyOf<Api<Req, Res>>
}

export type Answer<Res> = Res | null | Promise<Res | null>

/** A handler with its message types forgotten, as dispatch and the list of APIs see it. */
export interface Handler {
  readonly api: Api
  readonly versions: Versions
  readonly advertised: Versions
  readonly unstable?: number
  barrier?(): boolean
  handle(request: unknown, context: RequestContext): Answer<unknown>
  onError(request: unknown, error: KafkaError): unknown
}

/** Binds a function to its API. Null means that no answer is sent (Produce with acks=0). */
export function handler<Req extends Shape, Res extends Shape>(
  api: Api<Req, Res>,
  options: Options<Req, Res>,
  handle: (request: RequestOf<Api<Req, Res>>, context: RequestContext) => Answer<ReplyOf<Api<Req, Res>>>,
): Handler {
  const versions = options.versions ?? api.versions
  return {
    api,
    versions,
    advertised: options.advertised ?? versions,
    ...(options.unstable !== undefined && { unstable: options.unstable }),
    ...(options.barrier && { barrier: () => true }),
    handle,
    onError: options.onError,
  }
}
