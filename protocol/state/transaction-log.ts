// Records of __transaction_state (KIP-98): one value per transactional id. v1 is flexible; its tagged fields are
// those of KIP-890.
import { message } from '../api.ts'
import { coordinatorRecord, type CoordinatorRecord } from './coordinator-record.ts'
import { array, int16, int32, int64, int8, nullable, since, string } from '../schema.ts'

export const TransactionLogKey = message('TransactionLogKey', {
  versions: [0, 0],
  fields: {
    transactionalId: string,
  },
})

export const TransactionLogValue = message('TransactionLogValue', {
  versions: [0, 1],
  flexible: 1,
  fields: {
    producerId: int64,
    previousProducerId: since(1).tag(0).int64.or(-1),
    nextProducerId: since(1).tag(1).int64.or(-1),
    producerEpoch: int16,
    nextProducerEpoch: since(1).tag(3).int16.or(-1),
    transactionTimeoutMs: int32,
    transactionStatus: int8,
    transactionPartitions: nullable.array({
      topic: string,
      partitionIds: array(int32),
    }),
    transactionLastUpdateTimestampMs: int64,
    transactionStartTimestampMs: int64,
    clientTransactionVersion: since(1).tag(2).int16.or(0),
  },
})

export const transactionLogRecord = coordinatorRecord(0, TransactionLogKey, TransactionLogValue)

/** All of them, in the order of their types. */
export const transactionCoordinatorRecords: readonly CoordinatorRecord[] = [transactionLogRecord]
