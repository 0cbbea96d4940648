/**
 * What of a log can be compacted, whether it is time, and which segments become one (LogCleanerManager.java, LogToClean.java,
 * Cleaner.groupSegmentsBySize): plans made of facts alone.
 */
import type { LogConfig } from './log-config.ts'

/** A segment is one; its facts are asked for when they are needed, since some lie on disk. */
export interface CompactionFacts {
  readonly baseOffset: number
  readonly size: number
  /** Of its records; where they have none, when the segment was created. */
  readonly largestTimestamp: number
  /** maxTimestamp of the first batch, -1 for none. */
  readonly firstTimestamp: number
}

export interface CleanableOptions {
  readonly config: LogConfig
  readonly now: number
  readonly logStartOffset: number
  readonly logEndOffset: number
  /** Below it every transaction has ended, and every record is below the high watermark. */
  readonly stableOffset: number
  /** Below it everything is on the disk: what replaces it must not be lost together with it. */
  readonly syncedOffset: number
  /** How far compaction came, by the checkpoint; undefined: never. */
  readonly cleanedOffset: number | undefined
}

export interface Cleanable {
  readonly firstDirtyOffset: number
  /** Base offset of the first segment that must stay as it is. */
  readonly firstUncleanableOffset: number
  readonly cleanableBytes: number
  /** cleanableBytes and what is clean. */
  readonly totalBytes: number
  /** Of the bytes that are clean or can become so, the share of the dirty ones. */
  readonly dirtyRatio: number
  /** For how long records have waited beyond max.compaction.lag.ms. */
  readonly overdueMs: number
  /** The checkpoint lies outside the log: this run begins at its start. */
  readonly isReset: boolean
  /** Whether it is time to compact. */
  readonly isDue: boolean
}

/** Segments in order; the last is active and never compacted. */
export function findCleanable(segments: readonly CompactionFacts[], o: CleanableOptions): Cleanable {
  const { config, now, logStartOffset } = o
  const isReset =
    o.cleanedOffset !== undefined && (o.cleanedOffset < logStartOffset || o.cleanedOffset > o.logEndOffset)
  const firstDirtyOffset = isReset ? logStartOffset : (o.cleanedOffset ?? logStartOffset)
  const active = segments.at(-1)!
  const dirty = from(segments, firstDirtyOffset, active.baseOffset)
  const bounds = [o.stableOffset, active.baseOffset, o.syncedOffset]
  if (config.minCompactionLagMs > 0) {
    const young = dirty.find(segment => segment.largestTimestamp > now - config.minCompactionLagMs)
    if (young !== undefined) bounds.push(young.baseOffset)
  }
  const bound = Math.max(firstDirtyOffset, Math.min(...bounds))
  const firstUncleanableOffset = (from(segments, bound, active.baseOffset)[0] ?? active).baseOffset
  const cleanBytes = sum(segments.filter(segment => segment.baseOffset < firstDirtyOffset))
  const cleanable = from(segments, Math.min(firstDirtyOffset, firstUncleanableOffset), firstUncleanableOffset)
  const cleanableBytes = sum(cleanable)
  const totalBytes = cleanBytes + cleanableBytes
  const dirtyRatio = totalBytes === 0 ? 0 : cleanableBytes / totalBytes
  const overdueMs = compactionDelay(dirty, config, now)
  const isDue = totalBytes > 0 && ((overdueMs > 0 && cleanableBytes > 0) || dirtyRatio > config.minCleanableDirtyRatio)
  return {
    firstDirtyOffset,
    firstUncleanableOffset,
    cleanableBytes,
    totalBytes,
    dirtyRatio,
    overdueMs,
    isReset,
    isDue,
  }
}

/** LogCleanerManager.maxCompactionDelay. */
function compactionDelay(dirty: readonly CompactionFacts[], { maxCompactionLagMs }: LogConfig, now: number): number {
  const cleanUntil = now - maxCompactionLagMs
  // The usual Long.MAX_VALUE: no segment need be looked into.
  if (cleanUntil <= 0) return 0
  let earliest = Infinity
  for (const { firstTimestamp } of dirty) if (firstTimestamp > 0) earliest = Math.min(earliest, firstTimestamp)
  return earliest < cleanUntil ? cleanUntil - earliest : 0
}

/** From the segment that holds `offset` on, those that begin below `end`. */
function from(segments: readonly CompactionFacts[], offset: number, end: number): readonly CompactionFacts[] {
  let first = 0
  while (first + 1 < segments.length && segments[first + 1]!.baseOffset <= offset) first++
  return segments.slice(first).filter(({ baseOffset }) => baseOffset < end)
}

const sum = (segments: readonly CompactionFacts[]): number => segments.reduce((total, { size }) => total + size, 0)

export interface GroupedFacts {
  readonly baseOffset: number
  readonly size: number
  readonly offsetIndexBytes: number
  readonly timeIndexBytes: number
}

/**
 * Neighbours that together fit into one segment, its indexes and its reach of offsets, even if nothing goes: each group becomes one
 * segment, which keeps the base offset of its first.
 */
export function groupSegments<S extends GroupedFacts>(
  segments: readonly S[],
  o: { readonly segmentBytes: number; readonly segmentIndexBytes: number; readonly firstUncleanableOffset: number },
): S[][] {
  const groups: S[][] = []
  let size = 0
  let indexBytes = 0
  let timeIndexBytes = 0
  segments.forEach((segment, n) => {
    const group = groups.at(-1)
    const lastOffset = (segments[n + 1]?.baseOffset ?? o.firstUncleanableOffset) - 1
    const fits =
      group !== undefined &&
      size + segment.size <= o.segmentBytes &&
      indexBytes + segment.offsetIndexBytes <= o.segmentIndexBytes &&
      timeIndexBytes + segment.timeIndexBytes <= o.segmentIndexBytes &&
      // An empty one brings no offset that would have to be said.
      (segment.size === 0 || lastOffset - group[0]!.baseOffset <= 0x7fffffff)
    if (!fits) {
      groups.push([segment])
      size = indexBytes = timeIndexBytes = 0
    } else group.push(segment)
    size += segment.size
    indexBytes += segment.offsetIndexBytes
    timeIndexBytes += segment.timeIndexBytes
  })
  return groups
}
