// Hostile input: mutated vectors, huge counts and noise must end in a value or in DecodeError, with bounded results.
// And the other way round: whatever value fits a definition comes back as it was.
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { InputOf, Message } from '../../protocol/api.ts'
import { decode, encode } from '../../protocol/compile.ts'
import { toJson } from '../../protocol/json.ts'
import { isIn, isNullable } from '../../protocol/layout.ts'
import { DecodeError, Reader } from '../../protocol/reader.ts'
import { allMessages, messageByName } from '../../protocol/registry.ts'
import type { AnyField, Shape } from '../../protocol/schema.ts'
import { Writer } from '../../protocol/writer.ts'
import { readVectors, vectorFiles } from '../../scripts/vectors.ts'

const MAX_ELEMENTS = 2000
const vectors = vectorFiles(join(import.meta.dirname, '../vectors'))
  .flatMap(readVectors)
  .filter(({ kind }) => kind !== 'batch')

/** The value, or null where it was refused; anything but DecodeError goes through and fails the test. */
function attempt(message: Message<Shape>, version: number, bytes: Buffer, exact: boolean): unknown {
  try {
    return decode(message, version, new Reader(bytes, 0, undefined, { maxElements: MAX_ELEMENTS }), { exact })
  } catch (error) {
    if (error instanceof DecodeError) return null
    throw error
  }
}

function elementsOf(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum: number, v) => sum + elementsOf(v), value.length)
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return 0
  // Records hold an array of parts that the message does not count.
  const { parts, ...rest } = value as { parts?: unknown }
  return parts === undefined ? Object.values(rest).reduce<number>((sum, v) => sum + elementsOf(v), 0) : 0
}

type Mutation = (bytes: Buffer, at: number, byte: number) => Buffer
const put = (bytes: Buffer, at: number, hex: string): Buffer => {
  const copy = Buffer.from(bytes)
  copy.write(hex.slice(0, (copy.length - at) * 2), at, 'hex')
  return copy
}
const MUTATIONS: readonly Mutation[] = [
  (bytes, at, byte) => put(bytes, at, byte.toString(16).padStart(2, '0')),
  (bytes, at) => bytes.subarray(0, at),
  (bytes, at) => put(bytes, at, '7fffffff'),
  (bytes, at) => put(bytes, at, 'ffffffff'),
  (bytes, at) => put(bytes, at, '80000000'),
  (bytes, at) => put(bytes, at, '7fff'),
  (bytes, at) => put(bytes, at, 'ffffffff0f'),
  (bytes, at) => put(bytes, at, 'ffffffffffff'),
  (bytes, at, byte) => Buffer.concat([bytes.subarray(0, at), Buffer.alloc(1 + (byte & 7), byte), bytes.subarray(at)]),
  (bytes, at, byte) => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + (byte & 7))]),
  (bytes, at, byte) => put(bytes, at, bytes.subarray(byte % bytes.length, (byte % bytes.length) + 8).toString('hex')),
]

test('mutated messages decode or are refused', () => {
  const step = fc.record({ how: fc.nat(MUTATIONS.length - 1), where: fc.nat(1 << 20), byte: fc.nat(255) })
  fc.assert(
    fc.property(
      fc.nat(vectors.length - 1),
      fc.array(step, { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      (i, steps, exact) => {
        const { message: name, v, hex } = vectors[i]!
        let bytes = Buffer.from(hex, 'hex')
        for (const { how, where, byte } of steps) {
          if (bytes.length > 0) bytes = MUTATIONS[how]!(bytes, where % bytes.length, byte) as Buffer<ArrayBuffer>
        }
        expect(elementsOf(attempt(messageByName(name!)!, v, bytes, exact))).toBeLessThanOrEqual(MAX_ELEMENTS)
      },
    ),
    { numRuns: 6000 },
  )
})

test('every byte of one vector of each message, cut off or turned into the start of a huge count', () => {
  let refused = 0
  const once = new Map(vectors.filter(({ kind }) => kind === 'random').map(vector => [vector.message!, vector]))
  for (const [name, { v, hex }] of once) {
    const bytes = Buffer.from(hex, 'hex').subarray(0, 400)
    for (let at = 0; at < bytes.length; at++) {
      for (const bad of [bytes.subarray(0, at), put(bytes, at, '7fffffff'), put(bytes, at, 'ffffffff0f')]) {
        if (attempt(messageByName(name)!, v, bad, false) === null) refused++
      }
    }
  }
  // A message that is cut off is never whole, so a third of the attempts at least must have been refused.
  expect(refused).toBeGreaterThan(10_000)
})

describe('a large body of one byte repeated stays within the limit of elements', () => {
  test.each([0x00, 0x01, 0x02, 0x03, 0x7f, 0x80, 0xff])('byte %i', byte => {
    const noise = Buffer.alloc(1 << 18, byte)
    for (const message of allMessages) {
      for (const version of message.versions) {
        expect(elementsOf(attempt(message, version, noise, false))).toBeLessThanOrEqual(MAX_ELEMENTS)
      }
    }
  })
})

/** Values that fit a field in a version. `tagged` fields must differ from none: any value does. */
function valueOf({ spec }: AnyField, version: number): fc.Arbitrary<unknown> {
  const some = (): fc.Arbitrary<unknown> => {
    switch (spec.kind) {
      case 'bool':
        return fc.boolean()
      case 'int8':
        return fc.integer({ min: -128, max: 127 })
      case 'int16':
        return fc.integer({ min: -32768, max: 32767 })
      case 'int32':
        return fc.integer()
      case 'int64':
        return fc.oneof(fc.maxSafeInteger(), fc.constantFrom(2 ** 63, -(2 ** 63), -1, 0))
      case 'uint16':
        return fc.nat(65535)
      case 'uint32':
        return fc.nat(2 ** 31 - 1).map(n => n * 2)
      case 'float64':
        return fc.double({ noNaN: true })
      case 'string':
        return fc.string({ unit: 'grapheme', maxLength: 12 })
      case 'uuid':
        return fc.uint8Array({ minLength: 16, maxLength: 16 }).map(b => Buffer.from(b).toString('base64url'))
      case 'bytes':
        return fc.uint8Array({ maxLength: 12 }).map(b => Buffer.from(b))
      case 'records':
        return fc.uint8Array({ maxLength: 12 }).map(b => ({ byteLength: b.length, parts: [Buffer.from(b)] }))
      case 'array':
        return fc.array(valueOf(spec.of!, version), { maxLength: 2 })
      case 'struct':
        return shapeValue(spec.fields!, version)
    }
  }
  return isNullable(spec, version) ? fc.option(some(), { nil: null, freq: 4 }) : some()
}

function shapeValue(shape: Shape, version: number): fc.Arbitrary<{ [name: string]: unknown }> {
  const present = Object.entries(shape).filter(([, { spec }]) => isIn(spec, version))
  return fc.record(Object.fromEntries(present.map(([name, field]) => [name, valueOf(field, version)])))
}

test('what is encoded is decoded to the same, in first and last version', () => {
  for (const message of allMessages) {
    for (const version of new Set([message.versions[0], message.flexible, message.versions[1]])) {
      if (version < message.versions[0] || version > message.versions[1]) continue
      const property = fc.property(shapeValue(message.shape, version), value => {
        const writer = new Writer()
        encode(message, version, value as InputOf<typeof message>, writer, { strict: true })
        const bytes = writer.toBuffer()
        const reader = new Reader(bytes)
        const decoded = decode(message, version, reader)
        reader.expectEnd()
        expect(toJson(message, version, decoded)).toEqual(toJson(message, version, value))
        const again = new Writer()
        encode(message, version, decoded, again)
        expect(again.toBuffer().equals(bytes)).toBe(true)
      })
      fc.assert(property, { numRuns: 4 })
    }
  }
})
