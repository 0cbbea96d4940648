/**
 * `.timeindex`: sparse map from timestamp to offset (TimeIndex.java). Entries of 12 bytes, big-endian:
 *   int64 largest timestamp of the segment so far
 *   int32 offset of the last record of the batch that brought it, less the base offset
 * Both rise. When a segment is rolled or closed an entry for its largest timestamp is added, so that the last entry tells it.
 */
import type { Files } from './files.ts'
import { CorruptFileError } from './errors.ts'
import { IndexFile } from './index-file.ts'
import { readInt64, writeInt64 } from './int64.ts'

export const TIME_INDEX_ENTRY_SIZE = 12
const NO_TIMESTAMP = -1

export interface TimestampOffset {
  readonly timestamp: number
  readonly offset: number
}

export class TimeIndex {
  readonly baseOffset: number
  readonly #file: IndexFile

  /** Reads nothing yet. @param maxBytes `segment.index.bytes` */
  constructor(files: Files, path: string, baseOffset: number, maxBytes: number) {
    this.baseOffset = baseOffset
    this.#file = new IndexFile(files, path, TIME_INDEX_ENTRY_SIZE, maxBytes)
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

  /** One slot is kept for the entry that closes the segment. */
  get isFull(): boolean {
    return this.#file.entries >= this.#file.maxEntries - 1
  }

  /** (-1, base offset) while there are no entries. */
  get lastEntry(): TimestampOffset {
    const { entries } = this.#file
    return entries === 0 ? { timestamp: NO_TIMESTAMP, offset: this.baseOffset } : this.entry(entries - 1)
  }

  entry(n: number): TimestampOffset {
    const at = this.#file.at(n)
    const { page } = this.#file
    return { timestamp: readInt64(page, at), offset: this.baseOffset + page.readInt32BE(at + 8) }
  }

  /** The last entry with a timestamp at or below `timestamp`; (-1, base offset) when there is none. */
  lookup(timestamp: number): TimestampOffset {
    const slot = this.#lastSlot(n => this.entry(n).timestamp <= timestamp)
    return slot < 0 ? { timestamp: NO_TIMESTAMP, offset: this.baseOffset } : this.entry(slot)
  }

  /**
   * Adds the entry when its timestamp is above the last one; an equal one is left out.
   * @param closing also into the slot kept for the entry that closes the segment
   * @throws RangeError when full, or for an offset or timestamp below the last one
   */
  maybeAppend(timestamp: number, offset: number, closing = false): void {
    const { entries } = this.#file
    if (!closing && this.isFull) throw new RangeError(`${this.path}: full (${entries} entries)`)
    const last = this.lastEntry
    if (entries > 0 && (offset < last.offset || timestamp < last.timestamp)) {
      throw new RangeError(
        `${this.path}: (${timestamp}, ${offset}) is below the last entry, (${last.timestamp}, ${last.offset})`,
      )
    }
    if (timestamp <= last.timestamp) return
    const at = this.#file.add()
    writeInt64(this.#file.page, timestamp, at)
    this.#file.page.writeInt32BE(offset - this.baseOffset, at + 8)
  }

  /** Drops entries of offsets at or above `offset`. */
  truncateTo(offset: number): void {
    this.#file.truncate(this.#lastSlot(n => this.entry(n).offset < offset) + 1)
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
    if (this.#file.torn) throw new CorruptFileError(this.path, 'its size is no multiple of 12')
    const { entries } = this.#file
    if (entries === 0) return
    const first = this.entry(0)
    const last = this.entry(entries - 1)
    if (last.offset < this.baseOffset || last.timestamp < first.timestamp) {
      throw new CorruptFileError(this.path, `its last entry (${last.timestamp}, ${last.offset}) is impossible`)
    }
    const before = entries > 1 ? this.entry(entries - 2) : null
    if (before !== null && (before.timestamp >= last.timestamp || before.offset > last.offset)) {
      throw new CorruptFileError(this.path, `its last entries do not rise: ${before.timestamp}, ${last.timestamp}`)
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

  /** The last slot for which `holds` is true, -1 when it is for none; true slots come before false ones. */
  #lastSlot(holds: (n: number) => boolean): number {
    let low = -1
    let high = this.#file.entries - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (holds(middle)) low = middle
      else high = middle - 1
    }
    return low
  }
}

/** All entries of a `.timeindex` file, up to the zeros a crash of Apache Kafka leaves behind them. */
export function parseTimeIndex(data: Buffer, baseOffset: number, path: string): TimestampOffset[] {
  if (data.byteLength % TIME_INDEX_ENTRY_SIZE !== 0) throw new CorruptFileError(path, 'its size is no multiple of 12')
  const entries: TimestampOffset[] = []
  // One record of timestamp 0 gives an entry of zeros, but no second one.
  const second = data.subarray(TIME_INDEX_ENTRY_SIZE, 2 * TIME_INDEX_ENTRY_SIZE)
  if (second.byteLength > 0 && readInt64(data, 0) === 0 && second.every(byte => byte === 0)) return entries
  for (let at = 0; at < data.byteLength; at += TIME_INDEX_ENTRY_SIZE) {
    const offset = baseOffset + data.readInt32BE(at + 8)
    if (offset === baseOffset && at > 0) break
    entries.push({ timestamp: readInt64(data, at), offset })
  }
  return entries
}
