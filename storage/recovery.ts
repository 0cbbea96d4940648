/**
 * Opens a partition's folder (LogLoader.java). After a clean shutdown names and the end of the last segment are enough. After
 * a crash every segment that may hold unsynced bytes is scanned: the log ends before the first invalid batch, indexes
 * and leader epochs are built anew, and the producers follow from a snapshot plus what lies behind it.
 */
import * as header from '../protocol/records/batch.ts'
import { lastOffsetOf, leaderEpochOf } from './batch-cursor.ts'
import { KafkaError } from '../protocol/errors.ts'
import { CorruptFileError } from './errors.ts'
import { epochsPath } from './log-folder.ts'
import type { Files } from './files.ts'
import { LeaderEpochs, parseLeaderEpochs } from './leader-epochs.ts'
import type { LogConfig } from './log-config.ts'
import * as names from './names.ts'
import { ProducerState } from './producer-state.ts'
import { applyBatch, indexTransaction, replaySegments } from './replay.ts'
import { scanSegment } from './scan.ts'
import { Segment, segmentFiles } from './segment.ts'
import { SnapshotFiles } from './snapshot-files.ts'

export interface LoadOptions {
  readonly files: Files
  readonly folder: string
  readonly config: LogConfig
  readonly cleanShutdown: boolean
  /** Everything below it was on disk when it was noted. */
  readonly recoveryPoint: number
  readonly logStartOffset: number
  readonly now: number
  readonly rollJitterMs: (config: LogConfig) => number
}

export interface LoadedLog {
  /** Ascending, at least one; the last is active. */
  readonly segments: Segment[]
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly recoveryPoint: number
  readonly epochs: LeaderEpochs
  /** What their file holds; null when it is missing or cannot be read. */
  readonly savedEpochs: Buffer | null
  readonly producers: ProducerState
  readonly snapshots: SnapshotFiles
  /** Segments that may not be on disk as a whole; none after a clean stop. */
  readonly unsynced: readonly Segment[]
  /** Renamed files that wait for deletion. */
  readonly deleted: string[]
  /** Bytes that were scanned, for logs and tests. */
  readonly scannedBytes: number
}

/** Opens the folder, which must exist. @throws what the disk throws */
export function loadLog(o: LoadOptions): LoadedLog {
  const fileNames = completeSwaps(o.files, o.folder)
  let savedEpochs = fileNames.includes(names.LEADER_EPOCH_CHECKPOINT_FILE)
    ? o.files.readAll(epochsPath(o.folder))
    : null
  const epochs = loadEpochs(savedEpochs, o.folder)
  // A lost epoch file is rebuilt from the batches, all of them.
  const clean = o.cleanShutdown && epochs !== null
  const state: Loading = {
    o: { ...o, recoveryPoint: epochs === null ? 0 : o.recoveryPoint },
    syncedOffset: o.recoveryPoint,
    segments: [],
    epochs: epochs ?? new LeaderEpochs(),
    producers: new ProducerState(o.config.producerIdExpirationMs),
    snapshots: new SnapshotFiles(o.files, o.folder, fileNames),
    deleted: [],
    scannedBytes: 0,
  }
  openSegments(state, fileNames, clean)
  if (!clean) scanUnsynced(state)
  let logEndOffset = state.segments.at(-1)?.nextOffset() ?? o.logStartOffset
  if (logEndOffset < o.logStartOffset || state.segments.length === 0) {
    // Files are gone that the checkpoint knew: what is left lies below the start of the log.
    dropSegments(state, 0)
    state.snapshots.removeAll()
    state.epochs.clear()
    state.segments.push(newSegment(o, o.logStartOffset))
    state.segments[0]!.create()
    logEndOffset = o.logStartOffset
  }
  const logStartOffset = Math.max(o.logStartOffset, state.segments[0]!.baseOffset)
  const toldTooMuch = state.epochs.truncateFromEnd(logEndOffset)
  state.epochs.truncateFromStart(logStartOffset)
  loadProducers(state, logStartOffset, logEndOffset, clean)
  state.segments.at(-1)!.loadLargest()
  // What it lacks is written with the next sync, but it must not tell of what a crash took.
  if (epochs === null || (toldTooMuch && !clean)) {
    o.files.writeAtomic(epochsPath(o.folder), (savedEpochs = state.epochs.format()))
  }
  const recoveryPoint = clean ? logEndOffset : Math.min(state.o.recoveryPoint, logEndOffset)
  // A folder that was just made counts as clean, but its segment is new.
  const isNew = !fileNames.includes(names.logFile(state.segments[0]!.baseOffset))
  const unsynced = clean && !isNew ? [] : state.segments.slice(firstUnsynced(state))
  return { ...state, savedEpochs, logStartOffset, logEndOffset, recoveryPoint, unsynced }
}

interface Loading {
  readonly o: LoadOptions
  /** Below it everything was on disk; the recovery point, which may have been put back, is not beyond it. */
  readonly syncedOffset: number
  readonly segments: Segment[]
  readonly epochs: LeaderEpochs
  readonly producers: ProducerState
  readonly snapshots: SnapshotFiles
  readonly deleted: string[]
  scannedBytes: number
}

function loadEpochs(data: Buffer | null, folder: string): LeaderEpochs | null {
  if (data === null) return new LeaderEpochs()
  try {
    return new LeaderEpochs(parseLeaderEpochs(data, epochsPath(folder)))
  } catch (error) {
    if (error instanceof CorruptFileError) return null
    throw error
  }
}

/**
 * Ends what a crash left half done: files that were being deleted, written or compacted go; a finished compaction (`.swap`
 * files without `.cleaned` ones at or below them) takes the place of the segments it covers. @returns the names left
 */
function completeSwaps(files: Files, folder: string): string[] {
  const path = (name: string) => names.join(folder, name)
  const found = files.list(folder)
  const cleaned = found.filter(name => name.endsWith(names.CLEANED_SUFFIX))
  const firstCleaned = Math.min(...cleaned.map(name => names.offsetOfFile(name) ?? Infinity))
  const swaps = found.filter(name => name.endsWith(names.SWAP_SUFFIX))
  const valid = swaps.filter(name => (names.offsetOfFile(name) ?? 0) < firstCleaned)
  if (valid.length < swaps.length) {
    for (const name of swaps) if (!valid.includes(name)) files.remove(path(name))
    // Without the `.cleaned` ones they would pass for complete.
    files.syncDirNow(folder)
  }
  let removed = false
  for (const name of found) {
    // Snapshots of the metadata log are deleted by its own rules (KIP-630).
    const unfinished =
      name.endsWith(names.DELETED_SUFFIX) && !name.endsWith(names.CHECKPOINT_SUFFIX + names.DELETED_SUFFIX)
    if (!unfinished && !cleaned.includes(name) && !name.endsWith(names.TEMPORARY_SUFFIX)) continue
    files.remove(path(name))
    removed = true
  }
  if (swaps.length === 0 && !removed) return found
  if (valid.length === 0) return files.list(folder)
  const logs = valid.filter(name => name.endsWith(names.LOG_SUFFIX + names.SWAP_SUFFIX))
  const covered = logs.map(name => ({ base: names.offsetOfFile(name) ?? 0, end: endOfFile(files, path(name)) }))
  const first = Math.min(...covered.map(({ base }) => base))
  const end = Math.max(...covered.map(swap => swap.end))
  for (const name of files.list(folder)) {
    const offset = names.offsetOfFile(name)
    if (offset === null || name.endsWith(names.SWAP_SUFFIX) || offset < first || offset >= end) continue
    files.remove(path(name))
  }
  // What they cover must not come back beside them.
  files.syncDirNow(folder)
  // The log goes last: until it is there the rest belongs to it.
  for (const log of logs) {
    const base = names.offsetOfFile(log)
    for (const name of [...valid.filter(other => other !== log && names.offsetOfFile(other) === base), log]) {
      files.rename(path(name), path(name.slice(0, -names.SWAP_SUFFIX.length)))
    }
  }
  // Nobody can tell whose the others are. The log of that name gets new indexes.
  for (const name of valid.filter(other => files.exists(path(other)))) {
    files.remove(path(name))
    const index = names.offsetIndexFile(names.offsetOfFile(name) ?? 0)
    if (files.exists(path(index))) files.remove(path(index))
  }
  // An index must not be taken for that of the segment before.
  files.syncDirNow(folder)
  return files.list(folder)
}

/** The offset behind the last whole batch of a file that is no segment yet. */
function endOfFile(files: Files, path: string): number {
  const bytes = files.readAll(path)
  let end = 0
  for (let at = 0, size = header.wholeBatchAt(bytes, 0); size > 0; at += size, size = header.wholeBatchAt(bytes, at)) {
    end = lastOffsetOf(bytes, at) + 1
  }
  return end
}

const newSegment = (o: LoadOptions, baseOffset: number): Segment =>
  new Segment(o.files, o.folder, baseOffset, o.config, o.now, o.rollJitterMs(o.config))

/** Lists the segments by their names alone, and mends those whose indexes are missing. */
function openSegments(state: Loading, fileNames: readonly string[], clean: boolean): void {
  const { o, segments } = state
  const present = new Set(fileNames)
  for (const name of fileNames) {
    const offset = names.offsetOfFile(name)
    if (offset === null) continue
    if (name.endsWith(names.LOG_SUFFIX)) {
      const segment = newSegment(o, offset)
      segment.expectFiles(present)
      segments.push(segment)
    } else if (
      [names.OFFSET_INDEX_SUFFIX, names.TIME_INDEX_SUFFIX, names.TXN_INDEX_SUFFIX].some(s => name.endsWith(s)) &&
      !present.has(names.logFile(offset))
    ) {
      o.files.remove(names.join(o.folder, name))
    }
  }
  const firstScanned = clean ? segments.length : firstUnsynced(state)
  segments.forEach((segment, n) => {
    // Those to be scanned get new indexes anyway. Of the others only the last is looked into: it is about to be written.
    if (n >= firstScanned) return
    const [index, timeIndex] = segmentFiles(segment.baseOffset)
    const missing = !present.has(index!) || !present.has(timeIndex!)
    if (missing || (n === segments.length - 1 && !isSane(segment))) rebuildIndexes(state, n)
  })
}

/** Whether indexes and the end of the segment can be read. */
function isSane(segment: Segment): boolean {
  try {
    segment.offsetIndex.sanityCheck()
    segment.timeIndex.sanityCheck()
    segment.transactions.sanityCheck()
    const { position } = segment.offsetIndex.lookup(Infinity)
    if (position > 0 && position >= segment.written) return false
    segment.nextOffset()
    return true
  } catch (error) {
    // KafkaError: no whole batch where the index says one begins, or at the end.
    if (error instanceof CorruptFileError || error instanceof KafkaError) return false
    throw error
  }
}

/**
 * Of a segment whose batches are trusted. The producers of its beginning are needed to know its transactions. The offset index
 * comes last, when the others are on the disk: as long as it is missing a start does all of this again.
 */
function rebuildIndexes(state: Loading, n: number): void {
  const { segments, producers, snapshots, o } = state
  const { baseOffset } = segments[n]!
  segments[n]!.close()
  const index = names.join(o.folder, names.offsetIndexFile(baseOffset))
  if (o.files.exists(index)) o.files.remove(index)
  o.files.syncDirNow(o.folder)
  const segment = newSegment(o, baseOffset)
  segments[n] = segment
  snapshots.load(producers, Math.min(o.logStartOffset, baseOffset), baseOffset, o.now)
  replaySegments(producers, segments.slice(0, n), baseOffset)
  scan(state, segment)
  segment.finishTimeIndex()
  segment.timeIndex.syncNow()
  segment.transactions.syncNow()
  o.files.syncDirNow(o.folder)
  segment.offsetIndex.syncNow()
  segment.seal()
}

/**
 * The first segment that may hold unsynced bytes: the one that holds the recovery point, and the one before it if the point
 * lies exactly between them, since its indexes are synced after it is sealed.
 */
function firstUnsynced({ segments, o }: Loading): number {
  let first = 0
  while (first + 1 < segments.length && segments[first + 1]!.baseOffset < o.recoveryPoint) first++
  return first
}

/** Scans what may not have been on disk when the process or the machine died, and ends the log where it stops being valid. */
function scanUnsynced(state: Loading): void {
  const { segments, producers, snapshots, o } = state
  const first = firstUnsynced(state)
  const start = segments[first]
  if (start === undefined) return
  snapshots.load(producers, Math.min(o.logStartOffset, start.baseOffset), start.baseOffset, o.now)
  replaySegments(producers, segments.slice(0, first), start.baseOffset)
  // Later ones may be torn, or tell of batches that were lost. They are taken again on the way.
  snapshots.keepWithin(-1, start.baseOffset)
  let gaps = false
  for (let n = first; n < segments.length; n++) {
    const segment = segments[n]!
    producers.mapEndOffset = Math.max(producers.mapEndOffset, segment.baseOffset)
    if (n > first) snapshots.take(producers)
    const found = scan(state, segment)
    gaps ||= found.gaps
    const next = segments[n + 1]
    // Offsets are missing between segments only where compaction removed them, which is nowhere beyond the recovery point of the
    // time. Elsewhere the end of this one was lost.
    const lost =
      next !== undefined &&
      found.nextOffset < next.baseOffset &&
      next.baseOffset > state.syncedOffset &&
      !gaps &&
      !o.config.cleanupPolicy.compact
    if (found.cut || lost || (next !== undefined && found.nextOffset > next.baseOffset)) {
      dropSegments(state, n + 1)
      return
    }
    if (next !== undefined) segment.seal()
  }
}

/** Segments from the nth on leave the log; their files wait for deletion. */
function dropSegments({ segments, snapshots, deleted }: Loading, n: number): void {
  const end = segments[n]?.baseOffset
  for (const segment of segments.splice(n)) deleted.push(...segment.markDeleted())
  if (end !== undefined) snapshots.keepWithin(-1, end)
}

/** Enters the valid batches of a segment into indexes, leader epochs and producers, and cuts the file behind them. */
function scan(state: Loading, segment: Segment): { nextOffset: number; cut: boolean; gaps: boolean } {
  const { epochs, producers } = state
  segment.resetIndexes()
  const { validBytes, nextOffset, gaps } = scanSegment(segment, (buffer, at, position, size) => {
    segment.index(buffer, at, position, size)
    const epoch = leaderEpochOf(buffer, at)
    if (epoch > epochs.latestEpoch) epochs.assign(epoch, header.baseOffset(buffer, at))
    indexTransaction(producers, segment, applyBatch(producers, buffer, at))
  })
  state.scannedBytes += validBytes
  const cut = validBytes < segment.written
  segment.cutAt(validBytes)
  return { nextOffset, cut, gaps }
}

function loadProducers(state: Loading, logStartOffset: number, logEndOffset: number, clean: boolean): void {
  const { segments, producers, snapshots, o } = state
  const bases = segments.map(segment => segment.baseOffset)
  snapshots.removeStrays(bases)
  if (clean && snapshots.offsets.length === 0) {
    // As Kafka does: an orderly stop would have left a snapshot, had there been producers to remember.
    producers.clear(logEndOffset)
    return
  }
  snapshots.keepWithin(logStartOffset, logEndOffset)
  if (clean || producers.mapEndOffset !== logEndOffset) {
    snapshots.load(producers, logStartOffset, logEndOffset, o.now)
    replaySegments(producers, segments, logEndOffset)
  }
  producers.mapEndOffset = logEndOffset
}
