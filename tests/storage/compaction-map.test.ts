// The map of keys: its hash is SipHash-1-3 with 128 bits, it finds what was put, and keeps to its memory.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mapFor, OffsetMap, sipHash } from '../../storage/compaction-map.ts'

const MASK = (1n << 64n) - 1n
const u64 = fc.bigInt({ min: 0n, max: MASK })

/** As it is written in the paper, on whole numbers. */
function reference(bytes: Uint8Array, k0: bigint, k1: bigint): bigint[] {
  const rotate = (x: bigint, n: bigint) => ((x << n) | (x >> (64n - n))) & MASK
  let v0 = k0 ^ 0x736f6d6570736575n
  let v1 = k1 ^ 0x646f72616e646f6dn ^ 0xeen
  let v2 = k0 ^ 0x6c7967656e657261n
  let v3 = k1 ^ 0x7465646279746573n
  const round = (): void => {
    v0 = (v0 + v1) & MASK
    v1 = rotate(v1, 13n) ^ v0
    v0 = rotate(v0, 32n)
    v2 = (v2 + v3) & MASK
    v3 = rotate(v3, 16n) ^ v2
    v0 = (v0 + v3) & MASK
    v3 = rotate(v3, 21n) ^ v0
    v2 = (v2 + v1) & MASK
    v1 = rotate(v1, 17n) ^ v2
    v2 = rotate(v2, 32n)
  }
  const padded = Buffer.alloc((bytes.length & ~7) + 8)
  padded.set(bytes)
  padded[padded.length - 1] = bytes.length & 255
  for (let at = 0; at < padded.length; at += 8) {
    const word = padded.readBigUInt64LE(at)
    v3 ^= word
    round()
    v0 ^= word
  }
  v2 ^= 0xeen
  for (let n = 0; n < 3; n++) round()
  const first = v0 ^ v1 ^ v2 ^ v3
  v1 ^= 0xddn
  for (let n = 0; n < 3; n++) round()
  return [first, v0 ^ v1 ^ v2 ^ v3]
}

test('the hash is that of the paper', () => {
  const out = new Int32Array(4)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), u64, u64, fc.nat(9), (bytes, k0, k1, from) => {
      const halves = [k0, k1].flatMap(k => [Number(BigInt.asIntN(32, k)), Number(BigInt.asIntN(32, k >> 32n))])
      const placed = Buffer.concat([Buffer.alloc(from, 7), bytes, Buffer.from('behind')])
      sipHash(placed, from, from + bytes.length, halves as [number, number, number, number], out)
      const words = Buffer.from(out.buffer)
      expect([words.readBigUInt64LE(0), words.readBigUInt64LE(8)]).toEqual(reference(bytes, k0, k1))
    }),
  )
})

test('what was put last is found; a new key beyond the limit is refused, a known one is not', () => {
  const map = new OffsetMap(50, [1, 2, 3, 4])
  const put = (key: string, offset: number) => map.put(Buffer.from(key), 0, key.length, offset, 45)
  const get = (key: string) => map.get(Buffer.from(key), 0, key.length)
  for (let n = 0; n < 45; n++) expect(put(`k${n}`, n)).toBe(true)
  expect(put('one more', 45)).toBe(false)
  expect(put('k3', 46)).toBe(true)
  expect([map.size, map.latestOffset, get('k3'), get('k4'), get('one more'), get('')]).toEqual([45, 46, 46, 4, -1, -1])
})

test('memory: what the keys need, at most what is given', () => {
  const of = (keys: number, maxBytes: number) => {
    const { map, limit } = mapFor(keys, { maxBytes, loadFactor: 0.9, key: [1, 2, 3, 4] })
    return [map.slots, limit]
  }
  expect(of(10, 1e6)).toEqual([14, 12])
  expect(of(1e9, 2400)).toEqual([100, 90])
  // Too little for anything: one key at a time.
  expect(of(1e9, 1)).toEqual([2, 1])
})
