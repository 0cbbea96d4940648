/**
 * Buffers for reads from disk, used again once a response has left: power-of-two sizes, the idle ones bounded in bytes. A fresh
 * buffer per read costs more than the read. What is handed out counts against one budget for all logs, since a client
 * that asks and does not read would otherwise keep as much memory as it likes.
 */
import type { Arena } from './arena.ts'

const SMALLEST = 4 * 1024
/** Larger reads are rare (single large batches) and get a buffer of their own. */
const LARGEST_KEPT = 4 * 1024 * 1024
const IDLE_BYTES = 16 * 1024 * 1024

export class ReadBuffers {
  readonly #maxHeldBytes: number
  readonly #idle = new Map<number, Buffer[]>()
  #idleBytes = 0
  #heldBytes = 0
  #peakBytes = 0

  /** @param maxHeldBytes the budget; take() does not enforce it, readers ask first */
  constructor(maxHeldBytes: number) {
    this.#maxHeldBytes = maxHeldBytes
  }

  get idleBytes(): number {
    return this.#idleBytes
  }

  /** Bytes of all buffers that were taken and not yet given back. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  /** All memory of the buffers, idle ones included. */
  get usedBytes(): number {
    return this.#heldBytes + this.#idleBytes
  }

  get peakBytes(): number {
    return this.#peakBytes
  }

  /** What a read of many batches may still take: a quarter of the budget stays for readers that only want to get on. */
  get room(): number {
    return Math.max(0, this.#maxHeldBytes * 0.75 - this.#heldBytes)
  }

  /** Whether not even one batch should be read now. */
  get isExhausted(): boolean {
    return this.#heldBytes >= this.#maxHeldBytes
  }

  /** A buffer of at least `size` bytes with any content. */
  take(size: number): Buffer {
    const buffer = size > LARGEST_KEPT ? Buffer.allocUnsafeSlow(size) : this.#takeKept(size)
    this.#heldBytes += buffer.length
    if (this.usedBytes > this.#peakBytes) this.#peakBytes = this.usedBytes
    return buffer
  }

  /** For a buffer whose first `size` bytes alone are wanted: the same, or a copy where that saves half of the memory. */
  fit(buffer: Buffer, size: number): Buffer {
    if (buffer.length <= SMALLEST || size * 2 > buffer.length) return buffer
    const smaller = this.take(size)
    buffer.copy(smaller, 0, 0, size)
    this.give(buffer)
    return smaller
  }

  /** Once per buffer, when nobody looks at it any more. */
  give(buffer: Buffer): void {
    this.#heldBytes -= buffer.length
    if (buffer.length > LARGEST_KEPT || this.#idleBytes + buffer.length > IDLE_BYTES) return
    const idle = this.#idle.get(buffer.length)
    if (idle === undefined) this.#idle.set(buffer.length, [buffer])
    else idle.push(buffer)
    this.#idleBytes += buffer.length
  }

  #takeKept(size: number): Buffer {
    let capacity = SMALLEST
    while (capacity < size) capacity *= 2
    const buffer = this.#idle.get(capacity)?.pop()
    if (buffer === undefined) {
      // What lies idle in other sizes must not come on top.
      if (this.usedBytes + capacity > this.#maxHeldBytes) this.#forgetIdle()
      return Buffer.allocUnsafeSlow(capacity)
    }
    this.#idleBytes -= capacity
    return buffer
  }

  #forgetIdle(): void {
    this.#idle.clear()
    this.#idleBytes = 0
  }
}

const pools = new WeakMap<Arena, ReadBuffers>()

/** All logs of one arena read through one pool. */
export function readBuffersOf(arena: Arena): ReadBuffers {
  let pool = pools.get(arena)
  if (pool === undefined) pools.set(arena, (pool = new ReadBuffers(arena.readBytes)))
  return pool
}
