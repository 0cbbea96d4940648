// Message sets of magic 0 and 1: plain, compressed, absolute and relative inner offsets, damaged ones.
import { describe, expect, test } from 'vitest'
import * as fc from 'fast-check'
import * as batch from '../../../protocol/records/batch.ts'
import { compress } from '../../../protocol/records/compression.ts'
import { encodeMessageSet, readMessageSet, upConvert } from '../../../protocol/records/legacy.ts'
import { decodeRecords, newWalkResult, walkBatch } from '../../../protocol/records/record.ts'

const refusedAs = (code: string): Error => expect.objectContaining({ name: 'RecordError', code }) as Error
const maybeBytes = fc.option(
  fc.uint8Array({ maxLength: 100 }).map(b => Buffer.from(b)),
  { nil: null },
)
const messages = fc
  .array(fc.record({ timestamp: fc.nat(2 ** 40), key: maybeBytes, value: maybeBytes }), { minLength: 1, maxLength: 8 })
  .chain(list => fc.nat(2 ** 40).map(first => list.map((m, index) => ({ ...m, offset: first + index }))))
const formats = [0, 1].flatMap(magic => [0, 1, 2, 3].map(codec => ({ magic: magic as 0 | 1, codec })))
const flat = (set: Buffer) =>
  readMessageSet(set)
    .flatMap(b => b.messages)
    .map(({ offset, timestamp, key, value }) => ({ offset, timestamp, key, value }))

const m = (offset: number, timestamp = 1000 + offset) => ({
  offset,
  timestamp,
  key: Buffer.from(`k${offset}`),
  value: Buffer.from(`value ${offset}`),
})

/** A compressed message around a set written by hand, in place of what encodeMessageSet would put there. */
function wrapper(magic: 0 | 1, offset: number, inner: Buffer, attributes = 1, timestamp = 5): Buffer {
  const value = compress(attributes & 7, inner)
  const [message] = [encodeMessageSet({ magic, messages: [{ offset, timestamp, key: null, value }] })]
  message[17] = attributes
  return withCrc(message)
}

/** The same message with its CRC put right, found by what the reader accepts of an untouched copy. */
function withCrc(message: Buffer): Buffer {
  const magic = message[16] as 0 | 1
  message.writeUInt32BE(crcOf(message.subarray(16)), 12)
  expect([0, 1]).toContain(magic)
  return message
}

/** CRC-32 bit by bit, apart from the one under test. */
function crcOf(bytes: Buffer): number {
  let crc = -1
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  return ~crc >>> 0
}

describe('message sets', () => {
  test.each(formats)('of magic $magic with codec $codec survive a round trip', ({ magic, codec }) => {
    fc.assert(
      fc.property(messages, list => {
        const set = encodeMessageSet({ magic, codec, messages: list })
        expect(flat(set)).toEqual(magic === 0 ? list.map(x => ({ ...x, timestamp: -1 })) : list)
        const [first] = readMessageSet(set)
        expect(first!.lastOffset).toBe(codec === 0 ? list[0]!.offset : list.at(-1)!.offset)
      }),
      { numRuns: 40 },
    )
  })

  test('of magic 1 hold absolute inner offsets, relative ones, or an outer offset of 0', () => {
    const relative = encodeMessageSet({ magic: 1, messages: [m(0), m(1), m(3)] })
    const absolute = encodeMessageSet({ magic: 1, messages: [m(100), m(101), m(103)] })
    const offsets = (set: Buffer): number[] => flat(set).map(({ offset }) => offset)
    expect(offsets(wrapper(1, 103, relative))).toEqual([100, 101, 103])
    expect(offsets(wrapper(1, 103, absolute))).toEqual([100, 101, 103])
    expect(offsets(wrapper(1, 0, relative))).toEqual([0, 1, 3])
    expect(offsets(wrapper(0, 7, encodeMessageSet({ magic: 0, messages: [m(6), m(7)] })))).toEqual([6, 7])
    expect(() => flat(wrapper(1, 2, relative))).toThrow(refusedAs('CORRUPT'))
  })

  test('take the outer timestamp under LogAppendTime', () => {
    const inner = encodeMessageSet({ magic: 1, messages: [m(0), m(1)] })
    const set = wrapper(1, 1, inner, 1 | 8, 777)
    expect(flat(set).map(({ timestamp }) => timestamp)).toEqual([777, 777])
    expect(readMessageSet(set)[0]!.timestampType).toBe('LogAppendTime')
    expect(flat(wrapper(1, 1, inner, 1, 777)).map(({ timestamp }) => timestamp)).toEqual([1000, 1001])
  })

  test('refuse nesting, mixed magic, nothing inside, no value, zstd', () => {
    const inner = encodeMessageSet({ magic: 1, messages: [m(0)] })
    const cases = [
      wrapper(1, 1, wrapper(1, 0, inner)),
      wrapper(1, 1, encodeMessageSet({ magic: 0, messages: [m(0)] })),
      wrapper(1, 1, Buffer.alloc(0)),
      withCrc(Object.assign(encodeMessageSet({ magic: 1, messages: [{ ...m(1), value: null }] }), { 17: 1 })),
      withCrc(Object.assign(encodeMessageSet({ magic: 1, messages: [m(1)] }), { 17: 4 })),
      withCrc(Object.assign(encodeMessageSet({ magic: 1, messages: [m(1)] }), { 17: 6 })),
    ]
    for (const set of cases) expect(() => readMessageSet(set)).toThrow(refusedAs('CORRUPT'))
  })

  test('check every CRC', () => {
    const inner = encodeMessageSet({ magic: 1, messages: [m(0), m(1)] })
    inner[inner.length - 1]! ^= 1
    const set = wrapper(1, 1, inner)
    expect(() => readMessageSet(set)).toThrow(refusedAs('CORRUPT'))
    expect(flat(wrapper(1, 1, encodeMessageSet({ magic: 1, messages: [m(0), m(1)] })))).toHaveLength(2)
    expect(readMessageSet(set, 0, set.length, { checkCrc: false })).toHaveLength(1)
  })

  test('leave out a cut-off message at the end and stop at the limit', () => {
    const set = encodeMessageSet({ magic: 1, messages: [m(0), m(1)] })
    expect(flat(set.subarray(0, -1))).toHaveLength(1)
    const large = { ...m(0), value: Buffer.alloc(5000) }
    const packed = encodeMessageSet({ magic: 1, codec: 1, messages: [large] })
    const two = Buffer.concat([packed, packed])
    expect(readMessageSet(two, 0, two.length, { maxBytes: 10_100 })).toHaveLength(2)
    expect(() => readMessageSet(two, 0, two.length, { maxBytes: 9000 })).toThrow(refusedAs('TOO_LARGE'))
  })

  test.each([0, 1] as const)('of magic %i refuse lengths that reach past the message', magic => {
    const keyAt = magic === 0 ? 18 : 26
    for (const [at, value] of [
      [keyAt, 0x7fffffff],
      [keyAt, 100],
      [keyAt + 4 + 2, 0x7fffffff],
      [keyAt + 4 + 2, 8],
    ] as const) {
      const set = encodeMessageSet({ magic, messages: [m(0)] })
      set.writeInt32BE(value, at)
      expect(() => readMessageSet(set, 0, set.length, { checkCrc: false })).toThrow(refusedAs('CORRUPT'))
    }
  })

  test('cannot be written with zstd', () => {
    expect(() => encodeMessageSet({ magic: 1, codec: 4, messages: [m(0)] })).toThrow(refusedAs('UNSUPPORTED'))
    expect(encodeMessageSet({ magic: 1, messages: [] })).toHaveLength(0)
  })
})

describe('up-conversion', () => {
  test.each(formats)('of magic $magic with codec $codec gives one batch of magic 2', ({ magic, codec }) => {
    const set = Buffer.concat([
      encodeMessageSet({ magic, codec, messages: [m(5, 300), m(6, 100)] }),
      encodeMessageSet({ magic, codec, messages: [m(9, 200)] }),
    ])
    const o = { baseOffset: 1000, leaderEpoch: 4, codec, logAppendTime: 9999 }
    const created = upConvert(set, 0, set.length, { ...o, timestampType: 'CreateTime' })
    expect([...batch.batchesOf(created)]).toEqual([0])
    expect(batch.isCrcValid(created, 0)).toBe(true)
    expect([batch.codec(created, 0), batch.partitionLeaderEpoch(created, 0)]).toEqual([codec, 4])
    expect(decodeRecords(created)).toEqual([
      { ...m(5), offset: 1000, timestamp: magic === 0 ? -1 : 300, headers: [] },
      { ...m(6), offset: 1001, timestamp: magic === 0 ? -1 : 100, headers: [] },
      { ...m(9), offset: 1002, timestamp: magic === 0 ? -1 : 200, headers: [] },
    ])
    expect(batch.maxTimestamp(created, 0)).toBe(magic === 0 ? -1 : 300)
    const appended = upConvert(set, 0, set.length, { ...o, codec: 0, timestampType: 'LogAppendTime' })
    expect(batch.maxTimestamp(appended, 0)).toBe(9999)
    expect(decodeRecords(appended).map(r => r.timestamp)).toEqual([9999, 9999, 9999])
    expect(walkBatch(appended, 0, newWalkResult())).toBe('OK')
  })

  test('refuses an empty set', () => {
    const o = { baseOffset: 0, logAppendTime: 0, timestampType: 'CreateTime' } as const
    expect(() => upConvert(Buffer.alloc(5), 0, 5, o)).toThrow(refusedAs('CORRUPT'))
  })
})
