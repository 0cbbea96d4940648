// AddPartitionsToTxn and AddOffsetsToTxn: partitions become part of a transaction, which begins with the first
// (TransactionCoordinator.handleAddPartitionsToTransaction), or are looked for (handleVerifyPartitionsInTransaction).
import type { AddCommand, VerifyCommand } from './commands.ts'
import type { Transaction } from './state.ts'
import type { Turn } from './turn.ts'
import {
  CONCURRENT_TRANSACTIONS,
  INVALID_PRODUCER_ID_MAPPING,
  KafkaError,
  NONE,
  PRODUCER_FENCED,
  TRANSACTION_ABORTABLE,
} from '../../../protocol/errors.ts'
import { contains, isCompleting, transition, withPartitions } from './state.ts'

export function addPartitions(turn: Turn, command: AddCommand): void {
  const { transactionalId, partitions, clientTransactionVersion } = command
  const txn = turn.transactions.get(transactionalId)
  if (!txn) throw new KafkaError(INVALID_PRODUCER_ID_MAPPING)
  // Before anything else: the id may be about to change, and the producer may already have the new one.
  if (isCompleting(txn)) throw new KafkaError(CONCURRENT_TRANSACTIONS)
  checkProducer(txn, command)
  const isOpen = txn.state === 'Ongoing'
  if (isOpen && partitions.every(partition => contains(txn.partitions, partition))) return turn.reply(null)
  turn.checkClient(clientTransactionVersion)
  turn.reply(null)
  turn.log(
    transactionalId,
    transition(txn, 'Ongoing', turn.now, {
      partitions: withPartitions(txn.partitions, partitions),
      startMs: isOpen ? txn.startMs : turn.now,
      clientTransactionVersion,
    }),
  )
}

export function verifyPartitions(turn: Turn, command: VerifyCommand): void {
  const txn = turn.transactions.get(command.transactionalId)
  if (!txn) throw new KafkaError(INVALID_PRODUCER_ID_MAPPING)
  checkProducer(txn, command)
  if (isCompleting(txn)) throw new KafkaError(CONCURRENT_TRANSACTIONS)
  turn.reply(command.partitions.map(asked => (contains(txn.partitions, asked) ? NONE : TRANSACTION_ABORTABLE)))
}

function checkProducer(txn: Transaction, { producerId, producerEpoch }: AddCommand | VerifyCommand): void {
  if (producerId !== txn.producerId) throw new KafkaError(INVALID_PRODUCER_ID_MAPPING)
  if (producerEpoch !== txn.producerEpoch) throw new KafkaError(PRODUCER_FENCED)
}
