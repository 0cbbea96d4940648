/** Checks a whole data directory: each partition's folder on its own, then what the files of the directory say of them. */
import { offsetsByFolder, parseOffsetCheckpoint } from './checkpoint.ts'
import { CorruptFileError, errorCode } from './errors.ts'
import type { Files } from './files.ts'
import { checkFolder } from './inspect-verify.ts'
import type { Fault, FolderReport, LogContext } from './inspect-verify.ts'
import { parseMetaProperties } from './meta-properties.ts'
import * as names from './names.ts'

/** What the files at the top of a directory say; what is wrong with them. */
export interface DirectoryState {
  /** Whether the last stop was an orderly one. */
  readonly clean: boolean
  /** Folders of partitions, and snapshots' folder: each is checked on its own. */
  readonly folders: readonly string[]
  readonly recoveryPoints: ReadonlyMap<string, number>
  readonly logStartOffsets: ReadonlyMap<string, number>
  readonly highWatermarks: ReadonlyMap<string, number>
  readonly cleanedTo: ReadonlyMap<string, number>
  readonly faults: readonly Fault[]
}

/** The checkpoint files of a directory. */
export const CHECKPOINTS = [
  names.RECOVERY_POINT_CHECKPOINT_FILE,
  names.LOG_START_OFFSET_CHECKPOINT_FILE,
  names.REPLICATION_OFFSET_CHECKPOINT_FILE,
  names.CLEANER_OFFSET_CHECKPOINT_FILE,
]

const fault = (path: string, problem: string, isNote = false): Fault => ({
  path,
  position: null,
  problem,
  isNote,
  heals: false,
})

export function readDirectory(files: Files): DirectoryState {
  const faults: Fault[] = []
  const read = <T>(path: string, parse: (data: Buffer, path: string) => T, otherwise: T): T => {
    if (!files.exists(path)) return otherwise
    try {
      return parse(files.readAll(path), path)
    } catch (error) {
      if (!(error instanceof CorruptFileError)) throw error
      faults.push(fault(path, error.message.slice(path.length + 2)))
      return otherwise
    }
  }
  const checkpoint = (path: string) => offsetsByFolder(read(path, parseOffsetCheckpoint, []))
  const folders = files.list('').filter(name => {
    const kind = names.parseFolder(name)?.kind
    // What is being deleted is nobody's any more.
    return kind !== undefined && kind !== 'delete' && files.isFolder(name)
  })
  if (!files.exists(names.META_PROPERTIES_FILE)) {
    faults.push(fault(names.META_PROPERTIES_FILE, 'it is missing: no broker knows this directory as its own'))
  } else read(names.META_PROPERTIES_FILE, (data, path) => void parseMetaProperties(data, path), undefined)
  return {
    clean: files.exists(names.CLEAN_SHUTDOWN_FILE),
    folders,
    recoveryPoints: checkpoint(names.RECOVERY_POINT_CHECKPOINT_FILE),
    logStartOffsets: checkpoint(names.LOG_START_OFFSET_CHECKPOINT_FILE),
    highWatermarks: checkpoint(names.REPLICATION_OFFSET_CHECKPOINT_FILE),
    cleanedTo: checkpoint(names.CLEANER_OFFSET_CHECKPOINT_FILE),
    faults,
  }
}

/** What is known of the log in a folder. */
export function contextOf(state: DirectoryState, folder: string): LogContext {
  return {
    clean: state.clean,
    recoveryPoint: state.recoveryPoints.get(folder) ?? 0,
    compacted: state.cleanedTo.has(folder),
  }
}

/** A folder that changes while it is read is read again, so often. */
const ATTEMPTS = 3

/**
 * One partition's folder; one that cannot be read is a fault of its own. `inUse`: a broker runs on the directory and may remove
 * files between a look at the folder and one at the file, which is worth a note.
 */
export function checkPartition(
  files: Files,
  state: DirectoryState,
  folder: string,
  { onBytes, inUse = false }: { onBytes?: (count: number) => void; inUse?: boolean } = {},
): FolderReport {
  for (let attempt = 1; ; attempt++) {
    try {
      return checkFolder(files, folder, contextOf(state, folder), onBytes)
    } catch (error) {
      if (errorCode(error) === undefined) throw error
      const isGone = inUse && errorCode(error) === 'ENOENT' && isGoneFrom(files, folder, (error as Error).message)
      if (isGone && attempt < ATTEMPTS) continue
      return unread(folder, (error as Error).message, isGone)
    }
  }
}

/** Whether no file is there any more that the error speaks of. */
function isGoneFrom(files: Files, folder: string, message: string): boolean {
  if (!files.exists(folder)) return true
  try {
    return !files.list(folder).some(name => message.includes(names.join(folder, name)))
  } catch {
    return true
  }
}

function unread(folder: string, message: string, isGone: boolean): FolderReport {
  const problem = isGone
    ? `files went while it was read, it was not checked: ${message}`
    : `it cannot be read: ${message}`
  const faults = [fault(folder, problem, isGone)]
  return { folder, faults, segments: 0, batches: 0, records: 0, bytes: 0, startOffset: 0, endOffset: 0 }
}

/** Whether the folder was read; of others nothing is known, where their logs end least of all. */
export const wasRead = ({ folder, faults }: FolderReport): boolean => !faults.some(({ path }) => path === folder)

/** Where the logs end; of those that could not be read anything is possible. */
export const endsOf = (reports: readonly FolderReport[]): Map<string, number> =>
  new Map(reports.map(report => [report.folder, wasRead(report) ? report.endOffset : Infinity]))

/** The bootstrap snapshot, and what the checkpoints say of logs, held against what the logs hold. */
export function checkTop(files: Files, state: DirectoryState, reports: readonly FolderReport[]): Fault[] {
  const faults: Fault[] = []
  const hasSnapshots = files.list('').some(name => name.endsWith(names.CHECKPOINT_SUFFIX))
  if (hasSnapshots) faults.push(...checkFolder(files, '').faults.filter(({ path }) => path.endsWith('.checkpoint')))
  const ends = endsOf(reports)
  const check = (name: string, offsets: ReadonlyMap<string, number>, isNote: boolean): void => {
    for (const [folder, offset] of offsets) {
      const end = ends.get(folder)
      if (offset < 0) faults.push(fault(name, `it says ${offset} of ${folder}`))
      else if (end !== undefined && offset > end) {
        faults.push(fault(name, `it says ${offset} of ${folder}, but the log ends at ${end}`, isNote))
      }
    }
  }
  check(names.RECOVERY_POINT_CHECKPOINT_FILE, state.recoveryPoints, false)
  check(names.LOG_START_OFFSET_CHECKPOINT_FILE, state.logStartOffsets, false)
  // After a power cut both may have seen more than the disk.
  check(names.REPLICATION_OFFSET_CHECKPOINT_FILE, state.highWatermarks, !state.clean)
  check(names.CLEANER_OFFSET_CHECKPOINT_FILE, state.cleanedTo, !state.clean)
  return faults
}
