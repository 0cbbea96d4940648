// Down-conversion: what old consumers get of batches of every kind, compared with what was stored.
import * as fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import * as batch from '../../../protocol/records/batch.ts'
import { codecReady, ZSTD } from '../../../protocol/records/compression.ts'
import { downConvert } from '../../../protocol/records/down-convert.ts'
import { encodeMessageSet, readMessageSet } from '../../../protocol/records/legacy.ts'
import { encodeBatch } from '../../../protocol/records/record.ts'

beforeAll(() => codecReady(ZSTD) ?? undefined)

const unlimited = { firstOffset: 0, maxBytes: 1 << 24, maxExpandedBytes: 1 << 26 }
const refusedAs = (code: string): Error => expect.objectContaining({ name: 'RecordError', code }) as Error
const flat = (set: Buffer) =>
  readMessageSet(set)
    .flatMap(({ messages }) => messages)
    .map(({ offset, timestamp, key, value }) => ({ offset, timestamp, key, value }))
const offsets = (set: Buffer): number[] => flat(set).map(({ offset }) => offset)

const bytes = fc.option(
  fc.uint8Array({ maxLength: 60 }).map(b => Buffer.from(b)),
  { nil: null },
)
const record = fc.record({
  timestamp: fc.integer({ min: -1, max: 2 ** 41 }),
  key: bytes,
  value: bytes,
  headers: fc.array(fc.record({ key: fc.string({ maxLength: 5 }), value: bytes }), { maxLength: 2 }),
})
const batchOf = fc.record({
  codec: fc.constantFrom(0, 1, 2, 3),
  records: fc.array(record, { minLength: 1, maxLength: 8 }),
  isControl: fc.boolean(),
  logAppendTime: fc.option(fc.nat(2 ** 41), { nil: null }),
})
const log = fc.array(batchOf, { maxLength: 6 })

/** The batches one behind the other, and their records as an old consumer should see them. */
function store(batches: typeof log extends fc.Arbitrary<infer T> ? T : never, baseOffset = 100) {
  let next = baseOffset
  const stored: Buffer[] = []
  const seen: { offset: number; timestamp: number; key: Buffer | null; value: Buffer | null; codec: number }[] = []
  for (const { codec, records, isControl, logAppendTime } of batches) {
    const stamped = logAppendTime !== null
    stored.push(
      encodeBatch({
        baseOffset: next,
        codec,
        records,
        isControl,
        timestampType: stamped ? 'LogAppendTime' : 'CreateTime',
        ...(stamped && { maxTimestamp: logAppendTime }),
      }),
    )
    for (const [i, { timestamp, key, value }] of records.entries()) {
      if (!isControl) seen.push({ offset: next + i, timestamp: logAppendTime ?? timestamp, key, value, codec })
    }
    next += records.length
  }
  return { stored, seen, next }
}

describe.each([0, 1] as const)('to magic %i', magic => {
  test('keeps offsets, timestamps, keys, values and codecs; control batches and headers are left out', () => {
    fc.assert(
      fc.property(log, batches => {
        const { stored, seen, next } = store(batches)
        const o = { ...unlimited, magic, firstOffset: 100 }
        const { bytes: set, nextOffset } = downConvert([Buffer.concat(stored)], o)
        expect(nextOffset).toBe(next)
        expect(flat(set)).toEqual(
          seen.map(({ codec: _, timestamp, ...more }) => ({ ...more, timestamp: magic === 0 ? -1 : timestamp })),
        )
        const codecs = readMessageSet(set).flatMap(({ codec, messages }) => messages.map(() => codec))
        expect(codecs).toEqual(seen.map(({ codec }) => codec))
        // The parts of an answer make no difference.
        expect(downConvert(stored, o).bytes).toEqual(set)
      }),
      { numRuns: 60 },
    )
  })

  test('goes on where it stopped, within any limits, and loses and repeats nothing', () => {
    fc.assert(
      fc.property(
        log,
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 1, max: 400 }),
        (batches, maxBytes, room) => {
          const { stored, seen, next } = store(batches)
          const found: number[] = []
          let position = 100
          while (position < next) {
            // What a read of the log gives: whole batches from the one that holds the offset on.
            const parts = stored.filter(b => batch.nextOffset(b, 0) > position)
            const o = { magic, firstOffset: position, maxBytes, maxExpandedBytes: Math.max(room, 1 << 12) }
            const { bytes: set, nextOffset } = downConvert(parts, o)
            expect(nextOffset).toBeGreaterThan(position)
            const [first] = readMessageSet(set)
            const firstPart = parts.find(b => !batch.isControl(b, 0))
            if (first !== undefined && set.length > maxBytes) {
              // Only the first batch may break the limit.
              expect(offsets(set).every(offset => offset <= batch.lastOffset(firstPart!, 0))).toBe(true)
            }
            found.push(...offsets(set).filter(offset => offset >= position))
            position = nextOffset
          }
          expect(found).toEqual(seen.map(({ offset }) => offset))
        },
      ),
      { numRuns: 60 },
    )
  })

  test('leaves out uncompressed records before the offset asked for, and keeps compressed batches whole', () => {
    const records = [0, 1, 2, 3].map(i => ({ key: null, value: Buffer.from(String(i)) }))
    const plain = encodeBatch({ baseOffset: 10, records })
    const packed = encodeBatch({ baseOffset: 10, codec: 1, records })
    const o = { ...unlimited, magic, firstOffset: 12 }
    expect(offsets(downConvert([plain], o).bytes)).toEqual([12, 13])
    expect(offsets(downConvert([packed], o).bytes)).toEqual([10, 11, 12, 13])
    expect(downConvert([plain], { ...o, firstOffset: 14 })).toMatchObject({ bytes: Buffer.alloc(0), nextOffset: 14 })
  })

  test('hands on what is old already', () => {
    const set = encodeMessageSet({ magic, codec: 1, messages: [{ offset: 5, timestamp: -1, key: null, value: null }] })
    expect(downConvert([set], { ...unlimited, magic })).toMatchObject({ bytes: set, nextOffset: 6 })
  })

  test('zstd is refused, after what comes before it was given', () => {
    const records = [{ key: null, value: Buffer.from('v') }]
    const zstd = encodeBatch({ baseOffset: 1, codec: ZSTD, records })
    expect(() => downConvert([zstd], { ...unlimited, magic })).toThrow(refusedAs('UNSUPPORTED'))
    const both = downConvert([encodeBatch({ records }), zstd], { ...unlimited, magic })
    expect([offsets(both.bytes), both.nextOffset]).toEqual([[0], 1])
  })

  test('what expands too far is refused, or left for the next request', () => {
    const records = [{ key: null, value: Buffer.alloc(100_000) }]
    const batches = [0, 1, 2].map(baseOffset => encodeBatch({ baseOffset, codec: 1, records }))
    const o = { ...unlimited, magic }
    expect(() => downConvert(batches, { ...o, maxExpandedBytes: 50_000 })).toThrow(refusedAs('TOO_LARGE'))
    expect(offsets(downConvert(batches, { ...o, maxExpandedBytes: 150_000 }).bytes)).toEqual([0])
    expect(offsets(downConvert(batches, o).bytes)).toEqual([0, 1, 2])
  })

  test('damaged records are refused', () => {
    const damaged = encodeBatch({ records: [{ key: null, value: Buffer.from('value') }] })
    damaged[batch.HEADER_SIZE] = 0x7f
    expect(() => downConvert([damaged], { ...unlimited, magic })).toThrow(refusedAs('CORRUPT'))
  })
})

test('magic 1 becomes magic 0, compressed or not', () => {
  for (const codec of [0, 1, 2, 3]) {
    const messages = [7, 8].map(offset => ({ offset, timestamp: 1000, key: null, value: Buffer.from(`${offset}`) }))
    const { bytes: set, nextOffset } = downConvert([encodeMessageSet({ magic: 1, codec, messages })], {
      ...unlimited,
      magic: 0,
    })
    expect(readMessageSet(set).every(({ magic, codec: kept }) => magic === 0 && kept === codec)).toBe(true)
    expect(flat(set)).toEqual(messages.map(m => ({ ...m, timestamp: -1 })))
    expect(nextOffset).toBe(9)
  }
})

test('a very large first batch ends between two messages', () => {
  const records = Array.from({ length: 200 }, () => ({ key: null, value: Buffer.alloc(100_000) }))
  const { bytes: set, nextOffset } = downConvert([encodeBatch({ records })], { ...unlimited, magic: 1, maxBytes: 1 })
  expect(set.length).toBeLessThanOrEqual(8 << 20)
  expect(offsets(set)).toEqual(Array.from({ length: nextOffset }, (_, i) => i))
})
