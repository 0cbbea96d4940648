// Messages as JSON, in the form of Kafka's JsonConverter classes: for vectors and tools. A field that the version lacks
// is absent, a tagged one is there exactly when it is on the wire; bytes are base64; an int64 that a double cannot hold
// is a decimal string. Walks the definition, so it is slow and short.
import type { Message } from './api.ts'
import { isIn } from './layout.ts'
import type { AnyField, Records, Shape } from './schema.ts'
import { ZERO_UUID } from './schema.ts'
import { EncodeError } from './writer.ts'

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }
type Values = { readonly [name: string]: unknown }

const MAX = 2n ** 63n - 1n
const MIN = -(2n ** 63n)

/** A decoded value (of either number mode) as JSON. */
export function toJson(message: Message<Shape>, version: number, value: unknown): Json {
  return structToJson(message.shape, version, value as Values)
}

function structToJson(shape: Shape, version: number, value: Values): Json {
  const json: { [name: string]: Json } = {}
  for (const [name, field] of Object.entries(shape)) {
    if (!isIn(field.spec, version)) continue
    if (field.spec.tag !== null && isFallbackValue(field, value[name])) continue
    json[name] = fieldToJson(field, version, value[name])
  }
  return json
}

function fieldToJson(field: AnyField, version: number, value: unknown): Json {
  if (value === null) return null
  const { kind, fields, of } = field.spec
  switch (kind) {
    case 'struct':
      return structToJson(fields!, version, value as Values)
    case 'array':
      return (value as unknown[]).map(element => fieldToJson(of!, version, element))
    case 'bytes':
      return (value as Buffer).toString('base64')
    case 'records':
      return Buffer.concat((value as Records).parts).toString('base64')
    case 'int64':
      return int64ToJson(value as number | bigint)
    case 'bool':
    case 'int8':
    case 'int16':
    case 'int32':
    case 'uint16':
    case 'uint32':
    case 'float64':
    case 'string':
    case 'uuid':
      return value as Json
  }
}

function int64ToJson(value: number | bigint): number | string {
  if (typeof value === 'bigint') return String(value)
  if (value === 2 ** 63) return String(MAX)
  return Number.isSafeInteger(value) ? value : String(BigInt(value))
}

/** Whether a tagged field with this value stays off the wire. Left-out fields count as their fallback. */
function isFallbackValue(field: AnyField, value: unknown): boolean {
  const { kind, fields, fallback, nullSince } = field.spec
  if (value === undefined) return true
  if (fallback === null || (kind === 'records' && nullSince !== Infinity)) return value === null
  if (value === null) return false
  switch (kind) {
    case 'struct':
      return Object.entries(fields!).every(([name, f]) => isFallbackValue(f, (value as Values)[name]))
    case 'array':
    case 'bytes':
      return (value as { readonly length: number }).length === 0
    case 'records':
      return (value as Records).byteLength === 0
    case 'bool':
      return value === (fallback ?? false)
    case 'string':
      return value === (fallback ?? '')
    case 'uuid':
      return value === (fallback ?? ZERO_UUID)
    case 'int64':
      return int64ToJson(value as number | bigint) === int64ToJson((fallback as number | undefined) ?? 0)
    case 'int8':
    case 'int16':
    case 'int32':
    case 'uint16':
    case 'uint32':
    case 'float64':
      return value === (fallback ?? 0)
  }
}

/**
 * JSON as a value to encode. Fields that JSON lacks are left out. With `exact`, int64 outside ±(2^53-1) are bigint;
 * without, the two ends become ±2^63 and any other is an EncodeError. Unknown names are an EncodeError too.
 */
export function fromJson(message: Message<Shape>, json: Json, exact = false): Values {
  return structFromJson(message.shape, json as { [name: string]: Json }, exact, message.name)
}

function structFromJson(shape: Shape, json: { [name: string]: Json }, exact: boolean, path: string): Values {
  const value: { [name: string]: unknown } = {}
  for (const [name, member] of Object.entries(json)) {
    const field = shape[name]
    if (!field) throw new EncodeError(`${path} has no field ${name}`)
    value[name] = fieldFromJson(field, member, exact, `${path}.${name}`)
  }
  return value
}

function fieldFromJson(field: AnyField, json: Json, exact: boolean, path: string): unknown {
  if (json === null) return null
  const { kind, fields, of } = field.spec
  switch (kind) {
    case 'struct':
      return structFromJson(fields!, json as { [name: string]: Json }, exact, path)
    case 'array':
      return (json as Json[]).map(element => fieldFromJson(of!, element, exact, path))
    case 'bytes':
      return Buffer.from(json as string, 'base64')
    case 'records': {
      const bytes = Buffer.from(json as string, 'base64')
      return { byteLength: bytes.length, parts: [bytes] }
    }
    case 'int64':
      return int64FromJson(json as number | string, exact, path)
    case 'bool':
    case 'int8':
    case 'int16':
    case 'int32':
    case 'uint16':
    case 'uint32':
    case 'float64':
    case 'string':
    case 'uuid':
      return json
  }
}

function int64FromJson(json: number | string, exact: boolean, path: string): number | bigint {
  if (typeof json === 'number') return json
  const value = BigInt(json)
  const number = Number(value)
  if (Number.isSafeInteger(number)) return number
  if (exact) return value
  if (value === MAX || value === MIN) return number
  throw new EncodeError(`${path}: ${json} is not held exactly`)
}
