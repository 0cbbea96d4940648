/**
 * Goes through a segment file to its end whatever is in it: batches that are right, batches that are not, and bytes that are no
 * batch. Where bytes cannot be stepped over, the next batch is looked for: one whose checksum is right and whose offset fits.
 */
import * as header from '../protocol/records/batch.ts'
import { RecordError } from '../protocol/records/error.ts'
import { newWalkResult, RecordCursor, walkBatch, walkMessage } from '../protocol/records/record.ts'
import { lastOffsetOf } from './batch-cursor.ts'
import type { FileHandle, Files } from './files.ts'
import { batchesOfFile, isValidBatch } from './inspect-log.ts'

export interface SurveyedBatch {
  readonly position: number
  readonly size: number
  /** The whole batch, at 0; valid until the next piece is asked for. */
  readonly bytes: Buffer
  readonly problem: null
}

export interface BadPiece {
  readonly position: number
  readonly size: number
  readonly problem: string
  /** Nothing follows that is right. */
  readonly isTail: boolean
  /** One batch that is right but for its base offset, which lies outside its checksum: what that must be. */
  readonly offset?: { readonly found: number; readonly expected: number; readonly lastDelta: number }
  /** One batch that is right, and stands where it does not belong: its own offsets. */
  readonly misplaced?: { readonly first: number; readonly last: number }
}

export interface SurveyOptions {
  /** The least offset that the first batch may have. */
  readonly from: number
  /** Where the next segment begins. */
  readonly to: number
  /** Where this one begins: no offset can be 2^31 above it. */
  readonly base: number
}

const CHUNK_BYTES = 1024 * 1024

/** Every byte of the file, in order. Needs codecReady(4) for batches in zstd. */
export function* survey(
  files: Files,
  path: string,
  { from, to, base }: SurveyOptions,
): Generator<SurveyedBatch | BadPiece, void, undefined> {
  const size = files.size(path)
  let next = from
  const limit = Math.min(to, base + 2 ** 31)
  for (let position = 0; position < size;) {
    const batches = batchesOfFile(files, path, position)
    let bad: { problem: string; end: number; offset?: BadPiece['offset']; misplaced?: BadPiece['misplaced'] } | null =
      null
    try {
      for (;;) {
        const found = batches.next()
        if (found.done === true) {
          if (found.value.bytes > 0) bad = { problem: reasons[found.value.why], end: -1 }
          ;({ position } = found.value)
          break
        }
        const { bytes } = found.value
        ;({ position } = found.value)
        const problem = batchProblem(bytes, next, limit)
        bad = misplaced(files, path, bytes, position + bytes.byteLength, next, to)
        if (problem !== null) bad ??= { problem, end: position + bytes.byteLength }
        if (bad !== null) break
        yield { position, size: bytes.byteLength, bytes, problem: null }
        next = lastOffsetOf(bytes, 0) + 1
        position += bytes.byteLength
      }
    } finally {
      // Also where nobody asks for more.
      batches.return({ position, bytes: 0, why: 'END' })
    }
    if (bad === null) return
    if (bad.offset !== undefined) {
      yield { position, size: bad.end - position, problem: bad.problem, isTail: false, offset: bad.offset }
      next += bad.offset.lastDelta + 1
      position = bad.end
      continue
    }
    const end = endOfBad(files, path, position, bad.end, size, next, limit)
    const more = bad.misplaced !== undefined && end === bad.end ? { misplaced: bad.misplaced } : {}
    yield { position, size: end - position, problem: bad.problem, isTail: end === size, ...more }
    position = end
  }
}

const reasons = {
  END: 'nothing is wrong',
  CUT: 'the file ends within it',
  LENGTH: 'its length is impossible',
  MAGIC: 'its magic is not known',
}

/** Where the next batch begins that can be trusted, or the file ends. */
function endOfBad(
  files: Files,
  path: string,
  position: number,
  itsEnd: number,
  size: number,
  next: number,
  to: number,
): number {
  const handle = files.open(path, 'read')
  try {
    // Its own length is believed where it leads to a batch, or to the end.
    if (itsEnd === size || (itsEnd > 0 && isTrusted(handle, itsEnd, size, next, to))) return itsEnd
    return search(handle, position + 1, size, next, to)
  } finally {
    handle.close()
  }
}

/**
 * A batch that is right in itself, and its offsets are not: they leave some out, and the batch behind it, or the next segment,
 * begins below them; or they were there before. Null where nothing speaks against them.
 */
function misplaced(
  files: Files,
  path: string,
  bytes: Buffer,
  end: number,
  next: number,
  to: number,
): { problem: string; end: number; offset?: BadPiece['offset']; misplaced?: BadPiece['misplaced'] } | null {
  if (header.baseOffset(bytes, 0) === next) return null
  const own = extentOf(bytes)
  if (own === null) return null
  const { first: found, lastDelta } = own
  const [follower, behind] = followers(files, path, end, to)
  const following = follower?.first ?? null
  const isBelow = found < next
  const isAbove = following !== null && following >= next && following <= found + lastDelta
  if (!isBelow && !isAbove) return null
  // The follower is the one that lies: right behind this batch it ends where what comes then begins.
  const isFollower = follower !== undefined && found + lastDelta + follower.lastDelta + 2 === behind?.first
  if (isAbove && found + lastDelta < to && isFollower) return null
  const problem = isBelow
    ? `it begins at offset ${found}, which is not behind ${next - 1}`
    : `it begins at offset ${found}, but what follows at ${following}`
  const expected = next
  const fits = following === expected + lastDelta + 1
  return fits
    ? { problem, end, offset: { found, expected, lastDelta } }
    : { problem, end, misplaced: { first: found, last: found + lastDelta } }
}

interface Extent {
  readonly first: number
  readonly lastDelta: number
}

/** What offsets a batch says it has; null where that is not certain. Of compressed messages only the last is told. */
function extentOf(bytes: Buffer): Extent | null {
  if (header.magic(bytes, 0) !== 2) {
    const isAlone = (bytes.readUInt8(17) & 7) === 0
    return isAlone && isValidBatch(bytes) ? { first: header.baseOffset(bytes, 0), lastDelta: 0 } : null
  }
  const lastDelta = header.lastOffsetDelta(bytes, 0)
  return lastDelta >= 0 && header.isCrcValid(bytes, 0) ? { first: header.baseOffset(bytes, 0), lastDelta } : null
}

/** The next two batches from a position on; behind the last one of the file the next segment, which has no end here. */
function followers(files: Files, path: string, position: number, to: number): Extent[] {
  const found: Extent[] = []
  const size = files.size(path)
  const batches = batchesOfFile(files, path, position)
  try {
    while (found.length < 2) {
      const batch = batches.next()
      if (batch.done === true) break
      const extent = extentOf(batch.value.bytes)
      if (extent === null) return found
      found.push(extent)
      position = batch.value.position + batch.value.bytes.byteLength
    }
  } finally {
    batches.return({ position, bytes: 0, why: 'END' })
  }
  if (found.length < 2 && position === size && to !== Infinity) found.push({ first: to, lastDelta: Infinity })
  return found
}

function search(handle: FileHandle, from: number, size: number, next: number, to: number): number {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  for (let start = from; start + header.HEADER_SIZE <= size; start += CHUNK_BYTES - header.HEADER_SIZE + 1) {
    const chunk = buffer.subarray(0, handle.readAt(buffer, start))
    for (let at = 0; at + header.HEADER_SIZE <= chunk.byteLength; at++) {
      if (chunk[at + 16] !== 2 || !isPlausible(chunk, at, size - start - at, next, to)) continue
      if (isTrusted(handle, start + at, size, next, to)) return start + at
    }
  }
  return size
}

function isPlausible(bytes: Buffer, at: number, left: number, next: number, to: number): boolean {
  if (header.magic(bytes, at) !== 2) return false
  const size = header.sizeInBytes(bytes, at)
  if (size < header.HEADER_SIZE || size > left) return false
  return (
    header.baseOffset(bytes, at) >= next && header.lastOffsetDelta(bytes, at) >= 0 && header.lastOffset(bytes, at) < to
  )
}

function isTrusted(handle: FileHandle, position: number, size: number, next: number, to: number): boolean {
  if (isOldMessage(handle, position, size, next, to)) return true
  const head = Buffer.allocUnsafe(header.HEADER_SIZE)
  if (handle.readAt(head, position) < head.byteLength || !isPlausible(head, 0, size - position, next, to)) return false
  const bytes = Buffer.allocUnsafe(header.sizeInBytes(head, 0))
  return handle.readAt(bytes, position) === bytes.byteLength && header.isCrcValid(bytes, 0)
}

/** Of magic 0 or 1. Its checksum covers neither offset nor length, as that of a batch does not. */
function isOldMessage(handle: FileHandle, position: number, size: number, next: number, to: number): boolean {
  const head = Buffer.allocUnsafe(header.LOG_OVERHEAD + 5)
  if (handle.readAt(head, position) < head.byteLength || header.magic(head, 0) > 1) return false
  const length = header.wholeBatchAt(head, 0, size - position)
  if (length <= 0 || header.baseOffset(head, 0) < next || header.baseOffset(head, 0) >= to) return false
  const bytes = Buffer.allocUnsafe(length)
  return handle.readAt(bytes, position) === length && isValidBatch(bytes)
}

/** What is wrong with the batch at 0, whose offsets must lie in [next, to). */
export function batchProblem(bytes: Buffer, next: number, to: number): string | null {
  if (!isValidBatch(bytes)) return 'its checksum is wrong'
  const last = lastOffsetOf(bytes, 0)
  if (header.magic(bytes, 0) !== 2) {
    if (last < next) return `it ends at offset ${last}, which is not behind ${next - 1}`
    return last >= to ? `it ends at offset ${last}, which lies beyond the segment` : null
  }
  const first = header.baseOffset(bytes, 0)
  if (!(first >= next)) return `it begins at offset ${first}, which is not behind ${next - 1}`
  if (last < first) return `it begins at offset ${first} and ends at ${last}`
  if (last >= to) return `it ends at offset ${last}, which lies beyond the segment`
  if (header.codec(bytes, 0) === 0 && header.recordCount(bytes, 0) > 0) {
    const result = newWalkResult()
    // Compaction leaves gaps.
    return walkBatch(bytes, 0, result, { gaps: true }) === 'OK' ? null : walkMessage(result)
  }
  return compressedProblem(bytes)
}

function compressedProblem(bytes: Buffer): string | null {
  const lastDelta = header.lastOffsetDelta(bytes, 0)
  try {
    let delta = -1
    for (const cursor = new RecordCursor(bytes); cursor.next();) {
      if (cursor.offsetDelta <= delta || cursor.offsetDelta > lastDelta) return 'a record has an offset out of sequence'
      delta = cursor.offsetDelta
    }
    return null
  } catch (error) {
    if (error instanceof RecordError) return error.message
    throw error
  }
}
