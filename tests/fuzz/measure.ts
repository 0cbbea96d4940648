// The bounds that decoding must keep: time linear in the input, memory a constant times the input. A run that looks slow
// or large is measured again before it counts, since other programs and the collector take time too.

/** Milliseconds any call may take, compiling included, and microseconds for each byte. */
const BASE_MS = 25
const US_PER_BYTE = 2
/** Bytes allocated besides the input, and for each byte of it. The dearest is an element of one byte that decodes to an
 * object of many fields. */
const BASE_BYTES = 512 * 1024
const BYTES_PER_BYTE = 700

declare const gc: (() => void) | undefined

export interface Size {
  /** Bytes read, and bytes that the format allows the result to have besides (decompression). */
  readonly input: number
  readonly output?: number
}

/** Runs `work`, which must not change anything. @throws Error where a bound does not hold */
export function bounded<T>({ input, output = 0 }: Size, work: () => T, memory: boolean): T {
  const allowedMs = BASE_MS + ((input + output) * US_PER_BYTE) / 1000
  const { value, ms } = timed(work)
  if (ms > allowedMs) {
    const again = Math.min(...[1, 2, 3, 4].map(() => timed(work).ms))
    if (again > allowedMs) throw new Error(`${again.toFixed(1)} ms for ${input} bytes, ${allowedMs.toFixed(1)} allowed`)
  }
  if (memory) checkMemory(BASE_BYTES + input * BYTES_PER_BYTE + output * 4, input, work)
  return value
}

function timed<T>(work: () => T): { value: T; ms: number } {
  const start = performance.now()
  return { value: work(), ms: performance.now() - start }
}

function checkMemory(allowed: number, input: number, work: () => unknown): void {
  if (typeof gc !== 'function') throw new Error('run with --expose-gc')
  gc()
  const before = used()
  const kept = work()
  // Without a collection in between this is all that was allocated; with one, what is still held.
  const growth = used() - before
  if (growth > allowed)
    throw new Error(`${growth} bytes allocated for ${input} bytes, ${allowed} allowed (${typeof kept})`)
}

function used(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
