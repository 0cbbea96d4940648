// The checks of a leader on append, one wrong thing at a time, and which of them open a compressed batch.
import { beforeAll, describe, expect, test } from 'vitest'
import * as header from '../../protocol/records/batch.ts'
import { codecReady } from '../../protocol/records/compression.ts'
import { encodeControlBatch, ABORT, encodeEndTransactionMarker } from '../../protocol/records/control.ts'
import { decodeRecords, encodeBatch } from '../../protocol/records/record.ts'
import * as errors from '../../protocol/errors.ts'
import type { LogConfig } from '../../storage/log-config.ts'
import type { ValidateOptions } from '../../storage/validate.ts'
import { RecordBatchError, validateBatch } from '../../storage/validate.ts'
import { batchOf, config, NOW } from './log-fixtures.ts'

beforeAll(async () => {
  await codecReady(4)
})

const validate = (bytes: Buffer, changes: Partial<LogConfig> = {}, o: Partial<ValidateOptions> = {}) =>
  validateBatch(bytes, { config: config(changes), now: NOW, origin: 'client', ...o })

/** What it is refused with: the error's name and its record errors' indexes. */
function refusal(bytes: Buffer, changes: Partial<LogConfig> = {}, o: Partial<ValidateOptions> = {}) {
  try {
    validate(bytes, changes, o)
    return 'accepted'
  } catch (error) {
    if (!(error instanceof RecordBatchError)) throw error
    const { name } = errors.errorOf(error.code)
    return error.recordErrors.length === 0 ? name : `${name} ${error.recordErrors.map(r => r.batchIndex).join(',')}`
  }
}

/** A batch with a field changed and the CRC made right again. */
function changed(change: (batch: Buffer) => void, batch = batchOf(3)): Buffer {
  const copy = Buffer.from(batch)
  change(copy)
  copy.writeUInt32BE(header.computeCrc(copy, 0), 17)
  return copy
}

const withRecords = (timestamps: number[], keys: (string | null)[] = [], codec = 0): Buffer =>
  encodeBatch({
    codec,
    records: timestamps.map((timestamp, n) => {
      const key = keys[n] === undefined ? 'k' : keys[n]
      return { timestamp, key: key === null ? null : Buffer.from(key), value: Buffer.from('v') }
    }),
  })

/** As if the batch had this many records. */
const declaring = (count: number, batch: Buffer): Buffer =>
  changed(b => {
    b.writeInt32BE(count - 1, 23)
    b.writeInt32BE(count, 57)
  }, batch)

describe('the number of records in a compressed batch', () => {
  test.each([1, 2, 3, 4])('codec %i: no more than its payload may expand to', codec => {
    const batch = batchOf(1, 'v', { codec })
    expect(refusal(declaring(2 ** 31 - 1, batch))).toBe('INVALID_RECORD')
    expect(refusal(declaring(10_000_000, batch))).toBe('INVALID_RECORD')
    // The most that compress well: nothing but the smallest records.
    const many = encodeBatch({ codec, records: Array.from({ length: 200_000 }, () => ({ key: null, value: null })) })
    expect(refusal(many)).toBe('accepted')
  })

  test('gzip: nor more than the format allows', () => {
    const batch = batchOf(1, 'v', { codec: 1 })
    const most = Math.floor(((batch.length - 61) * 1032) / 7)
    expect(refusal(declaring(most, batch))).toBe('accepted')
    expect(refusal(declaring(most + 1, batch))).toBe('INVALID_RECORD')
  })
})

describe('the batch', () => {
  test('a good one is taken as it is', () => {
    const batch = batchOf(3)
    const valid = validate(batch)
    expect(valid).toMatchObject({ size: batch.length, lastOffsetDelta: 2, maxTimestamp: NOW })
    expect(valid.bytes).toBe(batch)
  })

  test.each<[string, Buffer, string]>([
    ['nothing', Buffer.alloc(0), 'INVALID_RECORD'],
    ['cut off', batchOf(3).subarray(0, 80), 'INVALID_RECORD'],
    ['two batches', Buffer.concat([batchOf(1), batchOf(1)]), 'INVALID_RECORD'],
    ['a cut-off rest behind it', Buffer.concat([batchOf(1), batchOf(1).subarray(0, 30)]), 'accepted'],
    ['a length below a header', changed(b => b.writeInt32BE(20, 8)), 'CORRUPT_MESSAGE'],
    ['a negative length', changed(b => b.writeInt32BE(-1, 8), Buffer.alloc(80)), 'CORRUPT_MESSAGE'],
    ['magic 3', changed(b => b.writeInt8(3, 16)), 'CORRUPT_MESSAGE'],
    ['magic 1', changed(b => b.writeInt8(1, 16)), 'INVALID_RECORD'],
    ['a base offset', changed(b => header.setBaseOffset(b, 0, 1)), 'INVALID_RECORD'],
    ['no records', changed(b => b.writeInt32BE(0, 57)), 'INVALID_RECORD'],
    ['a negative count', changed(b => b.writeInt32BE(-1, 57)), 'INVALID_RECORD'],
    ['a count unequal to the offset range', changed(b => b.writeInt32BE(5, 23)), 'INVALID_RECORD'],
    ['a negative offset range', changed(b => b.writeInt32BE(-1, 23)), 'INVALID_RECORD'],
    ['a control batch', changed(b => b.writeInt16BE(0x20, 21)), 'INVALID_RECORD'],
    ['an unknown codec', changed(b => b.writeInt16BE(5, 21)), 'UNSUPPORTED_COMPRESSION_TYPE'],
    ['a producer without a sequence', batchOf(1, 'v', { producerId: 7, producerEpoch: 0 }), 'INVALID_RECORD'],
    ['no producer, but an epoch', batchOf(1, 'v', { producerId: -1, producerEpoch: 0, baseSequence: 0 }), 'accepted'],
    ['a producer id that is no safe integer', changed(b => b.writeInt32BE(0x7fffffff, 43)), 'INVALID_RECORD'],
  ])('%s: %s', (_, bytes, expected) => {
    expect(refusal(bytes)).toBe(expected)
  })

  test('a flipped bit anywhere behind the CRC field', () => {
    const batch = batchOf(3)
    for (let at = 17; at < batch.length; at++) {
      const broken = Buffer.from(batch)
      broken[at]! ^= 4
      expect(refusal(broken)).toBe('CORRUPT_MESSAGE')
    }
  })

  test('max.message.bytes is that of the batch as sent', () => {
    const batch = batchOf(100, 'v', { codec: 1 })
    expect(refusal(batch, { maxMessageBytes: batch.length })).toBe('accepted')
    expect(refusal(batch, { maxMessageBytes: batch.length - 1 })).toBe('MESSAGE_TOO_LARGE')
  })

  test('zstd needs Produce 7', () => {
    const batch = batchOf(2, 'v', { codec: 4 })
    expect(refusal(batch, {}, { apiVersion: 6 })).toBe('UNSUPPORTED_COMPRESSION_TYPE')
    expect(refusal(batch, {}, { apiVersion: 7 })).toBe('accepted')
    expect(refusal(batch)).toBe('accepted')
  })

  test('coordinators may write control batches, and any base offset', () => {
    const value = encodeEndTransactionMarker(0)
    const marker = encodeControlBatch([{ type: ABORT, value }], {
      producerId: 1,
      producerEpoch: 0,
      isTransactional: true,
    })
    expect(refusal(marker)).toBe('INVALID_RECORD')
    expect(refusal(marker, { compressionType: 'gzip' }, { origin: 'coordinator' })).toBe('accepted')
    expect(header.codec(validate(marker, { compressionType: 'gzip' }, { origin: 'coordinator' }).bytes, 0)).toBe(0)
  })
})

describe('the records', () => {
  test('an uncompressed batch whose records do not fit its header', () => {
    expect(refusal(changed(b => b.writeUInt8(0x7e, 61)))).toBe('INVALID_RECORD')
    const longer = Buffer.concat([batchOf(3), Buffer.alloc(5)])
    longer.writeInt32BE(longer.length - 12, 8)
    expect(refusal(changed(() => {}, longer))).toBe('INVALID_RECORD')
  })

  test('a compacted topic needs keys, also inside compressed batches (KIP-467)', () => {
    const compact = { cleanupPolicy: { compact: true, delete: false } }
    for (const codec of [0, 1, 2, 3, 4]) {
      expect(refusal(withRecords([NOW, NOW, NOW], ['a', null, null], codec), compact)).toBe('INVALID_RECORD 1,2')
      expect(refusal(withRecords([NOW, NOW], ['a', ''], codec), compact)).toBe('accepted')
    }
  })

  test.each([0, 1])('timestamps out of range, codec %i', codec => {
    const limits = { timestampBeforeMaxMs: 1000, timestampAfterMaxMs: 100 }
    const times = [NOW, NOW - 1001, NOW - 1000, NOW + 100, NOW + 101, -1]
    expect(refusal(withRecords(times, [], codec), limits)).toBe('INVALID_TIMESTAMP 1,4')
    expect(refusal(withRecords([NOW + 101], [], codec), { ...limits, timestampType: 'LogAppendTime' })).toBe('accepted')
    expect(refusal(withRecords([NOW + 3600_001], [], codec))).toBe('INVALID_TIMESTAMP 0')
    expect(refusal(withRecords([5, NOW + 3600_000], [], codec))).toBe('accepted')
  })

  test('a null key and a bad timestamp together are a timestamp error, as in Kafka', () => {
    const compact = { cleanupPolicy: { compact: true, delete: false } }
    expect(refusal(withRecords([NOW, NOW + 1e9], [null, 'a']), compact)).toBe('INVALID_TIMESTAMP 0,1')
  })

  test('the stored maxTimestamp is that of the records, whatever the header says', () => {
    expect(validate(changed(b => header.writeInt64(b, 35, 5), withRecords([7, 9, 8]))).maxTimestamp).toBe(9)
  })

  test('LogAppendTime: the time of the append, and a producer must not claim it', () => {
    const appendTime: Partial<LogConfig> = { timestampType: 'LogAppendTime' }
    expect(validate(withRecords([5, 6]), appendTime).maxTimestamp).toBe(NOW)
    expect(validate(withRecords([5, 6], [], 1), appendTime).maxTimestamp).toBe(NOW)
    const claimed = changed(b => b.writeInt16BE(8, 21))
    expect(refusal(claimed, appendTime)).toBe('INVALID_TIMESTAMP 0')
    // With CreateTime the type is put right when it is stored, as in Kafka.
    expect(refusal(claimed)).toBe('accepted')
  })
})

describe('compressed batches', () => {
  /** A right header and CRC around bytes that are no gzip. */
  const rubbish = changed(b => b.writeInt16BE(1, 21))

  test('are judged by their header alone, unless the topic asks for more', () => {
    expect(refusal(rubbish)).toBe('accepted')
    expect(refusal(rubbish, { timestampType: 'LogAppendTime' })).toBe('accepted')
    expect(refusal(rubbish, { validateCompressed: true })).toBe('INVALID_RECORD')
    expect(refusal(rubbish, { cleanupPolicy: { compact: true, delete: true } })).toBe('INVALID_RECORD')
    expect(refusal(rubbish, { compressionType: 'zstd' })).toBe('INVALID_RECORD')
    expect(refusal(rubbish, { compressionType: 'uncompressed' })).toBe('INVALID_RECORD')
    expect(refusal(rubbish, { timestampBeforeMaxMs: 1000 })).toBe('INVALID_RECORD')
  })

  test('that expand without end are refused', () => {
    const bomb = batchOf(1, 'x'.repeat(20 * 1024 * 1024), { codec: 1 })
    expect(refusal(bomb, { validateCompressed: true, maxMessageBytes: 100_000 })).toBe('MESSAGE_TOO_LARGE')
    expect(refusal(bomb, { validateCompressed: true })).toBe('accepted')
    // The memory for it counts, but not below what may be sent as it is, and 16 MiB.
    const limited = { validateCompressed: true, maxExpandedBytes: 1_000_000 }
    expect(refusal(bomb, limited)).toBe('MESSAGE_TOO_LARGE')
    expect(refusal(bomb, { ...limited, maxMessageBytes: 30_000_000 })).toBe('accepted')
    expect(refusal(batchOf(1, 'x'.repeat(15 * 1024 * 1024), { codec: 1 }), limited)).toBe('accepted')
  })

  test.each(['uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
    'are stored as %s, and nothing else changes',
    name => {
      for (let codec = 0; codec <= 4; codec++) {
        const identity = { producerId: 5, producerEpoch: 2, baseSequence: 9, isTransactional: true }
        const batch = batchOf(20, 'value', { codec, ...identity })
        const { bytes, size } = validate(batch, { compressionType: name })
        expect(header.codec(bytes, 0)).toBe(['uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'].indexOf(name))
        expect(size).toBe(bytes.length)
        expect(header.isCrcValid(bytes, 0)).toBe(true)
        expect(decodeRecords(bytes)).toEqual(decodeRecords(batch))
        const facts = (b: Buffer) => [
          header.producerId(b, 0),
          header.producerEpoch(b, 0),
          header.baseSequence(b, 0),
          header.isTransactional(b, 0),
          header.lastOffsetDelta(b, 0),
        ]
        expect(facts(bytes)).toEqual(facts(batch))
      }
    },
  )

  test('max.message.bytes counts again after compressing anew', () => {
    const batch = batchOf(100, 'v'.repeat(100), { codec: 1 })
    expect(refusal(batch, { compressionType: 'uncompressed', maxMessageBytes: 5000 })).toBe('MESSAGE_TOO_LARGE')
  })
})
