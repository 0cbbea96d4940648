// Structure-aware garbage: valid input whose bytes, lengths and ends have been changed. Whatever comes, a reader gives a
// result within its limit or throws RecordError, and it comes to an end.
import { beforeAll, describe, expect, test } from 'vitest'
import * as fc from 'fast-check'
import { compress as snappyBlock } from 'snappyjs'
import * as batch from '../../../protocol/records/batch.ts'
import { codecReady, compress, decompress } from '../../../protocol/records/compression.ts'
import { describeBatches } from '../../../protocol/records/describe.ts'
import { RecordError } from '../../../protocol/records/error.ts'
import { encodeMessageSet, readMessageSet } from '../../../protocol/records/legacy.ts'
import { RecordCursor, encodeBatch, newWalkResult, walkBatch } from '../../../protocol/records/record.ts'
import { next, readVarint, readVarlong, readVarlongExactly } from '../../../protocol/records/varint.ts'

const LIMIT = 200_000

beforeAll(async () => {
  await codecReady(4)
})

type Change = (bytes: Buffer) => Buffer
const interesting = ['00', 'ff', '7f', '80', '7fffffff', 'ffffffff', '80000000', 'ffffff7f', 'feffffff0f', 'ffff', '0f']
const place = fc.oneof({ weight: 2, arbitrary: fc.nat(100) }, { weight: 1, arbitrary: fc.nat(1_000_000) })
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(place, fc.nat(255)).map(([at, value]): Change => edited((bytes, i) => bytes.fill(value, i, i + 1), at)),
  fc.tuple(place, fc.nat(7)).map(([at, bit]): Change => edited((bytes, i) => (bytes[i]! ^= 1 << bit), at)),
  fc
    .tuple(place, fc.constantFrom(...interesting))
    .map(([at, hex]): Change => edited((bytes, i) => Buffer.from(hex, 'hex').copy(bytes, i), at)),
  fc.nat(1000).map(
    (cut): Change =>
      bytes =>
        bytes.subarray(0, Math.max(0, bytes.length - 1 - (cut % bytes.length))),
  ),
  fc.tuple(place, fc.uint8Array({ minLength: 1, maxLength: 6 })).map(([at, more]): Change => bytes => {
    const i = at % (bytes.length + 1)
    return Buffer.concat([bytes.subarray(0, i), more, bytes.subarray(i)])
  }),
  fc.tuple(place, place).map(([from, length]): Change => bytes => {
    const i = from % (bytes.length + 1)
    return Buffer.concat([bytes, bytes.subarray(i, i + (length % 200))])
  }),
)

function edited(edit: (bytes: Buffer, at: number) => void, at: number): Change {
  return bytes => {
    const copy = Buffer.from(bytes)
    if (copy.length > 0) edit(copy, at % copy.length)
    return copy
  }
}

const changes = fc.array(change, { minLength: 1, maxLength: 4 })
const apply = (bytes: Buffer, list: Change[]): Buffer => list.reduce((b, one) => (b.length === 0 ? b : one(b)), bytes)

/** The result, or null where a RecordError was thrown; anything else that is thrown fails the test. */
function attempt<T>(run: () => T): T | null {
  try {
    return run()
  } catch (error) {
    if (error instanceof RecordError) return null
    throw error
  }
}

const texts = ['', 'a', 'hello hello hello hello hello', 'x'.repeat(5000), 'abcdefgh'.repeat(12_000)].map(t =>
  Buffer.from(t),
)

describe('decompressors', () => {
  const inputs = [
    ...[1, 2, 3, 4].map(codec => ({ name: `codec ${codec}`, codec, pack: (b: Buffer) => compress(codec, b) })),
    { name: 'raw snappy', codec: 2, pack: (b: Buffer): Buffer => snappyBlock<Buffer>(b) },
    { name: 'lz4 of magic 0', codec: 3, pack: (b: Buffer) => compress(3, b, 0, { brokenLz4Checksum: true }) },
  ]
  test.each(inputs)('end within their limit on changed input: $name', ({ codec, pack, name }) => {
    const brokenLz4Checksum = name.includes('magic 0')
    let refused = 0
    fc.assert(
      fc.property(fc.constantFrom(...texts).map(pack), changes, (packed, list) => {
        const result = attempt(() => decompress(codec, apply(packed, list), LIMIT, { brokenLz4Checksum }))
        if (result === null) refused++
        expect(result?.length ?? 0).toBeLessThanOrEqual(LIMIT)
      }),
      { numRuns: 1500 },
    )
    expect(refused).toBeGreaterThan(300)
  })

  test.each([1, 2, 3, 4])('end within their limit on noise: codec %i', codec => {
    const heads = ['', '1f8b0800000000000003', '82534e415050590000000001000000010000', '04224d18604082', '28b52ffd0058']
    const head = fc.constantFrom(...heads.map(hex => Buffer.from(hex, 'hex')))
    fc.assert(
      fc.property(head, fc.uint8Array({ maxLength: 200 }), (start, rest) => {
        const result = attempt(() => decompress(codec, Buffer.concat([start, rest]), LIMIT))
        expect(result?.length ?? 0).toBeLessThanOrEqual(LIMIT)
      }),
      { numRuns: 1500 },
    )
  })
})

const sample = encodeBatch({
  baseOffset: 5,
  producerId: 1,
  records: [
    { timestamp: 1_700_000_000_000, key: Buffer.from('key'), value: Buffer.from('value'.repeat(30)) },
    { timestamp: -1, key: null, value: null, headers: [{ key: 'h', value: null }] },
    { timestamp: 1, key: Buffer.alloc(0), value: Buffer.alloc(0), headers: [{ key: '', value: Buffer.from('x') }] },
    { timestamp: 2 ** 52, key: null, value: Buffer.alloc(64, 1) },
  ],
})

/** Changes behind the header, whose length and count are then put right (mostly). */
function changedBatch(list: Change[], count: number): Buffer {
  const body = apply(sample.subarray(batch.HEADER_SIZE), list)
  const changed = Buffer.concat([sample.subarray(0, batch.HEADER_SIZE), body])
  changed.writeInt32BE(changed.length - batch.LOG_OVERHEAD, 8)
  changed.writeInt32BE(count, 57)
  return changed
}

describe('records', () => {
  test('walkRecords accepts what can be read, and nothing else', () => {
    const result = newWalkResult()
    const seen = { ok: 0, broken: 0 }
    fc.assert(
      fc.property(changes, fc.constantFrom(4, 4, 4, 4, 3, 5, 0, -1, 2 ** 31 - 1), (list, count) => {
        const changed = changedBatch(list, count)
        const code = walkBatch(changed, 0, result)
        const offsets = attempt(() => {
          const cursor = new RecordCursor(changed)
          const deltas: number[] = []
          while (cursor.next()) {
            cursor.key()
            cursor.value()
            cursor.headers()
            deltas.push(cursor.offsetDelta)
          }
          return deltas
        })
        const consecutive = offsets !== null && offsets.every((delta, i) => delta === i)
        const accepted = code === 'OK' || code === 'REFUSED'
        seen[accepted ? 'ok' : 'broken']++
        // The cursor takes an empty batch whatever it carries.
        expect(accepted).toBe(consecutive && (count > 0 || changed.length === batch.HEADER_SIZE))
      }),
      { numRuns: 4000 },
    )
    expect(seen.ok).toBeGreaterThan(100)
    expect(seen.broken).toBeGreaterThan(1000)
  })

  test('walkRecords stays within its bounds', () => {
    const result = newWalkResult()
    fc.assert(
      fc.property(changes, list => {
        const changed = changedBatch(list, 4)
        const code = walkBatch(changed, 0, result)
        const surrounded = Buffer.concat([Buffer.alloc(9, 0xff), changed, Buffer.alloc(40, 0)])
        expect(walkBatch(surrounded, 9, result)).toBe(code)
      }),
      { numRuns: 1000 },
    )
  })

  test('whole batches of any magic are described or refused', () => {
    const message = (offset: number) => ({
      offset,
      timestamp: 5,
      key: Buffer.from('key'),
      value: Buffer.from('value'.repeat(20)),
    })
    const sources = [
      sample,
      ...[1, 2, 3, 4].map(codec =>
        encodeBatch({
          codec,
          records: [
            { key: null, value: Buffer.alloc(300) },
            { key: sample, value: null },
          ],
        }),
      ),
      ...([0, 1] as const).flatMap(magic =>
        [0, 1, 2, 3].map(codec => encodeMessageSet({ magic, codec, messages: [message(0), message(1)] })),
      ),
    ]
    fc.assert(
      fc.property(fc.constantFrom(...sources), changes, (source, list) => {
        const bytes = apply(source, list)
        const described = attempt(() => describeBatches(bytes, { maxBytes: LIMIT }))
        const messages = attempt(() => readMessageSet(bytes, 0, bytes.length, { maxBytes: LIMIT, checkCrc: false }))
        // Both walk over what is there once.
        expect(described?.reduce((sum, b) => sum + b.sizeInBytes, 0) ?? 0).toBeLessThanOrEqual(bytes.length)
        expect(messages?.reduce((sum, b) => sum + b.sizeInBytes, 0) ?? 0).toBeLessThanOrEqual(bytes.length)
      }),
      { numRuns: 4000 },
    )
  })
})

describe('varints', () => {
  test('agree with exact arithmetic on any bytes', () => {
    const byte = fc.oneof(fc.nat(255), fc.integer({ min: 128, max: 255 }))
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 12 }), list => {
        const bytes = Uint8Array.from(list)
        const exact = readVarlongExactly(bytes, 0, bytes.length)
        const end = next
        const long = readVarlong(bytes, 0, bytes.length)
        expect(next).toBe(end)
        const safe = exact >= -(2n ** 53n) && exact < 2n ** 53n
        expect(end === -1 || (safe ? long === Number(exact) : Number.isNaN(long))).toBe(true)
        const short = readVarint(bytes, 0, bytes.length)
        const fits = end !== -1 && end <= 5
        expect(next).toBe(fits ? end : -1)
        expect(short).toBe(fits ? zigzag32(list.slice(0, end)) : 0)
      }),
      { numRuns: 3000 },
    )
  })

  function zigzag32(list: number[]): number {
    const raw = list.reduce((sum, byte, i) => sum | (BigInt(byte & 127) << BigInt(7 * i)), 0n) & 0xffffffffn
    return Number(BigInt.asIntN(32, (raw >> 1n) ^ -(raw & 1n)))
  }
})
