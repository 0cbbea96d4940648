// Record batches: headers, walking, decoding, encoding, patching in place.
import { beforeAll, describe, expect, test } from 'vitest'
import * as fc from 'fast-check'
import * as batch from '../../../protocol/records/batch.ts'
import { codecReady } from '../../../protocol/records/compression.ts'
import * as control from '../../../protocol/records/control.ts'
import type { BatchToEncode } from '../../../protocol/records/record.ts'
import {
  MAX_REFUSALS,
  decodeRecords,
  encodeBatch,
  forEachRecord,
  newWalkResult,
  refusalMessage,
  walkBatch,
  walkMessage,
} from '../../../protocol/records/record.ts'

const bytes = (text: string | null): Buffer | null => (text === null ? null : Buffer.from(text))
const refusedAs = (code: string): Error => expect.objectContaining({ name: 'RecordError', code }) as Error
const MAX = Number.MAX_SAFE_INTEGER

const three: BatchToEncode = {
  baseOffset: 42,
  leaderEpoch: 7,
  producerId: 4711,
  producerEpoch: 3,
  baseSequence: 99,
  records: [
    { timestamp: 1_700_000_000_000, key: bytes('k0'), value: bytes('v0') },
    { timestamp: 1_700_000_000_500, key: null, value: bytes(''), headers: [{ key: 'hé', value: bytes('x') }] },
    { timestamp: 1_700_000_000_100, key: bytes(''), value: null, headers: [{ key: '', value: null }] },
  ],
}

const maybeBytes = fc.option(
  fc.uint8Array({ maxLength: 200 }).map(b => Buffer.from(b)),
  { nil: null },
)
const timestamp = fc.oneof(
  fc.constant(-1),
  fc.integer({ min: 0, max: 2_000_000_000_000 }),
  fc.integer({ min: -(2 ** 52), max: 2 ** 52 - 1 }),
)
const record = fc.record({
  timestamp,
  key: maybeBytes,
  value: maybeBytes,
  headers: fc.array(fc.record({ key: fc.string({ unit: 'grapheme', maxLength: 10 }), value: maybeBytes }), {
    maxLength: 3,
  }),
})

beforeAll(async () => {
  await codecReady(4)
})

describe('the header', () => {
  const b = encodeBatch({ ...three, isTransactional: true })

  test('reads what was encoded', () => {
    expect(batch.baseOffset(b, 0)).toBe(42)
    expect(batch.sizeInBytes(b, 0)).toBe(b.length)
    expect(batch.batchLength(b, 0)).toBe(b.length - 12)
    expect(batch.partitionLeaderEpoch(b, 0)).toBe(7)
    expect(batch.magic(b, 0)).toBe(2)
    expect(batch.attributes(b, 0)).toBe(0x10)
    expect(batch.codec(b, 0)).toBe(0)
    expect(batch.timestampType(b, 0)).toBe('CreateTime')
    expect(batch.isTransactional(b, 0)).toBe(true)
    expect(batch.isControl(b, 0)).toBe(false)
    expect(batch.hasDeleteHorizon(b, 0)).toBe(false)
    expect(batch.lastOffsetDelta(b, 0)).toBe(2)
    expect(batch.lastOffset(b, 0)).toBe(44)
    expect(batch.nextOffset(b, 0)).toBe(45)
    expect(batch.baseTimestamp(b, 0)).toBe(1_700_000_000_000)
    expect(batch.maxTimestamp(b, 0)).toBe(1_700_000_000_500)
    expect(batch.producerId(b, 0)).toBe(4711)
    expect(batch.producerEpoch(b, 0)).toBe(3)
    expect(batch.baseSequence(b, 0)).toBe(99)
    expect(batch.lastSequence(b, 0)).toBe(101)
    expect(batch.recordCount(b, 0)).toBe(3)
    expect(batch.isCrcValid(b, 0)).toBe(true)
    expect(batch.crc(b, 0)).toBe(batch.computeCrc(b, 0))
  })

  test('offset and leader epoch lie outside the CRC, timestamp and type within', () => {
    const patched = Buffer.concat([Buffer.alloc(5), b])
    batch.setBaseOffset(patched, 5, MAX)
    batch.setLeaderEpoch(patched, 5, 123)
    expect(batch.isCrcValid(patched, 5)).toBe(true)
    expect(batch.crc(patched, 5)).toBe(batch.crc(b, 0))
    expect([batch.baseOffset(patched, 5), batch.partitionLeaderEpoch(patched, 5)]).toEqual([MAX, 123])
    batch.setMaxTimestampAndType(patched, 5, 1_800_000_000_000, 'LogAppendTime')
    expect(batch.isCrcValid(patched, 5)).toBe(true)
    expect(batch.crc(patched, 5)).not.toBe(batch.crc(b, 0))
    expect(batch.timestampType(patched, 5)).toBe('LogAppendTime')
    expect(batch.isTransactional(patched, 5)).toBe(true)
    expect(decodeRecords(patched, 5).map(r => r.timestamp)).toEqual([1.8e12, 1.8e12, 1.8e12])
    batch.setMaxTimestampAndType(patched, 5, 1_700_000_000_500, 'CreateTime')
    expect(batch.crc(patched, 5)).toBe(batch.crc(b, 0))
  })

  test('int64 are exact or refused', () => {
    const target = Buffer.alloc(8)
    for (const value of [0, 1, -1, 2 ** 32, -(2 ** 32), -(2 ** 32) - 1, MAX, -MAX, -(2 ** 63)]) {
      batch.writeInt64(target, 0, value)
      expect(target.readBigInt64BE()).toBe(BigInt(value))
      expect(batch.readInt64(target, 0)).toBe(value)
    }
    batch.writeInt64(target, 0, 2 ** 63)
    expect(target.toString('hex')).toBe('7fffffffffffffff')
    expect(batch.readInt64(target, 0)).toBe(2 ** 63)
    for (const value of [MAX + 1, -MAX - 1, 0.5, Number.NaN, Infinity, 2 ** 64]) {
      expect(() => batch.writeInt64(target, 0, value)).toThrow(refusedAs('OUT_OF_RANGE'))
    }
  })

  test('sequences wrap', () => {
    expect(batch.incrementSequence(0x7fffffff, 1)).toBe(0)
    expect(batch.incrementSequence(0x7ffffffe, 5)).toBe(3)
    expect(batch.lastSequence(encodeBatch({ ...three, baseSequence: 0x7fffffff }), 0)).toBe(1)
    expect(batch.lastSequence(encodeBatch({ ...three, baseSequence: -1 }), 0)).toBe(-1)
  })

  test('batches are found one behind the other, a cut-off one is not', () => {
    const two = Buffer.concat([b, b])
    expect([...batch.batchesOf(two)]).toEqual([0, b.length])
    for (const cut of [1, 11, 12, 16, 17, 60, b.length - 1]) {
      expect([...batch.batchesOf(two.subarray(0, b.length + cut))]).toEqual([0])
      expect(batch.wholeBatchAt(two, b.length, b.length + cut)).toBe(batch.INCOMPLETE)
      expect(batch.wholeBatchSize(two, b.length, b.length + cut)).toBeNull()
    }
    expect(batch.wholeBatchAt(two, 0)).toBe(b.length)
    for (const [at, byte] of [
      [16, 3], // magic
      [16, 255],
      [8, 255], // a negative length
      [10, 0], // a length of less than a header
    ] as const) {
      const broken = Buffer.from(b)
      broken[at] = byte
      if (at === 10) broken[11] = 48
      expect(batch.wholeBatchAt(broken, 0)).toBe(batch.INVALID)
      expect(() => [...batch.batchesOf(broken)]).toThrow(refusedAs('CORRUPT'))
    }
  })
})

describe('records', () => {
  test.each([0, 1, 2, 3, 4])('survive a round trip with codec %i', codec => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 12 }), fc.nat(2 ** 40), (records, baseOffset) => {
        const encoded = encodeBatch({ records, baseOffset, codec })
        expect(batch.isCrcValid(encoded, 0)).toBe(true)
        expect(batch.codec(encoded, 0)).toBe(codec)
        expect(decodeRecords(encoded)).toEqual(records.map((r, index) => ({ ...r, offset: baseOffset + index })))
      }),
      { numRuns: codec === 0 ? 150 : 30 },
    )
  })

  test('pass walkRecords, which finds the greatest timestamp', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 12 }), records => {
        const encoded = encodeBatch({ records })
        const result = newWalkResult()
        const greatest = records.reduce((a, r) => Math.max(a, r.timestamp), -1)
        expect(walkBatch(encoded, 0, result)).toBe('OK')
        expect(result).toEqual({
          code: 'OK',
          recordIndex: records.length,
          maxTimestamp: greatest,
          indexOfMaxTimestamp: greatest === -1 ? -1 : records.findIndex(r => r.timestamp === greatest),
          recordErrors: null,
        })
        expect(batch.maxTimestamp(encoded, 0)).toBe(greatest)
      }),
      { numRuns: 150 },
    )
  })

  test('are views of an uncompressed batch', () => {
    const encoded = encodeBatch(three)
    const [first] = decodeRecords(encoded)
    expect(first!.key!.buffer).toBe(encoded.buffer)
    const seen: (string | undefined)[] = []
    forEachRecord(encoded, 0, r => seen.push(r.key?.toString()))
    expect(seen).toEqual(['k0', undefined, ''])
  })

  test('may not expand past the limit', () => {
    const encoded = encodeBatch({ records: [{ key: null, value: Buffer.alloc(10_000) }], codec: 1 })
    expect(decodeRecords(encoded, 0, { maxBytes: 10_020 })).toHaveLength(1)
    expect(() => decodeRecords(encoded, 0, { maxBytes: 10_000 })).toThrow(refusedAs('TOO_LARGE'))
  })

  test('of an empty batch are none, whatever it carries', () => {
    const encoded = encodeBatch({ records: [], lastOffsetDelta: 9, maxTimestamp: 5 })
    expect(encoded).toHaveLength(batch.HEADER_SIZE)
    expect(decodeRecords(encoded)).toEqual([])
    expect(batch.lastOffset(encoded, 0)).toBe(9)
    expect(decodeRecords(encodeBatch({ records: [], codec: 1 }))).toEqual([])
  })

  test('timestamps are exact up to ±(2^53-1) and refused beyond', () => {
    for (const value of [MAX, -MAX, 0, -1]) {
      for (const baseTimestamp of value > 0 ? [value, 0, 1] : [value, 0, -1]) {
        const encoded = encodeBatch({ baseTimestamp, records: [{ timestamp: value, key: null, value: null }] })
        expect(decodeRecords(encoded)[0]!.timestamp).toBe(value)
      }
    }
    expect(() => encodeBatch({ records: [{ timestamp: MAX + 1, key: null, value: null }] })).toThrow(
      refusedAs('OUT_OF_RANGE'),
    )
    const beyond = encodeBatch({ records: [{ timestamp: 1, key: null, value: null }], baseTimestamp: 0 })
    batch.writeInt64(beyond, 27, MAX)
    expect(() => decodeRecords(beyond)).toThrow(refusedAs('OUT_OF_RANGE'))
    const result = newWalkResult()
    expect(walkBatch(beyond, 0, result)).toBe('REFUSED')
    expect(result.recordErrors).toEqual([{ batchIndex: 0, reason: 'TIMESTAMP', timestamp: MAX + 1 }])
    expect(result.maxTimestamp).toBeNaN()
    beyond.writeBigInt64BE(2n ** 63n - 1n, 27)
    expect(() => decodeRecords(beyond)).toThrow(refusedAs('OUT_OF_RANGE'))
    expect(walkBatch(beyond, 0, result)).toBe('REFUSED')
    batch.setMaxTimestampAndType(beyond, 0, 77, 'LogAppendTime')
    expect(decodeRecords(beyond)[0]!.timestamp).toBe(77)
    expect(walkBatch(beyond, 0, result, { logAppendTime: 77 })).toBe('OK')
    expect(result.maxTimestamp).toBe(77)
  })
})

describe('walkRecords', () => {
  const walk = (encoded: Buffer, options = {}) => {
    const result = newWalkResult()
    walkBatch(encoded, 0, result, options)
    return result
  }
  /** A batch around a payload written by hand. */
  const around = (payload: string, count: number): Buffer => {
    const body = Buffer.from(payload.replaceAll(' ', ''), 'hex')
    const encoded = Buffer.concat([encodeBatch({ records: [] }), body])
    encoded.writeInt32BE(encoded.length - 12, 8)
    encoded.writeInt32BE(count - 1, 23)
    encoded.writeInt32BE(count, 57)
    return encoded
  }
  const good = '0c 00 00 00 01 01 00' // length 6, attributes, two deltas, null key, null value, no headers

  test.each([
    ['OK', good, 1],
    ['OK', `${good} 0c 00 00 02 01 01 00`, 2],
    ['OK', '0c ff 00 00 01 01 00', 1], // the attributes byte is not looked at
    ['OK', '0c 00 00 00 05 07 00', 1], // any negative length is null
    ['OK', '8c 00 00 00 00 01 01 00', 1], // a varint may be longer than it need be
    ['COUNT', good, -1],
    ['COUNT', good, 2],
    ['COUNT', `${good} ${good}`, 1_000_000_000],
    ['COUNT', `0e 00 00 00 01 02 41 00 12 00 00 02 01 06 414141 00`, 3],
    ['TRAILING', `${good} 00`, 1],
    ['TRAILING', `${good} ${good}`, 1],
    ['TRAILING', '00', 0],
    ['LENGTH', '0e 00 00 00 01 01 00', 1], // one more than there is
    ['LENGTH', '0a 00 00 00 01 01 00', 1], // less than a record
    ['LENGTH', '01 00 00 00 01 01 00', 1], // negative
    ['LENGTH', 'ff ff ff ff ff 0f 00 00', 1], // a varint of more than five bytes
    ['LENGTH', 'fe ff ff ff 0f 00 00 00', 1], // 2^31-1
    ['STRUCTURE', '0e 00 00 00 01 01 00 00', 1], // not used up
    ['STRUCTURE', '0c 00 00 00 04 01 00', 1], // a key past the record
    ['STRUCTURE', '0c 00 00 00 01 04 00', 1], // a value past the record
    ['STRUCTURE', '10 00 00 00 fe ff ff ff 0f', 1], // a key of 2^31-1
    ['STRUCTURE', '0c 00 ff ff ff ff ff', 1], // a timestamp without an end
    ['STRUCTURE', '1e 00 80 80 80 80 80 80 80 80 80 80 00 01 01 00', 1], // a varlong of 11 bytes
    ['STRUCTURE', '0c 00 00 80 80 80 80', 1], // an offset without an end
    ['HEADERS', '0c 00 00 00 01 01 02', 1], // a header that is not there
    ['HEADERS', '0c 00 00 00 01 01 01', 1], // -1 headers
    ['HEADERS', '14 00 00 00 01 01 fe ff ff ff 0f', 1],
    ['STRUCTURE', '10 00 00 00 01 01 02 01 01', 1], // a null header key
    ['STRUCTURE', '10 00 00 00 01 01 02 02 01', 1], // a header key past the record
    ['STRUCTURE', '12 00 00 00 01 01 02 00 04 00', 1], // a header value past the record
    ['OK', '12 00 00 00 01 01 02 00 02 00', 1],
    ['OFFSET', `${good} ${good}`, 2],
    ['OFFSET', '0c 00 00 02 01 01 00', 1],
    ['OFFSET', '0c 00 00 01 01 01 00', 1], // -1
  ])('says %s of %s in a batch of %i', (code, payload, count) => {
    const encoded = around(payload, count)
    expect(walk(encoded).code).toBe(code)
    expect(walkMessage(walk(encoded))).toMatch(/./)
  })

  test('names the broken record', () => {
    expect(walk(around(`${good} 0c 00 00 02 01 01 00 0c 00 00 04 02 01 00`, 3))).toMatchObject({
      code: 'STRUCTURE',
      recordIndex: 2,
    })
  })

  test('takes offsets with gaps from a compacted log', () => {
    const encoded = encodeBatch({
      records: [1, 4, 5].map(offsetDelta => ({ key: null, value: null, offsetDelta })),
      lastOffsetDelta: 5,
    })
    expect(walk(encoded).code).toBe('OFFSET')
    expect(walk(encoded, { gaps: true }).code).toBe('OK')
    encoded.writeInt32BE(4, 23)
    expect(walk(encoded, { gaps: true })).toMatchObject({ code: 'OFFSET', recordIndex: 2 })
    expect(walk(around(`${good} ${good}`, 2), { gaps: true }).code).toBe('OFFSET')
  })

  test('refuses null keys where keys are needed', () => {
    const result = walk(encodeBatch(three), { requireKeys: true })
    expect(result.code).toBe('REFUSED')
    expect(result.recordErrors).toEqual([{ batchIndex: 1, reason: 'NULL_KEY', timestamp: -1 }])
    expect(result.maxTimestamp).toBe(1_700_000_000_500)
    expect(refusalMessage(result.recordErrors![0]!)).toContain('key')
    const many = encodeBatch({ records: Array.from({ length: 1000 }, () => ({ key: null, value: null })) })
    expect(walk(many, { requireKeys: true }).recordErrors).toHaveLength(MAX_REFUSALS)
  })

  test('refuses timestamps out of bounds, save -1', () => {
    const records = [1000, 999, -1, 2000, 2001].map(t => ({ timestamp: t, key: null, value: null }))
    const result = walk(encodeBatch({ records }), { minTimestamp: 1000, maxTimestamp: 2000 })
    expect(result).toMatchObject({ code: 'REFUSED', maxTimestamp: 2001, indexOfMaxTimestamp: 4 })
    expect(result.recordErrors).toEqual([
      { batchIndex: 1, reason: 'TIMESTAMP', timestamp: 999 },
      { batchIndex: 4, reason: 'TIMESTAMP', timestamp: 2001 },
    ])
    expect(refusalMessage(result.recordErrors![1]!)).toContain('2001')
  })

  test('a result is used again', () => {
    const result = newWalkResult()
    walkBatch(encodeBatch(three), 0, result, { requireKeys: true })
    expect(walkBatch(encodeBatch({ records: [] }), 0, result)).toBe('OK')
    expect(result).toEqual(newWalkResult())
  })
})

describe('control records', () => {
  test('a transaction marker is written as Kafka writes it', () => {
    const marker = control.encodeTransactionMarker({
      type: control.COMMIT,
      producerId: 11,
      producerEpoch: 2,
      coordinatorEpoch: 5,
      timestamp: 1_760_000_000_000,
      baseOffset: 9,
      leaderEpoch: 3,
    })
    expect([batch.isControl(marker, 0), batch.isTransactional(marker, 0)]).toEqual([true, true])
    expect([batch.baseSequence(marker, 0), batch.producerId(marker, 0)]).toEqual([-1, 11])
    expect(marker).toHaveLength(78)
    const [{ key, value, timestamp: at }] = decodeRecords(marker) as [ReturnType<typeof decodeRecords>[number]]
    expect(at).toBe(1_760_000_000_000)
    expect(key!.toString('hex')).toBe('00000001')
    expect(value!.toString('hex')).toBe('000000000005')
    expect(control.decodeControlKey(key)).toEqual({ version: 0, type: control.COMMIT })
    expect(control.decodeEndTransactionMarker(value)).toEqual({ version: 0, coordinatorEpoch: 5 })
  })

  test('types have Kafka’s names', () => {
    expect([0, 1, 2, 3, 4, 5, 6, 7, -1].map(control.controlTypeName)).toEqual([
      'ABORT',
      'COMMIT',
      'LEADER_CHANGE',
      'SNAPSHOT_HEADER',
      'SNAPSHOT_FOOTER',
      'KRAFT_VERSION',
      'KRAFT_VOTERS',
      'UNKNOWN',
      'UNKNOWN',
    ])
  })

  test('short or negative ones are refused, later versions read', () => {
    for (const key of [null, Buffer.alloc(3), Buffer.from('ffff0001', 'hex')]) {
      expect(() => control.decodeControlKey(key)).toThrow(refusedAs('CORRUPT'))
    }
    for (const value of [null, Buffer.alloc(5), Buffer.from('800000000001', 'hex')]) {
      expect(() => control.decodeEndTransactionMarker(value)).toThrow(refusedAs('CORRUPT'))
    }
    expect(control.decodeControlKey(Buffer.from('0001000963', 'hex'))).toEqual({ version: 1, type: 9 })
    expect(control.decodeEndTransactionMarker(Buffer.from('00010000000799', 'hex')).coordinatorEpoch).toBe(7)
  })
})
