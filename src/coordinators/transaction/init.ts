// InitProducerId with a transactional id: a new epoch, which fences everybody who has an older one
// (TransactionCoordinator.prepareInitProducerIdTransit, TransactionMetadata.prepareIncrementProducerEpoch).
import type { InitCommand } from './commands.ts'
import type { Transaction } from './state.ts'
import type { Turn } from './turn.ts'
import { CONCURRENT_TRANSACTIONS, KafkaError, NONE, PRODUCER_FENCED } from '../../../protocol/errors.ts'
import { NEEDS_PRODUCER_ID } from './commands.ts'
import { beginEnd } from './end.ts'
import {
  isCompleting,
  isExhausted,
  needsNextProducerId,
  newTransaction,
  NO_PARTITIONS,
  NO_PRODUCER_EPOCH,
  NO_PRODUCER_ID,
  prepareFence,
  transition,
} from './state.ts'

type Expected = NonNullable<InitCommand['expected']>

export function initProducerId(turn: Turn, command: InitCommand): void {
  const { transactionalId, expected, newProducerId } = command
  const known = turn.transactions.get(transactionalId)
  if (!known) {
    if (newProducerId === null) return turn.reply(NEEDS_PRODUCER_ID)
    return give(turn, command, nextEpoch(turn, newTransaction(newProducerId, turn.now), command))
  }
  if (isCompleting(known)) throw new KafkaError(CONCURRENT_TRANSACTIONS)
  if (expected && !isKnownProducer(known, expected)) throw new KafkaError(PRODUCER_FENCED)
  if (known.state === 'Ongoing') return fence(turn, known, command)
  if (!isExhausted(known.producerEpoch) || (expected && expected.producerEpoch !== known.producerEpoch)) {
    return give(turn, command, nextEpoch(turn, known, command))
  }
  if (newProducerId === null) return turn.reply(NEEDS_PRODUCER_ID)
  const lastProducerEpoch = expected ? known.producerEpoch : NO_PRODUCER_EPOCH
  give(turn, command, begun(turn, known, command, { producerId: newProducerId, producerEpoch: 0, lastProducerEpoch }))
}

/** KIP-360: the id as it is, or the one before if the answer that told of the new one may have been lost. */
function isKnownProducer(txn: Transaction, expected: Expected): boolean {
  if (expected.producerId === txn.producerId) return true
  return expected.producerId === txn.previousProducerId && isExhausted(expected.producerEpoch)
}

/** Throws PRODUCER_FENCED where the producer expects an epoch that is not its own any more. */
function nextEpoch(turn: Turn, txn: Transaction, command: InitCommand): Transaction {
  const { producerEpoch, lastProducerEpoch } = txn
  const { expected } = command
  const bumped = producerEpoch + 1
  if (!expected) {
    return begun(turn, txn, command, { producerEpoch: bumped, lastProducerEpoch: NO_PRODUCER_EPOCH })
  }
  if (producerEpoch === NO_PRODUCER_EPOCH || expected.producerEpoch === producerEpoch) {
    return begun(turn, txn, command, { producerEpoch: bumped, lastProducerEpoch: producerEpoch })
  }
  // The answer to the same request was lost: the epoch that it gave is given again.
  if (expected.producerEpoch === lastProducerEpoch) return begun(turn, txn, command, {})
  throw new KafkaError(PRODUCER_FENCED)
}

const begun = (turn: Turn, txn: Transaction, { timeoutMs }: InitCommand, changes: Partial<Transaction>): Transaction =>
  transition(txn, 'Empty', turn.now, { ...changes, timeoutMs, partitions: NO_PARTITIONS, startMs: -1 })

function give(turn: Turn, { transactionalId }: InitCommand, txn: Transaction): void {
  turn.log(transactionalId, txn)
  turn.reply({ errorCode: NONE, producerId: txn.producerId, producerEpoch: txn.producerEpoch })
}

/** The open transaction of the producer before ends first; this one asks again. */
function fence(turn: Turn, txn: Transaction, { transactionalId, newProducerId }: InitCommand): void {
  const { version, now } = turn
  if (needsNextProducerId(txn, version) && newProducerId === null) return turn.reply(NEEDS_PRODUCER_ID)
  const nextProducerId = needsNextProducerId(txn, version) ? newProducerId! : NO_PRODUCER_ID
  beginEnd(turn, transactionalId, prepareFence(txn, { version, nextProducerId, now }))
  turn.reply({ errorCode: CONCURRENT_TRANSACTIONS, producerId: NO_PRODUCER_ID, producerEpoch: NO_PRODUCER_EPOCH })
}
