/**
 * `.txnindex`: the aborted transactions that ended in a segment (TransactionIndex.java, AbortedTxn.json). 34 bytes each:
 *   int16 version 0, int64 producer id, int64 first offset, int64 last offset (of the marker), int64 last stable offset then
 * Last offsets rise. The file exists only once a transaction was aborted. Entries are written as they come: they are rare.
 */
import type { FileHandle, Files } from './files.ts'
import { CorruptFileError } from './errors.ts'
import { readInt64, writeInt64 } from './int64.ts'

export const ABORTED_TXN_SIZE = 34
const VERSION = 0

export interface AbortedTxn {
  readonly producerId: number
  readonly firstOffset: number
  readonly lastOffset: number
  readonly lastStableOffset: number
}

export class TransactionIndex {
  readonly path: string
  readonly startOffset: number
  readonly #files: Files
  #handle: FileHandle | null = null
  #entries: AbortedTxn[] | null = null

  /** Reads nothing yet. @param startOffset base offset of the segment */
  constructor(files: Files, path: string, startOffset: number) {
    this.#files = files
    this.path = path
    this.startOffset = startOffset
  }

  /** Of a new segment: there is no file. */
  begin(): void {
    this.#entries = []
  }

  /** All entries, in order. Read on first use. @throws CorruptFileError */
  get entries(): readonly AbortedTxn[] {
    return (this.#entries ??= this.#files.exists(this.path)
      ? parseTxnIndex(this.#files.readAll(this.path), this.path)
      : [])
  }

  /** @throws RangeError when the last offset does not rise */
  append(txn: AbortedTxn): void {
    this.appendAll([txn])
  }

  /** The same for several, in one write. */
  appendAll(txns: readonly AbortedTxn[]): void {
    if (txns.length === 0) return
    let last = this.entries.at(-1)?.lastOffset ?? -1
    for (const { lastOffset } of txns) {
      if (lastOffset <= last) throw new RangeError(`${this.path}: last offset ${lastOffset} is not above ${last}`)
      last = lastOffset
    }
    this.#handle ??= this.#files.open(this.path, 'write')
    this.#handle.append(txns.map(txn => formatAbortedTxn(txn)))
    for (const txn of txns) this.#entries?.push(txn)
  }

  /** Makes the file, be it an empty one: it is to take the place of another. */
  create(): void {
    this.#handle ??= this.#files.open(this.path, 'write')
  }

  /**
   * Adds to `into` the transactions that overlap [fetchOffset, upperBound).
   * @returns true when no later segment can hold more of them
   */
  collect(fetchOffset: number, upperBound: number, into: AbortedTxn[]): boolean {
    const { entries } = this
    let low = 0
    let high = entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((entries[middle] as AbortedTxn).lastOffset < fetchOffset) low = middle + 1
      else high = middle
    }
    // An entry before `low` ended before the fetch begins, but its last stable offset may still close the search.
    for (let n = Math.max(0, low - 1); n < entries.length; n++) {
      const txn = entries[n] as AbortedTxn
      if (txn.lastOffset >= fetchOffset && txn.firstOffset < upperBound) into.push(txn)
      if (txn.lastStableOffset >= upperBound) return true
    }
    return false
  }

  /** Drops entries with a last offset at or above `offset`. */
  truncateTo(offset: number): void {
    const { entries } = this
    let count = entries.length
    while (count > 0 && (entries[count - 1] as AbortedTxn).lastOffset >= offset) count--
    if (count < entries.length) this.#cut(count)
  }

  /** Drops all entries, whatever they are. */
  reset(): void {
    if (this.#files.exists(this.path)) this.#cut(0)
    this.#entries = []
  }

  /** @throws CorruptFileError when the file cannot be used and must be rebuilt from the log */
  sanityCheck(): void {
    for (const txn of this.entries) {
      if (txn.lastOffset < this.startOffset) {
        throw new CorruptFileError(this.path, `last offset ${txn.lastOffset} is below ${this.startOffset}`)
      }
    }
  }

  async sync(): Promise<void> {
    await this.#handle?.sync()
  }

  syncNow(): void {
    this.#handle?.syncNow()
  }

  /** Gives memory and descriptor back; usable afterwards. Everything appended is in the file already. */
  release(): void {
    this.#handle?.close()
    this.#handle = null
    this.#entries = null
  }

  #cut(count: number): void {
    this.#handle ??= this.#files.open(this.path, 'write')
    this.#handle.truncate(count * ABORTED_TXN_SIZE)
    this.#entries = this.#entries?.slice(0, count) ?? null
  }
}

export function formatAbortedTxn(txn: AbortedTxn): Buffer {
  const data = Buffer.allocUnsafe(ABORTED_TXN_SIZE)
  data.writeInt16BE(VERSION, 0)
  writeInt64(data, txn.producerId, 2)
  writeInt64(data, txn.firstOffset, 10)
  writeInt64(data, txn.lastOffset, 18)
  writeInt64(data, txn.lastStableOffset, 26)
  return data
}

/** All entries of a `.txnindex` file. */
export function parseTxnIndex(data: Buffer, path: string): AbortedTxn[] {
  if (data.byteLength % ABORTED_TXN_SIZE !== 0) throw new CorruptFileError(path, 'its size is no multiple of 34')
  const entries: AbortedTxn[] = []
  for (let at = 0; at < data.byteLength; at += ABORTED_TXN_SIZE) {
    const version = data.readInt16BE(at)
    if (version !== VERSION) throw new CorruptFileError(path, `unknown version ${version} of entry ${entries.length}`)
    entries.push({
      producerId: readInt64(data, at + 2),
      firstOffset: readInt64(data, at + 10),
      lastOffset: readInt64(data, at + 18),
      lastStableOffset: readInt64(data, at + 26),
    })
  }
  return entries
}
