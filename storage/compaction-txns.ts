/**
 * The transactions on the way of a compaction (CleanedTransactionMetadata.java): which batches belong to aborted ones and go at
 * once, and which markers have lost all their batches and may follow. Batches must come in the order of the log.
 */
import * as header from '../protocol/records/batch.ts'
import { ABORT, COMMIT, decodeControlKey } from '../protocol/records/control.ts'
import { RecordCursor } from '../protocol/records/record.ts'
import type { AbortedTxn } from './txn-index.ts'

interface OngoingAbort {
  readonly txn: AbortedTxn
  /** Whether a batch of it was seen. */
  isSeen: boolean
}

export class CompactedTransactions {
  /** Not reached yet, the next one last. */
  readonly #ahead: AbortedTxn[] = []
  readonly #aborted = new Map<number, OngoingAbort>()
  /** Producers with batches of a transaction whose marker was not reached. */
  readonly #committed = new Set<number>()
  readonly #onKept: (txn: AbortedTxn) => void

  /** @param onKept an aborted transaction ended here of which batches were seen: the new index has to know it */
  constructor(onKept: (txn: AbortedTxn) => void = () => {}) {
    this.#onKept = onKept
  }

  /** Adds aborted transactions of the part of the log that comes next. One that is known already does no harm. */
  add(txns: readonly AbortedTxn[]): void {
    if (txns.length === 0) return
    for (const txn of txns) this.#ahead.push(txn)
    this.#ahead.sort((a, b) => b.firstOffset - a.firstOffset)
  }

  /** @returns whether the data batch belongs to an aborted transaction: none of its records will ever be seen */
  onData(buffer: Buffer, at: number): boolean {
    this.#reach(header.lastOffset(buffer, at))
    if (!header.isTransactional(buffer, at)) return false
    const producerId = header.producerId(buffer, at)
    const aborted = this.#aborted.get(producerId)
    if (aborted === undefined) {
      this.#committed.add(producerId)
      return false
    }
    aborted.isSeen = true
    return true
  }

  /**
   * @returns whether the control batch is of no use any more: no batch of its transaction is left, or it is empty
   * @throws RecordError for one that cannot be read
   */
  onControl(buffer: Buffer, at: number): boolean {
    this.#reach(header.lastOffset(buffer, at))
    const cursor = new RecordCursor(buffer, at)
    if (!cursor.next()) return true
    const { type } = decodeControlKey(cursor.key())
    const producerId = header.producerId(buffer, at)
    if (type === ABORT) {
      const aborted = this.#aborted.get(producerId)
      this.#aborted.delete(producerId)
      if (aborted?.isSeen !== true) return true
      this.#onKept(aborted.txn)
      return false
    }
    return type === COMMIT && !this.#committed.delete(producerId)
  }

  #reach(offset: number): void {
    for (let next = this.#ahead.at(-1); next !== undefined && next.firstOffset <= offset; next = this.#ahead.at(-1)) {
      this.#ahead.pop()
      if (!this.#aborted.has(next.producerId)) this.#aborted.set(next.producerId, { txn: next, isSeen: false })
    }
  }
}
