/**
 * `.index`: sparse map from offset to position in the segment's `.log` (OffsetIndex.java). Entries of 8 bytes, big-endian:
 *   int32 offset of the last record of a batch, less the base offset
 *   int32 position of that batch in the file
 * in rising order. Apache Kafka preallocates the file of its active segment: a crash leaves zeros behind the entries.
 */
import type { Files } from './files.ts'
import { CorruptFileError } from './errors.ts'
import { IndexFile } from './index-file.ts'

export const OFFSET_INDEX_ENTRY_SIZE = 8
const MAX_RELATIVE_OFFSET = 0x7fffffff

export interface OffsetPosition {
  readonly offset: number
  readonly position: number
}

export class OffsetIndex {
  readonly baseOffset: number
  readonly #file: IndexFile

  /** Reads nothing yet. @param maxBytes `segment.index.bytes` */
  constructor(files: Files, path: string, baseOffset: number, maxBytes: number) {
    this.baseOffset = baseOffset
    this.#file = new IndexFile(files, path, OFFSET_INDEX_ENTRY_SIZE, maxBytes)
  }

  get path(): string {
    return this.#file.path
  }

  get entries(): number {
    return this.#file.entries
  }

  get bytes(): number {
    return this.#file.bytes
  }

  get isFull(): boolean {
    return this.#file.entries >= this.#file.maxEntries
  }

  /** The base offset while there are no entries. */
  get lastOffset(): number {
    const { entries } = this.#file
    return entries === 0 ? this.baseOffset : this.#offset(entries - 1)
  }

  entry(n: number): OffsetPosition {
    const at = this.#file.at(n)
    const { page } = this.#file
    return { offset: this.baseOffset + page.readInt32BE(at), position: page.readInt32BE(at + 4) }
  }

  /** The last entry at or before the offset; the start of the segment when there is none. */
  lookup(offset: number): OffsetPosition {
    const slot = this.#slot(offset)
    return slot < 0 ? { offset: this.baseOffset, position: 0 } : this.entry(slot)
  }

  /** The first entry at or behind a position; null when there is none. */
  firstFrom(position: number): OffsetPosition | null {
    let low = 0
    let high = this.#file.entries
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.entry(middle).position < position) low = middle + 1
      else high = middle
    }
    return low === this.#file.entries ? null : this.entry(low)
  }

  /** Whether the offset can be said in this file at all: within 2^31 of the base offset. */
  accepts(offset: number): boolean {
    return offset >= this.baseOffset && offset - this.baseOffset <= MAX_RELATIVE_OFFSET
  }

  /** @throws RangeError when full, or for an offset that is not above the last one, or too far from the base offset */
  append(offset: number, position: number): void {
    const { entries } = this.#file
    if (this.isFull) throw new RangeError(`${this.path}: full (${entries} entries)`)
    if (!this.accepts(offset)) throw new RangeError(`${this.path}: offset ${offset} is out of reach`)
    if (entries > 0 && offset <= this.lastOffset) {
      throw new RangeError(`${this.path}: offset ${offset} is not above the last one, ${this.lastOffset}`)
    }
    const at = this.#file.add()
    this.#file.page.writeInt32BE(offset - this.baseOffset, at)
    this.#file.page.writeInt32BE(position, at + 4)
  }

  /** Drops entries of offsets at or above `offset`. */
  truncateTo(offset: number): void {
    const slot = this.#slot(offset)
    this.#file.truncate(slot >= 0 && this.#offset(slot) === offset ? slot : slot + 1)
  }

  /** Of a new segment: there is no file yet. */
  begin(): void {
    this.#file.begin()
  }

  /** Drops all entries. */
  reset(): void {
    this.#file.truncate(0)
  }

  /** @throws CorruptFileError when the file cannot be used and must be rebuilt from the log */
  sanityCheck(): void {
    if (this.#file.torn) throw new CorruptFileError(this.path, 'its size is no multiple of 8')
    const { entries } = this.#file
    if (entries === 0) return
    const last = this.entry(entries - 1)
    const before = entries > 1 ? this.entry(entries - 2) : null
    if (last.offset < this.baseOffset || last.position < 0) {
      throw new CorruptFileError(this.path, `its last entry (${last.offset}, ${last.position}) is impossible`)
    }
    if (before !== null && (before.offset >= last.offset || before.position >= last.position)) {
      throw new CorruptFileError(this.path, `its last entries do not rise: ${before.offset}, ${last.offset}`)
    }
  }

  flush(): void {
    this.#file.flush()
  }

  sync(): Promise<void> {
    return this.#file.sync()
  }

  syncNow(): void {
    this.#file.syncNow()
  }

  /** Flushes and gives memory and descriptor back: the segment is no longer the active one. Usable afterwards. */
  seal(): void {
    this.#file.seal()
  }

  /** Gives memory and descriptor back without writing, for a segment about to be removed or rebuilt. */
  release(): void {
    this.#file.release()
  }

  #offset(n: number): number {
    const at = this.#file.at(n)
    return this.baseOffset + this.#file.page.readInt32BE(at)
  }

  /** The last entry with an offset at or below `offset`, or -1. */
  #slot(offset: number): number {
    let low = -1
    let high = this.#file.entries - 1
    // Most look-ups are for the tail.
    if (high >= 0 && this.#offset(high) <= offset) return high
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.#offset(middle) <= offset) low = middle
      else high = middle - 1
    }
    return low
  }
}

/** All entries of an `.index` file, up to the zeros a crash of Apache Kafka leaves behind them. */
export function parseOffsetIndex(data: Buffer, baseOffset: number, path: string): OffsetPosition[] {
  if (data.byteLength % OFFSET_INDEX_ENTRY_SIZE !== 0) throw new CorruptFileError(path, 'its size is no multiple of 8')
  const entries: OffsetPosition[] = []
  for (let at = 0; at < data.byteLength; at += OFFSET_INDEX_ENTRY_SIZE) {
    const offset = baseOffset + data.readInt32BE(at)
    const position = data.readInt32BE(at + 4)
    // No entry is ever written for the first batch.
    if (offset === baseOffset && (at > 0 || position === 0)) break
    entries.push({ offset, position })
  }
  return entries
}
