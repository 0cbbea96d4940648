// Codecs: round trips, foreign streams, strict refusals, limits.
import { readFileSync } from 'node:fs'
import { gunzipSync, gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import * as fc from 'fast-check'
import { compress as snappyBlock } from 'snappyjs'
import {
  codecId,
  codecName,
  codecReady,
  compress,
  compressLater,
  decompress,
  decompressLater,
} from '../../../protocol/records/compression.ts'
import { xxh32 } from '../../../protocol/records/xxh32.ts'

const codecs = [0, 1, 2, 3, 4]
const [GZIP, SNAPPY, LZ4, ZSTD] = [1, 2, 3, 4]
const MIB = 1024 * 1024

const refusedAs = (code: string): Error => expect.objectContaining({ name: 'RecordError', code }) as Error

const sampleText = Buffer.from(
  Array.from({ length: 4000 }, (_, i) => `line ${i % 97} of a text that repeats itself, more or less\n`).join(''),
)
const samples = Object.entries(
  JSON.parse(readFileSync(new URL('samples.json', import.meta.url), 'utf8')) as Record<string, string>,
)
  .filter(([name]) => name !== '//')
  .map(([name, base64]) => ({ name, codec: name.startsWith('lz4') ? LZ4 : ZSTD, bytes: Buffer.from(base64, 'base64') }))

beforeAll(async () => {
  await codecReady(ZSTD)
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

describe('every codec', () => {
  test.each(codecs)('%i gives back what it took, and nothing above the limit', codec => {
    fc.assert(
      fc.property(payload, bytes => {
        const packed = compress(codec, bytes)
        expect(decompress(codec, packed, bytes.length).equals(bytes)).toBe(true)
        fc.pre(bytes.length > 0)
        expect(() => decompress(codec, packed, bytes.length - 1)).toThrow(refusedAs('TOO_LARGE'))
      }),
      { numRuns: 40 },
    )
  })

  test.each(codecs)('%i does the same where it may take its time', async codec => {
    const later = async (bytes: Buffer, limit: number) => await decompressLater(codec, bytes, limit)
    const packed = await compressLater(codec, sampleText)
    expect(packed.equals(compress(codec, sampleText))).toBe(true)
    expect((await later(packed, sampleText.length)).equals(sampleText)).toBe(true)
    await expect(later(packed, 100)).rejects.toThrow(refusedAs('TOO_LARGE'))
    if (codec === 0) return
    await expect(later(packed.subarray(0, packed.length >> 1), sampleText.length)).rejects.toThrow(refusedAs('CORRUPT'))
  })

  test.each([1, 2, 3, 4])('%i refuses every cut-off input', codec => {
    const packed = compress(codec, Buffer.concat([sampleText.subarray(0, 50_000), Buffer.from('the end')]))
    // Behind the last byte of its data gzip has 8 bytes, snappy none; all are needed.
    for (let length = 0; length < packed.length; length += length < 40 ? 1 : 37) {
      if (codec === ZSTD && length === 0) continue // no frame at all is no content
      if (codec === SNAPPY && [16, 17, 18, 19].includes(length)) continue // no block, or less than a block length
      if (codec === SNAPPY && endsBetweenBlocks(packed, length)) continue
      expect(() => decompress(codec, packed.subarray(0, length), MIB), `${length} bytes`).toThrow(refusedAs('CORRUPT'))
    }
  })

  /** xerial's framing has no end mark: a stream cut there is whole, to snappy-java as well. */
  function endsBetweenBlocks(packed: Buffer, length: number): boolean {
    let at = 16
    while (at + 4 <= length) at += 4 + packed.readInt32BE(at)
    return at >= length && at - length < 1
  }

  test('have Kafka’s names and ids', () => {
    expect(codecs.map(codecName)).toEqual(['none', 'gzip', 'snappy', 'lz4', 'zstd'])
    expect(codecs.map(codec => codecId(codecName(codec)!))).toEqual(codecs)
    expect(codecName(5)).toBeUndefined()
    expect(codecId('brotli')).toBe(-1)
    expect(() => compress(5, Buffer.alloc(1))).toThrow(refusedAs('UNSUPPORTED'))
    expect(() => decompress(7, Buffer.alloc(1), 10)).toThrow(refusedAs('UNSUPPORTED'))
  })

  test.each(samples)('reads what other tools wrote: $name', ({ codec, bytes }) => {
    expect(decompress(codec, bytes, MIB).equals(sampleText)).toBe(true)
    expect(() => decompress(codec, bytes, 100_000)).toThrow(refusedAs('TOO_LARGE'))
  })

  test('levels matter where the codec has them', () => {
    for (const codec of [GZIP, ZSTD]) {
      const [low, high] = [compress(codec, sampleText, 1), compress(codec, sampleText, 9)]
      expect(high.length).toBeLessThan(low.length)
      expect(decompress(codec, high, MIB).equals(sampleText)).toBe(true)
    }
  })
})

describe('gzip', () => {
  test('reads several members', () => {
    const two = Buffer.concat([gzipSync('one, '), gzipSync('two')])
    expect(decompress(GZIP, two, 8).toString()).toBe('one, two')
    expect(() => decompress(GZIP, two, 7)).toThrow(refusedAs('TOO_LARGE'))
    expect(gunzipSync(compress(GZIP, sampleText)).equals(sampleText)).toBe(true)
  })

  test('stops a bomb', () => {
    const bomb = gzipSync(Buffer.alloc(32 * MIB))
    expect(() => decompress(GZIP, bomb, MIB)).toThrow(refusedAs('TOO_LARGE'))
  })

  test('checks the checksum', () => {
    const bytes = gzipSync('some text')
    bytes[bytes.length - 8]! ^= 1
    expect(() => decompress(GZIP, bytes, 100)).toThrow(refusedAs('CORRUPT'))
  })
})

describe('snappy', () => {
  const HEADER = Buffer.from('82534e4150505900 00000001 00000001'.replaceAll(' ', ''), 'hex')
  const sized = (block: Buffer): Buffer => {
    const length = Buffer.alloc(4)
    length.writeInt32BE(block.length)
    return Buffer.concat([length, block])
  }

  test('writes xerial blocks of 32 KiB, as the Java client does', () => {
    const packed = compress(SNAPPY, sampleText)
    expect(packed.subarray(0, 16).equals(HEADER)).toBe(true)
    let blocks = 0
    for (let at = 16; at < packed.length; at += 4 + packed.readInt32BE(at)) blocks++
    expect(blocks).toBe(Math.ceil(sampleText.length / 32_768))
    expect(compress(SNAPPY, Buffer.alloc(0)).equals(HEADER)).toBe(true)
  })

  test('reads raw blocks, as librdkafka sends them', () => {
    expect(decompress(SNAPPY, snappyBlock(sampleText), sampleText.length).equals(sampleText)).toBe(true)
    expect(decompress(SNAPPY, Buffer.from([0]), 0).length).toBe(0)
    expect(decompress(SNAPPY, Buffer.from('0500410101', 'hex'), 5).toString()).toBe('AAAAA')
  })

  test('reads streams one behind the other, little-endian versions, and ignores less than a length at the end', () => {
    const one = Buffer.concat([HEADER, sized(snappyBlock(Buffer.from('one, ')))])
    const two = Buffer.concat([HEADER, sized(snappyBlock(Buffer.from('two')))])
    expect(decompress(SNAPPY, Buffer.concat([one, two, Buffer.alloc(3)]), 8).toString()).toBe('one, two')
    const swapped = Buffer.from(one)
    swapped.writeInt32LE(1, 8)
    swapped.writeInt32LE(1, 12)
    expect(decompress(SNAPPY, swapped, 5).toString()).toBe('one, ')
  })

  test.each([
    ['a literal with a negative length, on which other decoders never return', '14fcfaffffff000000000000000'],
    ['a gigabyte declared by ten bytes', '8080808004000000000000'],
    ['a length without an end', 'ffffffffffff'],
    ['nothing', ''],
    ['a copy from before the beginning', '0501ff'],
    ['a copy from distance 0', '08004101000000'],
    ['a copy longer than declared', '0400410101'],
    ['a literal longer than declared', '01044142'],
    ['fewer bytes than declared', '0a0041'],
    ['a literal cut off', '0510414243'],
    ['a four-byte distance cut off', '0500410f0100'],
  ])('refuses %s', (_, hex) => {
    const raw = Buffer.from(hex.padEnd(hex.length + (hex.length % 2), '0'), 'hex')
    expect(() => decompress(SNAPPY, raw, 2 ** 31)).toThrow(refusedAs('CORRUPT'))
    expect(() => decompress(SNAPPY, Buffer.concat([HEADER, sized(raw)]), 2 ** 31)).toThrow(refusedAs('CORRUPT'))
  })

  test('refuses bad block lengths', () => {
    for (const length of ['ffffffff', '80000000', '00000000', '7fffffff', '00000004']) {
      const bytes = Buffer.concat([HEADER, Buffer.from(`${length}0000`, 'hex')])
      expect(() => decompress(SNAPPY, bytes, 100)).toThrow(refusedAs('CORRUPT'))
    }
  })

  test('stops a bomb before it allocates', () => {
    const block = sized(snappyBlock(Buffer.alloc(32_768)))
    const bomb = Buffer.concat([HEADER, ...Array.from({ length: 4096 }, () => block)]) // 128 MiB
    expect(() => decompress(SNAPPY, bomb, MIB)).toThrow(refusedAs('TOO_LARGE'))
    expect(() => decompress(SNAPPY, snappyBlock(Buffer.alloc(8 * MIB)), MIB)).toThrow(refusedAs('TOO_LARGE'))
  })
})

describe('lz4', () => {
  test('xxHash32 agrees with known values', () => {
    expect(xxh32(Buffer.alloc(0))).toBe(0x02cc5d05)
    expect(xxh32(Buffer.from('a'))).toBe(0x550d7456)
    expect(xxh32(Buffer.from('abc'))).toBe(0x32d153ff)
    expect(xxh32(Buffer.from('Nobody inspects the spammish repetition'))).toBe(0xe2293b2f)
  })

  test('writes the header of the Java client, and the broken one for magic 0', () => {
    expect(compress(LZ4, Buffer.from('x')).subarray(0, 7).toString('hex')).toBe('04224d18604082')
    const broken = compress(LZ4, sampleText, undefined, { brokenLz4Checksum: true })
    expect(broken.subarray(0, 6).toString('hex')).toBe('04224d186040')
    expect(broken[6]).not.toBe(0x82)
    expect(() => decompress(LZ4, broken, MIB)).toThrow(refusedAs('CORRUPT'))
    expect(decompress(LZ4, broken, MIB, { brokenLz4Checksum: true }).equals(sampleText)).toBe(true)
  })

  test('stops behind the first frame, as Kafka’s reader does', () => {
    const one = compress(LZ4, Buffer.from('one'))
    expect(decompress(LZ4, Buffer.concat([one, compress(LZ4, Buffer.from('two'))]), 100).toString()).toBe('one')
  })

  test('stores what does not shrink', () => {
    const noise = Buffer.from(Array.from({ length: 70_000 }, (_, i) => (Math.imul(i, 2654435761) >>> 13) & 255))
    const packed = compress(LZ4, noise)
    expect(packed.length).toBeLessThanOrEqual(noise.length + 7 + 3 * 4)
    expect(decompress(LZ4, packed, noise.length).equals(noise)).toBe(true)
  })

  const frame = (flags: number, blocks: string): Buffer => {
    const header = Buffer.from([4, 0x22, 0x4d, 0x18, flags, 0x40])
    const check = (xxh32(header, 4, 6) >>> 8) & 255
    return Buffer.concat([header, Buffer.from([check]), Buffer.from(blocks.replaceAll(' ', ''), 'hex')])
  }

  test.each([
    ['no end mark', frame(0x60, '02000080 4142')],
    ['a block longer than there is', frame(0x60, 'ff000000 10 41')],
    ['a stored block above the block size', frame(0x60, '01000180')],
    ['a match from before the block', frame(0x60, '05000000 1041 0200 00 00000000')],
    ['a match at distance 0', frame(0x60, '05000000 1041 0000 00 00000000')],
    ['a block that ends in a match', frame(0x60, '04000000 1041 0100 00000000')],
    ['a block of nothing but a token', frame(0x60, '01000000 10 00000000')],
    ['a length that never ends', frame(0x60, '04000000 f0ffffff 00000000')],
    ['a wrong block checksum', frame(0x70, '02000080 4142 00000000 00000000')],
    ['a wrong content checksum', frame(0x64, '02000080 4142 00000000 00000000')],
    ['a missing content checksum', frame(0x64, '02000080 4142 00000000')],
    ['a dictionary', frame(0x61, '00000000')],
    ['another version', frame(0xa0, '00000000')],
    ['a wrong magic number', Buffer.from('05224d1860408200000000', 'hex')],
    ['a wrong header checksum', Buffer.from('04224d1860408300000000', 'hex')],
  ])('refuses %s', (_, bytes) => {
    expect(() => decompress(LZ4, bytes, MIB)).toThrow(refusedAs('CORRUPT'))
  })

  test('stops a bomb', () => {
    const bomb = compress(LZ4, Buffer.alloc(32 * MIB))
    expect(() => decompress(LZ4, bomb, MIB)).toThrow(refusedAs('TOO_LARGE'))
  })
})

describe('zstd', () => {
  const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
  const run = '020010' // a run of 128 KiB that is not the last block: (size << 3) | (1 << 1), little-endian
  const runs = (count: number): Buffer => hex(`28b52ffd 0058 ${`${run} 00`.repeat(count)} 010000`)

  test('reads several frames, skips skippable ones', () => {
    const skippable = hex('502a4d18 03000000 010203')
    const bytes = Buffer.concat([compress(ZSTD, Buffer.from('one, ')), skippable, compress(ZSTD, Buffer.from('two'))])
    expect(decompress(ZSTD, bytes, 8).toString()).toBe('one, two')
    expect(() => decompress(ZSTD, bytes, 7)).toThrow(refusedAs('TOO_LARGE'))
    expect(decompress(ZSTD, skippable, 0)).toHaveLength(0)
    expect(decompress(ZSTD, Buffer.alloc(0), 0)).toHaveLength(0)
  })

  test('reads runs, and stops a bomb of them before it allocates', () => {
    const block = Number.parseInt('100002', 16) >>> 3
    expect(block).toBe(128 * 1024)
    expect(decompress(ZSTD, runs(3), MIB)).toHaveLength(3 * block)
    expect(() => decompress(ZSTD, runs(10_000), MIB)).toThrow(refusedAs('TOO_LARGE'))
    expect(() => decompress(ZSTD, compress(ZSTD, Buffer.alloc(32 * MIB)), MIB)).toThrow(refusedAs('TOO_LARGE'))
  })

  test.each([
    ['garbage', '0102030405060708'],
    ['garbage behind a frame', '28b52ffd 2000 010000 ff'],
    ['an incomplete header', '28b52ffd'],
    ['a reserved block type', '28b52ffd 0058 070000'],
    ['a block that is cut off', '28b52ffd 0058 810000 00'],
    ['a frame without a last block', '28b52ffd 0058 020010 00'],
    ['a checksum that is missing', '28b52ffd 0458 010000'],
    ['a wrong checksum', '28b52ffd 0458 010000 00000000'],
    ['a dictionary', '28b52ffd 0158 07 010000'],
    ['the reserved bit', '28b52ffd 0858 010000'],
    ['a window of 3 TiB', '28b52ffd 00ff 010000'],
    ['a content size that no block gives', '28b52ffd e0 0000000000000040 010000'],
    ['a content size other than the content', '28b52ffd 20 05 090000 41'],
    ['a skippable frame that is cut off', '502a4d18 03000000 0102'],
  ])('refuses %s', (_, bytes) => {
    expect(() => decompress(ZSTD, hex(bytes), MIB)).toThrow(refusedAs('CORRUPT'))
  })
})
