/**
 * What a repair of a data directory would do, told from its faults and the logs themselves. Reads only; repair.ts does it.
 * What the log can tell is built anew from it; of the log itself only bytes go that are proved wrong.
 */
import type { Files } from './files.ts'
import { checkPartition, CHECKPOINTS, endsOf, readDirectory, wasRead } from './inspect-dir.ts'
import type { DirectoryState } from './inspect-dir.ts'
import { survey } from './inspect-survey.ts'
import type { Fault, FolderReport } from './inspect-verify.ts'
import { parseLeaderEpochs } from './leader-epochs.ts'
import type { EpochEntry } from './leader-epochs.ts'
import { CorruptFileError } from './errors.ts'
import * as names from './names.ts'
import { CarriedOffsets, PlannedSegment } from './repair-segment.ts'
import { topicIdFromElsewhere } from './repair-topic-id.ts'

/** Bytes of a segment that do not stay as they are. */
export interface BadBytes {
  readonly position: number
  readonly size: number
  readonly problem: string
  /** Offsets that are lost with them: `to` inclusive, null where the log ends there. */
  readonly lost: { readonly from: number; readonly to: number | null } | null
}

/** What a segment is made of afterwards: bytes of it, or an empty batch for offsets that are lost. */
export type Part =
  | { readonly copy: { readonly position: number; readonly size: number } }
  | { readonly fill: { readonly from: number; readonly to: number; readonly epoch: number } }

export interface SegmentRepair {
  readonly path: string
  readonly base: number
  readonly bad: readonly BadBytes[]
  /** Offsets behind the last batch that no batch has, up to the next segment. */
  readonly missing: { readonly from: number; readonly to: number } | null
  /** Fields outside a batch's checksum that are wrong, and what they must be. */
  readonly fields: readonly WrongField[]
  /** Batches that stood in the wrong place. */
  readonly moved: readonly { readonly position: number; readonly first: number; readonly last: number }[]
  readonly parts: readonly Part[]
  /** Ends of the file alone are cut off: no batch moves. */
  readonly cutOnly: boolean
}

export interface WrongField {
  readonly position: number
  readonly name: 'base offset' | 'leader epoch'
  readonly found: number
  readonly expected: number
}

export interface FolderRepair {
  readonly folder: string
  readonly topic: string
  readonly partition: number
  readonly segments: readonly SegmentRepair[]
  /** Small files that are of no use. */
  readonly drop: readonly string[]
  /** Indexes, snapshots and epochs are built anew from the log. */
  readonly rebuild: boolean
  readonly topicId: string | null
  readonly faults: readonly Fault[]
}

export interface TopRepair {
  readonly path: string
  /** New entries; null: the file goes. */
  readonly offsets: ReadonlyMap<string, number> | null
  readonly why: string
}

export interface RepairPlan {
  readonly state: DirectoryState
  readonly folders: readonly FolderRepair[]
  readonly top: readonly TopRepair[]
  /** What nothing here can mend, with the reason. */
  readonly left: readonly { readonly fault: Fault; readonly why: string }[]
}

interface Planning {
  readonly files: Files
  readonly state: DirectoryState
  readonly left: { fault: Fault; why: string }[]
}

/** A folder as it was found, and what to do about it: plain values, which a thread can hand over. */
export interface PlannedFolder {
  readonly report: FolderReport
  readonly repair: FolderRepair | null
  readonly left: RepairPlan['left']
}

/** One folder after the other. */
export function planRepair(files: Files): RepairPlan {
  const state = readDirectory(files)
  const planned = state.folders.map(folder => planPartition(files, state, folder))
  return planFrom(files, state, planned)
}

/** Checks one folder, and looks closer where something is wrong. Folders do not depend on each other. */
export function planPartition(
  files: Files,
  state: DirectoryState,
  folder: string,
  onBytes?: (count: number) => void,
): PlannedFolder {
  const planning: Planning = { files, state, left: [] }
  const report = checkPartition(files, state, folder, onBytes === undefined ? {} : { onBytes })
  return { report, repair: planFolder(planning, report), left: planning.left }
}

/** The plan for the directory. @param planned all its folders, in order */
export function planFrom(files: Files, state: DirectoryState, planned: readonly PlannedFolder[]): RepairPlan {
  const planning: Planning = { files, state, left: planned.flatMap(({ left }) => left) }
  const top = planTop(
    planning,
    planned.map(({ report }) => report),
  )
  return { state, folders: planned.flatMap(({ repair }) => repair ?? []), top, left: planning.left }
}

function planFolder(planning: Planning, report: FolderReport): FolderRepair | null {
  const { files, left } = planning
  const { folder } = report
  const { topic, partition } = names.parseFolder(folder)!
  const faults = report.faults.filter(({ isNote }) => !isNote)
  if (faults.length === 0) return null
  const give = (fault: Fault, why: string): void => void left.push({ fault, why })
  if (!wasRead(report)) {
    for (const fault of faults) give(fault, 'what cannot be read is left as it is')
    return null
  }
  const fileNames = files.list(folder)
  if (fileNames.some(name => name.endsWith(names.SWAP_SUFFIX))) {
    for (const fault of faults)
      give(fault, 'a compaction was interrupted here: start a broker once, which completes it')
    return null
  }
  const of = (...endings: string[]) => faults.filter(({ path }) => endings.some(ending => path.endsWith(ending)))
  for (const fault of of(names.QUORUM_STATE_FILE)) give(fault, 'nothing else tells how the last election ended')
  const drop = of(names.PRODUCER_SNAPSHOT_SUFFIX, names.LEADER_EPOCH_CHECKPOINT_FILE).map(({ path }) => path)
  for (const fault of of(names.CHECKPOINT_SUFFIX)) {
    if (isReplaceable(report, fileNames, faults)) drop.push(fault.path)
    else give(fault, 'neither the log nor another snapshot holds what it held')
  }
  let topicId: string | null = null
  for (const fault of of(names.PARTITION_METADATA_FILE)) {
    topicId = topicIdFromElsewhere(files, topic, folder)
    if (topicId === null) give(fault, 'neither another partition nor the metadata log tells the topic id')
  }
  const segments = of(names.LOG_SUFFIX).length === 0 ? [] : planSegments(planning, report, faults)
  if (segments === null) return null
  const derived = [names.OFFSET_INDEX_SUFFIX, names.TIME_INDEX_SUFFIX, names.TXN_INDEX_SUFFIX]
  const rebuild =
    segments.length > 0 || of(...derived, names.PRODUCER_SNAPSHOT_SUFFIX, names.LEADER_EPOCH_CHECKPOINT_FILE).length > 0
  const unique = [...new Set(drop)]
  if (segments.length === 0 && unique.length === 0 && !rebuild && topicId === null) return null
  return { folder, topic, partition, segments, drop: unique, rebuild, topicId, faults }
}

/** Whether a start finds all metadata without a broken snapshot: in a log from 0 on, or in another one that the log goes on from. */
function isReplaceable(report: FolderReport, fileNames: readonly string[], faults: readonly Fault[]): boolean {
  if (report.segments === 0) return false
  const broken = new Set(faults.map(({ path }) => names.nameOf(path)))
  const others = fileNames.filter(name => /^\d{20}-\d{10}\.checkpoint$/.test(name) && !broken.has(name))
  return report.startOffset === 0 || others.some(name => Number(name.slice(0, 20)) >= report.startOffset)
}

/** Null: it must not be repaired; the reason is given. */
function planSegments(planning: Planning, report: FolderReport, faults: readonly Fault[]): SegmentRepair[] | null {
  const { files, left, state } = planning
  const { folder } = report
  const epochs = epochsOf(files, folder)
  const compacted = state.cleanedTo.has(folder)
  const bases = files
    .list(folder)
    .filter(name => name.endsWith(names.LOG_SUFFIX))
    .flatMap(name => names.offsetOfFile(name) ?? [])
  const repairs: SegmentRepair[] = []
  const carried = new CarriedOffsets()
  let end = bases[0] ?? 0
  bases.forEach((base, n) => {
    const next = bases[n + 1] ?? null
    const repair = planSegment(files, folder, base, Math.max(base, end), next, { epochs, compacted, carried })
    end = repair.end
    if (repair.bad.length > 0 || repair.missing !== null || repair.fields.length > 0 || repair.moved.length > 0)
      repairs.push(repair)
  })
  const isMetadata = names.parseFolder(folder)?.topic === names.CLUSTER_METADATA_TOPIC
  if (isMetadata && repairs.some(repair => !repair.cutOnly)) {
    const why = 'records out of the middle of the metadata log would leave topics in a state that never was'
    for (const fault of faults) if (fault.path.endsWith(names.LOG_SUFFIX)) left.push({ fault, why })
    return null
  }
  return repairs
}

function planSegment(
  files: Files,
  folder: string,
  base: number,
  from: number,
  next: number | null,
  { epochs, compacted, carried }: { epochs: readonly EpochEntry[]; compacted: boolean; carried: CarriedOffsets },
): SegmentRepair & { end: number } {
  const path = names.join(folder, names.logFile(base))
  const planned = new PlannedSegment(from, epochs, carried)
  for (const piece of survey(files, path, { from, to: next ?? Infinity, base })) {
    if (piece.problem === null) planned.batch(piece)
    else if (piece.offset !== undefined) planned.wrongOffset(piece, piece.offset)
    else planned.bad(piece)
  }
  const missing = planned.finish(next, compacted)
  const { bad, fields, moved, parts } = planned.result
  const [only] = parts
  const isStart = only === undefined || ('copy' in only && only.copy.position === 0)
  const cutOnly = next === null && fields.length === 0 && moved.length === 0 && parts.length < 2 && isStart
  return { path, base, bad, missing, fields, moved, parts, cutOnly, end: next ?? planned.end }
}

function epochsOf(files: Files, folder: string): EpochEntry[] {
  const path = names.join(folder, names.LEADER_EPOCH_CHECKPOINT_FILE)
  try {
    return files.exists(path) ? parseLeaderEpochs(files.readAll(path), path) : []
  } catch (error) {
    if (error instanceof CorruptFileError) return []
    throw error
  }
}

/** The checkpoint files. Those that only save work go when they are broken; what can be read of the log starts is kept. */
function planTop(planning: Planning, reports: readonly FolderReport[]): TopRepair[] {
  const { files, state, left } = planning
  for (const fault of state.faults) {
    if (!CHECKPOINTS.includes(fault.path)) left.push({ fault, why: 'nothing else tells whose directory this is' })
  }
  const ends = endsOf(reports)
  return CHECKPOINTS.flatMap(path => {
    const broken = state.faults.find(fault => fault.path === path)
    if (broken !== undefined) {
      const isStart = path === names.LOG_START_OFFSET_CHECKPOINT_FILE
      const offsets = isStart ? readableLines(files.readAll(path), ends) : null
      return [{ path, offsets, why: broken.problem }]
    }
    const offsets = offsetsOf(state, path)
    // After a power cut these may have seen more than the disk; a start knows.
    const mayBeBeyond =
      !state.clean && [names.REPLICATION_OFFSET_CHECKPOINT_FILE, names.CLEANER_OFFSET_CHECKPOINT_FILE].includes(path)
    const beyond = [...offsets].filter(
      ([folder, offset]) => offset < 0 || (!mayBeBeyond && offset > (ends.get(folder) ?? Infinity)),
    )
    if (beyond.length === 0) return []
    if (path === names.LOG_START_OFFSET_CHECKPOINT_FILE) {
      for (const [folder, offset] of beyond) {
        const problem = `it says ${offset} of ${folder}, but the log ends at ${ends.get(folder)}`
        const fault = { path, position: null, problem, isNote: false, heals: false }
        left.push({
          fault,
          why: `the next start begins the log anew at ${offset}; take the line out to keep what is there`,
        })
      }
      return []
    }
    const lowered = new Map(offsets)
    for (const [folder] of beyond) lowered.set(folder, Math.max(0, Math.min(offsets.get(folder)!, ends.get(folder)!)))
    return [
      { path, offsets: lowered, why: `it says more than there is of ${beyond.map(([folder]) => folder).join(', ')}` },
    ]
  })
}

function offsetsOf(state: DirectoryState, path: string): ReadonlyMap<string, number> {
  if (path === names.RECOVERY_POINT_CHECKPOINT_FILE) return state.recoveryPoints
  if (path === names.LOG_START_OFFSET_CHECKPOINT_FILE) return state.logStartOffsets
  return path === names.REPLICATION_OFFSET_CHECKPOINT_FILE ? state.highWatermarks : state.cleanedTo
}

/** Lines of a broken checkpoint that say something possible of a log that exists. */
function readableLines(data: Buffer, ends: ReadonlyMap<string, number>): Map<string, number> {
  const found = new Map<string, number>()
  for (const line of data.toString('utf8').split(/\r?\n/)) {
    const [, topic, partition, offset] = /^(\S+) (\d+) (\d{1,15})$/.exec(line) ?? []
    const end = topic === undefined ? undefined : ends.get(`${topic}-${partition}`)
    if (end !== undefined && Number(offset) <= end) found.set(`${topic}-${partition}`, Number(offset))
  }
  return found
}
