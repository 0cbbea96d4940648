// The codecs of record batches by their id in the attributes. Every decompressor has an absolute limit on its output
// and refuses bad input with RecordError; WebAssembly of lz4 and zstd is loaded at first need.
import { RecordError } from './error.ts'
import { gunzip, gunzipLater, gzip, gzipLater } from './gzip.ts'
import { lz4Compress, lz4Decompress } from './lz4.ts'
import { snappyCompress, snappyDecompress } from './snappy.ts'
import { zstdCompress, zstdDecompress, zstdReady } from './zstd.ts'

export const NONE = 0
export const GZIP = 1
export const SNAPPY = 2
export const LZ4 = 3
export const ZSTD = 4

const NAMES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type CodecName = (typeof NAMES)[number]

/** Kafka's name of a codec, undefined for ids that are not assigned. */
export const codecName = (codec: number): CodecName | undefined => NAMES[codec]

/** The id of a codec's name, -1 if there is none. */
export const codecId = (name: string): number => (NAMES as readonly string[]).indexOf(name)

/** Options that only message sets of magic 0 need. */
export interface CodecOptions {
  /** LZ4 with the wrong header checksum of old Kafka clients (KAFKA-3160): written so, and ignored when reading. */
  readonly brokenLz4Checksum?: boolean
}

/**
 * Null when compress and decompress of this codec can be called at once, else a promise of that moment; only zstd,
 * before its first use, gives a promise. It rejects with UNSUPPORTED where WebAssembly is missing.
 */
export function codecReady(codec: number): Promise<void> | null {
  return codec === ZSTD ? zstdReady() : null
}

/** What batches are expanded to, one after the other; the memory is free again with a garbage collection. */
export const decompression = { usedBytes: 0, peakBytes: 0 }

/**
 * What `bytes` expand to; `none` returns them as they are. Throws RecordError: CORRUPT, TOO_LARGE when the result
 * would have more than `maxBytes`, UNSUPPORTED for unknown codecs and for zstd that is not ready.
 */
export function decompress(codec: number, bytes: Buffer, maxBytes: number, options: CodecOptions = {}): Buffer {
  const expanded = expand(codec, bytes, maxBytes, options)
  if (codec !== NONE && expanded.length > decompression.peakBytes) decompression.peakBytes = expanded.length
  return expanded
}

function expand(codec: number, bytes: Buffer, maxBytes: number, options: CodecOptions): Buffer {
  switch (codec) {
    case NONE:
      if (bytes.length > maxBytes) throw new RecordError('TOO_LARGE', `More than ${maxBytes} bytes`)
      return bytes
    case GZIP:
      return gunzip(bytes, maxBytes)
    case SNAPPY:
      return snappyDecompress(bytes, maxBytes)
    case LZ4:
      return lz4Decompress(bytes, maxBytes, options.brokenLz4Checksum)
    case ZSTD:
      return zstdDecompress(bytes, maxBytes)
    default:
      throw new RecordError('UNSUPPORTED', `Unknown compression codec ${codec}`)
  }
}

/**
 * `bytes` compressed as Kafka's Java client frames them. `level` matters to gzip (1-9), lz4 (1-17) and zstd; snappy has
 * none. Throws RecordError UNSUPPORTED.
 */
export function compress(codec: number, bytes: Buffer, level?: number, options: CodecOptions = {}): Buffer {
  switch (codec) {
    case NONE:
      return bytes
    case GZIP:
      return gzip(bytes, level)
    case SNAPPY:
      return snappyCompress(bytes)
    case LZ4:
      return lz4Compress(bytes, level, options.brokenLz4Checksum)
    case ZSTD:
      return zstdCompress(bytes, level)
    default:
      throw new RecordError('UNSUPPORTED', `Unknown compression codec ${codec}`)
  }
}

/**
 * As decompress, in a thread where the codec has one: gzip. `bytes` must not change until it is done.
 * Throws, or rejects with, the same.
 */
export const decompressLater = (codec: number, bytes: Buffer, maxBytes: number): Buffer | Promise<Buffer> =>
  codec === GZIP ? gunzipLater(bytes, maxBytes) : decompress(codec, bytes, maxBytes)

/** As compress, in a thread where the codec has one: gzip. `bytes` must not change until it is done. */
export const compressLater = (codec: number, bytes: Buffer, level?: number): Buffer | Promise<Buffer> =>
  codec === GZIP ? gzipLater(bytes, level) : compress(codec, bytes, level)
