// Primitives into a growing pooled buffer. Record bytes of more than a KiB are kept by reference and spliced in when
// the chunks are taken. Generated encoders (emit-encode.ts) call these methods and nothing else.
import { ZERO_UUID, type Records } from './schema.ts'
import { giveBack, newSlab, SMALLEST, takeSlab, type Slab } from './slabs.ts'

/** The value cannot be written: out of a type's range, null or set where the version does not allow it. */
export class EncodeError extends Error {
  override readonly name = 'EncodeError'
}

/** Bytes ready to be sent, in order. `release` must be called once, when they have left or never will. */
export interface Encoded {
  readonly chunks: Buffer[]
  readonly byteLength: number
  readonly release: () => void
}

/** Characters of a string that is written in place; its length takes one byte as a varint. */
const SHORT = 48

/** Records up to this size are copied: a chunk of their own costs more. */
const COPY_LIMIT = 1024

export class Writer {
  #slab = takeSlab(SMALLEST)
  #buffer = this.#slab.bytes
  #view = this.#slab.view
  #at = 0
  /** Bytes kept by reference, each with the place in the buffer that they go before. */
  #splices: { readonly at: number; readonly records: Records }[] = []
  #spliced = 0

  /** Bytes written so far. */
  get byteLength(): number {
    return this.#at + this.#spliced
  }

  /** Room for `size` bytes at the returned place. */
  room(size: number): number {
    const at = this.#at
    if (size > this.#buffer.length - at) this.#grow(size)
    this.#at = at + size
    return at
  }

  #grow(size: number): void {
    const old = this.#slab
    this.#use(takeSlab(Math.max(old.bytes.length * 2, this.#at + size)))
    old.bytes.copy(this.#buffer, 0, 0, this.#at)
    giveBack(old)
  }

  #use(slab: Slab): void {
    this.#slab = slab
    this.#buffer = slab.bytes
    this.#view = slab.view
  }

  refuse(what: string): never {
    throw new EncodeError(what)
  }

  // Values of fixed size, each in two forms: behind what is written, and at a place that `room` gave (emitted code makes
  // room for neighbours together).

  boolAt(at: number, value: boolean): void {
    this.#buffer[at] = value ? 1 : 0
  }

  bool(value: boolean): void {
    this.boolAt(this.room(1), value)
  }

  int8At(at: number, value: number): void {
    if ((value << 24) >> 24 !== value) this.refuse(`not an int8: ${value}`)
    this.#buffer[at] = value
  }

  int8(value: number): void {
    this.int8At(this.room(1), value)
  }

  int16At(at: number, value: number): void {
    if ((value << 16) >> 16 !== value) this.refuse(`not an int16: ${value}`)
    this.#view.setInt16(at, value)
  }

  int16(value: number): void {
    this.int16At(this.room(2), value)
  }

  uint16At(at: number, value: number): void {
    if ((value & 0xffff) !== value) this.refuse(`not a uint16: ${value}`)
    this.#view.setInt16(at, value)
  }

  uint16(value: number): void {
    this.uint16At(this.room(2), value)
  }

  int32At(at: number, value: number): void {
    if ((value | 0) !== value) this.refuse(`not an int32: ${value}`)
    this.#view.setInt32(at, value)
  }

  int32(value: number): void {
    this.int32At(this.room(4), value)
  }

  uint32At(at: number, value: number): void {
    if (value >>> 0 !== value) this.refuse(`not a uint32: ${value}`)
    this.#view.setInt32(at, value)
  }

  uint32(value: number): void {
    this.uint32At(this.room(4), value)
  }

  int64At(at: number, value: number): void {
    const view = this.#view
    if ((value | 0) === value) {
      view.setInt32(at, value >> 31)
      view.setInt32(at + 4, value)
    } else if (Number.isSafeInteger(value)) {
      view.setInt32(at, Math.floor(value / 4294967296))
      view.setInt32(at + 4, value)
    } else this.#edge64(at, value)
  }

  /** The two ends, as doubles hold them. */
  #edge64(at: number, value: number): void {
    if (value === 2 ** 63) this.#view.setBigInt64(at, 2n ** 63n - 1n)
    else if (value === -(2 ** 63)) this.#view.setBigInt64(at, -(2n ** 63n))
    else this.refuse(`not an int64 held exactly: ${value}`)
  }

  int64(value: number): void {
    this.int64At(this.room(8), value)
  }

  /** Exact mode: takes bigint as well. */
  int64ExactAt(at: number, value: number | bigint): void {
    if (typeof value === 'number') return this.int64At(at, value)
    if (BigInt.asIntN(64, value) !== value) this.refuse(`not an int64: ${value}`)
    this.#view.setBigInt64(at, value)
  }

  int64Exact(value: number | bigint): void {
    this.int64ExactAt(this.room(8), value)
  }

  float64At(at: number, value: number): void {
    if (typeof value !== 'number') this.refuse('not a float64')
    this.#view.setFloat64(at, value)
  }

  float64(value: number): void {
    this.float64At(this.room(8), value)
  }

  uuidAt(at: number, value: string): void {
    if (value === ZERO_UUID) this.#buffer.fill(0, at, at + 16)
    else if (value?.length !== 22 || this.#buffer.write(value, at, 16, 'base64url') !== 16) {
      this.refuse(`not a uuid: ${value}`)
    }
  }

  uuid(value: string): void {
    this.uuidAt(this.room(16), value)
  }

  /** An empty section of tagged fields. */
  noTagsAt(at: number): void {
    this.#buffer[at] = 0
  }

  uvarint(value: number): void {
    if ((value & 0x7f) === value) {
      const at = this.room(1)
      this.#buffer[at] = value
      return
    }
    if (value >>> 0 !== value) this.refuse(`not an unsigned varint: ${value}`)
    let rest = value
    let at = this.room(varintSize(rest))
    const b = this.#buffer
    for (; rest > 0x7f; rest >>>= 7) b[at++] = (rest & 0x7f) | 0x80
    b[at] = rest
  }

  string(value: string | null): void {
    if (this.#short(value, 2)) return
    const size = this.#size(value)
    this.int16(size)
    this.#text(value!, size)
  }

  compactString(value: string | null): void {
    if (this.#short(value, 1)) return
    const size = this.#size(value)
    this.uvarint(size + 1)
    this.#text(value!, size)
  }

  /**
   * Most strings are short and ASCII: those are written here, with the length in `prefix` bytes, since calls into Node
   * cost more than the bytes. False: it is not one of them, and nothing is written.
   */
  #short(value: string | null, prefix: 1 | 2): boolean {
    if (typeof value !== 'string' || value.length > SHORT) return false
    const { length } = value
    const at = this.room(prefix + length)
    const buffer = this.#buffer
    if (prefix === 1) buffer[at] = length + 1
    else {
      buffer[at] = 0
      buffer[at + 1] = length
    }
    for (let i = 0, to = at + prefix; i < length; i++) {
      const unit = value.charCodeAt(i)
      if (unit > 0x7f) {
        this.#at = at
        return false
      }
      buffer[to + i] = unit
    }
    return true
  }

  #size(value: string | null): number {
    if (typeof value !== 'string') this.refuse(`not a string: ${value}`)
    const size = Buffer.byteLength(value)
    if (size > 0x7fff) this.refuse(`string of ${size} bytes`)
    return size
  }

  #text(value: string, size: number): void {
    const at = this.room(size)
    if (size === value.length) this.#buffer.latin1Write(value, at, size)
    else this.#buffer.utf8Write(value, at, size)
  }

  bytes(value: Uint8Array): void {
    this.int32(value.length)
    this.raw(value)
  }

  compactBytes(value: Uint8Array): void {
    this.uvarint(value.length + 1)
    this.raw(value)
  }

  /** Bytes as they are, copied. */
  raw(value: Uint8Array): void {
    const at = this.room(value.length)
    this.#buffer.set(value, at)
  }

  records(value: Records): void {
    this.int32(value.byteLength)
    this.#reference(value)
  }

  compactRecords(value: Records): void {
    this.uvarint(value.byteLength + 1)
    this.#reference(value)
  }

  #reference(value: Records): void {
    if (value.byteLength > COPY_LIMIT) {
      this.#splices.push({ at: this.#at, records: value })
      this.#spliced += value.byteLength
      return
    }
    for (const part of value.parts) this.raw(part)
    value.release?.()
  }

  // Nulls of the lengths' several forms.

  null16(): void {
    this.int16(-1)
  }

  null32(): void {
    this.int32(-1)
  }

  /** Opens a piece whose size, a varint, goes before it; returns the mark for `close`. Holds no records. */
  open(): number {
    return this.room(1)
  }

  close(mark: number): void {
    const size = this.#at - mark - 1
    const width = varintSize(size)
    if (width > 1) {
      const end = this.#at
      this.room(width - 1)
      this.#buffer.copyWithin(mark + width, mark + 1, end)
    }
    const end = this.#at
    this.#at = mark
    this.uvarint(size)
    this.#at = end
  }

  /** Opens a frame: four bytes for its size; returns the mark for `endFrame` or `rewind`. */
  beginFrame(): FrameMark {
    return { at: this.room(4), splices: this.#splices.length, spliced: this.#spliced }
  }

  endFrame(mark: FrameMark): void {
    this.int32At(mark.at, this.#at - mark.at - 4 + (this.#spliced - mark.spliced))
  }

  /** Forgets what was written since the mark, releasing its records. */
  rewind(mark: FrameMark): void {
    for (const splice of this.#splices.splice(mark.splices)) splice.records.release?.()
    this.#at = mark.at
    this.#spliced = mark.spliced
  }

  /** The bytes written, as chunks to be sent in order. The writer must not be used afterwards. */
  finish(): Encoded {
    const slab = this.#slab
    const buffer = slab.bytes
    const splices = this.#splices
    const chunks: Buffer[] = []
    let from = 0
    for (const { at, records } of splices) {
      if (at > from) chunks.push(buffer.subarray(from, at))
      for (const part of records.parts) chunks.push(part)
      from = at
    }
    if (this.#at > from || chunks.length === 0) chunks.push(buffer.subarray(from, this.#at))
    const byteLength = this.byteLength
    let released = false
    const release = (): void => {
      if (released) return
      released = true
      for (const { records } of splices) records.release?.()
      giveBack(slab)
    }
    this.#use(NOTHING)
    this.#at = 0
    this.#splices = []
    this.#spliced = 0
    return { chunks, byteLength, release }
  }

  /** The bytes written as one buffer of their own. The writer must not be used afterwards. */
  toBuffer(): Buffer {
    const encoded = this.finish()
    const { chunks, byteLength } = encoded
    const whole = Buffer.allocUnsafeSlow(byteLength)
    let at = 0
    for (const chunk of chunks) at += chunk.copy(whole, at)
    encoded.release()
    return whole
  }
}

export interface FrameMark {
  readonly at: number
  readonly splices: number
  readonly spliced: number
}

const NOTHING = newSlab(0)

function varintSize(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5
}
