/** Cutting a log (LocalLog.java): its end moves back, or everything goes. Nothing may be queued. */
import type { AppendTarget } from './log-append.ts'
import { segmentIndex } from './log-read.ts'
import { replaySegments } from './replay.ts'

type Parts = Omit<AppendTarget, 'queue' | 'roll'>

/** Keeps the batches wholly below `offset`. */
export function truncateLog(log: Parts, offset: number, now: number): void {
  const { files, offsets, producers, disk } = log
  const { segments, epochs, snapshots } = files
  if (offset < segments[0]!.baseOffset) return restartLog(log, offset, now)
  // Even where no record goes: a leader that wrote nothing in its epoch leaves an entry behind.
  if (offset < offsets.end) {
    disk.run(() => {
      // The last one first, each for good before the one before it changes: no crash leaves a gap.
      for (let last = segments.length - 1; last > segmentIndex(segments, offset); last--) {
        files.drop(last, last + 1, now)
        files.syncFolderNow()
      }
      moveEnd(log, files.cutActive(offset, now))
      snapshots.keepWithin(-1, offsets.end)
      snapshots.load(producers, offsets.start, offsets.end, now)
      replaySegments(producers, segments, offsets.end)
      producers.mapEndOffset = offsets.end
    })
  }
  if (epochs.truncateFromEnd(offsets.end)) disk.run(() => files.writeEpochs())
}

/** Drops everything; the next record gets `offset`. */
export function restartLog(log: Parts, offset: number, now: number): void {
  const { files, offsets, producers, disk, tail } = log
  disk.run(() => files.restartAt(offset, now))
  moveEnd(log, offset)
  tail.clear()
  offsets.startAt(offset)
  producers.clear(offset)
  files.epochs.clear()
  disk.run(() => files.writeEpochs())
}

function moveEnd({ tail, offsets }: Parts, end: number): void {
  tail.truncateTo(end)
  offsets.moveEnd(end)
}
