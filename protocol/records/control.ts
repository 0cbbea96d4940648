// Control records: markers that the broker writes into a partition (KIP-98) or a quorum into its log (KIP-595, 630,
// 853). key = int16 version, int16 type. The value of a transaction marker is written here; the other values are
// messages of their own, whose definitions belong to protocol/state.
import type { BatchToEncode } from './encode.ts'
import { encodeBatch } from './encode.ts'
import { RecordError } from './error.ts'

export const ABORT = 0
export const COMMIT = 1
export const LEADER_CHANGE = 2
export const SNAPSHOT_HEADER = 3
export const SNAPSHOT_FOOTER = 4
export const KRAFT_VERSION = 5
export const KRAFT_VOTERS = 6

const NAMES = [
  'ABORT',
  'COMMIT',
  'LEADER_CHANGE',
  'SNAPSHOT_HEADER',
  'SNAPSHOT_FOOTER',
  'KRAFT_VERSION',
  'KRAFT_VOTERS',
]

/** Kafka's name of a control record type; UNKNOWN for one that is to be ignored. */
export const controlTypeName = (type: number): string => NAMES[type] ?? 'UNKNOWN'

export function encodeControlKey(type: number): Buffer {
  const key = Buffer.alloc(4)
  key.writeInt16BE(type, 2)
  return key
}

/** Types beyond KRAFT_VOTERS, and versions beyond 0 (read as 0), are to be expected. Throws CORRUPT. */
export function decodeControlKey(key: Buffer | null): { version: number; type: number } {
  if (key === null || key.length < 4) throw new RecordError('CORRUPT', 'A control record needs a key of 4 bytes')
  const version = key.readInt16BE(0)
  if (version < 0) throw new RecordError('CORRUPT', `Invalid version ${version} of a control record key`)
  return { version, type: key.readInt16BE(2) }
}

/** The value of ABORT and COMMIT: int16 version, int32 coordinator epoch. */
export function encodeEndTransactionMarker(coordinatorEpoch: number): Buffer {
  const value = Buffer.alloc(6)
  value.writeInt32BE(coordinatorEpoch, 2)
  return value
}

/** Later versions may be longer. Throws CORRUPT. */
export function decodeEndTransactionMarker(value: Buffer | null): { version: number; coordinatorEpoch: number } {
  if (value === null || value.length < 6) throw new RecordError('CORRUPT', 'A transaction marker needs 6 bytes')
  const version = value.readInt16BE(0)
  if (version < 0) throw new RecordError('CORRUPT', `Invalid version ${version} of a transaction marker`)
  return { version, coordinatorEpoch: value.readInt32BE(2) }
}

/** A control batch of one or more records: `type` and encoded value each. */
export function encodeControlBatch(
  records: readonly { readonly type: number; readonly value: Uint8Array }[],
  o: Omit<BatchToEncode, 'records' | 'isControl' | 'codec'>,
): Buffer {
  return encodeBatch({
    ...o,
    isControl: true,
    records: records.map(({ type, value }) => ({ key: encodeControlKey(type), value })),
  })
}

/** The marker that ends a producer's transaction in one partition: transactional, without a sequence. */
export function encodeTransactionMarker(o: {
  type: typeof ABORT | typeof COMMIT
  producerId: number
  producerEpoch: number
  coordinatorEpoch: number
  timestamp: number
  baseOffset?: number
  leaderEpoch?: number
}): Buffer {
  const { type, coordinatorEpoch, ...rest } = o
  return encodeControlBatch([{ type, value: encodeEndTransactionMarker(coordinatorEpoch) }], {
    ...rest,
    isTransactional: true,
  })
}
