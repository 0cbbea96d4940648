// The buffers that writers write into, kept between messages, by size.

/** Node's own writing methods, missing in its type definitions. */
interface Writes {
  latin1Write(text: string, at: number, size: number): number
  utf8Write(text: string, at: number, size: number): number
}
type WritableBuffer = Buffer & Writes

/** A pooled buffer with a DataView on the same bytes: its setters are the fastest way to write a number. */
export interface Slab {
  readonly bytes: WritableBuffer
  readonly view: DataView
}

export const SMALLEST = 4096
const CLASSES = 9
/** Kept per size class: 32 of 4 KiB, fewer of the larger ones, some 3 MiB in all. */
const KEPT = [32, 32, 16, 8, 8, 4, 2, 1, 1]
const free: Slab[][] = KEPT.map(() => [])

/** At least `size` bytes; sizes are powers of two from 4 KiB, those up to 1 MiB come from the pool. */
export function takeSlab(size: number): Slab {
  const index = size <= SMALLEST ? 0 : 20 - Math.clz32(size - 1)
  return free[index]?.pop() ?? newSlab(index < CLASSES ? SMALLEST << index : size)
}

export function newSlab(size: number): Slab {
  const bytes = Buffer.allocUnsafeSlow(size) as WritableBuffer
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, size) }
}

export function giveBack(slab: Slab): void {
  const { length } = slab.bytes
  const index = 19 - Math.clz32(length)
  const list = free[index]
  if (list && length === SMALLEST << index && list.length < KEPT[index]!) list.push(slab)
}
