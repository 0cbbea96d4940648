import { beforeAll, describe, expect, test } from 'vitest'
import * as fc from 'fast-check'
import { codecId, codecName, codecReady, compress, decompress } from '../../../protocol/records/compression.ts'

const codecs = [0, 1, 2, 3, 4]

beforeAll(async () => {
  await codecReady(4)
})

/** Bytes that compress like records do: runs, repeats and noise. */
const payload = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes)),
      fc.tuple(fc.nat(255), fc.nat(90_000)).map(([byte, length]) => Buffer.alloc(length, byte)),
      fc
        .tuple(fc.string({ minLength: 1, maxLength: 40 }), fc.nat(2000))
        .map(([text, n]) => Buffer.from(text.repeat(n))),
    ),
    { maxLength: 6 },
  )
  .map(parts => Buffer.concat(parts))

describe('codecs', () => {
  test.each(codecs)('%i gives back what it took, and nothing above the limit', codec => {
    fc.assert(
      fc.property(payload, bytes => {
        const packed = compress(codec, bytes)
        expect(decompress(codec, packed, bytes.length).equals(bytes)).toBe(true)
        fc.pre(bytes.length > 0)
        expect(() => decompress(codec, packed, bytes.length - 1)).toThrow(
          expect.objectContaining({ name: 'RecordError', code: 'TOO_LARGE' }),
        )
      }),
      { numRuns: 40 },
    )
  })

  test('have Kafka’s names and ids', () => {
    expect(codecs.map(codecName)).toEqual(['none', 'gzip', 'snappy', 'lz4', 'zstd'])
    expect(codecs.map(codec => codecId(codecName(codec)!))).toEqual(codecs)
    expect(codecName(5)).toBeUndefined()
    expect(codecId('brotli')).toBe(-1)
    const unsupported = expect.objectContaining({ code: 'UNSUPPORTED' })
    expect(() => compress(5, Buffer.alloc(1))).toThrow(unsupported)
    expect(() => decompress(7, Buffer.alloc(1), 10)).toThrow(unsupported)
  })
})
