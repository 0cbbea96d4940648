/** Retention of one log: what retention.ts plans, done. Nothing may be queued. */
import type { AppendTarget } from './log-append.ts'
import { planRetention } from './retention.ts'

/** Rolls an active segment older than segment.ms that gets no appends. */
export function rollIfOld(log: AppendTarget, now: number): void {
  const { active, config } = log.files
  if (active.size > 0 && now - active.created > config.segmentMs - active.rollJitterMs) log.roll(now)
}

/** Deletes what retention.ms, retention.bytes or the start of the log give up. @returns how many segments went */
export function deleteOldSegments(
  log: AppendTarget,
  now: number,
  o: { readonly readableEnd: number; readonly startAt: (offset: number) => void },
): number {
  const { files, offsets, disk } = log
  const { segments, snapshots, config } = files
  const { start: logStartOffset, end: logEndOffset } = offsets
  const facts = { config, now, logStartOffset, logEndOffset, readableEnd: o.readableEnd }
  const count = disk.runOrLater(() => planRetention(segments, facts))?.count ?? 0
  if (count === 0) return 0
  if (count === segments.length) log.roll(now)
  // Nobody may be sent to an offset whose file is about to go.
  o.startAt(segments[count]!.baseOffset)
  disk.run(() => {
    files.drop(0, count, now)
    snapshots.keepWithin(offsets.start, offsets.end)
  })
  return count
}
