// Batches made by Apache Kafka's own classes: what Kafka read from them is what we read, and for magic 2 without
// compression what we write from the values is what Kafka wrote. `npm run vectors` checks the full set.
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import type { DescribedBatch } from '../../../protocol/records/describe.ts'
import { codecReady } from '../../../protocol/records/compression.ts'
import { describeBatches, encodeDescribed } from '../../../protocol/records/describe.ts'
import * as batch from '../../../protocol/records/batch.ts'
import { readMessageSet } from '../../../protocol/records/legacy.ts'
import { newWalkResult, walkBatch } from '../../../protocol/records/record.ts'

interface Vector {
  readonly file: string
  readonly v: number
  readonly json: { readonly batches: DescribedBatch[] }
  readonly hex: string
}

const vectors = gunzipSync(readFileSync(new URL('vectors.jsonl.gz', import.meta.url)))
  .toString()
  .trim()
  .split('\n')
  .map((line, index) => {
    const vector = JSON.parse(line) as Vector
    return { ...vector, name: `${vector.file} #${index}`, bytes: Buffer.from(vector.hex, 'hex') }
  })
const uncompressed = vectors.filter(({ v, json }) => v === 2 && json.batches.every(b => b.compression === 'none'))

beforeAll(async () => {
  await codecReady(4)
})

describe('vectors of Apache Kafka', () => {
  test('cover every format and codec', () => {
    expect(new Set(vectors.map(({ file }) => file)).size).toBe(15)
  })

  test.each(vectors)('$name reads as Kafka reads it', ({ bytes, json }) => {
    expect(describeBatches(bytes)).toEqual(json.batches)
  })

  test.each(uncompressed)('$name is written as Kafka writes it', ({ hex, json }) => {
    expect(encodeDescribed(json.batches).toString('hex')).toBe(hex)
  })

  test.each(vectors.filter(({ v }) => v === 2))('$name has a right CRC, and no other bytes have', ({ bytes }) => {
    for (const at of batch.batchesOf(bytes)) {
      expect(batch.isCrcValid(bytes, at)).toBe(true)
      const broken = Buffer.from(bytes)
      broken[at + 40]! ^= 1
      expect(batch.isCrcValid(broken, at)).toBe(false)
    }
  })

  test.each(vectors.filter(({ v }) => v < 2))('$name has right CRCs inside and outside', ({ bytes }) => {
    expect(readMessageSet(bytes).length).toBeGreaterThan(0)
    const broken = Buffer.from(bytes)
    broken[17]! ^= 0x40
    expect(() => readMessageSet(broken)).toThrow(expect.objectContaining({ code: 'CORRUPT' }))
  })

  test.each(uncompressed)('$name passes walkRecords', ({ bytes }) => {
    const result = newWalkResult()
    for (const at of batch.batchesOf(bytes)) expect(walkBatch(bytes, at, result, { gaps: true })).toBe('OK')
  })
})
