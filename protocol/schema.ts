// The vocabulary messages are written in. Modifiers come first and the type last: `since(8).nullable.string`,
// `since(10).tag(0).struct({ … })`, `int64.or(-1)`. A field exists in the versions `since … until` (both inclusive).
// Types are inferred from the definitions (ValueOf, InputOf); compile.ts turns them into code.

/** The wire types. `array` and `struct` are built of others. */
export type Kind =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint16'
  | 'uint32'
  | 'float64'
  | 'string'
  | 'bytes'
  | 'records'
  | 'uuid'
  | 'array'
  | 'struct'

/** What is known of one field. `fallback: undefined` means the type's own zero (0, '', [], a struct of defaults). */
export interface Spec {
  readonly kind: Kind
  readonly since: number
  readonly until: number
  /** First version in which null is allowed; Infinity: never. */
  readonly nullSince: number
  readonly tag: number | null
  readonly ignorable: boolean
  /** Encoded as in non-flexible versions even where the message is flexible (RequestHeader.clientId alone). */
  readonly plain: boolean
  readonly fallback: unknown
  /** An array's element. */
  readonly of: AnyField | null
  /** A struct's fields, in wire order. */
  readonly fields: Shape | null
}

/**
 * Record bytes by reference. Decoded from a request: one part, a view valid only until the handler's first await.
 * To encode: parts in order, written by reference; `release` is called once they have left or never will.
 */
export interface Records {
  readonly byteLength: number
  readonly parts: readonly Buffer[]
  readonly release?: () => void
}

/** The uuid of sixteen zero bytes: "no topic id". */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

/**
 * One field of a message. `Value` is what decoding gives, `Input` what encoding takes, `Optional` whether encoding
 * may be given nothing: fields with a fallback, and non-null fields that not every version has.
 */
export class Field<out Value, out Input, out Optional extends boolean> {
  declare readonly value: Value
  declare readonly input: Input
  declare readonly optional: Optional
  readonly spec: Spec

  constructor(spec: Spec) {
    this.spec = spec
  }

  /** The value where the version lacks the field or the encoder is given none. */
  or(fallback: Value extends readonly unknown[] ? null | Value : Value): Field<Value, Input, true> {
    return new Field({ ...this.spec, fallback })
  }
}

export type AnyField = Field<unknown, unknown, boolean>
export interface Shape {
  readonly [name: string]: AnyField
}

/** Decoded value of a shape: every field present, whatever the version. */
export type ShapeValue<S extends Shape> = { [K in keyof S]: S[K]['value'] }

/** What encode takes: fields with a fallback, and non-null fields not in every version, may be left out. */
export type ShapeInput<S extends Shape> = {
  readonly [K in keyof S as S[K]['optional'] extends true ? never : K]: S[K]['input']
} & {
  readonly [K in keyof S as S[K]['optional'] extends true ? K : never]?: S[K]['input'] | undefined
}

type Blank = { -readonly [K in keyof Spec]?: Spec[K] }

const blank: Spec = {
  kind: 'struct',
  since: 0,
  until: Infinity,
  nullSince: Infinity,
  tag: null,
  ignorable: false,
  plain: false,
  fallback: undefined,
  of: null,
  fields: null,
}

type May<Null, Bounded> = Bounded extends true ? ([Null] extends [never] ? true : false) : false

/** Modifiers gathered so far; a type name ends the chain and gives a Field. */
class Vocabulary<Null = never, Bounded extends boolean = false> {
  readonly #m: Blank

  constructor(m: Blank = {}) {
    this.#m = m
  }

  #field<Value, Input = Value>(kind: Kind, more: Blank = {}): Field<Value | Null, Input | Null, May<Null, Bounded>> {
    return new Field({ ...blank, ...this.#m, ...more, kind })
  }

  /** First version that has the field. */
  since(version: number): Vocabulary<Null, true> {
    const nullSince = this.#m.nullSince === undefined ? {} : { nullSince: Math.max(version, this.#m.nullSince) }
    return new Vocabulary({ ...this.#m, ...nullSince, since: version })
  }

  /** Last version that has the field. */
  until(version: number): Vocabulary<Null, true> {
    return new Vocabulary({ ...this.#m, until: version })
  }

  /** Written with this number in the tagged section, and only where it differs from its fallback (KIP-482). */
  tag(number: number): Vocabulary<Null, true> {
    return new Vocabulary({ ...this.#m, tag: number })
  }

  /** Null is allowed in every version that has the field. */
  get nullable(): Vocabulary<null, Bounded> {
    return new Vocabulary<null, Bounded>({ ...this.#m, nullSince: this.#m.since ?? 0 })
  }

  /** Null is allowed from this version on. */
  nullSince(version: number): Vocabulary<null, Bounded> {
    return new Vocabulary<null, Bounded>({ ...this.#m, nullSince: version })
  }

  /** A strict encoder may drop a set value where the version lacks the field. */
  get ignorable(): Vocabulary<Null, Bounded> {
    return new Vocabulary<Null, Bounded>({ ...this.#m, ignorable: true })
  }

  /** Encoded as in non-flexible versions. */
  get plain(): Vocabulary<Null, Bounded> {
    return new Vocabulary<Null, Bounded>({ ...this.#m, plain: true })
  }

  get bool() {
    return this.#field<boolean>('bool')
  }
  get int8() {
    return this.#field<number>('int8')
  }
  get int16() {
    return this.#field<number>('int16')
  }
  get int32() {
    return this.#field<number>('int32')
  }
  /** A number: exact within ±(2^53-1); -2^63 and 2^63-1 (as the double 2^63) survive; others are refused. */
  get int64() {
    return this.#field<number>('int64')
  }
  get uint16() {
    return this.#field<number>('uint16')
  }
  get uint32() {
    return this.#field<number>('uint32')
  }
  get float64() {
    return this.#field<number>('float64')
  }
  get string() {
    return this.#field<string>('string')
  }
  /** Decoding copies, so the value may be kept. */
  get bytes() {
    return this.#field<Buffer, Uint8Array>('bytes')
  }
  get records() {
    return this.#field<Records>('records')
  }
  /** 22 characters of URL-safe base64 without padding. */
  get uuid() {
    return this.#field<string>('uuid')
  }

  struct<S extends Shape>(fields: S): Field<ShapeValue<S> | Null, ShapeInput<S> | Null, May<Null, Bounded>> {
    return this.#field<ShapeValue<S>, ShapeInput<S>>('struct', { fields })
  }

  array<V, I, O extends boolean>(of: Field<V, I, O>): Field<V[] | Null, readonly I[] | Null, May<Null, Bounded>>
  array<S extends Shape>(of: S): Field<ShapeValue<S>[] | Null, readonly ShapeInput<S>[] | Null, May<Null, Bounded>>
  array(of: AnyField | Shape): Field<unknown[] | Null, readonly unknown[] | Null, May<Null, Bounded>> {
    const element = of instanceof Field ? of : new Vocabulary().struct(of)
    return this.#field<unknown[], readonly unknown[]>('array', { of: element })
  }
}

const words = new Vocabulary()

export const since = (version: number) => words.since(version)
export const until = (version: number) => words.until(version)
export const tag = (number: number) => words.tag(number)
export const nullSince = (version: number) => words.nullSince(version)
export const { nullable, ignorable, plain } = words
export const { bool, int8, int16, int32, int64, uint16, uint32, float64, string, bytes, records, uuid } = words
export const struct = <S extends Shape>(fields: S) => words.struct(fields)
export function array<V, I, O extends boolean>(of: Field<V, I, O>): Field<V[], readonly I[], false>
export function array<S extends Shape>(of: S): Field<ShapeValue<S>[], readonly ShapeInput<S>[], false>
export function array(of: AnyField | Shape): Field<unknown[], readonly unknown[], false> {
  return words.array(of as Shape)
}
