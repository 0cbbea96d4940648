/**
 * Buffers for reads from disk, used again once a response has left: power-of-two sizes, the idle ones bounded in bytes. A fresh
 * buffer per read costs more than the read.
 */
import type { Arena } from './arena.ts'

const SMALLEST = 4 * 1024
/** Larger reads are rare (single large batches) and get a buffer of their own. */
const LARGEST_KEPT = 4 * 1024 * 1024
const IDLE_BYTES = 16 * 1024 * 1024

export class ReadBuffers {
  readonly #idle = new Map<number, Buffer[]>()
  #idleBytes = 0

  get idleBytes(): number {
    return this.#idleBytes
  }

  /** A buffer of at least `size` bytes with any content. */
  take(size: number): Buffer {
    if (size > LARGEST_KEPT) return Buffer.allocUnsafeSlow(size)
    let capacity = SMALLEST
    while (capacity < size) capacity *= 2
    const buffer = this.#idle.get(capacity)?.pop()
    if (buffer === undefined) return Buffer.allocUnsafeSlow(capacity)
    this.#idleBytes -= capacity
    return buffer
  }

  /** Once per buffer, when nobody looks at it any more. */
  give(buffer: Buffer): void {
    if (buffer.length > LARGEST_KEPT || this.#idleBytes + buffer.length > IDLE_BYTES) return
    const idle = this.#idle.get(buffer.length)
    if (idle === undefined) this.#idle.set(buffer.length, [buffer])
    else idle.push(buffer)
    this.#idleBytes += buffer.length
  }
}

const pools = new WeakMap<Arena, ReadBuffers>()

/** All logs of one arena read through one pool. */
export function readBuffersOf(arena: Arena): ReadBuffers {
  let pool = pools.get(arena)
  if (pool === undefined) pools.set(arena, (pool = new ReadBuffers()))
  return pool
}
