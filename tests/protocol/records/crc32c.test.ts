// CRC-32C: the WebAssembly fold and the fallback against a reference.
import { describe, expect, test } from 'vitest'
import * as fc from 'fast-check'
import reference from 'crc-32/crc32c.js'
import type { WebAssemblyApi } from '../../../protocol/records/crc32c-wasm.ts'
import { compileCrc32c, moduleBytes } from '../../../protocol/records/crc32c-wasm.ts'
import { crc32c, createCrc32c } from '../../../protocol/records/crc32c.ts'

const WebAssembly = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly

/** Bytes of a small linear congruential generator: the same in every run. */
function noise(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length)
  let state = seed
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    bytes[i] = state >>> 24
  }
  return bytes
}

const expected = (bytes: Uint8Array, seed = 0): number => reference.buf(bytes, seed) >>> 0

describe('CRC-32C', () => {
  test('has the check value and the RFC 3720 vectors', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
    expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa)
    expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43)
    expect(crc32c(Buffer.from(Array.from({ length: 32 }, (_, i) => i)))).toBe(0x46dd794e)
    expect(crc32c(Buffer.alloc(0))).toBe(0)
    expect(crc32c(Buffer.alloc(0), 0xe3069283)).toBe(0xe3069283)
  })

  test('runs as WebAssembly here, in a small module', () => {
    expect(compileCrc32c(WebAssembly)).not.toBeNull()
    expect(moduleBytes().length).toBeLessThan(3072)
  })

  const lengths = [
    ...Array.from({ length: 18 }, (_, i) => i),
    836,
    899,
    900,
    901,
    ...Array.from({ length: 67 }, (_, i) => 3343 + i),
    4095,
    4096,
    4097,
    4195,
    8191,
    65537,
    (1 << 20) - 1,
    1 << 20,
    (1 << 20) + 1,
    (1 << 20) + 4096,
    (2 << 20) + 5,
  ]
  test.each(lengths)('agrees with the reference at %i bytes', length => {
    const bytes = noise(length, length + 1)
    expect(crc32c(bytes)).toBe(expected(bytes))
    expect(crc32c(bytes, 0xdeadbeef)).toBe(expected(bytes, 0xdeadbeef))
  })

  test('both functions agree at every length around their limits', () => {
    const module = compileCrc32c(WebAssembly)!
    const bytes = noise(9000, 7)
    for (const length of [0, 1, 15, 16, 17, 835, 836, 899, 900, 901, 964, 3343, 3407, 3408, 3409, 3472, 4095, 9000]) {
      const view = bytes.subarray(0, length)
      for (const run of [module.short, module.long]) {
        module.memory.set(view, 32768)
        expect(run(32768, length, 0) >>> 0).toBe(expected(view))
      }
    }
  })

  test('chains at any split and reads any view', () => {
    const source = noise(40_000, 3)
    fc.assert(
      fc.property(fc.nat(30_000), fc.nat(10_000), fc.double({ min: 0, max: 1, noNaN: true }), (from, length, share) => {
        const view = source.subarray(from, from + length)
        const cut = Math.floor(length * share)
        const chained = crc32c(view.subarray(cut), crc32c(view.subarray(0, cut)))
        expect(crc32c(view)).toBe(expected(view))
        expect(chained).toBe(expected(view))
      }),
      { numRuns: 300 },
    )
  })

  test('leaves nothing behind that spoils the next call', () => {
    const long = noise(200_000, 9)
    const short = noise(5000, 11)
    for (let i = 0; i < 5; i++) {
      expect(crc32c(long)).toBe(expected(long))
      expect(crc32c(short)).toBe(expected(short))
    }
  })

  test('falls back to the package without WebAssembly or without SIMD', () => {
    const refusing = {
      Module: class {
        constructor() {
          throw new Error('no SIMD')
        }
      },
      Instance: WebAssembly.Instance,
    } as unknown as WebAssemblyApi
    for (const api of [undefined, refusing]) {
      const fallback = createCrc32c(api)
      const bytes = noise(70_000, 5)
      expect(fallback(Buffer.from('123456789'))).toBe(0xe3069283)
      expect(fallback(bytes.subarray(9), fallback(bytes.subarray(0, 9)))).toBe(expected(bytes))
    }
  })
})
