/** Reads a segment file from its start, batch by batch, as far as it is valid: for recovery, which trusts nothing. */
import * as header from '../protocol/records/batch.ts'
import { lastOffsetOf } from './batch-cursor.ts'
import { isValidBatch } from './inspect-log.ts'
import type { Segment } from './segment.ts'

/** Small enough to stay in a processor's cache between the read and the checksum. */
const CHUNK_BYTES = 256 * 1024
/** One scan at a time: what a call is given is only valid until the next. */
const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)

export interface ScanResult {
  /** Where the first invalid batch begins, or the file ends. */
  readonly validBytes: number
  readonly nextOffset: number
  /** Whether offsets are missing between batches, as compaction leaves them. */
  readonly gaps: boolean
}

/** Calls `visit` for each valid batch, which lies at `at` of `buffer` as a whole, and at `position` of the file. */
export function scanSegment(
  segment: Segment,
  visit: (buffer: Buffer, at: number, position: number, size: number) => void,
): ScanResult {
  const end = segment.written
  let buffer = chunk
  let position = 0
  let nextOffset = segment.baseOffset
  let gaps = false
  const stop = (): ScanResult => ({ validBytes: position, nextOffset, gaps })
  while (position < end) {
    const left = end - position
    const count = segment.readAt(left < buffer.length ? buffer.subarray(0, left) : buffer, position)
    let at = 0
    while (position < end) {
      // The rest of this header is in the next chunk.
      if (at > 0 && count - at < header.HEADER_SIZE && position + count - at < end) break
      const size = header.wholeBatchAt(buffer, at, at + (end - position))
      if (size <= 0) return stop()
      if (at + size > count) {
        // A batch larger than the buffer, or a file that got shorter under our hands.
        if (at === 0 && size <= buffer.length) return stop()
        if (size > buffer.length) buffer = Buffer.allocUnsafe(size)
        break
      }
      if (!isValid(buffer, at, size, nextOffset, segment)) return stop()
      gaps ||= header.magic(buffer, at) >= 2 && header.baseOffset(buffer, at) > nextOffset
      visit(buffer, at, position, size)
      nextOffset = lastOffsetOf(buffer, at) + 1
      at += size
      position += size
    }
  }
  return stop()
}

/** Checksum, and offsets that rise within reach of the segment. */
function isValid(buffer: Buffer, at: number, size: number, nextOffset: number, segment: Segment): boolean {
  const lastOffset = lastOffsetOf(buffer, at)
  if (lastOffset < nextOffset || !segment.offsetIndex.accepts(lastOffset)) return false
  if (header.magic(buffer, at) < 2) return isValidBatch(buffer.subarray(at, at + size))
  return (
    header.baseOffset(buffer, at) >= nextOffset &&
    header.lastOffsetDelta(buffer, at) >= 0 &&
    header.isCrcValid(buffer, at)
  )
}
