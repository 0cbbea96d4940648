// One partition on its way to another log directory (KIP-113): what is in its log is copied, slice by slice, into a log whose
// folder ends in `-future`, while clients go on with the old one; once both are the same, the new one takes its place within
// one turn of the event loop. Kafka: ReplicaAlterLogDirsThread.scala, LogManager.replaceCurrentWithFutureLog.
import type { Log } from '../../storage/log.ts'
import type { Partition } from './partition.ts'

/** One slice: read, checked and written at once. */
const SLICE_BYTES = 1024 * 1024

export interface Copied {
  readonly bytes: number
  /** The new log has everything that the old one has. */
  readonly isComplete: boolean
}

const isEmpty = (log: Log): boolean => log.logStartOffset === log.logEndOffset

/**
 * Copies the next batches. What a crash took from the old log, or retention from its beginning, is taken out of the new one as
 * well; `onCut` brings that to the checkpoints. @throws KafkaError KAFKA_STORAGE_ERROR, with the log offline whose disk failed; CORRUPT_MESSAGE
 */
export function copySlice(partition: Partition, future: Log, now: number, onCut: () => void): Copied {
  partition.catchUp()
  const { log } = partition
  const startAt = (offset: number): void => {
    if (future.logStartOffset === offset && future.logEndOffset === offset) return
    future.truncateFullyAndStartAt(offset, now)
    onCut()
  }
  if (future.logEndOffset < log.logStartOffset || isEmpty(future)) startAt(log.logStartOffset)
  const from = future.logEndOffset
  const end = log.writtenOffset
  if (from >= end) return { bytes: 0, isComplete: true }
  const found = log.read(from, { maxBytes: SLICE_BYTES, maxOffset: end, minOneBatch: true })
  try {
    // Compaction may have removed what was there: the batch behind it, once there is one, shows where to go on.
    if (found.byteLength === 0) return { bytes: 0, isComplete: false }
    const bytes = found.parts.length === 1 ? found.parts[0]! : Buffer.concat(found.parts)
    // The first batch may begin before the first offset that may be read.
    if (found.firstOffset < from && isEmpty(future)) startAt(found.firstOffset)
    const leaderEpoch = Math.max(partition.leaderEpoch, log.latestEpoch)
    future.append(bytes, { leaderEpoch, now, origin: 'replication' })
    future.write()
    return { bytes: found.byteLength, isComplete: future.logEndOffset >= end }
  } finally {
    found.release()
  }
}

/**
 * Cuts what an earlier run copied back to where it is the same as the log (KIP-101): that one may have lost its end since, and have
 * been written to again in a later leader epoch.
 */
export function cutToCommon(log: Log, future: Log, now: number): void {
  for (;;) {
    const { latestEpoch } = future
    if (latestEpoch < 0) return future.truncateFullyAndStartAt(log.logStartOffset, now)
    const common = log.endOffsetForEpoch(latestEpoch)
    if (common.epoch === latestEpoch) {
      const end = Math.min(common.endOffset, future.logEndOffset)
      if (end < future.logEndOffset) future.truncateTo(end, now)
      return
    }
    if (common.epoch < 0) return future.truncateFullyAndStartAt(log.logStartOffset, now)
    const { endOffset } = future.endOffsetForEpoch(common.epoch)
    future.truncateTo(Math.max(0, Math.min(endOffset, common.endOffset)), now)
  }
}
