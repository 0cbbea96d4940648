// EndTxn, and what follows from it: markers to every partition, then the transaction is complete
// (TransactionCoordinator.endTransaction, TransactionMarkerChannelManager.scala).
import type { EndCommand, MarkersWrittenCommand, TransactionCommand } from './commands.ts'
import type { Transaction } from './state.ts'
import type { Turn } from './turn.ts'
import {
  CONCURRENT_TRANSACTIONS,
  INVALID_PRODUCER_ID_MAPPING,
  INVALID_TXN_STATE,
  KafkaError,
  NONE,
  PRODUCER_FENCED,
} from '../../../protocol/errors.ts'
import { NEEDS_PRODUCER_ID } from './commands.ts'
import {
  complete,
  isCompleting,
  LAST_CLIENT_EPOCH,
  listed,
  needsNextProducerId,
  NO_PRODUCER_EPOCH,
  NO_PRODUCER_ID,
  prepareEnd,
  producerAfter,
  withoutPartitions,
} from './state.ts'

/** Markers that could not be written are sent again after this long. */
const MARKER_RETRY_MS = 100

export function endTransaction(turn: Turn, command: EndCommand): void {
  const txn = turn.transactions.get(command.transactionalId)
  if (!txn) throw new KafkaError(INVALID_PRODUCER_ID_MAPPING)
  if (command.clientTransactionVersion >= 2) endAndBump(turn, txn, command)
  else endAsBefore(turn, txn, command)
}

/** Versions 0 and 1: the epoch stays, so a late EndTxn of the transaction before looks like one of this. */
function endAsBefore(turn: Turn, txn: Transaction, command: EndCommand): void {
  const { transactionalId, commit } = command
  if (command.producerId !== txn.producerId) throw new KafkaError(INVALID_PRODUCER_ID_MAPPING)
  if (command.producerEpoch !== txn.producerEpoch) throw new KafkaError(PRODUCER_FENCED)
  if (isCompleting(txn)) throw new KafkaError(CONCURRENT_TRANSACTIONS)
  if (txn.state === 'Ongoing') {
    beginEnd(turn, transactionalId, prepareEnd(txn, { commit, version: 0, nextProducerId: -1, now: turn.now }))
  } else if (txn.state !== (commit ? 'CompleteCommit' : 'CompleteAbort')) {
    throw new KafkaError(INVALID_TXN_STATE)
  }
  turn.reply({ errorCode: NONE, producerId: NO_PRODUCER_ID, producerEpoch: NO_PRODUCER_EPOCH })
}

/**
 * Version 2: every end raises the epoch, so that a retry is told from the end of the next transaction.
 *
 *                   abort with          commit with
 *   state           old epoch | current   old epoch | current
 *   Empty           fenced    | aborts    fenced    | invalid
 *   CompleteAbort   done      | aborts    invalid   | invalid
 *   CompleteCommit  invalid   | aborts    done      | invalid
 *
 * Where a client of an older version ended it, nothing was raised: the old epoch is that of a zombie which this client
 * fenced, and the answer to a retry, as Kafka gives it, would hand it the living one's epoch.
 */
function endAndBump(turn: Turn, txn: Transaction, command: EndCommand): void {
  const { transactionalId, commit, producerEpoch } = command
  if (isCompleting(txn)) throw new KafkaError(CONCURRENT_TRANSACTIONS)
  const isOverflowRetry =
    txn.previousProducerId === command.producerId && producerEpoch === LAST_CLIENT_EPOCH && txn.producerEpoch === 0
  const isRetry = isOverflowRetry || (txn.producerEpoch === producerEpoch + 1 && txn.clientTransactionVersion >= 2)
  if (command.producerId !== txn.producerId && !isOverflowRetry) throw new KafkaError(INVALID_PRODUCER_ID_MAPPING)
  const isComplete = txn.state === 'CompleteCommit' || txn.state === 'CompleteAbort'
  if (producerEpoch !== txn.producerEpoch && !(isComplete && isRetry)) throw new KafkaError(PRODUCER_FENCED)
  if (isComplete && isRetry) {
    if (txn.state !== (commit ? 'CompleteCommit' : 'CompleteAbort')) throw new KafkaError(INVALID_TXN_STATE)
    return turn.reply({ errorCode: NONE, producerId: txn.producerId, producerEpoch: txn.producerEpoch })
  }
  if (txn.state !== 'Ongoing' && commit) throw new KafkaError(INVALID_TXN_STATE)
  const version = command.clientTransactionVersion
  turn.checkClient(version)
  const needsId = needsNextProducerId(txn, version)
  if (needsId && command.newProducerId === null) return turn.reply(NEEDS_PRODUCER_ID)
  const nextProducerId = needsId ? command.newProducerId! : NO_PRODUCER_ID
  const ending = prepareEnd(txn, { commit, version, nextProducerId, now: turn.now })
  beginEnd(turn, transactionalId, ending)
  turn.reply({ errorCode: NONE, ...producerAfter(ending) })
}

/** The decision is recorded; once that is safe the markers go out. Without partitions it is complete at once. */
export function beginEnd(turn: Turn, transactionalId: string, ending: Transaction): void {
  turn.log(transactionalId, ending)
  if (ending.partitions.size === 0) turn.log(transactionalId, complete(ending, turn.now))
  else sendMarkers(turn, transactionalId, ending)
}

export function sendMarkers(turn: Turn, transactionalId: string, txn: Transaction): void {
  const { producerId, producerEpoch, clientTransactionVersion, state, partitions } = txn
  turn.send({
    type: 'writeMarkers',
    transactionalId,
    producerId,
    producerEpoch,
    commit: state === 'PrepareCommit',
    transactionVersion: clientTransactionVersion,
    partitions: listed(partitions),
  })
}

export function markersWritten(turn: Turn, command: MarkersWrittenCommand): void {
  const { transactionalId, written, failed } = command
  const txn = endingOf(turn, command)
  turn.reply(null)
  if (!txn) return
  const partitions = withoutPartitions(txn.partitions, written)
  if (partitions.size === 0) {
    turn.log(transactionalId, complete({ ...txn, partitions }, turn.now))
    return
  }
  turn.remember(transactionalId, { ...txn, partitions })
  if (failed.length === 0) return
  const { producerId, producerEpoch } = command
  const again: TransactionCommand = { type: 'sendMarkers', transactionalId, producerId, producerEpoch }
  turn.timer(`markers ${transactionalId}`, MARKER_RETRY_MS, again)
}

/** Timer: once more to those partitions that lack their marker. */
export function retryMarkers(turn: Turn, command: Extract<TransactionCommand, { type: 'sendMarkers' }>): void {
  const txn = endingOf(turn, command)
  if (txn) sendMarkers(turn, command.transactionalId, txn)
}

/** The transaction that the command is about, if it is still being ended. */
function endingOf(
  turn: Turn,
  { transactionalId, producerId, producerEpoch }: Omit<MarkersWrittenCommand, 'type' | 'written' | 'failed'>,
): Transaction | null {
  const txn = turn.transactions.get(transactionalId)
  if (!txn || !isCompleting(txn)) return null
  return txn.producerId === producerId && txn.producerEpoch === producerEpoch ? txn : null
}
