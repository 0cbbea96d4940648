/** Feeds batches of a log to the producer state, as live appends do: at start-up, after a truncation, and for each append. */
import * as header from '../protocol/records/batch.ts'
import { ABORT, COMMIT, decodeControlKey, decodeEndTransactionMarker } from '../protocol/records/control.ts'
import { RecordError } from '../protocol/records/error.ts'
import { RecordCursor } from '../protocol/records/record.ts'
import type { CompletedTxn, ProducerState, TxnMarker } from './producer-state.ts'
import type { Segment } from './segment.ts'

/**
 * The marker in a control batch that lies wholly in the buffer; null for other control records, for an empty batch, and for one
 * that cannot be read: it ends nothing.
 */
export function markerOf(buffer: Buffer, at: number): TxnMarker | null {
  if (!header.isControl(buffer, at) || header.producerId(buffer, at) < 0) return null
  try {
    const cursor = new RecordCursor(buffer, at)
    // Compaction leaves an empty batch where a whole transaction is gone.
    if (!cursor.next()) return null
    const { type } = decodeControlKey(cursor.key())
    if (type !== ABORT && type !== COMMIT) return null
    const { coordinatorEpoch } = decodeEndTransactionMarker(cursor.value())
    return { aborted: type === ABORT, coordinatorEpoch, timestamp: cursor.timestamp }
  } catch (error) {
    if (error instanceof RecordError) return null
    throw error
  }
}

/** Applies one batch (a control batch must lie wholly in the buffer). @returns the transaction it ends, if any */
export function applyBatch(producers: ProducerState, buffer: Buffer, at: number): CompletedTxn | null {
  if (header.magic(buffer, at) < 2) {
    producers.mapEndOffset = header.baseOffset(buffer, at) + 1
    return null
  }
  if (!header.isControl(buffer, at)) {
    producers.apply(buffer, at)
    return null
  }
  const marker = markerOf(buffer, at)
  const lastOffset = header.lastOffset(buffer, at)
  producers.mapEndOffset = lastOffset + 1
  if (marker === null) return null
  const producerId = header.producerId(buffer, at)
  const epoch = header.producerEpoch(buffer, at)
  const completed = producers.applyMarker(producerId, epoch, header.baseOffset(buffer, at), marker)
  producers.mapEndOffset = lastOffset + 1
  return completed
}

/** Enters an aborted transaction into the index of the segment that holds its marker. */
export function indexTransaction(producers: ProducerState, segment: Segment, completed: CompletedTxn | null): void {
  if (completed === null || !completed.aborted) return
  const { producerId, firstOffset, lastOffset } = completed
  const lastStableOffset = producers.lastStableOffsetAfter(completed)
  segment.transactions.append({ producerId, firstOffset, lastOffset, lastStableOffset })
}

/**
 * Replays the written batches of `segments` from the end of the state up to `endOffset` (exclusive) by their headers: the log
 * is trusted.
 */
export function replaySegments(producers: ProducerState, segments: readonly Segment[], endOffset: number): void {
  segments.forEach((segment, n) => {
    const segmentEnd = segments[n + 1]?.baseOffset ?? endOffset
    if (segmentEnd <= producers.mapEndOffset || segment.baseOffset >= endOffset) return
    const start = segment.find(Math.max(segment.baseOffset, producers.mapEndOffset))
    if (start === null) return
    const cursor = segment.cursor(start.position)
    while (cursor.next()) {
      const { buffer, at, size, position } = cursor
      if (header.baseOffset(buffer, at) >= endOffset) return
      if (header.magic(buffer, at) >= 2 && header.isControl(buffer, at)) {
        const whole = Buffer.allocUnsafe(size)
        segment.readAt(whole, position)
        applyBatch(producers, whole, 0)
      } else applyBatch(producers, buffer, at)
    }
  })
}
