/**
 * The last batches of one log that are still in the arena: an unbroken run of offsets up to the end of the log, kept in
 * typed arrays used as a ring, so that a batch costs no object. Reads return views; batches that lie side by side
 * in a slab go out as one.
 */
import type { Records } from '../protocol/schema.ts'
import type { Arena, Slab, Slice } from './arena.ts'
import type { ReadOptions } from './log-options.ts'

const SMALLEST_RING = 16
/** Of a log nobody writes to, of which there may be thousands. */
const NO_FLOAT64S = new Float64Array(0)
const NO_UINT32S = new Uint32Array(0)

export interface TailRecords extends Records {
  /** Base offset of the first batch, which holds the offset asked for. */
  readonly firstOffset: number
  /** The offset behind the last batch. */
  readonly nextOffset: number
  /** To be called exactly when the bytes have left or never will; more calls do nothing. */
  readonly release: () => void
}

export class Tail {
  readonly #arena: Arena
  #capacity = 0
  #first = 0
  #count = 0
  #baseOffsets = NO_FLOAT64S
  #nextOffsets = NO_FLOAT64S
  #starts = NO_UINT32S
  #ends = NO_UINT32S
  /** Batches of one run, neighbours in a slab, have one number. */
  #runs = NO_UINT32S
  #slabs: (Slab | undefined)[] = []
  #run = 0

  constructor(arena: Arena) {
    this.#arena = arena
  }

  get isEmpty(): boolean {
    return this.#count === 0
  }

  /** Base offset of the first batch; -1 when empty. */
  get startOffset(): number {
    return this.#count === 0 ? -1 : (this.#baseOffsets[this.#first] as number)
  }

  /** The offset behind the last batch; -1 when empty. */
  get endOffset(): number {
    return this.#count === 0 ? -1 : (this.#nextOffsets[this.#slot(this.#count - 1)] as number)
  }

  /** Adds the batch [baseOffset, nextOffset) that was copied to `slice`. One that does not follow the last starts anew. */
  push(baseOffset: number, nextOffset: number, slice: Slice): void {
    if (!slice.slab.hot) return this.clear()
    if (this.#count > 0 && baseOffset !== this.endOffset) this.clear()
    if (this.#count === this.#capacity) this.#grow()
    const before = this.#slot(this.#count - 1)
    if (this.#count === 0 || this.#slabs[before] !== slice.slab || this.#ends[before] !== slice.start) this.#run++
    const slot = this.#slot(this.#count++)
    this.#runs[slot] = this.#run
    this.#baseOffsets[slot] = baseOffset
    this.#nextOffsets[slot] = nextOffset
    this.#starts[slot] = slice.start
    this.#ends[slot] = slice.end
    this.#slabs[slot] = slice.slab
    slice.slab.tails.add(this)
  }

  /**
   * Whole batches from the one that holds `offset` on. Null when the tail cannot answer: the offset lies outside it, or too
   * much memory is pinned already; then the log reads its file. An answer may be empty (maxOffset, or maxBytes).
   */
  read(offset: number, { maxBytes, maxOffset, minOneBatch }: ReadOptions): TailRecords | null {
    if (this.#count === 0 || offset < this.startOffset || offset >= this.endOffset || this.#arena.isCrowded) return null
    const parts: Buffer[] = []
    const slabs: Slab[] = []
    let n = this.#find(offset)
    const firstOffset = this.#baseOffsets[this.#slot(n)] as number
    let nextOffset = firstOffset
    let byteLength = 0
    while (n < this.#count) {
      const first = this.#slot(n)
      const start = this.#starts[first] as number
      let last = this.#lastOfRun(n, start + maxBytes - byteLength, maxOffset)
      if (last < n) {
        if (byteLength > 0 || !minOneBatch || (this.#nextOffsets[first] as number) > maxOffset) break
        last = n
      }
      const slab = this.#slabs[first] as Slab
      const end = this.#ends[this.#slot(last)] as number
      parts.push(slab.buffer.subarray(start, end))
      if (slabs.at(-1) !== slab) {
        slabs.push(slab)
        this.#arena.retain(slab)
      }
      byteLength += end - start
      nextOffset = this.#nextOffsets[this.#slot(last)] as number
      n = last + 1
    }
    const release = () => {
      for (const used of slabs.splice(0)) this.#arena.release(used)
    }
    return { byteLength, parts, release, firstOffset, nextOffset }
  }

  /** Forgets batches that reach offsets at or above `offset`: the log was cut. */
  truncateTo(offset: number): void {
    // The slabs still know this tail: earlier batches may lie in them, and dropping none does no harm.
    while (this.#count > 0 && this.endOffset > offset) this.#slabs[this.#slot(--this.#count)] = undefined
  }

  /** Forgets batches wholly below `offset`: in the log there is less of them now. */
  startAt(offset: number): void {
    while (this.#count > 0 && (this.#nextOffsets[this.#first] as number) <= offset) {
      this.#slabs[this.#first] = undefined
      this.#first = this.#slot(1)
      this.#count--
    }
    if (this.#count === 0) this.clear()
  }

  clear(): void {
    for (const slab of this.#slabs) slab?.tails.delete(this)
    this.#first = this.#count = this.#capacity = 0
    this.#baseOffsets = this.#nextOffsets = NO_FLOAT64S
    this.#starts = this.#ends = this.#runs = NO_UINT32S
    this.#slabs = []
  }

  /** The arena takes a slab back; it is the oldest, so its batches are the first ones. */
  drop(slab: Slab): void {
    let last = this.#count - 1
    while (last >= 0 && this.#slabs[this.#slot(last)] !== slab) last--
    for (let n = 0; n <= last; n++) this.#slabs[this.#slot(n)] = undefined
    this.#first = this.#slot(last + 1)
    this.#count -= last + 1
    if (this.#count === 0) this.clear()
  }

  #slot(n: number): number {
    return (this.#first + n) & (this.#capacity - 1)
  }

  /** The last batch of the run that batch n belongs to with an end and a next offset within the limits; n - 1: not even n. */
  #lastOfRun(n: number, maxEnd: number, maxOffset: number): number {
    const run = this.#runs[this.#slot(n)]
    let low = n - 1
    let high = this.#count - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      const slot = this.#slot(middle)
      const fits =
        this.#runs[slot] === run &&
        (this.#ends[slot] as number) <= maxEnd &&
        (this.#nextOffsets[slot] as number) <= maxOffset
      if (fits) low = middle
      else high = middle - 1
    }
    return low
  }

  /** The batch that holds the offset, or the first one behind it (offsets may be missing after compaction). */
  #find(offset: number): number {
    let low = 0
    let high = this.#count - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#nextOffsets[this.#slot(middle)] as number) <= offset) low = middle + 1
      else high = middle
    }
    return low
  }

  #grow(): void {
    const capacity = Math.max(SMALLEST_RING, this.#capacity * 2)
    const baseOffsets = new Float64Array(capacity)
    const nextOffsets = new Float64Array(capacity)
    const starts = new Uint32Array(capacity)
    const ends = new Uint32Array(capacity)
    const runs = new Uint32Array(capacity)
    const slabs: (Slab | undefined)[] = Array.from({ length: capacity })
    for (let n = 0; n < this.#count; n++) {
      const slot = this.#slot(n)
      baseOffsets[n] = this.#baseOffsets[slot] as number
      nextOffsets[n] = this.#nextOffsets[slot] as number
      starts[n] = this.#starts[slot] as number
      ends[n] = this.#ends[slot] as number
      runs[n] = this.#runs[slot] as number
      slabs[n] = this.#slabs[slot]
    }
    this.#capacity = capacity
    this.#first = 0
    this.#baseOffsets = baseOffsets
    this.#nextOffsets = nextOffsets
    this.#starts = starts
    this.#ends = ends
    this.#runs = runs
    this.#slabs = slabs
  }
}
