/**
 * Which segments may go (UnifiedLog.deleteOldSegments): a plan made of facts alone. Segments go from the oldest on, never one
 * that holds offsets at or beyond `readableEnd`. A plan that names every segment asks for a new, empty one first.
 */
import type { LogConfig } from './log-config.ts'

/** A segment is one; its facts are asked for when they are needed, since some lie on disk. */
export interface SegmentFacts {
  readonly baseOffset: number
  readonly size: number
  /** Largest timestamp of its records; where they have none, when the segment was created. */
  readonly largestTimestamp: number
}

export interface RetentionOptions {
  readonly config: LogConfig
  readonly now: number
  readonly logStartOffset: number
  readonly logEndOffset: number
  /** The high watermark: what lies beyond may yet be taken back. */
  readonly readableEnd: number
}

export type RetentionReason = 'logStartOffset' | 'retention.bytes' | 'retention.ms'

/** How many of the oldest segments go, and why the last of them does. */
export function planRetention(
  segments: readonly SegmentFacts[],
  o: RetentionOptions,
): { count: number; reason: RetentionReason | null } {
  const { cleanupPolicy, retentionBytes, retentionMs } = o.config
  const endOf = (n: number) => segments[n + 1]?.baseOffset ?? o.logEndOffset
  const isBounded = cleanupPolicy.delete && retentionBytes >= 0
  let excess = isBounded ? segments.reduce((sum, segment) => sum + segment.size, -retentionBytes) : -1
  let count = 0
  let reason: RetentionReason | null = null
  for (const [n, segment] of segments.entries()) {
    const isLast = n === segments.length - 1
    if (endOf(n) > o.readableEnd || (isLast && segment.size === 0)) break
    const why =
      !isLast && endOf(n) <= o.logStartOffset
        ? 'logStartOffset'
        : excess >= 0 && excess >= segment.size
          ? 'retention.bytes'
          : cleanupPolicy.delete && retentionMs >= 0 && o.now - segment.largestTimestamp > retentionMs
            ? 'retention.ms'
            : null
    if (why === null) break
    if (isBounded) excess -= segment.size
    reason = why
    count = n + 1
  }
  return { count, reason }
}
