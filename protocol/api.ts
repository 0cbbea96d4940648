// What a message and an API are: plain values that hold a definition. Everything else is derived from them.
import type { Shape, ShapeInput, ShapeValue } from './schema.ts'

/** A versioned structure: an API's request or response, a header, a record of an internal topic. */
export interface Message<S extends Shape> {
  /** Kafka's name: ProduceRequest, OffsetCommitValue. */
  readonly name: string
  /** First and last version, both inclusive. */
  readonly versions: readonly [number, number]
  /** First flexible version (KIP-482), Infinity: none. */
  readonly flexible: number
  readonly shape: S
}

export interface Api<Req extends Shape = Shape, Res extends Shape = Shape> {
  readonly key: number
  /** Kafka's name of the API: Produce. */
  readonly name: string
  /** Every version from the lowest of Kafka 3.9 to the highest of 4.4. */
  readonly versions: readonly [number, number]
  readonly flexible: number
  /** Last version that Kafka calls stable; later ones are not advertised. */
  readonly latestStable: number
  readonly request: Message<Req>
  readonly response: Message<Res>
}

/** Decoded value of a message or shape: every field present, whatever the version. */
export type ValueOf<M> = M extends Message<infer S> ? ShapeValue<S> : M extends Shape ? ShapeValue<M> : never

/** What encode takes: like ValueOf, but fields with a fallback may be left out, at every depth. */
export type InputOf<M> = M extends Message<infer S> ? ShapeInput<S> : M extends Shape ? ShapeInput<M> : never

export type RequestOf<A> = A extends Api<infer S, Shape> ? ShapeValue<S> : never
export type ResponseOf<A> = A extends Api<Shape, infer S> ? ShapeValue<S> : never
/** What a handler returns. */
export type ReplyOf<A> = A extends Api<Shape, infer S> ? ShapeInput<S> : never
/** What a client sends. */
export type AskOf<A> = A extends Api<infer S, Shape> ? ShapeInput<S> : never

interface Versioned {
  readonly versions: readonly [number, number]
  /** Left out: no version is flexible. */
  readonly flexible?: number
}

export const message = <S extends Shape>(name: string, o: Versioned & { readonly fields: S }): Message<S> => ({
  name,
  versions: o.versions,
  flexible: o.flexible ?? Infinity,
  shape: o.fields,
})

export const api = <Req extends Shape, Res extends Shape>(
  key: number,
  name: string,
  o: Versioned & { readonly latestStable?: number; readonly request: Req; readonly response: Res },
): Api<Req, Res> => ({
  key,
  name,
  versions: o.versions,
  flexible: o.flexible ?? Infinity,
  latestStable: o.latestStable ?? o.versions[1],
  request: message(`${name}Request`, { ...o, fields: o.request }),
  response: message(`${name}Response`, { ...o, fields: o.response }),
})

type Headed = Pick<Api, 'key' | 'flexible'>

/** 2 for flexible versions, else 1. (0, without a client id, was ControlledShutdown 0 alone: not served.) */
export const requestHeaderVersion = (of: Headed, version: number): 1 | 2 => (version >= of.flexible ? 2 : 1)

/** 1 for flexible versions, else 0. ApiVersions' is 0 always: a client cannot know yet what the broker speaks. */
export const responseHeaderVersion = (of: Headed, version: number): 0 | 1 =>
  of.key !== 18 && version >= of.flexible ? 1 : 0
