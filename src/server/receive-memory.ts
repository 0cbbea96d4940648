// Memory for requests that have not come whole, bounded. Large ones share three quarters of it, of which those that begin
// get no more than two, so that others can go on; those that find no room wait for it. What was read before a connection
// had to wait gets three sixteenths. Small requests get whatever is left, the last quarter at least.
import type { Timers } from '../runtime/index.ts'
import { BufferPool, lengthOf } from '../runtime/buffer-pool.ts'

/** A claimed size is believed up to here; a bigger frame's buffer grows as its bytes really come. */
export const FIRST_BUFFER_MAX = 2 << 20

export interface ReceiveLimits {
  /** queued.max.request.bytes */
  readonly maxBufferedBytes: number
}

/**
 * What a buffer is for: the first of a frame that will want more, all of a large frame, the next one of a frame that grows,
 * what was read before a connection had to wait, a small frame.
 */
export type Purpose = 'begin' | 'whole' | 'grow' | 'wait' | 'small'

const LARGE: Readonly<Record<Purpose, boolean>> = { begin: true, whole: true, grow: true, wait: false, small: false }
/** Of all memory, for large frames or for all else. */
const PART: Readonly<Record<Purpose, number>> = { begin: 0.5, whole: 0.625, grow: 0.75, wait: 0.1875, small: 1 }

export class ReceiveMemory {
  readonly pool = new BufferPool()
  readonly #timers: Timers
  readonly #limits: ReceiveLimits
  /** Who waits, in order of arrival; called once when there may be room. */
  readonly #waiting = new Set<() => void>()
  #isRelieving = false
  #largeBytes = 0
  /** Somebody began to wait, or there is nearly no room left. */
  onPressure: () => void = () => undefined

  constructor(timers: Timers, limits: ReceiveLimits) {
    this.#timers = timers
    this.#limits = limits
  }

  get limitBytes(): number {
    return this.#limits.maxBufferedBytes
  }

  get usedBytes(): number {
    return this.pool.usedBytes
  }

  get peakBytes(): number {
    return this.pool.peakBytes
  }

  /** Somebody waits. */
  get isShort(): boolean {
    return this.#waiting.size > 0
  }

  /** Much is held for connections that stopped, or for small requests. */
  get isFull(): boolean {
    return this.pool.outstandingBytes - this.#largeBytes > this.limitBytes / 8
  }

  /** A buffer of at least `size` bytes; null: there is no room now. */
  take(size: number, purpose: Purpose): Buffer | null {
    const limit = this.limitBytes
    const length = lengthOf(size)
    const isLarge = LARGE[purpose]
    const before = isLarge ? this.#largeBytes : this.pool.outstandingBytes - this.#largeBytes
    if (before + length > limit * PART[purpose] || this.pool.outstandingBytes + length > limit) return null
    if (this.pool.usedBytes + length > limit) this.pool.purge()
    const buffer = this.pool.take(size)
    if (isLarge) this.#largeBytes += length
    else if (this.isFull) this.onPressure()
    return buffer
  }

  /** Gives back a buffer that `take` returned for a large frame, or for anything else. */
  give(buffer: Buffer, isLarge: boolean): void {
    this.pool.give(buffer)
    if (isLarge) this.#largeBytes -= buffer.length
    if (this.#waiting.size > 0) this.#relieve()
  }

  /** Whether a frame of this size could be taken if there were no other. */
  canHold(size: number): boolean {
    let largest = lengthOf(Math.min(size, FIRST_BUFFER_MAX))
    if (largest > this.limitBytes * PART.begin) return false
    let before = 0
    while (largest < size) {
      before = largest
      largest = lengthOf(Math.min(size, largest * 2))
    }
    return before + largest <= this.limitBytes * PART.grow
  }

  whenRoom(goOn: () => void): void {
    this.#waiting.add(goOn)
    this.onPressure()
  }

  forget(goOn: () => void): void {
    this.#waiting.delete(goOn)
  }

  /** In a turn of its own, in which everybody may try again; who finds no room waits on. */
  #relieve(): void {
    if (this.#isRelieving) return
    this.#isRelieving = true
    this.#timers.defer(() => {
      this.#isRelieving = false
      const all = [...this.#waiting]
      this.#waiting.clear()
      for (const goOn of all) goOn()
    })
  }
}
