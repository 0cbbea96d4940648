/** Reads that go to segment files: batches from an offset on, and the records that a timestamp points to. */
import * as header from '../protocol/records/batch.ts'
import { RecordError } from '../protocol/records/error.ts'
import { readMessageSet } from '../protocol/records/legacy.ts'
import { RecordCursor } from '../protocol/records/record.ts'
import * as errors from '../protocol/errors.ts'
import { KafkaError } from '../protocol/errors.ts'
import { lastOffsetOf, leaderEpochOf, maxTimestampOf } from './batch-cursor.ts'
import type { ReadOptions } from './log-options.ts'
import { readStretch, type ReadMemory, type Stretch } from './read-ahead.ts'
import type { Segment } from './segment.ts'
import type { TailRecords } from './tail.ts'
import type { AbortedTxn } from './txn-index.ts'

/** One response part: larger reads would hold up everybody else for too long. */
const MAX_READ_BYTES = 4 * 1024 * 1024
/** What one lookup opens of batches whose headers promise what their records do not keep. */
const MAX_OPENED_BYTES = 64 * 1024 * 1024
/** Opening costs something even where little comes out. */
const LEAST_OPENED_BYTES = 16 * 1024

export interface OffsetAndTimestamp {
  readonly offset: number
  readonly timestamp: number
  /** Of the batch, -1 if it does not say. */
  readonly leaderEpoch: number
}

export const emptyRecords = (offset: number): TailRecords => ({
  byteLength: 0,
  parts: [],
  firstOffset: offset,
  nextOffset: offset,
  release: () => {},
})

/** Index of the last segment whose base offset is at or below `offset`; 0 if there is none. */
export function segmentIndex(segments: readonly Segment[], offset: number): number {
  let low = 0
  let high = segments.length - 1
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if (segments[middle]!.baseOffset <= offset) low = middle
    else high = middle - 1
  }
  return low
}

/**
 * Whole batches from the one that holds `offset` on (or the first behind it, where offsets are missing), out of one segment.
 * @throws KafkaError CORRUPT_MESSAGE
 */
export function readSegments(
  segments: readonly Segment[],
  memory: ReadMemory,
  offset: number,
  o: ReadOptions,
): TailRecords {
  const { buffers } = memory
  for (let n = segmentIndex(segments, offset); n < segments.length; n++) {
    const segment = segments[n]!
    const ready = takeAhead(segment, memory, offset, o)
    if (ready !== null) return batchesIn(ready, segment, memory, offset, o)
    const start = segment.find(offset)
    // Compaction may have emptied the end of this segment.
    if (start !== null) {
      const { position, size } = start
      if (lastOffsetOf(start.buffer, start.at) >= o.maxOffset) return emptyRecords(offset)
      const room = o.budgeted ? buffers.room : Infinity
      const wanted = Math.min(o.maxBytes, MAX_READ_BYTES, segment.written - position, room)
      if (wanted < size && (!o.minOneBatch || (o.budgeted && buffers.isExhausted))) return emptyRecords(offset)
      return batchesIn(readStretch(segment, buffers, position, Math.max(wanted, size)), segment, memory, offset, o)
    }
  }
  return emptyRecords(offset)
}

/** What was read ahead for this reader, if a batch of it may be sent. */
function takeAhead(segment: Segment, { buffers, ahead }: ReadMemory, offset: number, o: ReadOptions): Stretch | null {
  const read = o.budgeted ? ahead?.take(segment, offset) : null
  if (!read) return null
  const { buffer, position } = read
  const count = Math.min(read.count, o.maxBytes)
  if (header.wholeBatchAt(buffer, 0, count) > 0 && lastOffsetOf(buffer, 0) < o.maxOffset)
    return { buffer, count, position }
  buffers.give(buffer)
  return null
}

/** The whole batches of a stretch; its buffer goes back when they are released, or at once if one is damaged. */
function batchesIn(
  { buffer: taken, count, position }: Stretch,
  segment: Segment,
  { buffers, ahead }: ReadMemory,
  offset: number,
  o: ReadOptions,
): TailRecords {
  const firstOffset = header.magic(taken, 0) >= 2 ? header.baseOffset(taken, 0) : offset
  let end = 0
  let nextOffset = firstOffset
  let size = header.wholeBatchAt(taken, 0, count)
  for (; size > 0 && lastOffsetOf(taken, end) < o.maxOffset; size = header.wholeBatchAt(taken, end, count)) {
    nextOffset = lastOffsetOf(taken, end) + 1
    end += size
  }
  if (size === header.INVALID) {
    buffers.give(taken)
    throw new KafkaError(errors.CORRUPT_MESSAGE)
  }
  // Only the limit of bytes kept the reader from more: it will be back.
  if (size === header.INCOMPLETE && o.budgeted) {
    ahead?.expect(segment, nextOffset, position + end, Math.min(o.maxBytes, MAX_READ_BYTES))
  }
  const buffer = buffers.fit(taken, end)
  let held = true
  const release = () => {
    if (held) buffers.give(buffer)
    held = false
  }
  return { byteLength: end, parts: [buffer.subarray(0, end)], firstOffset, nextOffset, release }
}

/**
 * The first record at or behind `startOffset` whose timestamp is at or above `timestamp`, exact to the record, or null. A batch
 * that expands beyond `maxExpandedBytes`, or comes when enough was opened in vain, is believed by its header: its first
 * offset and its maxTimestamp are the answer.
 * @throws KafkaError CORRUPT_MESSAGE, UNSUPPORTED_COMPRESSION_TYPE (zstd before its codec is ready)
 */
export function findByTimestamp(
  segments: readonly Segment[],
  startOffset: number,
  timestamp: number,
  maxExpandedBytes: number,
): OffsetAndTimestamp | null {
  const opening = { left: MAX_OPENED_BYTES, maxExpandedBytes }
  for (const segment of segments) {
    if (segment.largest.timestamp < timestamp) continue
    const from = segment.timeIndex.lookup(timestamp).offset
    const { position } = segment.offsetIndex.lookup(Math.max(from, startOffset))
    const cursor = segment.cursor(position)
    while (cursor.next()) {
      const { buffer, at } = cursor
      if (maxTimestampOf(buffer, at) < timestamp || lastOffsetOf(buffer, at) < startOffset) continue
      const found = findRecord(wholeBatch(segment, cursor.position, cursor.size), opening, record => {
        return record.timestamp >= timestamp && record.offset >= startOffset
      })
      if (found !== null) return { ...found, offset: Math.max(found.offset, startOffset) }
    }
  }
  return null
}

/** The record with the largest timestamp of the log (KIP-734), the first if there are several; null if none has one. */
export function findLargestTimestamp(
  segments: readonly Segment[],
  maxExpandedBytes: number,
): OffsetAndTimestamp | null {
  let best = segments[0]!
  for (const segment of segments) if (segment.largest.timestamp > best.largest.timestamp) best = segment
  const { timestamp, offset } = best.largest
  const cursor = best.cursor(best.offsetIndex.lookup(offset).position)
  while (cursor.next()) {
    if (maxTimestampOf(cursor.buffer, cursor.at) !== timestamp) continue
    const batch = wholeBatch(best, cursor.position, cursor.size)
    // Messages of magic 0 have no time that could be the greatest.
    if (header.magic(batch, 0) === 0) return null
    const opening = { left: MAX_OPENED_BYTES, maxExpandedBytes }
    return findRecord(batch, opening, record => record.timestamp === timestamp)
  }
  return null
}

/** Aborted transactions that overlap [from, to), by last offset. */
export function findAborted(segments: readonly Segment[], from: number, to: number): AbortedTxn[] {
  const found: AbortedTxn[] = []
  for (let n = segmentIndex(segments, from); n < segments.length; n++) {
    if (segments[n]!.transactions.collect(from, to, found)) break
  }
  return found
}

function wholeBatch(segment: Segment, position: number, size: number): Buffer {
  const batch = Buffer.allocUnsafe(size)
  segment.readAt(batch, position)
  return batch
}

/** How much one lookup may still open. */
interface Opening {
  left: number
  readonly maxExpandedBytes: number
}

/** What a lookup judges a record by. */
type Moment = Pick<OffsetAndTimestamp, 'offset' | 'timestamp'>

/** The first record of the batch that matches; null if none does. */
function findRecord(batch: Buffer, opening: Opening, matches: (record: Moment) => boolean): OffsetAndTimestamp | null {
  const maxBytes = Math.min(opening.left, opening.maxExpandedBytes)
  if (maxBytes <= 0) return byHeader(batch)
  try {
    return header.magic(batch, 0) < 2
      ? findMessage(batch, opening, maxBytes, matches)
      : findInBatch(batch, opening, maxBytes, matches)
  } catch (error) {
    if (!(error instanceof RecordError)) throw error
    if (error.code === 'TOO_LARGE') return byHeader(batch)
    const code = error.code === 'UNSUPPORTED' ? errors.UNSUPPORTED_COMPRESSION_TYPE : errors.CORRUPT_MESSAGE
    throw new KafkaError(code, `${error.message}.`)
  }
}

function findInBatch(
  batch: Buffer,
  opening: Opening,
  maxBytes: number,
  matches: (record: Moment) => boolean,
): OffsetAndTimestamp | null {
  const records = new RecordCursor(batch, 0, { maxBytes })
  opening.left -= Math.max(records.bytes.length, LEAST_OPENED_BYTES)
  while (records.next()) {
    if (!matches(records)) continue
    return { offset: records.offset, timestamp: records.timestamp, leaderEpoch: leaderEpochOf(batch, 0) }
  }
  return null
}

/** The same in a message of the formats before Kafka 0.11, alone or with others in it. */
function findMessage(
  batch: Buffer,
  opening: Opening,
  maxBytes: number,
  matches: (record: Moment) => boolean,
): OffsetAndTimestamp | null {
  const { messages } = readMessageSet(batch, 0, batch.length, { maxBytes, checkCrc: false })[0]!
  opening.left -= Math.max(messages[0]!.bytes.length, LEAST_OPENED_BYTES)
  const found = messages.find(matches)
  return found === undefined ? null : { offset: found.offset, timestamp: found.timestamp, leaderEpoch: -1 }
}

/** The answer without opening: the offset of an old message is that of its last record. */
const byHeader = (batch: Buffer): OffsetAndTimestamp => ({
  offset: header.magic(batch, 0) < 2 ? lastOffsetOf(batch, 0) : header.baseOffset(batch, 0),
  timestamp: maxTimestampOf(batch, 0),
  leaderEpoch: leaderEpochOf(batch, 0),
})
