/** Holds the indexes of a segment against its batches, as these come by in order. */
import * as header from '../protocol/records/batch.ts'
import { lastOffsetOf } from './batch-cursor.ts'
import { CorruptFileError } from './errors.ts'
import { ABORTED_TXN_SIZE, parseTxnIndex } from './txn-index.ts'
import type { AbortedTxn } from './txn-index.ts'
import { OFFSET_INDEX_ENTRY_SIZE } from './offset-index.ts'
import { TIME_INDEX_ENTRY_SIZE } from './time-index.ts'

/** Takes note of something wrong at a position of the file that is being checked. */
export type Note = (position: number | null, problem: string, isNote?: boolean) => void

const ZEROS = Buffer.alloc(64 * 1024)

/** Such a file may have 10 MiB of them. */
function isZero(data: Buffer): boolean {
  for (let at = 0; at < data.byteLength; at += ZEROS.byteLength) {
    const part = data.subarray(at, at + ZEROS.byteLength)
    if (part.compare(ZEROS, 0, part.byteLength) !== 0) return false
  }
  return true
}

/** Where the entries end: at the end of the file, or before the zeros that a crash of Apache Kafka leaves. */
function endOfEntries(
  data: Buffer,
  size: number,
  rebuilt: boolean,
  note: Note,
  isLast: (at: number) => boolean,
): number {
  const whole = data.byteLength - (data.byteLength % size)
  if (whole < data.byteLength) note(whole, `its size is no multiple of ${size}`)
  let end = 0
  while (end < whole && !isLast(end)) end += size
  if (!isZero(data.subarray(end, whole))) note(end, 'it goes on behind an entry of zeros')
  // Look-ups search from the end. A start takes them away where it builds the index anew.
  else if (end < whole && !rebuilt) note(end, 'zeros lie behind the last entry')
  return end
}

export class OffsetIndexCheck {
  readonly #data: Buffer
  readonly #base: number
  readonly #note: Note
  readonly #end: number
  #at = 0
  #previous = 0

  constructor(data: Buffer | null, base: number, rebuilt: boolean, note: Note) {
    this.#data = data ?? Buffer.alloc(0)
    this.#base = base
    this.#note = note
    // No entry is ever written for the first batch.
    const isLast = (at: number) => this.#data.readInt32BE(at) === 0 && (at > 0 || this.#data.readInt32BE(4) === 0)
    this.#end = endOfEntries(this.#data, OFFSET_INDEX_ENTRY_SIZE, rebuilt, note, isLast)
  }

  batch(position: number, lastOffset: number): void {
    for (; this.#at < this.#end && this.#position <= position; this.#at += OFFSET_INDEX_ENTRY_SIZE) {
      const isBelow = this.#position < this.#previous
      this.#previous = this.#position
      if (this.#position === position && this.#offset === lastOffset) continue
      if (isBelow) this.#note(this.#at, `the entry of offset ${this.#offset} does not rise above the one before`)
      else
        this.#note(this.#at, `the index says offset ${this.#offset} at ${this.#position}, where no batch ends with it`)
    }
  }

  /** Bytes up to `end` are no batch: what leads there may have been right. */
  hole(end: number): void {
    while (this.#at < this.#end && this.#position >= 0 && this.#position < end) this.#at += OFFSET_INDEX_ENTRY_SIZE
  }

  end(): void {
    const left = (this.#end - this.#at) / OFFSET_INDEX_ENTRY_SIZE
    if (left > 0) this.#note(this.#at, `${left} entries lead to where no batch begins`)
  }

  get #offset(): number {
    return this.#base + this.#data.readInt32BE(this.#at)
  }

  get #position(): number {
    return this.#data.readInt32BE(this.#at + 4)
  }
}

export class TimeIndexCheck {
  readonly #data: Buffer
  readonly #exists: boolean
  readonly #base: number
  readonly #note: Note
  readonly #end: number
  #at = 0
  #previous = -1
  #largest = -1
  #isHole = false

  constructor(data: Buffer | null, base: number, rebuilt: boolean, note: Note) {
    this.#data = data ?? Buffer.alloc(0)
    this.#exists = data !== null
    this.#base = base
    this.#note = note
    // One record of timestamp 0 gives an entry of zeros, but no second one.
    const second = this.#data.subarray(TIME_INDEX_ENTRY_SIZE, 2 * TIME_INDEX_ENTRY_SIZE)
    const none = second.byteLength > 0 && isZero(this.#data.subarray(0, 2 * TIME_INDEX_ENTRY_SIZE))
    const isLast = (at: number) => this.#data.readInt32BE(at + 8) === 0 && (at > 0 || none)
    this.#end = endOfEntries(this.#data, TIME_INDEX_ENTRY_SIZE, rebuilt, note, isLast)
  }

  /** Something was here that is no batch: offsets up to the next one may have been right. */
  hole(): void {
    this.#isHole = true
  }

  batch(firstOffset: number, lastOffset: number, maxTimestamp: number): void {
    if (this.#isHole) {
      while (this.#at < this.#end && this.#offset < firstOffset) this.#at += TIME_INDEX_ENTRY_SIZE
      this.#isHole = false
    }
    this.#largest = Math.max(this.#largest, maxTimestamp)
    for (; this.#at < this.#end && this.#offset <= lastOffset; this.#at += TIME_INDEX_ENTRY_SIZE) {
      const timestamp = this.#timestamp
      if (this.#offset !== lastOffset || timestamp !== maxTimestamp) {
        this.#note(this.#at, `the time index says ${timestamp} for offset ${this.#offset}, the log does not`)
      } else if (timestamp <= this.#previous)
        this.#note(this.#at, `timestamp ${timestamp} is not above ${this.#previous}`)
      this.#previous = timestamp
    }
  }

  /** @param isSealed then its last entry tells the largest timestamp */
  end(isSealed: boolean): void {
    const left = (this.#end - this.#at) / TIME_INDEX_ENTRY_SIZE
    if (this.#isHole) return
    if (left > 0) this.#note(this.#at, `${left} entries are of offsets that the log does not have`)
    else if (isSealed && this.#exists && this.#largest >= 0 && this.#previous < this.#largest) {
      this.#note(this.#end, `its last entry does not tell the largest timestamp, ${this.#largest}`)
    }
  }

  get #timestamp(): number {
    return header.readInt64(this.#data, this.#at)
  }

  get #offset(): number {
    return this.#base + this.#data.readInt32BE(this.#at + 8)
  }
}

export class TxnIndexCheck {
  readonly #base: number
  readonly #note: Note
  readonly #entries: AbortedTxn[] = []
  readonly #wanted: ReadonlySet<number>
  /** What was found at the offsets of the entries. */
  readonly #found = new Map<number, number | 'data'>()

  constructor(data: Buffer | null, base: number, note: Note) {
    this.#base = base
    this.#note = note
    try {
      if (data !== null) this.#entries = parseTxnIndex(data, '')
    } catch (error) {
      if (!(error instanceof CorruptFileError)) throw error
      note(null, error.message.slice(2))
    }
    this.#wanted = new Set(this.#entries.map(({ lastOffset }) => lastOffset))
  }

  batch(bytes: Buffer): void {
    const last = lastOffsetOf(bytes, 0)
    if (header.magic(bytes, 0) !== 2 || !this.#wanted.has(last)) return
    this.#found.set(last, header.isControl(bytes, 0) ? header.producerId(bytes, 0) : 'data')
  }

  end(endOffset: number): void {
    let previous = -1
    this.#entries.forEach(({ producerId, firstOffset, lastOffset, lastStableOffset }, n) => {
      const at = n * ABORTED_TXN_SIZE
      const marker = this.#found.get(lastOffset)
      const inOrder = lastOffset > previous && firstOffset >= 0 && firstOffset <= lastOffset
      previous = lastOffset
      if (!inOrder || lastOffset < this.#base || lastOffset >= endOffset || lastStableOffset > endOffset) {
        this.#note(
          at,
          `offsets ${firstOffset} to ${lastOffset}, ${lastStableOffset} of producer ${producerId} are impossible`,
        )
      } else if (marker !== undefined && marker !== producerId) {
        this.#note(at, `no marker of producer ${producerId} is at offset ${lastOffset}`)
      }
    })
  }
}
