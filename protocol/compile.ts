// (message, version) -> code, made on first use and kept. Emitting and compiling takes about 0.1 ms, so nothing is
// compiled for messages that are not used.
import type { InputOf, Message, ValueOf } from './api.ts'
import { DecoderSource } from './emit-decode.ts'
import { EncoderSource } from './emit-encode.ts'
import type { Target } from './layout.ts'
import { DecodeError, type Reader } from './reader.ts'
import { struct, ZERO_UUID, type Shape, type Spec } from './schema.ts'
import { EncodeError, type Writer } from './writer.ts'

type AnyMessage = Message<Shape>
type Decoder = (reader: Reader) => unknown
type Encoder = (writer: Writer, value: unknown) => void

export interface DecodeOptions {
  /** int64 outside ±(2^53-1) as bigint instead of DecodeError: for vectors and tools. */
  readonly exact?: boolean
}
export interface EncodeOptions extends DecodeOptions {
  /** A value set in a field that the version lacks is an EncodeError unless the field is ignorable. */
  readonly strict?: boolean
}

/** Constants that emitted code refers to as K. */
const CONSTANTS = {
  zeroUuid: ZERO_UUID,
  noBytes: Buffer.alloc(0),
  noRecords: Object.freeze({ byteLength: 0, parts: Object.freeze([]) }),
}

/** Per message: decoders by version * 2 + exact, encoders by version * 4 + exact * 2 + strict. */
interface Compiled {
  readonly decoders: (Decoder | undefined)[]
  readonly encoders: (Encoder | undefined)[]
}
const compiled = new WeakMap<AnyMessage, Compiled>()

function compiledOf(message: AnyMessage): Compiled {
  let entry = compiled.get(message)
  if (!entry) {
    checkNames(message.shape, message.name)
    compiled.set(message, (entry = { decoders: [], encoders: [] }))
  }
  return entry
}

/** Field names become source text: nothing but plain identifiers gets there. */
function checkNames(shape: Shape, path: string): void {
  for (const [name, { spec }] of Object.entries(shape)) {
    if (!/^[a-z][A-Za-z0-9]*$/.test(name)) throw new Error(`not a field name: ${path}.${name}`)
    const fields = spec.fields ?? spec.of?.spec.fields
    if (fields) checkNames(fields, `${path}.${name}`)
  }
}

const isKnown = ({ versions: [first, last] }: AnyMessage, version: number): boolean =>
  Number.isInteger(version) && version >= first && version <= last

function build(functions: readonly string[], main: string): unknown {
  // oxlint-disable-next-line typescript/no-implied-eval -- the point of this file; names are checked above
  return new Function('K', `'use strict'\n${functions.join('\n')}\nreturn ${main}`)(CONSTANTS)
}

/** The source of one decoder, for people to read. */
export function decoderSource(message: AnyMessage, version: number, exact = false): string {
  const { functions } = emitDecoder(message, version, exact)
  return functions.join('\n')
}

function targetOf(message: AnyMessage, version: number, exact: boolean): Target {
  return { version, flexible: version >= message.flexible, exact }
}

function rootOf(message: AnyMessage): Spec {
  return struct(message.shape).spec
}

function emitDecoder(message: AnyMessage, version: number, exact: boolean): { functions: string[]; main: string } {
  const source = new DecoderSource(targetOf(message, version, exact))
  const main = source.struct(rootOf(message))
  return { functions: source.functions, main }
}

function makeDecoder(message: AnyMessage, version: number, exact: boolean): Decoder {
  if (!isKnown(message, version)) throw new DecodeError(`${message.name} has no version ${version}`)
  const { functions, main } = emitDecoder(message, version, exact)
  return build(functions, main) as Decoder
}

function makeEncoder(message: AnyMessage, version: number, exact: boolean, strict: boolean): Encoder {
  if (!isKnown(message, version)) throw new EncodeError(`${message.name} has no version ${version}`)
  const source = new EncoderSource(targetOf(message, version, exact), strict)
  const main = source.struct(rootOf(message))
  return build(source.functions, main) as Encoder
}

/**
 * Reads one message off the reader and leaves it behind the last byte; bytes left over are the caller's to judge
 * (`reader.expectEnd()`). Every field is present in the result, those the version lacks with their fallback.
 * Throws DecodeError and nothing else.
 */
export function decode<M extends Message<Shape>>(
  message: M,
  version: number,
  reader: Reader,
  options?: DecodeOptions,
): ValueOf<M> {
  const exact = options?.exact === true
  const { decoders } = compiledOf(message)
  const index = version * 2 + (exact ? 1 : 0)
  const decoder = decoders[index] ?? (decoders[index] = makeDecoder(message, version, exact))
  return decoder(reader) as ValueOf<M>
}

/**
 * Writes one message. Fields left out are written as their fallback; values in fields that the version lacks are
 * dropped, or with `strict` refused. Throws EncodeError where a value does not fit its type.
 */
export function encode<M extends Message<Shape>>(
  message: M,
  version: number,
  value: InputOf<M>,
  writer: Writer,
  options?: EncodeOptions,
): void {
  const exact = options?.exact === true
  const strict = options?.strict === true
  const { encoders } = compiledOf(message)
  const index = version * 4 + (exact ? 2 : 0) + (strict ? 1 : 0)
  const encoder = encoders[index] ?? (encoders[index] = makeEncoder(message, version, exact, strict))
  encoder(writer, value)
}
