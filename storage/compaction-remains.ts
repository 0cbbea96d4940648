/**
 * What is left of a group of segments on its way into one of its own. That one is begun when it is known that something goes, or
 * that several become one: until then nothing is written, and a segment of which all stays keeps its files. Apache Kafka always
 * writes it anew.
 */
import type { Segment } from './segment.ts'
import type { AbortedTxn } from './txn-index.ts'

export class Remains {
  /** Null as long as nothing went. */
  segment: Segment | null = null
  /** From the start of the group on, bytes that stay as they are and were not copied: the segment was not begun. */
  bytesAsTheyAre = 0
  readonly #flushBytes: number
  readonly #wrote: (bytes: number) => void
  readonly #aborted: AbortedTxn[] = []
  #parts: Buffer[] = []
  #size = 0

  /** @param flushBytes how much is written at a time */
  constructor(flushBytes: number, wrote: (bytes: number) => void) {
    this.#flushBytes = flushBytes
    this.#wrote = wrote
  }

  begin(segment: Segment): void {
    this.segment = segment
    segment.create()
    segment.transactions.appendAll(this.#aborted)
  }

  /** An aborted transaction ended here of which something is left. */
  abortedEnds(txn: AbortedTxn): void {
    this.#aborted.push(txn)
    this.segment?.transactions.append(txn)
  }

  /** Of a group of one: whether its index of aborted transactions says what a new one would. */
  hasAborted(known: readonly AbortedTxn[]): boolean {
    return known.length === this.#aborted.length && this.#aborted.every((txn, n) => isSame(txn, known[n]!))
  }

  /** Takes one batch, which must stay as it is until flush() or the next add(). */
  add(batch: Buffer): void {
    this.segment!.append(batch, 0)
    this.#parts.push(batch)
    this.#size += batch.length
    if (this.#size >= this.#flushBytes) this.flush()
  }

  /** The batches that were added are about to be overwritten. */
  flush(): void {
    if (this.#size === 0) return
    this.segment!.write(this.#parts, this.#size)
    this.#wrote(this.#size)
    this.#parts = []
    this.#size = 0
  }
}

const isSame = (a: AbortedTxn, b: AbortedTxn): boolean =>
  a.producerId === b.producerId &&
  a.firstOffset === b.firstOffset &&
  a.lastOffset === b.lastOffset &&
  a.lastStableOffset === b.lastStableOffset
