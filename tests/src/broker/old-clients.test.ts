// What clients of Kafka 0.8 to 0.11 are answered: Produce 0-2, Fetch 0-3, ListOffsets 0. The error codes are those that
// Kafka 3.9.1 gave for the same bytes.
import * as fc from 'fast-check'
import { crc32 } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import * as errors from '../../../protocol/errors.ts'
import { Fetch, ListOffsets, Produce } from '../../../protocol/messages/index.ts'
import { codecReady, compress, ZSTD } from '../../../protocol/records/compression.ts'
import { encodeMessageSet, readMessageSet } from '../../../protocol/records/legacy.ts'
import { decodeRecords, encodeBatch } from '../../../protocol/records/record.ts'
import { memoryFiles } from '../../../storage/files-memory.ts'
import { records, testBroker, type TestBroker } from './harness.ts'

beforeAll(() => codecReady(ZSTD) ?? undefined)

const m = (offset: number, timestamp = 1000 + offset, key: string | null = `k${offset}`) => ({
  offset,
  timestamp,
  key: key === null ? null : Buffer.from(key),
  value: Buffer.from(`value ${offset}`),
})
const set = (magic: 0 | 1, codec = 0, count = 3) =>
  encodeMessageSet({ magic, codec, messages: Array.from({ length: count }, (_, i) => m(i)) })

/** The outer message with its CRC put right after a change. */
function changed(message: Buffer, change: (b: Buffer) => unknown): Buffer {
  change(message)
  message.writeUInt32BE(crc32(message.subarray(16)), 12)
  return message
}

const wrapper = (magic: 0 | 1, offset: number, inner: Buffer, attributes = 1) =>
  changed(
    encodeMessageSet({
      magic,
      messages: [{ offset, timestamp: 777, key: null, value: compress(attributes & 7, inner) }],
    }),
    b => b.writeUInt8(attributes, 17),
  )

async function produce(broker: TestBroker, bytes: Buffer, version = 2, topic = 't') {
  const data = { byteLength: bytes.length, parts: [bytes] }
  const request = {
    acks: 1,
    timeoutMs: 1000,
    topicData: [{ name: topic, partitionData: [{ index: 0, records: data }] }],
  }
  const reply = await broker.ask(Produce, request, version)
  return reply!.responses[0]!.partitionResponses[0]!
}

async function fetch(
  broker: TestBroker,
  version: number,
  fetchOffset = 0,
  more: { max?: number; maxBytes?: number } = {},
) {
  const { max = 1 << 20, maxBytes } = more
  const reply = await broker.ask(
    Fetch,
    {
      maxWaitMs: 0,
      minBytes: 1,
      ...(maxBytes !== undefined && { maxBytes }),
      topics: [{ topic: 't', partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: max }] }],
      forgottenTopicsData: [],
    },
    version,
  )
  const { errorCode, highWatermark, records: found } = reply!.responses[0]!.partitions[0]!
  return { errorCode, highWatermark, bytes: Buffer.concat(found?.parts ?? []) }
}

const messagesOf = (bytes: Buffer) => readMessageSet(bytes).flatMap(({ messages }) => messages)
const stored = async (broker: TestBroker, offset = 0) => decodeRecords((await fetch(broker, 4, offset)).bytes)

async function withTopic(configs: Record<string, string> = {}): Promise<TestBroker> {
  const broker = await testBroker({ files: memoryFiles() })
  await broker.createTopic('t', 1, configs)
  return broker
}

describe('Produce 0-2', () => {
  test.each([0, 1, 2].flatMap(v => [0, 1].flatMap(magic => [0, 1, 2, 3].map(codec => [v, magic as 0 | 1, codec]))))(
    'v%i takes a set of magic %i with codec %i as one batch of magic 2',
    async (version, magic, codec) => {
      const broker = await withTopic()
      expect(await produce(broker, set(magic as 0 | 1, codec), version)).toMatchObject({ errorCode: 0, baseOffset: 0 })
      expect(await produce(broker, set(magic as 0 | 1, codec), version)).toMatchObject({ errorCode: 0, baseOffset: 3 })
      const { bytes } = await fetch(broker, 4, 3)
      expect([bytes[16], bytes[22]]).toEqual([2, codec])
      const expected = [m(0), m(1), m(2)].map((x, i) => ({
        ...x,
        offset: 3 + i,
        timestamp: magic === 0 ? -1 : x.timestamp,
        headers: [],
      }))
      expect(decodeRecords(bytes)).toEqual(expected)
    },
  )

  const batch = (more: object = {}) => encodeBatch({ records: [m(0), m(1)], ...more })
  const taken: [string, () => Buffer, number][] = [
    ['a batch of magic 2', batch, 2],
    ['one compressed with zstd', () => batch({ codec: 4 }), 2],
    ['an idempotent one', () => batch({ producerId: 4000, producerEpoch: 0, baseSequence: 0 }), 2],
    ['a cut-off last message', () => set(1).subarray(0, -3), 2],
    ['a wrapper with a cut-off last message', () => wrapper(1, 2, set(1).subarray(0, -3)), 2],
    ['an outer offset of 0', () => wrapper(1, 0, set(1)), 3],
    ['inner offsets that are all 0', () => wrapper(1, 0, encodeMessageSet({ magic: 1, messages: [m(0), m(0)] })), 2],
    ['absolute inner offsets', () => wrapper(1, 8, encodeMessageSet({ magic: 1, messages: [m(7), m(8)] })), 2],
    ['LogAppendTime in the attributes', () => changed(set(1, 0, 1), b => b.writeUInt8(8, 17)), 1],
    ['LogAppendTime in a wrapper', () => wrapper(1, 2, set(1), 1 | 8), 3],
    ['no timestamp', () => encodeMessageSet({ magic: 1, messages: [m(0, -1)] }), 1],
    ['bytes behind the value', () => changed(set(1, 0, 1), b => b.writeInt32BE(3, 32)), 1],
  ]
  test.each(taken)('takes %s', async (_, bytes, count) => {
    const broker = await withTopic()
    expect(await produce(broker, bytes())).toMatchObject({ errorCode: 0, baseOffset: 0, logAppendTimeMs: -1 })
    expect(await stored(broker)).toHaveLength(count)
  })

  test.each([
    ['an empty set', () => Buffer.alloc(0)],
    ['nothing but a cut-off message', () => set(1, 0, 1).subarray(0, -3)],
  ])('takes %s, and appends nothing', async (_, bytes) => {
    const broker = await withTopic()
    expect(await produce(broker, bytes())).toMatchObject({ errorCode: 0, baseOffset: -1 })
    expect((await fetch(broker, 4)).highWatermark).toBe(0)
  })

  const { CORRUPT_MESSAGE, INVALID_RECORD, INVALID_TIMESTAMP, MESSAGE_TOO_LARGE } = errors
  const refused: [string, number, () => Buffer][] = [
    ['a wrong CRC', CORRUPT_MESSAGE, () => Object.assign(set(1), { 14: 7 })],
    ['a wrong CRC of the last message', CORRUPT_MESSAGE, () => Object.assign(set(1), { [set(1).length - 1]: 0 })],
    ['a size below the smallest', CORRUPT_MESSAGE, () => changed(set(1, 0, 1), b => b.writeInt32BE(13, 8))],
    ['a negative size', CORRUPT_MESSAGE, () => changed(set(1, 0, 1), b => b.writeInt32BE(-5, 8))],
    ['magic 3', CORRUPT_MESSAGE, () => changed(set(1, 0, 1), b => b.writeInt8(3, 16))],
    ['magic -1', CORRUPT_MESSAGE, () => changed(set(1, 0, 1), b => b.writeInt8(-1, 16))],
    ['a wrong inner CRC', CORRUPT_MESSAGE, () => wrapper(1, 2, Object.assign(set(1), { 14: 7 }))],
    ['two batches of magic 2', INVALID_RECORD, () => Buffer.concat([batch(), batch()])],
    ['magic 1 and 2', INVALID_RECORD, () => Buffer.concat([set(1), batch()])],
    ['magic 2 and 1', INVALID_RECORD, () => Buffer.concat([batch(), set(1)])],
    ['magic 0 and 1', INVALID_RECORD, () => Buffer.concat([set(0), set(1)])],
    ['two compressed messages', INVALID_RECORD, () => Buffer.concat([set(1, 1), set(1, 1)])],
    ['a compressed message among others', INVALID_RECORD, () => Buffer.concat([set(1), set(1, 1)])],
    ['zstd', INVALID_RECORD, () => wrapper(1, 2, set(1), 4)],
    ['a wrapper without a value', INVALID_RECORD, () => changed(wrapper(1, 2, set(1)), b => b.writeInt32BE(-1, 30))],
    ['an empty wrapper', INVALID_RECORD, () => wrapper(1, 0, Buffer.alloc(0))],
    ['a wrapper in a wrapper', INVALID_RECORD, () => wrapper(1, 2, set(1, 1))],
    ['magic 0 within magic 1', INVALID_RECORD, () => wrapper(1, 2, set(0))],
    ['magic 1 within magic 0', INVALID_RECORD, () => wrapper(0, 2, set(1))],
    ['magic 2 within magic 1', INVALID_RECORD, () => wrapper(1, 2, batch())],
    ['an outer offset below the inner ones', INVALID_RECORD, () => wrapper(1, 1, set(1))],
    [
      'LogAppendTime without a time',
      INVALID_TIMESTAMP,
      () => changed(encodeMessageSet({ magic: 1, messages: [m(0, -1)] }), b => b.writeUInt8(8, 17)),
    ],
    [
      'a message above max.message.bytes',
      MESSAGE_TOO_LARGE,
      () => encodeMessageSet({ magic: 1, messages: [{ ...m(0), value: Buffer.alloc(1_100_000) }] }),
    ],
    [
      'messages that are too large together',
      MESSAGE_TOO_LARGE,
      () => encodeMessageSet({ magic: 1, messages: [0, 1, 2].map(i => ({ ...m(i), value: Buffer.alloc(400_000) })) }),
    ],
    // Kafka has UNKNOWN_SERVER_ERROR for these.
    ['a wrapper that does not expand', INVALID_RECORD, () => changed(set(1, 0, 1), b => b.writeUInt8(1, 17))],
    ['a key that is too long', INVALID_RECORD, () => changed(set(1, 0, 1), b => b.writeInt32BE(1000, 26))],
    ['an unknown codec', errors.UNSUPPORTED_COMPRESSION_TYPE, () => changed(set(1, 1), b => b.writeUInt8(5, 17))],
    ['a timestamp below -1', INVALID_TIMESTAMP, () => encodeMessageSet({ magic: 1, messages: [m(0, -5)] })],
  ]
  test.each(refused)('refuses %s with %i', async (_, code, bytes) => {
    const broker = await withTopic()
    expect(await produce(broker, bytes())).toMatchObject({ errorCode: code, baseOffset: -1 })
    expect((await fetch(broker, 4)).highWatermark).toBe(0)
  })

  test('any bytes are answered, and nothing broken is stored', async () => {
    const broker = await withTopic()
    const base = fc.constantFrom(set(0), set(1), set(0, 1), set(1, 2), set(1, 3), encodeBatch({ records: [m(0)] }))
    const hostile = fc.tuple(base, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat(), fc.boolean())
    await fc.assert(
      fc.asyncProperty(hostile, async ([good, changes, cut, fix]) => {
        const bytes = Buffer.from(good)
        for (const [at, value] of changes) bytes[at % bytes.length] = value
        const sent = bytes.subarray(0, cut % 4 === 0 ? cut % bytes.length : bytes.length)
        const before = (await fetch(broker, 4)).highWatermark
        const { errorCode, baseOffset } = await produce(
          broker,
          fix && sent.length > 20 ? changed(sent, () => {}) : sent,
        )
        const { highWatermark } = await fetch(broker, 4)
        if (errorCode !== 0 || baseOffset < 0) expect(highWatermark).toBe(before)
        else expect((await stored(broker, before)).at(-1)!.offset).toBe(highWatermark - 1)
      }),
      { numRuns: 150 },
    )
  })

  test('a topic decides on time, codec and keys', async () => {
    const appendTime = await withTopic({ 'message.timestamp.type': 'LogAppendTime' })
    const now = appendTime.runtime.clock.now()
    for (const bytes of [set(0), set(1), set(1, 1)]) {
      expect(await produce(appendTime, bytes)).toMatchObject({ errorCode: 0, logAppendTimeMs: now })
    }
    expect((await stored(appendTime)).map(({ timestamp }) => timestamp)).toEqual([now, now, now])
    const said = changed(set(1, 0, 1), b => b.writeUInt8(8, 17))
    expect(await produce(appendTime, said)).toMatchObject({ errorCode: errors.INVALID_TIMESTAMP })

    for (const [type, codec] of [
      ['gzip', 1],
      ['zstd', 4],
      ['uncompressed', 0],
    ] as const) {
      const broker = await withTopic({ 'compression.type': type })
      expect((await produce(broker, set(1, codec === 0 ? 1 : 0))).errorCode).toBe(0)
      const { bytes } = await fetch(broker, 10)
      expect([bytes[22], decodeRecords(bytes).length]).toEqual([codec, 3])
    }
  })

  test('Produce 3 and above take magic 2 alone', async () => {
    const broker = await withTopic()
    for (const magic of [0, 1] as const) {
      expect(await produce(broker, set(magic), 3)).toMatchObject({ errorCode: errors.INVALID_RECORD })
    }
  })
})

describe('Fetch 0-3', () => {
  const today = (codec = 0) =>
    records(['a', 'b', 'c'], {
      codec,
      records: [m(0), m(1), m(2)].map(x => ({ ...x, headers: [{ key: 'h', value: null }] })),
    })

  test.each([
    [0, 0],
    [1, 0],
    [2, 1],
    [3, 1],
  ])('v%i gives magic %i', async (version, magic) => {
    const broker = await withTopic()
    for (const codec of [0, 1, 2, 3]) await produce(broker, today(codec).parts[0]!, 3)
    const { errorCode, highWatermark, bytes } = await fetch(broker, version)
    expect([errorCode, highWatermark]).toEqual([0, 12])
    const sets = readMessageSet(bytes)
    expect(sets.every(found => found.magic === magic)).toBe(true)
    expect(sets.map(({ codec }) => codec)).toEqual([0, 0, 0, 1, 2, 3])
    expect(messagesOf(bytes).map(({ offset, timestamp, key, value }) => ({ offset, timestamp, key, value }))).toEqual(
      Array.from({ length: 12 }, (_, offset) => {
        const { key, value, timestamp } = m(offset % 3)
        return { offset, timestamp: magic === 0 ? -1 : timestamp, key, value }
      }),
    )
    expect(messagesOf((await fetch(broker, version, 1)).bytes)[0]!.offset).toBe(1)
    expect(messagesOf((await fetch(broker, version, 4)).bytes)[0]!.offset).toBe(3)
    expect((await fetch(broker, version, 12)).bytes).toHaveLength(0)
    expect(await fetch(broker, version, 13)).toMatchObject({ errorCode: errors.OFFSET_OUT_OF_RANGE })
  })

  test('keep LogAppendTime', async () => {
    const broker = await withTopic({ 'message.timestamp.type': 'LogAppendTime' })
    await produce(broker, today(1).parts[0]!, 3)
    const [found] = readMessageSet((await fetch(broker, 2)).bytes)
    const now = broker.runtime.clock.now()
    expect([found!.timestampType, found!.maxTimestamp]).toEqual(['LogAppendTime', now])
    expect(found!.messages.map(({ timestamp }) => timestamp)).toEqual([now, now, now])
  })

  test('give the first batch whatever its size, and no more than asked for beyond it', async () => {
    const broker = await withTopic()
    for (const codec of [0, 1]) await produce(broker, today(codec).parts[0]!, 3)
    const offsets = async (version: number, more: object) =>
      messagesOf((await fetch(broker, version, 0, more)).bytes).map(({ offset }) => offset)
    for (const version of [0, 1, 2, 3]) {
      expect(await offsets(version, { max: 1 })).toEqual([0, 1, 2])
      expect(await offsets(version, { max: 1000 })).toEqual([0, 1, 2, 3, 4, 5])
    }
    expect(await offsets(3, { maxBytes: 1 })).toEqual([0, 1, 2])
    // Version 2 has no limit on the whole answer.
    expect(await offsets(2, { maxBytes: 1 })).toEqual([0, 1, 2, 3, 4, 5])
  })

  test('zstd is UNSUPPORTED_COMPRESSION_TYPE once nothing else comes before it', async () => {
    const broker = await withTopic()
    await produce(broker, today(0).parts[0]!, 7)
    await produce(broker, today(4).parts[0]!, 7)
    for (const version of [0, 2, 3]) {
      expect(messagesOf((await fetch(broker, version)).bytes)).toHaveLength(3)
      expect((await fetch(broker, version, 3)).errorCode).toBe(errors.UNSUPPORTED_COMPRESSION_TYPE)
    }
    const zstd = await withTopic({ 'compression.type': 'zstd' })
    expect((await fetch(zstd, 3)).errorCode).toBe(errors.UNSUPPORTED_COMPRESSION_TYPE)
  })

  test('leave for a later request what would expand too far, without an error and without skipping it', async () => {
    const broker = await testBroker({ files: memoryFiles() })
    await broker.createTopic('t', 3)
    const bytes = encodeBatch({ codec: 1, records: [{ key: null, value: Buffer.alloc(40 << 20) }] })
    const data = { byteLength: bytes.length, parts: [bytes] }
    const partitionData = [0, 1, 2].map(index => ({ index, records: data }))
    await broker.ask(Produce, { acks: 1, timeoutMs: 1000, topicData: [{ name: 't', partitionData }] }, 3)
    const counts = async (asked: number[]) => {
      const partitions = asked.map(partition => ({ partition, fetchOffset: 0, partitionMaxBytes: 1 << 20 }))
      const request = { maxWaitMs: 0, minBytes: 1, topics: [{ topic: 't', partitions }], forgottenTopicsData: [] }
      const reply = await broker.ask(Fetch, request, 2)
      return reply!.responses[0]!.partitions.map(({ errorCode, records: found }) => [
        errorCode,
        Math.sign(found?.byteLength ?? 0),
      ])
    }
    expect(await counts([0, 1, 2])).toEqual([
      [0, 1],
      [0, 0],
      [0, 0],
    ])
    expect(await counts([2])).toEqual([[0, 1]])
  })

  test('release what they read: any number of them leaves nothing pinned', async () => {
    const broker = await testBroker({ files: memoryFiles(), config: { 'odradek.tail.cache.bytes': 4 << 20 } })
    await broker.createTopic('t')
    const value = 'x'.repeat(500_000)
    for (let i = 0; i < 40; i++) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await produce(broker, records([value]).parts[0]!, 3)
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(messagesOf((await fetch(broker, 1, i)).bytes)).toHaveLength(1)
    }
    expect(broker.opened.broker.partitions.require('t', 0).log.logEndOffset).toBe(40)
  })
})

test('ListOffsets 0 gives the ends of segments, the largest first', async () => {
  const broker = await withTopic({ 'segment.bytes': String(1 << 20) })
  const ask = async (timestamp: number, maxNumOffsets: number) => {
    const partitions = [{ partitionIndex: 0, timestamp, maxNumOffsets }]
    const reply = await broker.ask(ListOffsets, { replicaId: -1, topics: [{ name: 't', partitions }] }, 0)
    const { errorCode, oldStyleOffsets } = reply!.topics[0]!.partitions[0]!
    return errorCode === 0 ? oldStyleOffsets : errorCode
  }
  expect(await ask(-1, 5)).toEqual([0])
  for (let i = 0; i < 3; i++) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await produce(broker, records(['x'.repeat(600_000)], { timestamp: 1000 * (i + 1) }).parts[0]!, 3)
  }
  expect(await ask(-1, 1)).toEqual([3])
  expect(await ask(-1, 10)).toEqual([3, 2, 1, 0])
  expect(await ask(-2, 10)).toEqual([0])
  expect(await ask(2500, 10)).toEqual([1, 0])
  expect(await ask(2500, 1)).toEqual([1])
  expect(await ask(1, 10)).toEqual([])
  expect(await ask(-1, 0)).toEqual([])
  expect(await ask(-3, 1)).toBe(errors.UNSUPPORTED_VERSION)
})
