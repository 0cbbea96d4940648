// One budget for the memory that clients can make a broker take. Each pool has a share of it that is fixed at the start,
// counts what it has out, and is reported by name; what happens at its limit is the affair of who uses the pool.
import assert from 'node:assert'

/** What a pool has taken, as its owner counts it. */
export interface MemoryUse {
  readonly usedBytes: number
  /** The most it ever was. */
  readonly peakBytes: number
}

export interface MemoryPool extends MemoryUse {
  readonly name: string
  readonly limitBytes: number
}

/** Counts for an owner that has no count of its own. */
export class MemoryMeter implements MemoryUse {
  readonly limitBytes: number
  usedBytes = 0
  peakBytes = 0

  constructor(limitBytes = Infinity) {
    this.limitBytes = limitBytes
  }

  /** Negative: fewer. */
  add(bytes: number): void {
    this.usedBytes += bytes
    if (this.usedBytes > this.peakBytes) this.peakBytes = this.usedBytes
  }

  get freeBytes(): number {
    return Math.max(0, this.limitBytes - this.usedBytes)
  }
}

/** For what is only measured when somebody asks: the peak is the most that was seen then. */
export function measured(measure: () => number): MemoryUse {
  let peakBytes = 0
  const usedBytes = (): number => {
    const bytes = measure()
    peakBytes = Math.max(peakBytes, bytes)
    return bytes
  }
  return {
    get usedBytes() {
      return usedBytes()
    },
    get peakBytes() {
      usedBytes()
      return peakBytes
    },
  }
}

export class MemoryBudget {
  readonly totalBytes: number
  readonly #pools: { readonly name: string; readonly limitBytes: number; readonly use: MemoryUse }[] = []

  constructor(totalBytes: number) {
    this.totalBytes = totalBytes
  }

  /** Of all pools together; never above the total. */
  get limitBytes(): number {
    return this.#pools.reduce((sum, { limitBytes }) => sum + limitBytes, 0)
  }

  /** A pool that its owner counts. */
  reserve<U extends MemoryUse>(name: string, limitBytes: number, use: U): U {
    assert(!this.#pools.some(pool => pool.name === name), `two pools are called ${name}`)
    assert(this.limitBytes + limitBytes <= this.totalBytes, `the budget has no ${limitBytes} bytes left for ${name}`)
    this.#pools.push({ name, limitBytes, use })
    return use
  }

  /** Every pool as it is now. */
  pools(): MemoryPool[] {
    return this.#pools.map(({ name, limitBytes, use }) => {
      const { usedBytes } = use
      return { name, usedBytes, peakBytes: Math.max(usedBytes, use.peakBytes), limitBytes }
    })
  }
}
