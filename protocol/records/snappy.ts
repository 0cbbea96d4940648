// Codec 2: snappy. Java and kafka-go wrap blocks in xerial's framing, librdkafka, sarama and others send one raw block:
// both are read, the framing is written. snappyjs only compresses: on bad input its decoder reads on for ever.
//
// xerial: 82 'SNAPPY' 00, int32 version 1, int32 lowest compatible version 1, then (int32 length, raw block)*;
// the 16 header bytes may come again in the middle (two streams one behind the other). Clients write the versions in
// either byte order; they are not looked at.
// raw block: uvarint length, then elements: low two bits of the first byte 0 literal, 1 to 3 copies.
import { RecordError } from './error.ts'
import { requireLazily } from './lazy.ts'

const HEADER = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])
const MAGIC = HEADER.subarray(0, 8)
/** The first four bytes of the header as a block length: no length, since it is negative. */
const MAGIC_HEAD = HEADER.readInt32BE(0)
/** Most input of one xerial block, as the Java client has it. */
const BLOCK_SIZE = 32 * 1024

const corrupt = (why: string): RecordError => new RecordError('CORRUPT', `Invalid snappy data: ${why}`)
const tooLarge = (maxBytes: number): RecordError =>
  new RecordError('TOO_LARGE', `snappy data expands to more than ${maxBytes} bytes`)

let compressBlock: ((bytes: Buffer) => Buffer) | null = null

/** Xerial-framed, in blocks of 32 KiB. */
export function snappyCompress(bytes: Buffer): Buffer {
  compressBlock ??= (requireLazily('snappyjs') as { compress: (bytes: Buffer) => Buffer }).compress
  const parts: Buffer[] = [HEADER]
  for (let at = 0; at < bytes.length; at += BLOCK_SIZE) {
    const block = compressBlock(bytes.subarray(at, at + BLOCK_SIZE))
    const length = Buffer.alloc(4)
    length.writeInt32BE(block.length)
    parts.push(length, block)
  }
  return Buffer.concat(parts)
}

/** Reads both framings. Throws RecordError CORRUPT or TOO_LARGE. */
export function snappyDecompress(bytes: Buffer, maxBytes: number): Buffer {
  return isXerialHeader(bytes, 0) ? readXerial(bytes, maxBytes) : readRaw(bytes, maxBytes)
}

function isXerialHeader(bytes: Buffer, at: number): boolean {
  return bytes.length - at >= HEADER.length && bytes.compare(MAGIC, 0, 8, at, at + 8) === 0
}

function readXerial(bytes: Buffer, maxBytes: number): Buffer {
  // First pass: the blocks and what they declare, so that the result is allocated once and within the limit.
  let total = 0
  forEachBlock(bytes, (from, end) => {
    total += uncompressedLength(bytes, from, end).length
    if (total > maxBytes) throw tooLarge(maxBytes)
  })
  const target = Buffer.allocUnsafe(total)
  let at = 0
  forEachBlock(bytes, (from, end) => {
    const { length, next } = uncompressedLength(bytes, from, end)
    decodeElements(bytes, next, end, target, at, at + length)
    at += length
  })
  return target
}

/** Less than a length field at the end is ignored, as snappy-java does. */
function forEachBlock(bytes: Buffer, visit: (from: number, end: number) => void): void {
  let at = HEADER.length
  while (bytes.length - at >= 4) {
    const length = bytes.readInt32BE(at)
    if (length === MAGIC_HEAD && isXerialHeader(bytes, at)) {
      at += HEADER.length
      continue
    }
    at += 4
    if (length <= 0 || length > bytes.length - at) throw corrupt(`block of ${length} bytes`)
    visit(at, at + length)
    at += length
  }
}

function readRaw(bytes: Buffer, maxBytes: number): Buffer {
  const { length, next } = uncompressedLength(bytes, 0, bytes.length)
  if (length > maxBytes) throw tooLarge(maxBytes)
  const target = Buffer.allocUnsafe(length)
  decodeElements(bytes, next, bytes.length, target, 0, length)
  return target
}

/** The uvarint in front of a raw block, refused when the bytes behind it cannot make that much. */
function uncompressedLength(bytes: Buffer, from: number, end: number): { length: number; next: number } {
  let length = 0
  for (let i = 0; i < 5 && from + i < end; i++) {
    const byte = bytes[from + i]!
    length += (byte & 127) * 2 ** (7 * i)
    if (byte < 128) {
      const next = from + i + 1
      // The best that an element does is a copy of 64 bytes in 3 bytes: not even 22 to 1.
      if (length > (end - next) * 22) throw corrupt(`${length} bytes declared, ${end - next} there`)
      return { length, next }
    }
  }
  throw corrupt('no length')
}

/** Decodes bytes [from, end) into exactly target [start, stop). Every step consumes input, so it always ends. */
function decodeElements(bytes: Buffer, from: number, end: number, target: Buffer, start: number, stop: number): void {
  let at = from
  let to = start
  while (at < end) {
    const tag = bytes[at++]!
    let length
    let distance
    if ((tag & 3) === 0) {
      length = (tag >>> 2) + 1
      if (length > 60) {
        const extra = length - 60
        if (extra > end - at) throw corrupt('cut off in a literal length')
        length = bytes.readUIntLE(at, extra) + 1
        at += extra
      }
      if (length > end - at || length > stop - to) throw corrupt('literal too long')
      copyLiteral(bytes, at, target, to, length)
      at += length
      to += length
      continue
    }
    if ((tag & 3) === 1) {
      if (end - at < 1) throw corrupt('cut off in a copy')
      length = ((tag >>> 2) & 7) + 4
      distance = ((tag >>> 5) << 8) | bytes[at++]!
    } else {
      const width = (tag & 3) === 2 ? 2 : 4
      if (end - at < width) throw corrupt('cut off in a copy')
      length = (tag >>> 2) + 1
      distance = bytes.readUIntLE(at, width)
      at += width
    }
    if (distance === 0 || distance > to - start || length > stop - to) throw corrupt('copy out of range')
    copyWithin(target, to, distance, length)
    to += length
  }
  if (to !== stop) throw corrupt('shorter than declared')
}

/** A loop for the short ones: a native copy costs more than a few bytes do. */
export function copyLiteral(bytes: Uint8Array, from: number, target: Buffer, to: number, length: number): void {
  if (length > 64) target.set(bytes.subarray(from, from + length), to)
  else for (let i = 0; i < length; i++) target[to + i] = bytes[from + i]!
}

/** Copies from `distance` back; source and target may overlap, then the bytes repeat. */
export function copyWithin(target: Buffer, to: number, distance: number, length: number): void {
  if (distance >= length && length > 64) target.copyWithin(to, to - distance, to - distance + length)
  else for (let i = to, stop = to + length; i < stop; i++) target[i] = target[i - distance]!
}
