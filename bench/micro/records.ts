// Records of a batch: walked as on append, decoded, and built, against the records module of @platformatic/kafka.
import { createRecordsBatch, Reader, readRecordsBatch } from '@platformatic/kafka'
import { decodeRecords, encodeBatch, newWalkResult, walkBatch } from '../../protocol/records/record.ts'
import type { Contest } from './contest.ts'

const shapes = [
  { count: 160, size: 100, label: '160 x 100 B' },
  { count: 16, size: 1024, label: '16 x 1 KiB' },
] as const

export function recordContests(): Contest[] {
  return shapes.flatMap(({ count, size, label }): Contest[] => {
    const value = Buffer.alloc(size, 'odradek ')
    const timestamp = Date.now()
    const records = Array.from({ length: count }, (_, i) => ({ key: Buffer.from(`key-${i}`), value }))
    const batch = encodeBatch({ timestamp, records })
    const messages = records.map(record => ({ ...record, topic: 't', partition: 0, timestamp: BigInt(timestamp) }))
    const result = newWalkResult()
    const read = (): readonly unknown[] => readRecordsBatch(Reader.from(batch)).records
    const build = (): Buffer => createRecordsBatch(messages, {}).buffer
    if (walkBatch(batch, 0, result) !== 'OK' || read().length !== count || decodeRecords(batch).length !== count) {
      throw new Error(`${label}: not read as it was written`)
    }
    if (decodeRecords(build()).length !== count) throw new Error(`${label}: not read as it was written`)
    const common = { reference: '@platformatic/kafka', bytes: batch.length }
    return [
      { ...common, name: `walk of ${label} (theirs: decode)`, ours: () => walkBatch(batch, 0, result), theirs: read },
      { ...common, name: `decode ${label}`, ours: () => decodeRecords(batch), theirs: read },
      { ...common, name: `encode ${label}`, ours: () => encodeBatch({ timestamp, records }), theirs: build },
    ]
  })
}
