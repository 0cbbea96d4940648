/**
 * Checks every file of a partition's folder: batches and records of the log, what the indexes say of it, and the small files.
 * Reads each log once; memory does not grow with it.
 */
import { decodeControlKey, SNAPSHOT_FOOTER, SNAPSHOT_HEADER } from '../protocol/records/control.ts'
import * as header from '../protocol/records/batch.ts'
import { RecordError } from '../protocol/records/error.ts'
import { RecordCursor } from '../protocol/records/record.ts'
import { lastOffsetOf, leaderEpochOf, maxTimestampOf } from './batch-cursor.ts'
import { CorruptFileError } from './errors.ts'
import type { Files } from './files.ts'
import { survey } from './inspect-survey.ts'
import type { BadPiece } from './inspect-survey.ts'
import { OffsetIndexCheck, TimeIndexCheck, TxnIndexCheck } from './inspect-verify-index.ts'
import type { Note } from './inspect-verify-index.ts'
import { LeaderEpochs, parseLeaderEpochs } from './leader-epochs.ts'
import type { EpochEntry } from './leader-epochs.ts'
import * as names from './names.ts'
import { parsePartitionMetadata } from './partition-metadata.ts'
import { parseProducerSnapshot } from './producer-snapshot.ts'
import { parseQuorumState } from './quorum-state.ts'

export interface Fault {
  readonly path: string
  /** The first wrong byte of the file; null: the file as a whole. */
  readonly position: number | null
  readonly problem: string
  /** May be meant so, or harms nothing: no reason to call a directory broken. */
  readonly isNote: boolean
  /** The next start of a broker mends it by itself. */
  readonly heals: boolean
}

/** What is known of a log besides its folder. */
export interface LogContext {
  /** Whether the last stop was an orderly one: then a start looks at nothing. */
  readonly clean: boolean
  /** A start after any other stop builds indexes and snapshots of the segments from here on anew. */
  readonly recoveryPoint: number
  /** Compaction was here: offsets may be missing. */
  readonly compacted: boolean
}

export interface FolderReport {
  readonly folder: string
  readonly faults: Fault[]
  segments: number
  batches: number
  records: number
  bytes: number
  /** Of the first segment; 0 without one. */
  startOffset: number
  /** Behind the last batch that is right. */
  endOffset: number
}

const KNOWS_NOTHING: LogContext = { clean: false, recoveryPoint: 0, compacted: true }

/**
 * One sentence for each thing that is wrong; empty when all is well. Needs codecReady(4) for batches in zstd.
 * @param folder '' is the log directory itself: its small files
 */
export function verifyFolder(files: Files, folder: string, context = KNOWS_NOTHING): string[] {
  return checkFolder(files, folder, context)
    .faults.filter(({ isNote }) => !isNote)
    .map(({ path, position, problem }) => `${path}${position === null ? '' : ` at ${position}`}: ${problem}`)
}

/** @param onBytes told now and then how many more bytes of logs were read */
export function checkFolder(
  files: Files,
  folder: string,
  context: LogContext = KNOWS_NOTHING,
  onBytes: (count: number) => void = () => undefined,
): FolderReport {
  const report: FolderReport = {
    folder,
    faults: [],
    segments: 0,
    batches: 0,
    records: 0,
    bytes: 0,
    startOffset: 0,
    endOffset: 0,
  }
  const check: FolderCheck = {
    files,
    folder,
    context,
    onBytes,
    report,
    fileNames: new Set(files.list(folder)),
    gaps: false,
    afterBad: false,
    epoch: -1,
    epochs: [],
  }
  const bases = [...check.fileNames]
    .filter(name => name.endsWith(names.LOG_SUFFIX))
    .flatMap(name => names.offsetOfFile(name) ?? [])
    .toSorted((a, b) => a - b)
  report.startOffset = report.endOffset = bases[0] ?? 0
  report.segments = bases.length
  check.epochs = readSmall(check, names.LEADER_EPOCH_CHECKPOINT_FILE, parseLeaderEpochs) ?? []
  bases.forEach((base, n) => checkSegment(check, base, bases[n + 1] ?? null))
  checkEpochs(check)
  checkSmallFiles(check, new Set(bases))
  return report
}

interface FolderCheck {
  readonly files: Files
  readonly folder: string
  readonly context: LogContext
  readonly onBytes: (count: number) => void
  readonly report: FolderReport
  readonly fileNames: ReadonlySet<string>
  /** Whether offsets were missing so far, as compaction leaves them. */
  gaps: boolean
  /** Bad bytes lie before the next batch. */
  afterBad: boolean
  epoch: number
  epochs: readonly EpochEntry[]
}

interface Segment {
  readonly base: number
  readonly next: number | null
  /** A start builds its indexes anew. */
  readonly rebuilt: boolean
  readonly path: string
}

const note = (check: FolderCheck, name: string, heals = false): Note => {
  const path = names.join(check.folder, name)
  return (position, problem, isNote = false) => check.report.faults.push({ path, position, problem, isNote, heals })
}

function checkSegment(check: FolderCheck, base: number, next: number | null): void {
  const { files, folder, context, report } = check
  const rebuilt = !context.clean && (next === null || next >= context.recoveryPoint)
  const segment: Segment = { base, next, rebuilt, path: names.join(folder, names.logFile(base)) }
  const size = files.size(segment.path)
  const fault = note(check, names.logFile(base))
  const indexNames = [names.offsetIndexFile(base), names.timeIndexFile(base), names.txnIndexFile(base)] as const
  const read = (name: string) => (check.fileNames.has(name) ? files.readAll(names.join(folder, name)) : null)
  const [offsetData, timeData, txnData] = indexNames.map(read)
  for (const [name, data] of [
    [indexNames[0], offsetData],
    [indexNames[1], timeData],
  ] as const) {
    // A start builds both anew; of a segment that grows they are written late. Without batches there is nothing to say.
    if (data === null && size > 0 && !rebuilt) note(check, name, true)(null, 'it is missing')
  }
  const offsets = new OffsetIndexCheck(offsetData ?? null, base, rebuilt, note(check, indexNames[0], rebuilt))
  const times = new TimeIndexCheck(timeData ?? null, base, rebuilt, note(check, indexNames[1], rebuilt))
  const aborted = new TxnIndexCheck(txnData ?? null, base, note(check, indexNames[2], rebuilt))
  const startOfSegment = Math.max(report.endOffset, base)
  if (base > report.endOffset) missingBefore(check, base, fault)
  if (base < report.endOffset)
    fault(null, `it begins at offset ${base}, but the segment before ends at ${report.endOffset}`)
  report.endOffset = startOfSegment
  let sound = true
  let told = 0
  for (const piece of survey(files, segment.path, { from: startOfSegment, to: next ?? Infinity, base })) {
    if (piece.problem !== null) {
      sound = false
      badPiece(check, segment, piece)
      times.hole()
      check.afterBad = piece.offset === undefined
      if (piece.offset === undefined) offsets.hole(piece.position + piece.size)
      if (piece.offset !== undefined) {
        report.endOffset = piece.offset.expected + piece.offset.lastDelta + 1
        offsets.batch(piece.position, report.endOffset - 1)
      }
      continue
    }
    const { bytes, position } = piece
    checkBatch(check, bytes, position, fault)
    offsets.batch(position, lastOffsetOf(bytes, 0))
    times.batch(firstOffsetOf(bytes), lastOffsetOf(bytes, 0), maxTimestampOf(bytes, 0))
    aborted.batch(bytes)
    if (position - told > 8 * 1024 * 1024) {
      check.onBytes(position - told)
      told = position
    }
  }
  report.bytes += size
  check.onBytes(size - told)
  const isSealed = next !== null && !rebuilt && sound
  offsets.end()
  times.end(isSealed)
  aborted.end(report.endOffset)
}

function badPiece(check: FolderCheck, segment: Segment, piece: BadPiece): void {
  const { position, size, problem, isTail, offset } = piece
  // A start cuts what it cannot read off the end, where that may never have reached the disk.
  const heals = isTail && segment.next === null && segment.rebuilt
  const what =
    offset === undefined
      ? `${size} bytes ${isTail ? 'behind the last batch are none' : 'are no batch that can be trusted'}: ${problem}`
      : `${problem}: a batch of ${size} bytes that belongs at ${offset.expected}`
  note(check, names.logFile(segment.base), heals)(position, what)
}

/** Between two segments of a log that was never compacted: a start after a crash would take what follows for lost. */
function missingBefore(check: FolderCheck, base: number, fault: Note): void {
  if (!check.context.compacted && !check.gaps) {
    fault(null, `offsets ${check.report.endOffset} to ${base - 1} are missing before it`)
  }
  check.gaps = true
}

function checkBatch(check: FolderCheck, bytes: Buffer, position: number, fault: Note): void {
  const { report } = check
  report.batches++
  const first = firstOffsetOf(bytes)
  report.records += header.magic(bytes, 0) === 2 ? Math.max(0, header.recordCount(bytes, 0)) : 1
  if (first > report.endOffset && header.magic(bytes, 0) === 2) {
    if (check.afterBad) {
      fault(position, `offsets ${report.endOffset} to ${first - 1} are lost with the bytes before it`, true)
    } else if (!check.context.compacted) {
      fault(
        position,
        `offsets ${report.endOffset} to ${first - 1} are missing before it: was the topic compacted?`,
        true,
      )
    }
    check.gaps ||= !check.afterBad
  }
  check.afterBad = false
  report.endOffset = lastOffsetOf(bytes, 0) + 1
  const epoch = leaderEpochOf(bytes, 0)
  if (epoch < 0) return
  const expected = epochAt(check.epochs, first)
  if (expected >= 0 && epoch !== expected) {
    fault(position, `its leader epoch is ${epoch}, but at offset ${first} it was ${expected}`)
  } else if (epoch < check.epoch) fault(position, `its leader epoch is ${epoch}, which is below ${check.epoch}`)
  else check.epoch = epoch
}

/** Of an old message its own. */
export const firstOffsetOf = (bytes: Buffer): number =>
  header.magic(bytes, 0) === 2 ? header.baseOffset(bytes, 0) : lastOffsetOf(bytes, 0)

/** The epoch of an offset, -1 where the list does not tell. */
export function epochAt(epochs: readonly EpochEntry[], offset: number): number {
  let found = -1
  for (const { epoch, startOffset } of epochs) {
    if (startOffset > offset) break
    found = epoch
  }
  return found
}

function checkEpochs(check: FolderCheck): void {
  const { epochs, report } = check
  const fault = note(check, names.LEADER_EPOCH_CHECKPOINT_FILE)
  if (new LeaderEpochs(epochs).entries.length !== epochs.length) fault(null, 'its epochs and offsets do not rise')
  const last = epochs.at(-1)
  // A start drops it.
  if (last !== undefined && last.startOffset > report.endOffset) {
    fault(null, `epoch ${last.epoch} begins at ${last.startOffset}, but the log ends at ${report.endOffset}`)
  }
}

function readSmall<T>(check: FolderCheck, name: string, parse: (data: Buffer, path: string) => T): T | null {
  if (!check.fileNames.has(name)) return null
  const path = names.join(check.folder, name)
  try {
    return parse(check.files.readAll(path), path)
  } catch (error) {
    if (!(error instanceof CorruptFileError)) throw error
    note(check, name)(null, error.message.slice(path.length + 2))
    return null
  }
}

function checkSmallFiles(check: FolderCheck, bases: ReadonlySet<number>): void {
  for (const name of check.fileNames) {
    const offset = names.offsetOfFile(name)
    if (name.endsWith(names.PRODUCER_SNAPSHOT_SUFFIX) && offset !== null) checkSnapshot(check, name, offset)
    else if (name.endsWith(names.CHECKPOINT_SUFFIX)) checkMetadataSnapshot(check, name)
    else if (name === names.PARTITION_METADATA_FILE) readSmall(check, name, parsePartitionMetadata)
    else if (name === names.QUORUM_STATE_FILE) readSmall(check, name, parseQuorumState)
    else if (
      offset !== null &&
      !bases.has(offset) &&
      [names.OFFSET_INDEX_SUFFIX, names.TIME_INDEX_SUFFIX, names.TXN_INDEX_SUFFIX].some(end => name.endsWith(end))
    ) {
      note(check, name, true)(null, 'its log is missing', true)
    }
  }
}

function checkSnapshot(check: FolderCheck, name: string, offset: number): void {
  const { endOffset } = check.report
  const heals = !check.context.clean
  const fault = note(check, name, heals)
  const before = check.report.faults.length
  const entries = readSmall(check, name, parseProducerSnapshot)
  if (entries === null) {
    const [found] = check.report.faults.splice(before)
    if (found !== undefined) fault(null, found.problem)
    return
  }
  for (const { producerId, lastOffset, currentTxnFirstOffset } of entries) {
    if (lastOffset >= offset || currentTxnFirstOffset >= offset) {
      return fault(null, `it tells of offset ${Math.max(lastOffset, currentTxnFirstOffset)} of producer ${producerId}`)
    }
  }
  // A start drops it.
  if (offset > endOffset) note(check, name, true)(null, `the log ends at ${endOffset}`, true)
}

/** A snapshot of the metadata log (KIP-630): batches from offset 0, the first with its header, the last with its footer. */
function checkMetadataSnapshot(check: FolderCheck, name: string): void {
  const path = names.join(check.folder, name)
  const fault = note(check, name)
  let first: number | null = null
  let last: number | null = null
  let sound = true
  for (const piece of survey(check.files, path, { from: 0, to: Infinity, base: 0 })) {
    if (piece.problem !== null) {
      sound = false
      fault(piece.position, `${piece.size} bytes are no batch that can be trusted: ${piece.problem}`)
      continue
    }
    check.report.batches++
    check.report.records += Math.max(0, header.recordCount(piece.bytes, 0))
    last = controlType(piece.bytes)
    first ??= last
  }
  if (!sound) return
  if (first !== SNAPSHOT_HEADER) fault(0, 'it does not begin with a header')
  if (last !== SNAPSHOT_FOOTER) fault(null, 'it does not end with a footer: it is not whole')
}

/** Of the first record of a control batch; -1 for others. */
function controlType(bytes: Buffer): number {
  if (header.magic(bytes, 0) !== 2 || !header.isControl(bytes, 0)) return -1
  try {
    const cursor = new RecordCursor(bytes)
    return cursor.next() ? decodeControlKey(cursor.key()).type : -1
  } catch (error) {
    if (error instanceof RecordError) return -1
    throw error
  }
}
