/**
 * Memory of the hot tail: slabs into which appended batches are copied once, from which they are written to disk and served
 * to fetches. A slab counts references: one while it belongs to the tail, one per write that waits, one per response that
 * sends from it; at zero its memory is used again. The tail of all logs together is bounded: the oldest slab leaves it first.
 */
import assert from 'node:assert'
import { Tail } from './tail.ts'

export interface ArenaOptions {
  /** Size of one slab. */
  readonly slabBytes?: number
  /** Most bytes of slabs that belong to the tail, over all logs. */
  readonly tailBytes?: number
  /**
   * Most bytes that responses may keep alive beyond the tail before tails answer no more reads; what they were answered
   * until then can add all of the tail to it.
   */
  readonly pinnedBytes?: number
  /** Most unused slabs kept for later. */
  readonly freeSlabs?: number
  /** Budget for what is read from files and has not left yet (read-buffers.ts). */
  readonly readBytes?: number
  /** Runs a task when the answers of this turn have left; without it nothing is read ahead (read-ahead.ts). */
  readonly later?: (task: () => void) => void
}

/** A stretch of memory shared by batches of several logs. Only arena.ts writes its fields. */
export interface Slab {
  readonly buffer: Buffer
  /** Bytes handed out. */
  used: number
  references: number
  /** Whether it still belongs to the tail. */
  hot: boolean
  /** Tails that have batches in it. */
  readonly tails: Set<Tail>
}

/** Where bytes lie. Valid while the slab is referenced. */
export interface Slice {
  readonly slab: Slab
  readonly start: number
  readonly end: number
}

export class Arena {
  readonly readBytes: number
  readonly later: ArenaOptions['later']
  readonly #slabBytes: number
  readonly #tailBytes: number
  readonly #pinnedLimit: number
  readonly #freeLimit: number
  /** Oldest first; the last one of slabBytes is being filled. */
  readonly #hot: Slab[] = []
  readonly #free: Buffer[] = []
  #current: Slab | null = null
  #hotBytes = 0
  #pinnedBytes = 0
  #peakBytes = 0

  constructor(options: ArenaOptions = {}) {
    this.#slabBytes = options.slabBytes ?? 4 * 1024 * 1024
    this.#tailBytes = options.tailBytes ?? 32 * 1024 * 1024
    this.#pinnedLimit = options.pinnedBytes ?? 64 * 1024 * 1024
    this.#freeLimit = options.freeSlabs ?? 2
    this.readBytes = options.readBytes ?? 128 * 1024 * 1024
    this.later = options.later
  }

  /** Bytes of the slabs that belong to the tail. */
  get hotBytes(): number {
    return this.#hotBytes
  }

  /** Bytes of slabs that left the tail but that a slow write or response still needs. */
  get pinnedBytes(): number {
    return this.#pinnedBytes
  }

  get freeBytes(): number {
    return this.#free.length * this.#slabBytes
  }

  /** All memory of slabs. */
  get usedBytes(): number {
    return this.#hotBytes + this.#pinnedBytes + this.freeBytes
  }

  get peakBytes(): number {
    return this.#peakBytes
  }

  /** Whether so much is pinned that reads should go to the disk instead of pinning more. */
  get isCrowded(): boolean {
    return this.#pinnedBytes >= this.#pinnedLimit
  }

  /**
   * Copies bytes in. The slice holds one reference for the caller, to be given back with release(slice.slab) once written;
   * the caller may change the copy until then.
   */
  append(bytes: Uint8Array): Slice {
    const slice = this.reserve(bytes.byteLength)
    slice.slab.buffer.set(bytes, slice.start)
    return slice
  }

  /** As append, but the caller fills the bytes. */
  reserve(size: number): Slice {
    let slab = this.#current
    if (size > this.#slabBytes) {
      slab = this.#add(Buffer.allocUnsafeSlow(size))
    } else if (slab === null || !slab.hot || slab.used + size > slab.buffer.byteLength) {
      slab = this.#current = this.#add(this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#slabBytes))
    }
    const start = slab.used
    slab.used += size
    slab.references++
    return { slab, start, end: slab.used }
  }

  retain(slab: Slab): void {
    if (slab.references <= 0) assert.fail('a slab without references is retained')
    slab.references++
  }

  release(slab: Slab): void {
    if (slab.references <= 0) assert.fail('a slab is released once too often')
    if (--slab.references > 0) return
    // The tail's own reference went first, so the slab was pinned.
    this.#pinnedBytes -= slab.buffer.byteLength
    this.#recycle(slab)
  }

  /** The tail of one log. */
  tail(): Tail {
    return new Tail(this)
  }

  /** Lets go of everything the tail holds: for a broker that closes. */
  clear(): void {
    while (this.#hot.length > 0) this.#retire()
    this.#free.length = 0
    this.#current = null
  }

  #add(buffer: Buffer): Slab {
    const { byteLength } = buffer
    // A batch larger than the whole tail is in memory for no longer than until it is written.
    const hot = byteLength <= Math.max(this.#tailBytes, this.#slabBytes)
    const slab: Slab = { buffer, used: 0, references: hot ? 1 : 0, hot, tails: new Set() }
    if (hot) {
      while (this.#hot.length > 0 && this.#hotBytes + byteLength > this.#tailBytes) this.#retire()
      this.#hot.push(slab)
      this.#hotBytes += byteLength
    } else {
      this.#pinnedBytes += byteLength
    }
    this.#peakBytes = Math.max(this.#peakBytes, this.usedBytes)
    return slab
  }

  /** The oldest slab leaves the tail. */
  #retire(): void {
    const slab = this.#hot.shift()
    if (slab === undefined) return
    slab.hot = false
    for (const tail of slab.tails) tail.drop(slab)
    slab.tails.clear()
    this.#hotBytes -= slab.buffer.byteLength
    this.#pinnedBytes += slab.buffer.byteLength
    this.release(slab)
  }

  #recycle(slab: Slab): void {
    if (slab.buffer.byteLength === this.#slabBytes && this.#free.length < this.#freeLimit) this.#free.push(slab.buffer)
  }
}
