// Codec 4: zstandard by @bokuweb/zstd-wasm, behind a parser of frames and blocks: what a frame can become is bounded
// before a byte of it is decoded, and the decoder gets a buffer of no more than that. The frame format is RFC 8878.
//
// WebAssembly memory never shrinks: after a large batch it stays as large as that batch was.
import { RecordError } from './error.ts'
import { requireLazily } from './lazy.ts'

const MAGIC = 0xfd2fb528
/** The low four bits are free. */
const SKIPPABLE = 0x184d2a50
const MAX_BLOCK = 128 * 1024
/** What a window may be: the limit of every decoder's default, and of Java's. */
const MAX_WINDOW = 2 ** 27
/** One frame's output and the decoder's own memory must fit into 2 GiB. */
const MAX_FRAME_OUTPUT = 512 * 1024 * 1024

interface Zstd {
  readonly init: () => Promise<void>
  readonly compress: (bytes: Uint8Array, level?: number) => Uint8Array
  readonly decompress: (bytes: Uint8Array, options: { defaultHeapSize: number }) => Uint8Array
}

let ready: Zstd | null = null
let loading: Promise<void> | null = null

/** Null once loaded. Rejects with RecordError UNSUPPORTED where WebAssembly is missing. */
export function zstdReady(): Promise<void> | null {
  if (ready !== null) return null
  loading ??= load()
  return loading
}

async function load(): Promise<void> {
  if (!('WebAssembly' in globalThis)) throw new RecordError('UNSUPPORTED', 'zstd needs WebAssembly')
  const zstd = requireLazily('@bokuweb/zstd-wasm') as Zstd
  await zstd.init()
  ready = zstd
}

function loaded(): Zstd {
  if (ready === null) throw new RecordError('UNSUPPORTED', 'zstd is not loaded: wait for codecReady first')
  return ready
}

const corrupt = (why: string, cause?: unknown): RecordError =>
  new RecordError('CORRUPT', `Invalid zstd data: ${why}`, { cause })
const tooLarge = (maxBytes: number): RecordError =>
  new RecordError('TOO_LARGE', `zstd data expands to more than ${maxBytes} bytes`)

/** One frame. `level` 1-22 or negative, 3 if left out. Throws UNSUPPORTED before codecReady. */
export function zstdCompress(bytes: Buffer, level = 3): Buffer {
  const packed = loaded().compress(bytes, level)
  return Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength)
}

/** All frames, one behind the other; none give nothing, as in zstd-jni. Throws RecordError CORRUPT, TOO_LARGE, or UNSUPPORTED before codecReady. */
export function zstdDecompress(bytes: Buffer, maxBytes: number): Buffer {
  const zstd = loaded()
  const frames: Frame[] = []
  let declared = 0
  for (let at = 0; at < bytes.length;) {
    const frame = readFrame(bytes, at)
    at = frame.end
    if (frame.maxOutput === 0) continue
    frames.push(frame)
    declared += frame.contentSize ?? 0
    if (declared > maxBytes) throw tooLarge(maxBytes)
  }
  const parts: Uint8Array[] = []
  let total = 0
  for (const frame of frames) {
    const part = decodeFrame(zstd, bytes, frame, maxBytes - total, maxBytes)
    total += part.length
    parts.push(part)
  }
  if (parts.length === 1) return Buffer.from(parts[0]!.buffer, parts[0]!.byteOffset, parts[0]!.byteLength)
  return Buffer.concat(parts)
}

function decodeFrame(zstd: Zstd, bytes: Buffer, frame: Frame, room: number, maxBytes: number): Uint8Array {
  const allowed = Math.min(room, MAX_FRAME_OUTPUT)
  if (frame.contentSize !== null && frame.contentSize > allowed) throw tooLarge(maxBytes)
  const heapSize = Math.min(allowed, frame.maxOutput)
  try {
    return zstd.decompress(bytes.subarray(frame.from, frame.end), { defaultHeapSize: heapSize })
  } catch (error) {
    // -70: the output did not fit. It always fits into maxOutput unless the frame lies.
    const full = error instanceof Error && error.message.endsWith('code -70')
    throw full && heapSize < frame.maxOutput ? tooLarge(maxBytes) : corrupt('the decoder refuses it', error)
  }
}

interface Frame {
  readonly from: number
  readonly end: number
  readonly contentSize: number | null
  /** The most that its blocks can become; 0 for a skippable frame. */
  readonly maxOutput: number
}

/** Finds the end of the frame at `at` from its block headers. */
function readFrame(bytes: Buffer, at: number): Frame {
  if (bytes.length - at < 4) throw corrupt('no frame')
  const magic = bytes.readUInt32LE(at)
  if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE) {
    if (bytes.length - at < 8) throw corrupt('cut off')
    const end = at + 8 + bytes.readUInt32LE(at + 4)
    if (end > bytes.length) throw corrupt('cut off')
    return { from: at, end, contentSize: null, maxOutput: 0 }
  }
  if (magic !== MAGIC) throw corrupt('no frame')
  const header = readFrameHeader(bytes, at + 4)
  let position = header.next
  let maxOutput = 0
  for (let last = false; !last;) {
    if (bytes.length - position < 3) throw corrupt('cut off')
    const block = bytes.readUIntLE(position, 3)
    position += 3
    last = (block & 1) === 1
    const type = (block >>> 1) & 3
    const size = block >>> 3
    if (type === 3 || size > header.maxBlock) throw corrupt('invalid block')
    position += type === 1 ? 1 : size // a run is one byte, repeated
    maxOutput += type === 2 ? header.maxBlock : size
  }
  position += header.hasChecksum ? 4 : 0
  if (position > bytes.length) throw corrupt('cut off')
  const { contentSize } = header
  if (contentSize !== null && contentSize > maxOutput) throw corrupt('not of the declared size')
  return { from: at, end: position, contentSize, maxOutput: Math.max(1, contentSize ?? maxOutput) }
}

function readFrameHeader(
  bytes: Buffer,
  from: number,
): { next: number; contentSize: number | null; maxBlock: number; hasChecksum: boolean } {
  let at = from
  const need = (count: number): number => {
    if (bytes.length - at < count) throw corrupt('cut off')
    at += count
    return at - count
  }
  const descriptor = bytes[need(1)]!
  const singleSegment = (descriptor & 0x20) !== 0
  if ((descriptor & 8) !== 0) throw corrupt('reserved bit')
  let window = 0
  if (!singleSegment) {
    const byte = bytes[need(1)]!
    const base = 2 ** (10 + (byte >>> 3))
    window = base + (base / 8) * (byte & 7)
  }
  const idSize = [0, 1, 2, 4][descriptor & 3]!
  if (idSize > 0 && bytes.readUIntLE(need(idSize), idSize) !== 0) throw corrupt('needs a dictionary')
  const sizeCode = descriptor >>> 6
  let contentSize: number | null = null
  if (sizeCode === 0) contentSize = singleSegment ? bytes[need(1)]! : null
  else if (sizeCode === 1) contentSize = bytes.readUInt16LE(need(2)) + 256
  else if (sizeCode === 2) contentSize = bytes.readUInt32LE(need(4))
  else {
    const position = need(8)
    contentSize = bytes.readUInt32LE(position + 4) * 0x1_0000_0000 + bytes.readUInt32LE(position)
  }
  if (singleSegment) window = contentSize!
  else if (window > MAX_WINDOW) throw corrupt('window too large')
  return { next: at, contentSize, maxBlock: Math.min(window, MAX_BLOCK), hasChecksum: (descriptor & 4) !== 0 }
}
