/**
 * `.snapshot`: the idempotent producers of a partition before the offset in the file's name (ProducerSnapshot.json version 1,
 * ProducerStateManager.java). Big-endian: int16 version 1, uint32 CRC-32C of everything behind it, int32 count, then entries
 * of 46 bytes. Kafka writes a producer's last batch alone; ours holds an entry for each batch that is remembered, the last
 * one last, which is the one that Kafka keeps when it reads the file.
 */
import { crc32c } from '../protocol/records/crc32c.ts'
import { CorruptFileError } from './errors.ts'
import { readInt64, writeInt64 } from './int64.ts'

const VERSION = 1
const CRC_AT = 2
const ENTRIES_AT = 6
const HEADER_SIZE = 10
const ENTRY_SIZE = 46

export interface ProducerSnapshotEntry {
  readonly producerId: number
  readonly producerEpoch: number
  /** Sequence number and offset of the last record of the last batch; -1 when only a marker was written. */
  readonly lastSequence: number
  readonly lastOffset: number
  /** Records of the last batch, less one. */
  readonly offsetDelta: number
  readonly timestamp: number
  /** -1 before the first transaction marker. */
  readonly coordinatorEpoch: number
  /** -1 when no transaction is open. */
  readonly currentTxnFirstOffset: number
}

/** @throws CorruptFileError */
export function parseProducerSnapshot(data: Buffer, path: string): ProducerSnapshotEntry[] {
  if (data.byteLength < HEADER_SIZE) throw new CorruptFileError(path, `${data.byteLength} bytes are too few`)
  const version = data.readInt16BE(0)
  if (version !== VERSION) throw new CorruptFileError(path, `unknown version ${version}`)
  const count = data.readInt32BE(ENTRIES_AT)
  if (data.byteLength !== HEADER_SIZE + count * ENTRY_SIZE) {
    throw new CorruptFileError(path, `${data.byteLength} bytes do not hold the ${count} entries it says`)
  }
  if (data.readUInt32BE(CRC_AT) !== crc32c(data.subarray(ENTRIES_AT))) throw new CorruptFileError(path, 'wrong CRC')
  return Array.from({ length: count }, (_, n) => {
    const at = HEADER_SIZE + n * ENTRY_SIZE
    return {
      producerId: readInt64(data, at),
      producerEpoch: data.readInt16BE(at + 8),
      lastSequence: data.readInt32BE(at + 10),
      lastOffset: readInt64(data, at + 14),
      offsetDelta: data.readInt32BE(at + 22),
      timestamp: readInt64(data, at + 26),
      coordinatorEpoch: data.readInt32BE(at + 34),
      currentTxnFirstOffset: readInt64(data, at + 38),
    }
  })
}

export function formatProducerSnapshot(entries: readonly ProducerSnapshotEntry[]): Buffer {
  const data = Buffer.allocUnsafe(HEADER_SIZE + entries.length * ENTRY_SIZE)
  data.writeInt16BE(VERSION, 0)
  data.writeInt32BE(entries.length, ENTRIES_AT)
  let at = HEADER_SIZE
  for (const entry of entries) {
    writeInt64(data, entry.producerId, at)
    data.writeInt16BE(entry.producerEpoch, at + 8)
    data.writeInt32BE(entry.lastSequence, at + 10)
    writeInt64(data, entry.lastOffset, at + 14)
    data.writeInt32BE(entry.offsetDelta, at + 22)
    writeInt64(data, entry.timestamp, at + 26)
    data.writeInt32BE(entry.coordinatorEpoch, at + 34)
    writeInt64(data, entry.currentTxnFirstOffset, at + 38)
    at += ENTRY_SIZE
  }
  data.writeUInt32BE(crc32c(data.subarray(ENTRIES_AT)), CRC_AT)
  return data
}
