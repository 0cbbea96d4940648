// The rules of the codec that vectors cannot show: limits, refusals, fallbacks, what is copied and what is a view.
import { expect, expectTypeOf, test } from 'vitest'
import { message, type InputOf, type Message, type ReplyOf, type RequestOf, type ValueOf } from '../../protocol/api.ts'
import { decode, encode, type EncodeOptions } from '../../protocol/compile.ts'
import { Fetch, Metadata, OffsetCommit, Produce } from '../../protocol/messages/index.ts'
import { DecodeError, Reader } from '../../protocol/reader.ts'
import {
  array,
  bytes,
  float64,
  int16,
  int32,
  int64,
  int8,
  nullable,
  records,
  since,
  string,
  struct,
  tag,
  uint16,
  uint32,
  until,
  uuid,
  ZERO_UUID,
  type Shape,
} from '../../protocol/schema.ts'
import { EncodeError, Writer } from '../../protocol/writer.ts'

function write<M extends Message<Shape>>(m: M, version: number, value: InputOf<M>, options?: EncodeOptions): Buffer {
  const writer = new Writer()
  encode(m, version, value, writer, options)
  return writer.toBuffer()
}

function read<M extends Message<Shape>>(m: M, version: number, hex: string | Buffer, maxElements = 1000): ValueOf<M> {
  const reader = new Reader(typeof hex === 'string' ? Buffer.from(hex.replaceAll(' ', ''), 'hex') : hex, 0, undefined, {
    maxElements,
  })
  const value = decode(m, version, reader)
  reader.expectEnd()
  return value
}

const Long = message('Long', { versions: [0, 0], fields: { value: int64 } })

test('int64: exact, or one of the two ends, or refused', () => {
  const held: [number, string][] = [
    [0, '0000000000000000'],
    [-1, 'ffffffffffffffff'],
    [2 ** 32, '0000000100000000'],
    [-(2 ** 32) - 1, 'fffffffeffffffff'],
    [Number.MAX_SAFE_INTEGER, '001fffffffffffff'],
    [Number.MIN_SAFE_INTEGER, 'ffe0000000000001'],
    [2 ** 63, '7fffffffffffffff'],
    [-(2 ** 63), '8000000000000000'],
  ]
  for (const [value, hex] of held) {
    expect(read(Long, 0, hex).value).toBe(value)
    expect(write(Long, 0, { value }).toString('hex')).toBe(hex)
  }
  for (const hex of [
    '0020000000000000',
    'ffe0000000000000',
    '7ffffffffffffffe',
    '8000000000000001',
    '0020000000000001',
  ]) {
    expect(() => read(Long, 0, hex)).toThrow(DecodeError)
    const reader = new Reader(Buffer.from(hex, 'hex'))
    const exact = decode(Long, 0, reader, { exact: true })
    expect(exact.value as unknown).toBe(BigInt.asIntN(64, BigInt(`0x${hex}`)))
    expect(write(Long, 0, exact, { exact: true }).toString('hex')).toBe(hex)
  }
  for (const value of [2 ** 53, -(2 ** 53), 2 ** 64, 1.5, NaN, Infinity]) {
    expect(() => write(Long, 0, { value })).toThrow(EncodeError)
  }
})

test('numbers outside their type are refused, not truncated', () => {
  const fields = { a: int8.or(0), b: int16.or(0), c: int32.or(0), d: uint16.or(0), e: uint32.or(0), f: float64.or(0) }
  const Numbers = message('Numbers', { versions: [0, 0], fields })
  for (const bad of [
    { a: 128 },
    { b: -32769 },
    { c: 2 ** 31 },
    { d: -1 },
    { d: 65536 },
    { e: -1 },
    { e: 2 ** 32 },
    { c: 0.5 },
  ]) {
    expect(() => write(Numbers, 0, bad)).toThrow(EncodeError)
  }
  const most = { a: -128, b: 32767, c: -(2 ** 31), d: 65535, e: 2 ** 32 - 1, f: -0.1 }
  expect(read(Numbers, 0, write(Numbers, 0, most))).toEqual(most)
})

const Text = message('Text', {
  versions: [0, 1],
  flexible: 1,
  fields: { text: string, maybe: nullable.string.or(null) },
})

test('strings keep U+FEFF and U+0000; nulls and lengths are checked', () => {
  for (const version of [0, 1]) {
    for (const text of ['', 'a', '\uFEFFbom', 'a\0b', '\u2028', '\u00e9\u4e16\u{1F600}', 'x'.repeat(32767)]) {
      expect(read(Text, version, write(Text, version, { text })).text).toBe(text)
    }
    expect(() => write(Text, version, { text: 'x'.repeat(32768) })).toThrow(EncodeError)
    expect(() => write(Text, version, { text: null as never })).toThrow(EncodeError)
  }
  expect(read(Text, 0, '0001 61 ffff')).toEqual({ text: 'a', maybe: null })
  expect(() => read(Text, 0, 'ffff ffff')).toThrow(/null/)
  expect(() => read(Text, 0, 'fffe ffff')).toThrow(/negative/)
  expect(() => read(Text, 0, '0005 6161')).toThrow(/left/)
  expect(() => read(Text, 1, '00 00 00')).toThrow(/null/)
  expect(() => read(Text, 1, '818004' + '61'.repeat(65536) + '0000')).toThrow(/65536/)
})

test('varints of more than 32 bits are refused', () => {
  expect(new Reader(Buffer.from('ffffffff0f', 'hex')).uvarint()).toBe(2 ** 32 - 1)
  for (const hex of ['ffffffff10', 'ffffffffff01', '80', '8080808080808000']) {
    expect(() => new Reader(Buffer.from(hex, 'hex')).uvarint()).toThrow(DecodeError)
  }
})

const Tagged = message('Tagged', {
  versions: [0, 1],
  flexible: 1,
  fields: {
    first: since(1).tag(0).int32.or(7),
    second: since(1).tag(2).nullable.string.or(null),
    inner: since(1)
      .tag(3)
      .struct({ id: int32.or(-1), list: array(int16) }),
  },
})

test('tagged fields: written only when they differ, unknown ones skipped, order and sizes checked', () => {
  const fallback = { first: 7, second: null, inner: { id: -1, list: [] } }
  expect(read(Tagged, 0, '')).toEqual(fallback)
  expect(read(Tagged, 1, '00')).toEqual(fallback)
  expect(write(Tagged, 1, fallback).toString('hex')).toBe('00')
  expect(write(Tagged, 1, { inner: { list: [] } }).toString('hex')).toBe('00')
  expect(write(Tagged, 1, { first: 8, inner: { id: -1, list: [1] } }).toString('hex')).toBe(
    '02 00 04 00000008 03 08 ffffffff 02 0001 00'.replaceAll(' ', ''),
  )
  expect(read(Tagged, 1, '03 00 04 00000008 01 02 aaaa 02 02 0262').second).toBe('b')
  expect(read(Tagged, 1, '01 904e 00')).toEqual(fallback)
  expect(() => read(Tagged, 1, '02 00 04 00000008 00 04 00000008')).toThrow(/tag 0 after 0/)
  expect(() => read(Tagged, 1, '02 02 02 0262 00 04 00000008')).toThrow(/tag 0 after 2/)
  expect(() => read(Tagged, 1, '01 00 05 00000008 00')).toThrow(/left over/)
  expect(() => read(Tagged, 1, '01 00 03 000008')).toThrow(DecodeError)
  expect(() => read(Tagged, 1, '01 05 7f 00')).toThrow(DecodeError)
})

test('a tagged value of more than 127 bytes gets a longer size', () => {
  for (const length of [126, 127, 128, 16383, 20000]) {
    const second = 'y'.repeat(length)
    expect(read(Tagged, 1, write(Tagged, 1, { second, inner: { list: [] } })).second).toBe(second)
  }
})

test('array counts are checked before anything is allocated, and in sum', () => {
  const Lists = message('Lists', {
    versions: [0, 1],
    flexible: 1,
    fields: { list: array({ id: int32, names: array(string) }), bare: nullable.array(int8).or(null) },
  })
  expect(() => read(Lists, 0, '7fffffff 00000000')).toThrow(/2147483647 elements/)
  expect(() => read(Lists, 0, '80000000 00000000')).toThrow(/negative/)
  expect(() => read(Lists, 0, 'ffffffff ffffffff')).toThrow(/null where an array/)
  expect(() => read(Lists, 1, 'ffffffff0f 00 00')).toThrow(/elements/)
  expect(read(Lists, 1, '01 00 00')).toEqual({ list: [], bare: null })
  const value = {
    list: [
      { id: 1, names: ['a', 'b'] },
      { id: 2, names: ['c'] },
    ],
    bare: [1, 2, 3],
  }
  expect(read(Lists, 1, write(Lists, 1, value), 8)).toEqual(value)
  expect(() => read(Lists, 1, write(Lists, 1, value), 7)).toThrow(/more array elements/)
})

test('nullable structs, and null where it is not allowed', () => {
  const Some = message('Some', {
    versions: [0, 0],
    fields: { inner: nullable.struct({ id: int32 }).or(null), uid: uuid },
  })
  expect(write(Some, 0, { inner: null, uid: ZERO_UUID }).toString('hex')).toBe('ff' + '00'.repeat(16))
  const value = { inner: { id: 5 }, uid: 'ljmFSV_VEKSkwYkhhTIViw' }
  expect(read(Some, 0, write(Some, 0, value))).toEqual(value)
  expect(() => write(Some, 0, { uid: 'short' })).toThrow(EncodeError)
  const Must = message('Must', { versions: [0, 0], fields: { inner: struct({ id: int32 }) } })
  expect(() => write(Must, 0, { inner: null as never })).toThrow(/inner is null/)
})

test('every version decodes to the same fields; what it lacks has its fallback', () => {
  const names = new Set<string>()
  for (let version = 0; version <= 13; version++) {
    const value = read(Metadata.request, version, write(Metadata.request, version, { topics: [{ name: 'a' }] }))
    names.add(Object.keys(value).join())
    expect(value.topics).toEqual([{ topicId: ZERO_UUID, name: 'a' }])
    expect(value.allowAutoTopicCreation).toBe(true)
  }
  expect(names.size).toBe(1)
  const commit = read(OffsetCommit.request, 2, write(OffsetCommit.request, 2, { groupId: 'g', topics: [] }))
  expect(commit).toMatchObject({ groupInstanceId: null, retentionTimeMs: -1, memberId: '' })
})

test('fallbacks are made anew for each message', () => {
  const bare = write(Produce.response, 3, { responses: [] })
  const one = read(Produce.response, 3, bare)
  one.nodeEndpoints.push({ nodeId: 1, host: 'h', port: 1, rack: null })
  expect(read(Produce.response, 3, bare).nodeEndpoints).toEqual([])
})

test('strict: a value that the version cannot carry is refused, unless ignorable or the fallback', () => {
  const request = { groupId: 'g', memberId: 'm', topics: [] }
  expect(() => write(OffsetCommit.request, 6, { ...request, groupInstanceId: 'i' }, { strict: true })).toThrow(
    /groupInstanceId/,
  )
  expect(() => write(OffsetCommit.request, 6, { ...request, groupInstanceId: null }, { strict: true })).not.toThrow()
  expect(() => write(OffsetCommit.request, 7, { ...request, groupInstanceId: 'i' }, { strict: true })).not.toThrow()
  expect(() => write(OffsetCommit.request, 6, { ...request, groupInstanceId: 'i' })).not.toThrow()
  // retentionTimeMs is ignorable.
  expect(() => write(OffsetCommit.request, 8, { ...request, retentionTimeMs: 5 }, { strict: true })).not.toThrow()
})

test('unknown versions are DecodeError and EncodeError', () => {
  expect(() => decode(Text, 2, new Reader(Buffer.alloc(9)))).toThrow(DecodeError)
  expect(() => decode(Text, -1, new Reader(Buffer.alloc(9)))).toThrow(DecodeError)
  expect(() => write(Text, 2, { text: '' })).toThrow(EncodeError)
})

test('decoded bytes are copies, records are views', () => {
  const Blob = message('Blob', { versions: [0, 0], fields: { kept: bytes, seen: records } })
  const frame = write(Blob, 0, { kept: Buffer.from('keep'), seen: { byteLength: 4, parts: [Buffer.from('view')] } })
  const value = read(Blob, 0, frame)
  frame.fill(0x2e)
  expect(value.kept.toString()).toBe('keep')
  expect(Buffer.concat(value.seen.parts).toString()).toBe('....')
})

test('field names that could be source text are refused', () => {
  const Evil = message('Evil', { versions: [0, 0], fields: { 'a};process.exit();({b': int32 } })
  expect(() => decode(Evil, 0, new Reader(Buffer.alloc(4)))).toThrow(/not a field name/)
})

test('inferred types', () => {
  expectTypeOf<RequestOf<typeof Produce>['acks']>().toEqualTypeOf<number>()
  expectTypeOf<RequestOf<typeof Produce>['transactionalId']>().toEqualTypeOf<string | null>()
  expectTypeOf<RequestOf<typeof Fetch>['topics'][number]['topicId']>().toEqualTypeOf<string>()
  // A reply needs what every version carries and has no fallback, and nothing else.
  expectTypeOf<{ responses: [] }>().toExtend<ReplyOf<typeof Produce>>()
  expectTypeOf<object>().not.toExtend<ReplyOf<typeof Produce>>()
  const bounded = message('Bounded', { versions: [0, 2], fields: { old: until(1).string, tagged: tag(0).int32 } })
  expectTypeOf<object>().toExtend<InputOf<typeof bounded>>()
})

test('strings of every length and kind, read and read again', () => {
  const m = message('M', { versions: [0, 1], flexible: 1, fields: { a: string, b: nullable.string } })
  const texts = [0, 1, 2, 47, 48, 49, 63, 64, 65, 126, 127, 128, 300].flatMap(length => [
    'x'.repeat(length),
    `${'x'.repeat(length)}é`,
    `é${'x'.repeat(length)}`,
    `${'x'.repeat(length)}y`,
  ])
  for (const version of [0, 1]) {
    for (const a of [...texts, ...texts.toReversed()]) {
      const written = write(m, version, { a, b: a })
      const expected = Buffer.from(a)
      const from = version === 0 || expected.length + 1 > 127 ? 2 : 1
      expect(written.subarray(from, from + expected.length).equals(expected)).toBe(true)
      expect(read(m, version, written)).toEqual({ a, b: a })
    }
  }
  // Bytes that are no UTF-8 have as many characters as bytes, and must not be taken for a text seen before.
  expect(read(m, 0, '0002 ffff ffff')).toEqual({ a: '\ufffd\ufffd', b: null })
  expect(read(m, 0, '0002 fefe ffff')).toEqual({ a: '\ufffd\ufffd', b: null })
  expect(read(m, 0, '0002 6161 ffff')).toEqual({ a: 'aa', b: null })
})

test('neighbours of fixed size are checked together, and each for itself', () => {
  const m = message('M', { versions: [0, 1], flexible: 1, fields: { a: int8, b: int64, c: array(int16), d: uint16 } })
  expect(() => read(m, 0, '01 00')).toThrow(/9 bytes needed, 2 left/)
  expect(() => write(m, 0, { a: 1, b: 2 ** 60, c: [], d: 0 })).toThrow(/not an int64/)
  expect(() => write(m, 0, { a: 1, b: 1, c: [1, 40_000], d: 0 })).toThrow(/not an int16: 40000/)
  expect(write(m, 1, { a: -1, b: -2, c: [3, -4], d: 65_535 }).toString('hex')).toBe(
    'fffffffffffffffffe' + '030003fffc' + 'ffff00',
  )
  const value = { a: 1, b: -(2 ** 63), c: [], d: 0 }
  expect(read(m, 0, write(m, 0, value))).toEqual(value)
})
