// Codec 1: gzip by node:zlib, bounded by maxOutputLength. Several members follow each other as in Java's reader; bytes
// that are no member after the first are ignored by both.
import { gunzipSync, gzipSync } from 'node:zlib'
import { RecordError } from './error.ts'

export function gzip(bytes: Buffer, level?: number): Buffer {
  return gzipSync(bytes, level === undefined ? {} : { level })
}

/** Throws RecordError CORRUPT or TOO_LARGE. */
export function gunzip(bytes: Buffer, maxBytes: number): Buffer {
  try {
    // zlib takes no limit of 0: nothing but an empty result may have 0 bytes.
    const result = gunzipSync(bytes, { maxOutputLength: Math.max(1, maxBytes) })
    if (result.length <= maxBytes) return result
  } catch (error) {
    if (!isBufferTooLarge(error)) throw new RecordError('CORRUPT', 'Invalid gzip data', { cause: error })
  }
  throw new RecordError('TOO_LARGE', `gzip data expands to more than ${maxBytes} bytes`)
}

function isBufferTooLarge(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
}
