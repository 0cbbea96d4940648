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
    return this.#free.reduce((sum, list, index) => sum + (list.length << (index + MIN_SHIFT)), 0)
  }

  /** A buffer of at least `size` bytes with unspecified content. */
  take(size: number): Buffer {
    const index = classOf(size)
    const length = index > MAX_SHIFT - MIN_SHIFT ? size : 1 << (index + MIN_SHIFT)
    const buffer = this.#free[index]?.pop() ?? Buffer.allocUnsafeSlow(length)
    this.#outstanding++
    this.#outstandingBytes += length
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
  }
}

function classOf(size: number): number {
  return size <= 1 << MIN_SHIFT ? 0 : 32 - Math.clz32(size - 1) - MIN_SHIFT
}
