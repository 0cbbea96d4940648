// What the passing of time does: open transactions beyond their time-out are aborted and their producers fenced, ids that
// nobody used for long are forgotten (TransactionCoordinator.abortTimedOutTransactions, TransactionStateManager).
import type { TimeoutCommand } from './commands.ts'
import type { Turn } from './turn.ts'
import { beginEnd } from './end.ts'
import { isOver, needsNextProducerId, NO_PRODUCER_ID, prepareFence } from './state.ts'

export function scheduleTimeouts(turn: Turn): void {
  const intervalMs = turn.config['transaction.abort.timed.out.transaction.cleanup.interval.ms']
  turn.timer('timeouts', intervalMs, { type: 'findTimedOut' })
}

export function scheduleExpiry(turn: Turn): void {
  const intervalMs = turn.config['transaction.remove.expired.transaction.cleanup.interval.ms']
  turn.timer('expiry', intervalMs, { type: 'expire' })
}

/** Timer: each of them is a decision of its own, so that one that cannot be recorded now keeps no other waiting. */
export function findTimedOut(turn: Turn): void {
  for (const [transactionalId, txn] of turn.transactions) {
    const { state, startMs, timeoutMs, producerId, producerEpoch } = txn
    if (state !== 'Ongoing' || startMs + timeoutMs >= turn.now) continue
    const timeout: TimeoutCommand = { type: 'timeout', transactionalId, producerId, producerEpoch, newProducerId: null }
    turn.timer(`timeout ${transactionalId}`, 0, timeout)
  }
  scheduleTimeouts(turn)
}

export function timeOut(turn: Turn, command: TimeoutCommand): void {
  const { transactionalId, producerId, producerEpoch, newProducerId } = command
  const txn = turn.transactions.get(transactionalId)
  turn.reply(null)
  if (txn?.state !== 'Ongoing' || txn.producerId !== producerId || txn.producerEpoch !== producerEpoch) return
  // Ended meanwhile, and another one began.
  if (txn.startMs + txn.timeoutMs >= turn.now) return
  const { version, now } = turn
  const needsId = needsNextProducerId(txn, version)
  if (needsId && newProducerId === null) return turn.send({ type: 'fetchProducerId', command })
  const nextProducerId = needsId ? newProducerId! : NO_PRODUCER_ID
  beginEnd(turn, transactionalId, prepareFence(txn, { version, nextProducerId, now }))
}

/** Timer: tombstones, then the next look. */
export function expireIds(turn: Turn): void {
  const lastUpdate = turn.now - turn.config['transactional.id.expiration.ms']
  for (const [transactionalId, txn] of turn.transactions) {
    if (isOver(txn) && txn.lastUpdateMs <= lastUpdate) turn.log(transactionalId, null)
  }
  scheduleExpiry(turn)
}
