/**
 * The way of a batch into the log: judged, given offsets, copied once into the arena, patched there, and noted by the segment,
 * the tail and the producers. It ends in the queue; the next write() takes it to the file.
 */
import * as header from '../protocol/records/batch.ts'
import * as errors from '../protocol/errors.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { Records } from '../protocol/schema.ts'
import type { DiskGuard } from './disk-guard.ts'
import type { LogFiles } from './log-files.ts'
import type { LogOffsets } from './log-offsets.ts'
import type { AppendInfo, AppendOptions } from './log-options.ts'
import type { ProducerState } from './producer-state.ts'
import { firstOffsetOf } from './producer-state.ts'
import { applyBatch, indexTransaction, markerOf } from './replay.ts'
import type { Tail } from './tail.ts'
import { validateBatch } from './validate.ts'
import type { WriteQueue } from './write-queue.ts'

/** The parts of a log that an append touches. */
export interface AppendTarget {
  readonly files: LogFiles
  readonly offsets: LogOffsets
  readonly producers: ProducerState
  readonly disk: DiskGuard
  readonly queue: WriteQueue
  readonly tail: Tail
  /** Writes what is queued and begins a segment. */
  roll(now: number): void
}

/**
 * Appends one batch, or (origin replication) any number.
 * @throws KafkaError: RecordBatchError (validate.ts), RECORD_LIST_TOO_LARGE, those of ProducerState.check,
 * KAFKA_STORAGE_ERROR
 */
export function appendRecords(log: AppendTarget, records: Records | Buffer, o: AppendOptions): AppendInfo {
  const bytes = contiguous(records)
  if (o.origin === 'replication') return appendReplicated(log, bytes, o)
  const { config } = log.files
  const batch = validateBatch(bytes, { config, now: o.now, origin: o.origin, apiVersion: o.apiVersion })
  if (batch.size > config.segmentBytes) {
    throw new KafkaError(
      errors.RECORD_LIST_TOO_LARGE,
      `The batch of ${batch.size} bytes is larger than segment.bytes, ${config.segmentBytes}.`,
    )
  }
  const known = checkProducer(log, batch.bytes, o)
  if (known !== null) return known
  const firstOffset = log.offsets.end
  store(log, batch.bytes, 0, batch.size, firstOffset, batch.maxTimestamp, o)
  return {
    firstOffset,
    lastOffset: log.offsets.end - 1,
    logAppendTime: config.timestampType === 'LogAppendTime' ? o.now : -1,
    logStartOffset: log.offsets.start,
    duplicate: false,
    byteLength: batch.size,
  }
}

/** The answer for a batch that was sent before, else null. */
function checkProducer({ producers, offsets }: AppendTarget, bytes: Buffer, o: AppendOptions): AppendInfo | null {
  const producerId = header.producerId(bytes, 0)
  if (producerId < 0) return null
  const marker = markerOf(bytes, 0)
  if (marker !== null) {
    producers.checkMarker(producerId, header.producerEpoch(bytes, 0), marker, o.transactionVersion ?? 0)
    return null
  }
  const known = producers.check(bytes, 0, o.origin, o.verification)
  if (known === null) return null
  return {
    firstOffset: firstOffsetOf(known),
    lastOffset: known.lastOffset,
    logAppendTime: known.timestamp,
    logStartOffset: offsets.start,
    duplicate: true,
    byteLength: 0,
  }
}

function appendReplicated(log: AppendTarget, bytes: Buffer, o: AppendOptions): AppendInfo {
  const firstOffset = log.offsets.end
  let byteLength = 0
  for (const at of replicatedBatches(bytes, o.leaderEpoch, firstOffset)) {
    const size = header.sizeInBytes(bytes, at)
    const leaderEpoch = header.partitionLeaderEpoch(bytes, at)
    const maxTimestamp = header.maxTimestamp(bytes, at)
    store(log, bytes, at, size, header.baseOffset(bytes, at), maxTimestamp, { ...o, leaderEpoch })
    byteLength += size
  }
  const { start: logStartOffset, end } = log.offsets
  return { firstOffset, lastOffset: end - 1, logAppendTime: -1, logStartOffset, duplicate: false, byteLength }
}

/** The batch at `at` is accepted: copies it into the arena, patches it there and takes note of it everywhere. */
function store(
  log: AppendTarget,
  bytes: Buffer,
  at: number,
  size: number,
  baseOffset: number,
  maxTimestamp: number,
  { leaderEpoch, now, origin }: AppendOptions,
): void {
  const { files, disk } = log
  const { config } = files
  const lastOffset = baseOffset + header.lastOffsetDelta(bytes, at)
  const mustRoll = disk.run(() => {
    if (leaderEpoch >= 0 && files.epochs.assign(leaderEpoch, baseOffset)) files.epochsChanged()
    return files.active.shouldRoll(size, maxTimestamp, lastOffset, now, config)
  })
  if (mustRoll) log.roll(now)
  const slice = log.queue.add(at === 0 && size === bytes.length ? bytes : bytes.subarray(at, at + size))
  const { buffer } = slice.slab
  if (origin !== 'replication') {
    header.setBaseOffset(buffer, slice.start, baseOffset)
    header.setLeaderEpoch(buffer, slice.start, leaderEpoch)
    header.setMaxTimestampAndType(buffer, slice.start, maxTimestamp, config.timestampType)
  }
  disk.run(() => files.active.append(buffer, slice.start))
  log.tail.push(baseOffset, lastOffset + 1, slice)
  log.offsets.appended(lastOffset + 1, now)
  const completed = applyBatch(log.producers, buffer, slice.start)
  if (completed !== null) disk.run(() => indexTransaction(log.producers, files.active, completed))
}

/** The bytes as one buffer; requests have them so already. */
function contiguous(records: Records | Buffer): Buffer {
  if (Buffer.isBuffer(records)) return records
  const { parts } = records
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
}

/**
 * Positions of the batches that a follower takes from its leader's log: valid, with rising offsets from `nextOffset` on. It stops
 * at a cut-off batch, and at one of a later epoch than the leader asked (KAFKA-18723).
 * @throws KafkaError CORRUPT_MESSAGE, before any batch is handed out; UNKNOWN_SERVER_ERROR for offsets that do not rise
 */
function replicatedBatches(bytes: Buffer, leaderEpoch: number, nextOffset: number): number[] {
  const positions: number[] = []
  for (let at = 0; ; at += header.sizeInBytes(bytes, at)) {
    const size = header.wholeBatchAt(bytes, at)
    if (size === header.INCOMPLETE) return positions
    if (size === header.INVALID || header.magic(bytes, at) !== 2 || !header.isCrcValid(bytes, at)) {
      throw new KafkaError(errors.CORRUPT_MESSAGE)
    }
    if (header.partitionLeaderEpoch(bytes, at) > leaderEpoch) return positions
    if (header.baseOffset(bytes, at) < nextOffset || header.lastOffsetDelta(bytes, at) < 0) {
      const offset = header.baseOffset(bytes, at)
      throw new KafkaError(errors.UNKNOWN_SERVER_ERROR, `Replicated offset ${offset} is below ${nextOffset}.`)
    }
    nextOffset = header.nextOffset(bytes, at)
    positions.push(at)
  }
}
