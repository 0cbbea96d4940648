// Codec 1: gzip by node:zlib, bounded by maxOutputLength. Several members follow each other as in Java's reader; bytes
// that are no member after the first are ignored by both.
import { promisify } from 'node:util'
import zlib, { gunzipSync, gzipSync } from 'node:zlib'
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
    throw refused(error, maxBytes)
  }
  throw tooLarge(maxBytes)
}

const gzipInThread = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gzip)
const gunzipInThread = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gunzip)

/** As gzip, in the thread pool. `bytes` must not change until it resolves. */
export const gzipLater = (bytes: Buffer, level?: number): Promise<Buffer> =>
  gzipInThread(bytes, level === undefined ? {} : { level })

/** As gunzip, in the thread pool. `bytes` must not change until it resolves. */
export async function gunzipLater(bytes: Buffer, maxBytes: number): Promise<Buffer> {
  try {
    const result = await gunzipInThread(bytes, { maxOutputLength: Math.max(1, maxBytes) })
    if (result.length <= maxBytes) return result
  } catch (error) {
    throw refused(error, maxBytes)
  }
  throw tooLarge(maxBytes)
}

const tooLarge = (maxBytes: number): RecordError =>
  new RecordError('TOO_LARGE', `gzip data expands to more than ${maxBytes} bytes`)

const refused = (error: unknown, maxBytes: number): RecordError =>
  isBufferTooLarge(error) ? tooLarge(maxBytes) : new RecordError('CORRUPT', 'Invalid gzip data', { cause: error })

function isBufferTooLarge(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
}
