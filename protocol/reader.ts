// Primitives off a received frame. One class, one shape, plain byte arithmetic: generated decoders (emit-decode.ts)
// call these methods and nothing else. Every read is checked against `end`; DecodeError is all that is ever thrown.
import { ZERO_UUID, type Records } from './schema.ts'

/** The bytes are not a message of the expected kind and version, or exceed a limit. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError'
}

/** Elements of all arrays of one message together, unless the caller sets another bound. */
export const DEFAULT_MAX_ELEMENTS = 1_000_000

const EMPTY = Buffer.alloc(0)
const TWO_32 = 4294967296

/** Node's own slicing methods, which take absolute positions and make no view; missing in its type definitions. */
interface Slices {
  utf8Slice(start: number, end: number): string
  base64urlSlice(start: number, end: number): string
}

/**
 * Strings read lately, by a hash of their bytes. Topic names and client ids come again and again: comparing costs less
 * than making the string anew, and whoever looks it up in a map finds its hash computed.
 */
const RECENT = 256
const LONGEST_KEPT = 64
const recent: string[] = Array.from({ length: RECENT }, () => '')

/** Whether these bytes are the text, one byte a character. */
function isAscii(bytes: Buffer, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false
  return true
}

export class Reader {
  readonly buffer: Buffer & Slices
  offset: number
  /** First byte past what may be read; a tagged field narrows it while it is read. */
  end: number
  /** Array elements that may still be read. */
  elements: number

  constructor(buffer: Uint8Array, start = 0, end = buffer.length, limits?: { readonly maxElements?: number }) {
    const bytes = Buffer.isBuffer(buffer) ? buffer : Buffer.from(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    this.buffer = bytes as Buffer & Slices
    this.offset = start
    this.end = Math.min(end, buffer.length)
    this.elements = limits?.maxElements ?? DEFAULT_MAX_ELEMENTS
  }

  get remaining(): number {
    return this.end - this.offset
  }

  fail(what: string): never {
    throw new DecodeError(`${what} at byte ${this.offset}`)
  }

  expectEnd(): void {
    if (this.offset !== this.end) this.fail(`${this.end - this.offset} bytes left over`)
  }

  /** Moves past `size` bytes and returns where they begin. */
  take(size: number): number {
    const at = this.offset
    if (size > this.end - at) this.fail(`${size} bytes needed, ${this.end - at} left`)
    this.offset = at + size
    return at
  }

  // Values of fixed size, each in two forms: the next one, and one at a place that `take` has checked (emitted code takes
  // neighbours together).

  boolAt(at: number): boolean {
    return this.buffer[at] !== 0
  }

  bool(): boolean {
    return this.boolAt(this.take(1))
  }

  int8At(at: number): number {
    return (this.buffer[at]! << 24) >> 24
  }

  int8(): number {
    return this.int8At(this.take(1))
  }

  int16At(at: number): number {
    const b = this.buffer
    return (((b[at]! << 8) | b[at + 1]!) << 16) >> 16
  }

  int16(): number {
    return this.int16At(this.take(2))
  }

  uint16At(at: number): number {
    const b = this.buffer
    return (b[at]! << 8) | b[at + 1]!
  }

  uint16(): number {
    return this.uint16At(this.take(2))
  }

  int32At(at: number): number {
    const b = this.buffer
    return (b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!
  }

  int32(): number {
    return this.int32At(this.take(4))
  }

  uint32At(at: number): number {
    return this.int32At(at) >>> 0
  }

  uint32(): number {
    return this.uint32At(this.take(4))
  }

  /** A number; values that a double cannot hold exactly are refused, save the two ends (2^63-1 becomes 2^63). */
  int64At(at: number): number {
    const high = this.int32At(at)
    const low = this.int32At(at + 4) >>> 0
    // -2^53 has a double of its own but is outside the safe range: -2^53-1 would round to it.
    if (high >= -0x200000 && high < 0x200000 && !(high === -0x200000 && low === 0)) return high * TWO_32 + low
    if (high === -0x80000000 && low === 0) return -(2 ** 63)
    if (high === 0x7fffffff && low === 0xffffffff) return 2 ** 63
    return this.fail('int64 outside the range that is held exactly')
  }

  int64(): number {
    return this.int64At(this.take(8))
  }

  /** Exact mode: a number within ±(2^53-1), a bigint outside. */
  int64ExactAt(at: number): number | bigint {
    const value = this.buffer.readBigInt64BE(at)
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : value
  }

  int64Exact(): number | bigint {
    return this.int64ExactAt(this.take(8))
  }

  float64At(at: number): number {
    return this.buffer.readDoubleBE(at)
  }

  float64(): number {
    return this.float64At(this.take(8))
  }

  uuidAt(at: number): string {
    const b = this.buffer
    // Absent ids are common (every version before topic ids), so they cost no string.
    for (let i = at; i < at + 16; i++) if (b[i] !== 0) return b.base64urlSlice(at, at + 16)
    return ZERO_UUID
  }

  uuid(): string {
    return this.uuidAt(this.take(16))
  }

  /** Unsigned varint of at most 32 bits (five bytes). */
  uvarint(): number {
    const b = this.buffer
    let at = this.offset
    if (at < this.end) {
      const first = b[at]!
      if (first < 0x80) {
        this.offset = at + 1
        return first
      }
    }
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      if (at >= this.end) this.fail('varint cut off')
      const byte = b[at++]!
      if (shift === 28 && byte > 0x0f) this.fail('varint too long')
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.offset = at
        return value >>> 0
      }
    }
    return this.fail('varint too long')
  }

  // Lengths. -1 stands for null; in compact form the length is stored plus one, 0 for null.

  #length16(): number {
    const size = this.int16()
    if (size < -1) this.fail(`negative length ${size}`)
    return size
  }

  #length32(): number {
    const size = this.int32()
    if (size < -1) this.fail(`negative length ${size}`)
    return size
  }

  #text(size: number): string {
    if (size === 0) return ''
    const at = this.take(size)
    const b = this.buffer
    if (size > LONGEST_KEPT) return b.utf8Slice(at, at + size)
    const slot = (b[at]! + b[at + (size >> 1)]! * 5 + b[at + size - 1]! * 31 + size * 7) & (RECENT - 1)
    const known = recent[slot]!
    if (known.length === size && isAscii(b, at, known)) return known
    const text = b.utf8Slice(at, at + size)
    if (text.length === size) recent[slot] = text
    return text
  }

  string(): string {
    const size = this.#length16()
    return size < 0 ? this.fail('null where a string is required') : this.#text(size)
  }

  nullableString(): string | null {
    const size = this.#length16()
    return size < 0 ? null : this.#text(size)
  }

  // Kafka bounds a compact string as it does the other form: a length that int16 cannot hold is refused.

  #compactText(size: number): string {
    return size > 0x7fff ? this.fail(`string of ${size} bytes`) : this.#text(size)
  }

  compactString(): string {
    const size = this.uvarint() - 1
    return size < 0 ? this.fail('null where a string is required') : this.#compactText(size)
  }

  compactNullableString(): string | null {
    const size = this.uvarint() - 1
    return size < 0 ? null : this.#compactText(size)
  }

  #copy(size: number): Buffer {
    if (size === 0) return EMPTY
    const at = this.take(size)
    const copy = Buffer.allocUnsafe(size)
    this.buffer.copy(copy, 0, at, at + size)
    return copy
  }

  bytes(): Buffer {
    const size = this.#length32()
    return size < 0 ? this.fail('null where bytes are required') : this.#copy(size)
  }

  nullableBytes(): Buffer | null {
    const size = this.#length32()
    return size < 0 ? null : this.#copy(size)
  }

  compactBytes(): Buffer {
    const size = this.uvarint() - 1
    return size < 0 ? this.fail('null where bytes are required') : this.#copy(size)
  }

  compactNullableBytes(): Buffer | null {
    const size = this.uvarint() - 1
    return size < 0 ? null : this.#copy(size)
  }

  #view(size: number): Records {
    const at = this.take(size)
    return { byteLength: size, parts: [this.buffer.subarray(at, at + size)] }
  }

  records(): Records {
    const size = this.#length32()
    return size < 0 ? this.fail('null where records are required') : this.#view(size)
  }

  nullableRecords(): Records | null {
    const size = this.#length32()
    return size < 0 ? null : this.#view(size)
  }

  compactRecords(): Records {
    const size = this.uvarint() - 1
    return size < 0 ? this.fail('null where records are required') : this.#view(size)
  }

  compactNullableRecords(): Records | null {
    const size = this.uvarint() - 1
    return size < 0 ? null : this.#view(size)
  }

  /** An array's count, checked against the bytes left (an element takes at least `minimum`) and the budget. */
  #count(count: number, minimum: number): number {
    if (count * minimum > this.end - this.offset) this.fail(`array of ${count} elements in ${this.remaining} bytes`)
    this.elements -= count
    if (this.elements < 0) this.fail('more array elements than allowed')
    return count
  }

  count(minimum: number): number {
    const count = this.#length32()
    return count < 0 ? this.fail('null where an array is required') : this.#count(count, minimum)
  }

  nullableCount(minimum: number): number {
    const count = this.#length32()
    return count < 0 ? -1 : this.#count(count, minimum)
  }

  compactCount(minimum: number): number {
    const count = this.uvarint() - 1
    return count < 0 ? this.fail('null where an array is required') : this.#count(count, minimum)
  }

  compactNullableCount(minimum: number): number {
    const count = this.uvarint() - 1
    return count < 0 ? -1 : this.#count(count, minimum)
  }

  // Tagged fields (KIP-482): a count, then number, size and content of each, numbers rising.

  /** The next tag's number; it must be above the previous one (-1 at first). */
  nextTag(previous: number): number {
    const tag = this.uvarint()
    if (tag <= previous) this.fail(`tag ${tag} after ${previous}`)
    return tag
  }

  /** A tag's size: narrows `end` to the content; returns the outer end for leaveTag. */
  enterTag(): number {
    const size = this.uvarint()
    const outer = this.end
    if (size > outer - this.offset) this.fail(`tagged field of ${size} bytes, ${this.remaining} left`)
    this.end = this.offset + size
    return outer
  }

  leaveTag(outer: number): void {
    this.expectEnd()
    this.end = outer
  }

  skipTag(): void {
    this.take(this.uvarint())
  }

  /** Tagged section of a struct that defines no tags. */
  skipTags(): void {
    const count = this.uvarint()
    if (count > 0) this.#skipTags(count)
  }

  #skipTags(count: number): void {
    let previous = -1
    for (let left = count; left > 0; left--) {
      previous = this.nextTag(previous)
      this.skipTag()
    }
  }
}
