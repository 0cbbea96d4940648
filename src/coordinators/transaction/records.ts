// The machine's records in the format of __transaction_state (TransactionLog.java). Value version 1 since
// transaction.version 1; what it adds cannot be in version 0, see Turn.checkClient.
import type { LogEntry, StoredRecord } from '../machine.ts'
import type { TransactionRecord } from './commands.ts'
import type { LastingState, Transaction } from './state.ts'
import {
  coordinatorKeyType,
  decodeCoordinatorKey,
  encodeCoordinatorKey,
} from '../../../protocol/state/coordinator-record.ts'
import { transactionLogRecord } from '../../../protocol/state/transaction-log.ts'
import { decodeVersioned, encodeVersioned } from '../../../protocol/state/versioned.ts'
import { listed, NO_PRODUCER_EPOCH, STATES, withPartitions, NO_PARTITIONS } from './state.ts'

/** Null: soft state. `version`: the cluster's transaction.version. */
export function encodeRecord(record: TransactionRecord, version: number): LogEntry | null {
  if (record.kind === 'progress') return null
  const { transactionalId, value } = record
  const key = encodeCoordinatorKey(transactionLogRecord, { transactionalId })
  return { key, value: value && encodeValue(value, version >= 1 ? 1 : 0) }
}

function encodeValue(txn: Transaction, valueVersion: number): Buffer {
  const partitions = Array.from(txn.partitions, ([topic, numbers]) => ({ topic, partitionIds: [...numbers] }))
  return encodeVersioned(transactionLogRecord.value, valueVersion, {
    producerId: txn.producerId,
    producerEpoch: txn.producerEpoch,
    transactionTimeoutMs: txn.timeoutMs,
    transactionStatus: STATES.indexOf(txn.state),
    transactionPartitions: txn.state === 'Empty' ? null : partitions,
    transactionLastUpdateTimestampMs: txn.lastUpdateMs,
    transactionStartTimestampMs: txn.startMs,
    ...(valueVersion >= 1 && {
      previousProducerId: txn.previousProducerId,
      nextProducerId: txn.nextProducerId,
      clientTransactionVersion: txn.clientTransactionVersion,
    }),
  })
}

/** Types that are not known are told to `unknown`. Throws DecodeError, and Error for a state that is never written. */
export function decodeRecord(stored: StoredRecord, unknown: (type: number) => void): TransactionRecord | null {
  const { key, value } = stored
  if (!key) return null
  const type = coordinatorKeyType(key)
  if (type !== transactionLogRecord.type) {
    unknown(type)
    return null
  }
  const { transactionalId } = decodeCoordinatorKey(transactionLogRecord, key)
  return { kind: 'transaction', transactionalId, value: value && decodeValue(value) }
}

function decodeValue(bytes: Buffer): Transaction {
  const { value } = decodeVersioned(transactionLogRecord.value, bytes)
  const state = STATES[value.transactionStatus]
  if (state === undefined || state === 'Dead' || state === 'PrepareEpochFence') {
    throw new Error(`a transaction in the log has status ${value.transactionStatus}`)
  }
  const partitions = (value.transactionPartitions ?? []).flatMap(({ topic, partitionIds }) =>
    partitionIds.map(partition => ({ topic, partition })),
  )
  return {
    state: state satisfies LastingState,
    producerId: value.producerId,
    previousProducerId: value.previousProducerId,
    nextProducerId: value.nextProducerId,
    producerEpoch: value.producerEpoch,
    lastProducerEpoch: NO_PRODUCER_EPOCH,
    timeoutMs: value.transactionTimeoutMs,
    partitions: state === 'Empty' ? NO_PARTITIONS : withPartitions(NO_PARTITIONS, partitions),
    startMs: value.transactionStartTimestampMs,
    lastUpdateMs: value.transactionLastUpdateTimestampMs,
    clientTransactionVersion: value.clientTransactionVersion,
  }
}

/** For messages and tests: `t-0 t-1`. */
export const namesOf = (txn: Transaction): string =>
  listed(txn.partitions)
    .map(({ topic, partition }) => `${topic}-${partition}`)
    .join(' ')
