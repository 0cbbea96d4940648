/**
 * What one log has appended to the arena and not yet written: stretches of slabs in order, neighbours merged, so that one
 * vectored write takes it all. Each stretch holds a reference on its slab.
 */
import type { Arena, Slab, Slice } from './arena.ts'

interface Run {
  readonly slab: Slab
  readonly start: number
  end: number
}

export class WriteQueue {
  readonly #arena: Arena
  #runs: Run[] = []
  #byteLength = 0

  constructor(arena: Arena) {
    this.#arena = arena
  }

  get isEmpty(): boolean {
    return this.#runs.length === 0
  }

  get byteLength(): number {
    return this.#byteLength
  }

  /** Copies bytes into the arena. The copy may be patched until it is written. */
  add(bytes: Buffer): Slice {
    const slice = this.#arena.append(bytes)
    const last = this.#runs.at(-1)
    if (last !== undefined && last.slab === slice.slab && last.end === slice.start) {
      last.end = slice.end
      this.#arena.release(slice.slab)
    } else {
      this.#runs.push({ slab: slice.slab, start: slice.start, end: slice.end })
    }
    this.#byteLength += bytes.length
    return slice
  }

  parts(): Buffer[] {
    return this.#runs.map(({ slab, start, end }) => slab.buffer.subarray(start, end))
  }

  /** Everything was written, or never will be. */
  clear(): void {
    const runs = this.#runs
    if (runs.length === 0) return
    this.#runs = []
    this.#byteLength = 0
    for (const { slab } of runs) this.#arena.release(slab)
  }
}
