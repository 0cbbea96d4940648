// Codec 3: the LZ4 frame format, own frame layer and block decoder; lz4-wasm-nodejs compresses single blocks, at
// levels other than the default lz4-high.ts does.
//
//   04 22 4d 18 | FLG | BD | contentSize uint64? | header checksum | (uint32 LE size, high bit = stored; block;
//   block checksum?)* | uint32 0 | content checksum?
//   FLG: bits 7-6 version 1, 5 independent blocks, 4 block checksums, 3 content size, 2 content checksum, 0 dictionary
//
// Like Kafka's reader (Lz4BlockInputStream.java) it stops behind the first frame; unlike it, it reads linked blocks
// and checks the content checksum. Written as the Java client does: independent blocks of 64 KB, no checksums.
import { RecordError } from './error.ts'
import { requireLazily } from './lazy.ts'
import { lz4CompressHigh } from './lz4-high.ts'
import { copyLiteral, copyWithin } from './snappy.ts'
import { xxh32 } from './xxh32.ts'

const MAGIC = 0x184d2204
const STORED = 0x8000_0000
const BLOCK_SIZE = 64 * 1024
const FLG = 0x60
const BD = 0x40
/** Blocks below this are stored: they would hardly shrink. */
const MIN_COMPRESSED = 16
const DEFAULT_LEVEL = 9

const corrupt = (why: string): RecordError => new RecordError('CORRUPT', `Invalid LZ4 data: ${why}`)
const tooLarge = (maxBytes: number): RecordError =>
  new RecordError('TOO_LARGE', `LZ4 data expands to more than ${maxBytes} bytes`)

type BlockCompressor = (bytes: Uint8Array) => Uint8Array
let blockCompressor: BlockCompressor | null | undefined

/** Null without WebAssembly: every block is then stored, which is a valid frame too. */
function loadCompressor(): BlockCompressor | null {
  if (!('WebAssembly' in globalThis)) return null
  return (requireLazily('lz4-wasm-nodejs') as { compress: BlockCompressor }).compress
}

/** The header of a frame; with `brokenChecksum` the checksum covers the magic number too, as old Kafka had it. */
function frameHeader(brokenChecksum: boolean): Buffer {
  const header = Buffer.alloc(7)
  header.writeUInt32LE(MAGIC)
  header[4] = FLG
  header[5] = BD
  header[6] = (xxh32(header, brokenChecksum ? 0 : 4, 6) >>> 8) & 255
  return header
}

/** One block, null if it is to be stored. */
function compressBlock(block: Buffer, level: number): Uint8Array | null {
  if (block.length < MIN_COMPRESSED) return null
  if (level !== DEFAULT_LEVEL) return lz4CompressHigh(block, level)
  if (blockCompressor === undefined) blockCompressor = loadCompressor()
  // The package puts the uncompressed size, 4 bytes, in front.
  return blockCompressor === null ? null : blockCompressor(block).subarray(4)
}

/** `level` 1 to 17, as Kafka understands it: the default, 9, is the fast compressor, all others are its slower relative. */
export function lz4Compress(bytes: Buffer, level = DEFAULT_LEVEL, brokenChecksum = false): Buffer {
  const parts: Uint8Array[] = [frameHeader(brokenChecksum)]
  for (let at = 0; at < bytes.length; at += BLOCK_SIZE) {
    const block = bytes.subarray(at, at + BLOCK_SIZE)
    const packed = compressBlock(block, level)
    const size = Buffer.alloc(4)
    if (packed !== null && packed.length < block.length) {
      size.writeUInt32LE(packed.length)
      parts.push(size, packed)
    } else {
      size.writeUInt32LE(block.length + STORED)
      parts.push(size, block)
    }
  }
  parts.push(Buffer.alloc(4))
  return Buffer.concat(parts)
}

interface Frame {
  readonly linked: boolean
  readonly blockChecksums: boolean
  readonly contentChecksum: boolean
  readonly contentSize: number | null
  readonly maxBlockSize: number
  readonly blocksAt: number
}

function readFrameHeader(bytes: Buffer, ignoreChecksum: boolean): Frame {
  if (bytes.length < 7) throw corrupt('no frame header')
  if (bytes.readUInt32LE(0) !== MAGIC) throw corrupt('no frame')
  const flags = bytes[4]!
  const descriptor = bytes[5]!
  if (flags >>> 6 !== 1 || (flags & 2) !== 0) throw corrupt('unknown version')
  if ((flags & 1) !== 0) throw corrupt('needs a dictionary')
  const sizeId = (descriptor >>> 4) & 7
  if (sizeId < 4 || (descriptor & 0x8f) !== 0) throw corrupt('unknown block size')
  const hasSize = (flags & 8) !== 0
  const checksumAt = hasSize ? 14 : 6
  if (bytes.length <= checksumAt) throw corrupt('cut off in the frame header')
  if (!ignoreChecksum && bytes[checksumAt] !== ((xxh32(bytes, 4, checksumAt) >>> 8) & 255)) {
    throw corrupt('wrong header checksum')
  }
  return {
    linked: (flags & 0x20) === 0,
    blockChecksums: (flags & 0x10) !== 0,
    contentChecksum: (flags & 4) !== 0,
    contentSize: hasSize ? bytes.readUInt32LE(10) * 0x1_0000_0000 + bytes.readUInt32LE(6) : null,
    maxBlockSize: 1 << (8 + 2 * sizeId),
    blocksAt: checksumAt + 1,
  }
}

/** Throws RecordError CORRUPT or TOO_LARGE. `ignoreChecksum`: of the header, for messages of magic 0. */
export function lz4Decompress(bytes: Buffer, maxBytes: number, ignoreChecksum = false): Buffer {
  const frame = readFrameHeader(bytes, ignoreChecksum)
  if (frame.contentSize !== null && frame.contentSize > maxBytes) throw tooLarge(maxBytes)
  // Grows as blocks come: what a block can become is known, what the frame will become is not.
  let target: Buffer = Buffer.allocUnsafe(Math.min(maxBytes, bytes.length * 4))
  let to = 0
  let at = frame.blocksAt
  for (;;) {
    if (bytes.length - at < 4) throw corrupt('cut off')
    const field = bytes.readUInt32LE(at)
    at += 4
    const size = field % STORED
    if (size === 0) break // with either value of the high bit, as in Kafka
    if (size > frame.maxBlockSize || size > bytes.length - at) throw corrupt(`block of ${size} bytes`)
    // A byte of a block gives 255 at most.
    const most = Math.min(frame.maxBlockSize, size * 255)
    const room = Math.min(to + most, maxBytes)
    if (room > target.length) target = grown(target, to, room, maxBytes)
    if (field >= STORED) {
      if (size > maxBytes - to) throw tooLarge(maxBytes)
      bytes.copy(target, to, at, at + size)
      to += size
    } else {
      const end = decodeBlock(bytes, at, at + size, target, to, frame.linked ? 0 : to, room)
      if (end < 0) throw room < to + most ? tooLarge(maxBytes) : corrupt('block too long')
      to = end
    }
    at += size
    if (frame.blockChecksums) {
      if (bytes.length - at < 4 || bytes.readUInt32LE(at) !== xxh32(bytes, at - size, at)) {
        throw corrupt('wrong block checksum')
      }
      at += 4
    }
  }
  const result = target.subarray(0, to)
  if (frame.contentSize !== null && frame.contentSize !== to) throw corrupt('not of the declared size')
  if (frame.contentChecksum && (bytes.length - at < 4 || bytes.readUInt32LE(at) !== xxh32(result))) {
    throw corrupt('wrong content checksum')
  }
  return to * 2 < target.length ? Buffer.from(result) : result // do not hold twice what is needed
}

function grown(target: Buffer, used: number, atLeast: number, atMost: number): Buffer {
  const larger = Buffer.allocUnsafe(Math.min(atMost, Math.max(atLeast, target.length * 2)))
  target.copy(larger, 0, 0, used)
  return larger
}

/**
 * Decodes the block in bytes [from, end) to target [to, stop), reaching back to `history` at most. Returns where the
 * output ends, or -1 when `stop` is too near. Every round consumes input, so it always ends.
 */
function decodeBlock(
  bytes: Buffer,
  from: number,
  end: number,
  target: Buffer,
  to: number,
  history: number,
  stop: number,
): number {
  let at = from
  let out = to
  for (;;) {
    if (at >= end) throw corrupt('block without an end')
    const token = bytes[at++]!
    let length = token >>> 4
    if (length === 15) {
      let byte
      do {
        if (at >= end) throw corrupt('cut off in a length')
        byte = bytes[at++]!
        length += byte
      } while (byte === 255)
    }
    if (length > end - at) throw corrupt('literals cut off')
    if (length > stop - out) return -1
    copyLiteral(bytes, at, target, out, length)
    at += length
    out += length
    if (at === end) return out // the last sequence has literals only
    if (end - at < 2) throw corrupt('cut off in a distance')
    const distance = bytes[at]! | (bytes[at + 1]! << 8)
    at += 2
    length = (token & 15) + 4
    if (length === 19) {
      let byte
      do {
        if (at >= end) throw corrupt('cut off in a length')
        byte = bytes[at++]!
        length += byte
      } while (byte === 255)
    }
    if (distance === 0 || distance > out - history) throw corrupt('match out of range')
    if (length > stop - out) return -1
    copyWithin(target, out, distance, length)
    out += length
  }
}
