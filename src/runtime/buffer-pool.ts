// Buffers in power-of-two classes that are used again and again: reading into fresh memory costs four times as much CPU
// as reading into memory the process already touched. What is kept for reuse is bounded per class.

const MIN_SHIFT = 12
/** Bigger buffers are allocated to measure and never kept: one frame of 100 MiB must not stay for ever. */
const MAX_SHIFT = 22
const MAX_KEPT_PER_CLASS = 64

export class BufferPool {
  readonly #free: Buffer[][] = Array.from({ length: MAX_SHIFT - MIN_SHIFT + 1 }, () => [])
  readonly #keptBytesPerClass: number
  #outstanding = 0
  #outstandingBytes = 0
  #keptBytes = 0
  #peakBytes = 0

  constructor(keptBytesPerClass = 4 << 20) {
    this.#keptBytesPerClass = keptBytesPerClass
  }

  /** Buffers taken and not given back; a test can prove that none leaks. */
  get outstanding(): number {
    return this.#outstanding
  }

  /** Bytes of the buffers that are taken. */
  get outstandingBytes(): number {
    return this.#outstandingBytes
  }

  /** Bytes kept for reuse. */
  get keptBytes(): number {
    return this.#keptBytes
  }

  /** All memory of the pool: taken or kept. */
  get usedBytes(): number {
    return this.#outstandingBytes + this.#keptBytes
  }

  get peakBytes(): number {
    return this.#peakBytes
  }

  /** A buffer of at least `size` bytes with unspecified content. */
  take(size: number): Buffer {
    const length = lengthOf(size)
    let buffer = this.#free[classOf(size)]?.pop()
    if (buffer) this.#keptBytes -= length
    else buffer = Buffer.allocUnsafeSlow(length)
    this.#outstanding++
    this.#outstandingBytes += length
    if (this.usedBytes > this.#peakBytes) this.#peakBytes = this.usedBytes
    return buffer
  }

  /** Gives a buffer back that `take` returned, once; nobody may touch it afterwards. */
  give(buffer: Buffer): void {
    this.#outstanding--
    this.#outstandingBytes -= buffer.length
    const index = classOf(buffer.length)
    const list = this.#free[index]
    if (!list || list.length >= MAX_KEPT_PER_CLASS || (list.length + 1) * buffer.length > this.#keptBytesPerClass)
      return
    list.push(buffer)
    this.#keptBytes += buffer.length
  }

  /** Keeps nothing of what was given back. */
  purge(): void {
    for (const list of this.#free) list.length = 0
    this.#keptBytes = 0
  }
}

/** How many bytes a buffer for `size` takes. */
export function lengthOf(size: number): number {
  const index = classOf(size)
  return index > MAX_SHIFT - MIN_SHIFT ? size : 1 << (index + MIN_SHIFT)
}

function classOf(size: number): number {
  return size <= 1 << MIN_SHIFT ? 0 : 32 - Math.clz32(size - 1) - MIN_SHIFT
}
