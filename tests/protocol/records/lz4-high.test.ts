// The LZ4 compressor of the levels: what it writes is read again, by the rules of the format, and higher levels look harder.
import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { compress, decompress } from '../../../protocol/records/compression.ts'
import { lz4CompressHigh } from '../../../protocol/records/lz4-high.ts'

const LZ4 = 3
const roundTrip = (bytes: Buffer, level: number): Buffer => decompress(LZ4, compress(LZ4, bytes, level), bytes.length)

test('any bytes, at any level, come back', () => {
  const few = fc.uint8Array({ maxLength: 400, max: 3 }).map(bytes => Buffer.from(bytes))
  const any = fc.uint8Array({ maxLength: 400 }).map(bytes => Buffer.from(bytes))
  const pieces = fc.array(fc.oneof(few, any), { maxLength: 12 })
  // Pieces again and again, so that there are matches near and far, overlapping and not.
  const repeated = fc.tuple(pieces, fc.array(fc.nat(11), { maxLength: 300 })).map(([all, order]) => {
    return Buffer.concat(order.map(n => all[n % Math.max(1, all.length)] ?? Buffer.alloc(0)))
  })
  fc.assert(
    fc.property(fc.oneof(few, any, repeated), fc.integer({ min: 1, max: 17 }), (bytes, level) => {
      expect(roundTrip(bytes, level).equals(bytes)).toBe(true)
    }),
    { numRuns: 300 },
  )
})

test.each([
  ['zeros', Buffer.alloc(200_000)],
  ['a period of three', Buffer.from('abc'.repeat(50_000))],
  ['every length around the rules for the end', Buffer.from('x'.repeat(12))],
  ['one block to the byte', Buffer.alloc(65_536, 'ab')],
])('%s', (_name, bytes) => {
  for (const level of [1, 8, 10, 17]) {
    for (let cut = 0; cut < 20; cut++) {
      const part = bytes.subarray(0, Math.max(0, bytes.length - cut))
      expect(roundTrip(part, level).equals(part)).toBe(true)
    }
  }
})

test('no match begins in the last 12 bytes of a block or reaches into the last 5', () => {
  // Decoders of C copy in steps and count on it. The last sequence holds at least the last 5 bytes as literals.
  const SHRINKS_FROM = 13
  for (let size = 13; size < 80; size++) {
    const packed = lz4CompressHigh(Buffer.alloc(size, 'a'), 12)
    expect(packed === null).toBe(size < SHRINKS_FROM)
    if (packed === null) continue
    expect(packed.subarray(-5).toString()).toBe('aaaaa')
    expect(packed[packed.length - 6]! >>> 4).toBe(5)
  }
  expect(lz4CompressHigh(Buffer.alloc(12, 'a'), 12)).toBeNull()
})

test('a higher level makes text smaller', () => {
  const text = readFileSync(new URL('../../../README.md', import.meta.url))
  const sizes = [1, 4, 8, 17].map(level => compress(LZ4, text, level).length)
  expect(sizes.toSorted((a, b) => b - a)).toEqual(sizes)
  expect(new Set(sizes).size).toBeGreaterThan(2)
  expect(compress(LZ4, text, 8).length).toBeLessThan(compress(LZ4, text).length)
})

test('random bytes are stored', () => {
  let seed = 1
  const noise = Buffer.alloc(70_000)
  for (let at = 0; at < noise.length; at++) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
    noise[at] = seed >>> 24
  }
  // Header, two sizes, end.
  expect(compress(LZ4, noise, 8).length).toBe(noise.length + 7 + 4 + 4 + 4)
})
