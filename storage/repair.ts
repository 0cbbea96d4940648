/**
 * Does what a repair plan says. Every byte that goes, or that is written over, is first copied to a folder beside the directory
 * and synced there, with a manifest that names it; the directory's lock must be held.
 */
import { encodeBatch } from '../protocol/records/encode.ts'
import { Arena } from './arena.ts'
import { formatOffsetCheckpoint } from './checkpoint.ts'
import type { FileHandle, Files } from './files.ts'
import { Log } from './log.ts'
import type { LogConfig } from './log-config.ts'
import * as names from './names.ts'
import { formatPartitionMetadata } from './partition-metadata.ts'
import { segmentFiles } from './segment.ts'
import { keepingLogs } from './repair-guard.ts'
import type { FolderRepair, RepairPlan, SegmentRepair, TopRepair, WrongField } from './repair-plan.ts'

export interface RepairOptions {
  readonly files: Files
  /** Where what goes is kept. */
  readonly aside: Files
  /** How the manifest names the directory. */
  readonly directory: string
  readonly now: number
}

/** A folder that could not be mended as planned; what of it was touched is in the manifest. */
export interface FailedFolder {
  readonly folder: string
  readonly problem: string
}

interface Saved {
  /** In the data directory. */
  readonly file: string
  readonly position: number
  readonly bytes: number
  /** In the folder of what was kept. */
  readonly kept: string
  readonly why: string
  readonly lostOffsets?: { readonly from: number; readonly to: number | null }
}

const CHUNK_BYTES = 1024 * 1024
const MANIFEST = 'manifest.json'
const MAX_DELTA = 0x7fffffff

/** Of a log that is opened to have its indexes built anew, and closed again. */
const config: LogConfig = {
  segmentBytes: 0x7fffffff,
  segmentMs: Number.MAX_SAFE_INTEGER,
  segmentJitterMs: 0,
  segmentIndexBytes: 10 * 1024 * 1024,
  indexIntervalBytes: 4096,
  retentionMs: -1,
  retentionBytes: -1,
  maxMessageBytes: 0x7fffffff,
  flushMessages: Number.MAX_SAFE_INTEGER,
  flushMs: Number.MAX_SAFE_INTEGER,
  fileDeleteDelayMs: 0,
  timestampType: 'CreateTime',
  timestampBeforeMaxMs: Number.MAX_SAFE_INTEGER,
  timestampAfterMaxMs: Number.MAX_SAFE_INTEGER,
  compressionType: 'producer',
  // Offsets may be missing: nothing is dropped for that.
  deleteRetentionMs: Number.MAX_SAFE_INTEGER,
  minCompactionLagMs: 0,
  maxCompactionLagMs: Number.MAX_SAFE_INTEGER,
  minCleanableDirtyRatio: 1,
  cleanupPolicy: { compact: true, delete: false },
  producerIdExpirationMs: Number.MAX_SAFE_INTEGER,
  validateCompressed: false,
}

class Repair {
  readonly #o: RepairOptions
  readonly #saved: Saved[] = []
  readonly failed: FailedFolder[] = []

  constructor(o: RepairOptions) {
    this.#o = o
    o.aside.mkdir('')
  }

  /** What goes wrong in one folder is told, and the next one follows. */
  async folder(plan: FolderRepair, logStartOffset: number): Promise<void> {
    try {
      await this.#mendFolder(plan, logStartOffset)
    } catch (error) {
      this.failed.push({ folder: plan.folder, problem: error instanceof Error ? error.message : String(error) })
    }
  }

  async #mendFolder(plan: FolderRepair, logStartOffset: number): Promise<void> {
    const { files } = this.#o
    const why = plan.faults.map(({ path, problem }) => `${names.nameOf(path)}: ${problem}`).join('; ')
    for (const segment of plan.segments) this.#saveSegment(segment)
    if (plan.rebuild) {
      const derived = files.list(plan.folder).filter(name => isDerived(name))
      for (const name of derived) this.#save(names.join(plan.folder, name), 'built anew from the log')
    }
    for (const path of plan.drop) this.#save(path, why)
    const metadata = names.join(plan.folder, names.PARTITION_METADATA_FILE)
    if (plan.topicId !== null) this.#save(metadata, why)
    this.#writeManifest(false)
    for (const segment of plan.segments) this.#mend(plan.folder, segment)
    for (const path of plan.drop) if (files.exists(path)) files.remove(path)
    if (plan.topicId !== null) files.writeAtomic(metadata, formatPartitionMetadata(plan.topicId))
    files.syncDirNow(plan.folder)
    if (plan.rebuild) await this.#rebuild(plan, logStartOffset)
  }

  top({ path, offsets, why }: TopRepair): void {
    const { files } = this.#o
    this.#save(path, why)
    this.#writeManifest(false)
    if (offsets === null) {
      files.remove(path)
      files.syncDirNow('')
      return
    }
    const entries = [...offsets].map(([folder, offset]) => {
      const at = folder.lastIndexOf('-')
      return { topic: folder.slice(0, at), partition: Number(folder.slice(at + 1)), offset }
    })
    files.writeAtomic(path, formatOffsetCheckpoint(entries))
  }

  finish(): void {
    this.#writeManifest(this.failed.length === 0)
  }

  #saveSegment({ path, bad, fields }: SegmentRepair): void {
    for (const { position, size, problem, lost } of bad) {
      const kept = `${path}@${position}`
      this.#copy(path, position, size, kept)
      this.#saved.push({
        file: path,
        position,
        bytes: size,
        kept,
        why: problem,
        ...(lost === null ? {} : { lostOffsets: lost }),
      })
    }
    for (const { position, name, found, expected } of fields) {
      const kept = `${path}@${position}`
      const bytes = fieldSizes[name]
      this.#copy(path, position, bytes, kept)
      this.#saved.push({ file: path, position, bytes, kept, why: `${name} ${found}, now ${expected}` })
    }
  }

  #save(path: string, why: string): void {
    const { files } = this.#o
    if (this.#saved.some(({ file, kept }) => file === path && kept === path) || !files.exists(path)) return
    const bytes = files.size(path)
    this.#copy(path, 0, bytes, path)
    this.#saved.push({ file: path, position: 0, bytes, kept: path, why })
  }

  #copy(path: string, position: number, size: number, kept: string): void {
    const { files, aside } = this.#o
    aside.mkdir(names.parentOf(kept))
    const source = files.open(path, 'read')
    const target = aside.open(kept, 'write')
    try {
      target.truncate(0)
      copyBytes(source, position, size, target)
      target.syncNow()
    } finally {
      source.close()
      target.close()
    }
    aside.syncDirNow(names.parentOf(kept))
  }

  /** Written before anything is changed, and again when all is done. */
  #writeManifest(done: boolean): void {
    const { aside, directory, now } = this.#o
    const failed = this.failed.length === 0 ? {} : { failed: this.failed }
    const manifest = { directory, time: now, done, ...failed, saved: this.#saved }
    aside.writeAtomic(MANIFEST, Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`))
  }

  #mend(folder: string, segment: SegmentRepair): void {
    const { files } = this.#o
    // Without indexes any start builds them: what is stopped here half way leaves no log with indexes of another.
    for (const name of segmentFiles(segment.base)) {
      const path = names.join(folder, name)
      if (path !== segment.path && files.exists(path)) files.remove(path)
    }
    files.syncDirNow(folder)
    if (!segment.cutOnly) return rewrite(files, folder, segment)
    const handle = files.open(segment.path, 'write')
    try {
      handle.truncate(Math.min(...segment.bad.map(({ position }) => position)))
      handle.syncNow()
    } finally {
      handle.close()
    }
  }

  /** A recovery from the start of the log, as after a crash, and an orderly close. The log itself is not its to change. */
  async #rebuild(plan: FolderRepair, logStartOffset: number): Promise<void> {
    const { files, now } = this.#o
    const { folder, topic, partition } = plan
    const logs = files.list(folder).filter(name => name.endsWith(names.LOG_SUFFIX))
    const first = logs[0] === undefined ? null : names.offsetOfFile(logs[0])
    try {
      const log = Log.open({
        files: keepingLogs(files, folder),
        arena: new Arena(),
        topic,
        partition,
        folder,
        // The file that tells the id may be broken, and is not needed here.
        folderTopicId: null,
        config,
        cleanShutdown: false,
        recoveryPoint: 0,
        // Where the log begins for its readers is no concern of its indexes: a start that lies behind the end would drop all of it.
        logStartOffset: first ?? logStartOffset,
        now,
      })
      await log.close(true)
    } catch (error) {
      this.#putBackDerived(plan)
      throw error
    }
  }

  /** As before, but for indexes of what was mended: without those any start builds them. None is left half built. */
  #putBackDerived({ folder, segments, drop }: FolderRepair): void {
    const { files, aside } = this.#o
    const mended = new Set(segments.flatMap(({ base }) => segmentFiles(base)))
    const isOf = (name: string): boolean =>
      isDerived(name.endsWith(names.DELETED_SUFFIX) ? name.slice(0, -names.DELETED_SUFFIX.length) : name)
    for (const name of files.list(folder).filter(one => isOf(one))) files.remove(names.join(folder, name))
    for (const { file, kept } of this.#saved) {
      const name = names.nameOf(file)
      if (names.parentOf(file) !== folder || kept !== file || !isDerived(name)) continue
      if (!mended.has(name) && !drop.includes(file)) files.writeAtomic(file, aside.readAll(kept))
    }
    files.syncDirNow(folder)
  }
}

const isDerived = (name: string): boolean =>
  [
    names.OFFSET_INDEX_SUFFIX,
    names.TIME_INDEX_SUFFIX,
    names.TXN_INDEX_SUFFIX,
    names.PRODUCER_SNAPSHOT_SUFFIX,
    names.LEADER_EPOCH_CHECKPOINT_FILE,
  ].some(ending => name.endsWith(ending))

/** Writes the segment anew beside it, from what is right of it, and puts it in its place. */
function rewrite(files: Files, folder: string, { path, parts, fields }: SegmentRepair): void {
  const temporary = path + names.TEMPORARY_SUFFIX
  const source = files.open(path, 'read')
  const target = files.open(temporary, 'write')
  try {
    target.truncate(0)
    for (const part of parts) {
      if ('fill' in part) {
        fill(target, part.fill.from, part.fill.to, part.fill.epoch)
        continue
      }
      const { position, size } = part.copy
      const start = target.size()
      copyBytes(source, position, size, target)
      for (const field of fields) {
        const at = field.position - position
        if (at >= 0 && at < size) target.writeAt(bytesOf(field), start + at)
      }
    }
    target.syncNow()
  } finally {
    source.close()
    target.close()
  }
  files.rename(temporary, path)
  files.syncDirNow(folder)
}

/** Batches without records take the place of lost offsets, as compaction leaves them: so the log has no holes. */
function fill(target: FileHandle, from: number, to: number, leaderEpoch: number): void {
  for (let base = from; base <= to; base += MAX_DELTA) {
    const lastOffsetDelta = Math.min(to - base, MAX_DELTA - 1)
    target.append([encodeBatch({ records: [], baseOffset: base, lastOffsetDelta, leaderEpoch })])
  }
}

const fieldSizes = { 'base offset': 8, 'leader epoch': 4 }

function bytesOf({ name, expected }: WrongField): Buffer {
  const bytes = Buffer.alloc(fieldSizes[name])
  if (name === 'base offset') bytes.writeBigInt64BE(BigInt(expected))
  else bytes.writeInt32BE(expected)
  return bytes
}

function copyBytes(source: FileHandle, position: number, size: number, target: FileHandle): void {
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, Math.max(1, size)))
  for (let done = 0; done < size;) {
    const count = source.readAt(buffer.subarray(0, Math.min(buffer.byteLength, size - done)), position + done)
    if (count === 0) throw new Error(`${source.path} ended at ${position + done} while it was copied`)
    target.append([buffer.subarray(0, count)])
    done += count
  }
}

/**
 * The lock of the directory must be held. @returns the folders in which something went wrong
 * @throws what the disk throws outside of them; the manifest then says what was saved
 */
export async function repair(plan: RepairPlan, o: RepairOptions): Promise<readonly FailedFolder[]> {
  const run = new Repair(o)
  for (const folder of plan.folders) {
    await run.folder(folder, plan.state.logStartOffsets.get(folder.folder) ?? 0)
  }
  for (const top of plan.top) run.top(top)
  run.finish()
  return run.failed
}
