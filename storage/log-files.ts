/**
 * The files of one log: its segments in order, producer snapshots and leader epochs; which of them hold something that is not
 * on disk yet, and which only wait for their deletion. What the methods throw comes from the disk: the caller goes offline.
 */
import type { Files } from './files.ts'
import type { LeaderEpochs } from './leader-epochs.ts'
import type { LogConfig } from './log-config.ts'
import type { ProducerState } from './producer-state.ts'
import type { LoadedLog } from './recovery.ts'
import * as names from './names.ts'
import { epochsPath, writeFresh } from './log-folder.ts'
import { Segment } from './segment.ts'
import type { SnapshotFiles } from './snapshot-files.ts'

export interface LogFilesOptions {
  readonly files: Files
  readonly folder: string
  readonly config: LogConfig
  /** Whether the folder was made by this open. */
  readonly isNew: boolean
  /** Makes it when there is something to put into it. */
  readonly makeFolder?: () => void
  readonly rollJitterMs: (config: LogConfig) => number
  readonly now: number
}

interface DeletedFile {
  readonly path: string
  readonly due: number
}

export class LogFiles {
  readonly folder: string
  readonly epochs: LeaderEpochs
  readonly snapshots: SnapshotFiles
  config: LogConfig
  readonly #files: Files
  readonly #segments: Segment[]
  readonly #rollJitterMs: (config: LogConfig) => number
  /** Segments with bytes that were not synced, or indexes where they are sealed; in order. */
  readonly #unsynced = new Set<Segment>()
  /** Whether names in the folder were not synced. */
  #namesChanged: boolean
  /** Whether the folder was made by this process and nothing in it was synced yet. */
  #folderIsNew: boolean
  /** Whether the folder's own name and the small files in it may not be on disk: new, or left by a process that was killed. */
  #folderUnsynced: boolean
  /** Of a log without a folder. */
  #makeFolder: (() => void) | null
  /** What the leader epoch file holds, null: there is none; #epochsDue: the epochs have changed since. */
  #savedEpochs: Buffer | null
  #epochsDue = true
  /** Whether the active segment may have something that its indexes do not have on disk. */
  #touched: boolean
  /** Nothing is appended any more: the active segment is as good as sealed. */
  #finished = false
  #closed = false
  #deleted: DeletedFile[] = []

  constructor(o: LogFilesOptions, loaded: LoadedLog) {
    this.#files = o.files
    this.folder = o.folder
    this.config = o.config
    this.#rollJitterMs = o.rollJitterMs
    this.#segments = loaded.segments
    this.epochs = loaded.epochs
    this.snapshots = loaded.snapshots
    this.#makeFolder = o.makeFolder ?? null
    this.#savedEpochs = loaded.savedEpochs
    this.#folderIsNew = o.isNew
    this.#folderUnsynced = o.isNew || loaded.unsynced.length > 0
    // A recovery removed names. They must be gone for good before the recovery point moves: a snapshot of a future that was
    // cut off would be believed.
    this.#namesChanged = loaded.unsynced.length > 0
    for (const segment of loaded.unsynced) this.#unsynced.add(segment)
    this.#touched = loaded.unsynced.length > 0
    this.#deleteLater(loaded.deleted, o.now)
  }

  /** Ascending, at least one. */
  get segments(): readonly Segment[] {
    return this.#segments
  }

  /** The last segment: the only one that grows. */
  get active(): Segment {
    return this.#segments.at(-1)!
  }

  get hasFolder(): boolean {
    return this.#makeFolder === null
  }

  /** Whether a sealed segment waits for its sync. */
  get hasSealedUnsynced(): boolean {
    for (const segment of this.#unsynced) if (segment !== this.active) return true
    return false
  }

  configure(config: LogConfig): void {
    this.config = config
    for (const segment of this.#segments) segment.configure(config)
  }

  /** Writes bytes of batches that the active segment knows. All or nothing. */
  write(parts: readonly Buffer[], byteLength: number): void {
    this.#needFolder()
    this.active.write(parts, byteLength)
    this.#unsynced.add(this.active)
    this.#touched = true
  }

  /** Seals the active segment; the next one begins at `offset`, where the producers are as given. */
  roll(offset: number, producers: ProducerState, now: number): void {
    this.active.seal()
    this.#unsynced.add(this.active)
    this.add(offset, now)
    producers.mapEndOffset = offset
    this.snapshots.take(producers)
  }

  /** Begins a segment behind the last one. */
  add(baseOffset: number, now: number): void {
    this.#needFolder()
    const segment = new Segment(this.#files, this.folder, baseOffset, this.config, now, this.#rollJitterMs(this.config))
    segment.create()
    this.#segments.push(segment)
    this.#unsynced.add(segment)
    this.#touched = this.#namesChanged = true
  }

  /** Takes segments out of the log; their files are renamed now and removed by deletePending. */
  drop(from: number, to: number, now: number): void {
    for (const segment of this.#segments.splice(from, to - from)) {
      this.#unsynced.delete(segment)
      this.#deleteLater(segment.markDeleted(), now)
    }
    this.#namesChanged = true
  }

  /** A segment that compaction fills. It is no part of the log until it takes the place of others. */
  newCleaned(baseOffset: number, now: number): Segment {
    return new Segment(this.#files, this.folder, baseOffset, this.config, now, 0, names.CLEANED_SUFFIX)
  }

  /** Puts one segment, whose files are finished and durable, in the place of others, which are neighbours; theirs are deleted later. */
  replace(old: readonly Segment[], by: Segment, now: number): void {
    const from = this.#segments.indexOf(old[0]!)
    this.drop(from, from + old.length, now)
    this.#segments.splice(from, 0, by)
    this.snapshots.removeAt(old.slice(1).map(({ baseOffset }) => baseOffset))
  }

  /** Whether they are segments of the log, one behind the other. */
  holds(segments: readonly Segment[]): boolean {
    const from = this.#segments.indexOf(segments[0]!)
    return from >= 0 && segments.every((segment, n) => this.#segments[from + n] === segment)
  }

  /** Gives a segment that took the place of others its final name. */
  finishSwap(segment: Segment): void {
    segment.moveTo('')
    this.#namesChanged = true
  }

  syncFolder(): Promise<void> {
    return this.#files.syncDir(this.folder)
  }

  syncFolderNow(): void {
    this.#files.syncDirNow(this.folder)
  }

  /**
   * Cuts the active segment, and makes that and earlier drops durable: a crash must not bring old batches back in front of
   * those that will be appended in their place. @returns the offset behind the last batch
   */
  cutActive(offset: number, now: number): number {
    this.#touched = true
    this.active.truncateTo(offset, now)
    this.active.syncNow()
    this.#files.syncDirNow(this.folder)
    return this.active.nextOffset()
  }

  /** Takes every segment out and begins one at `offset`; durable for the same reason. */
  restartAt(offset: number, now: number): void {
    this.snapshots.removeAll()
    this.drop(0, this.#segments.length, now)
    this.add(offset, now)
    this.#files.syncDirNow(this.folder)
  }

  /** Removes files of dropped segments that have waited for file.delete.delay.ms. @returns how many */
  deletePending(now: number): number {
    const due = this.#deleted.filter(file => file.due <= now)
    this.#deleted = this.#deleted.filter(file => file.due > now)
    for (const { path } of due) if (this.#files.exists(path)) this.#files.remove(path)
    return due.length
  }

  /**
   * The leader epochs have changed: their file follows with the next sync. Those of unsynced batches are found in the
   * batches again.
   */
  epochsChanged(): void {
    this.#epochsDue = true
  }

  /** The same at once, after a cut: the file must not tell of what is gone. */
  writeEpochs(): void {
    this.#epochsDue = false
    if (!this.hasFolder) return
    const data = this.epochs.format()
    if (this.#folderIsNew) writeFresh(this.#files, epochsPath(this.folder), data)
    else this.#files.writeAtomic(epochsPath(this.folder), data)
    this.#savedEpochs = data
  }

  /**
   * Brings to the disk what was written before the call. Older segments go first, and new files must be findable before
   * their content counts.
   */
  async sync(logEndOffset: number): Promise<void> {
    if (!this.hasFolder) return
    const active = this.#finished ? null : this.active
    const segments = [...this.#unsynced]
    this.#unsynced.clear()
    await this.#syncEpochs(logEndOffset)
    if (this.#namesChanged) {
      this.#namesChanged = false
      if (this.#folderUnsynced) {
        this.#folderIsNew = this.#folderUnsynced = false
        for (const path of this.#smallFiles()) await this.#files.syncFile(path)
        await this.#files.syncDir('')
      }
      await this.#files.syncDir(this.folder)
    }
    await this.snapshots.sync()
    for (const segment of segments) await segment.sync(segment !== active)
  }

  /** Nothing will be appended any more: what makes the next open quick is written, and reaches the disk with the next sync. */
  finish(producers: ProducerState): void {
    if (!this.hasFolder) return
    this.#finished = true
    if (this.snapshots.areDue(producers)) this.snapshots.take(producers)
    if (this.#touched) {
      this.#touched = false
      // An index that was never needed is expected to be there all the same.
      this.active.seal()
      this.#unsynced.add(this.active)
      this.#namesChanged = true
    }
    this.#namesChanged ||= this.snapshots.areUnsynced
  }

  /** Everything to the disk, so that the next open finds the log whole without looking into it. */
  syncForClose(producers: ProducerState, logEndOffset: number): void {
    if (!this.hasFolder) return
    this.finish(producers)
    this.snapshots.syncNow()
    if (this.#dueEpochs(logEndOffset) !== null) this.writeEpochs()
    for (const segment of this.#unsynced) segment.syncNow()
    this.#unsynced.clear()
    if (this.#folderUnsynced) {
      for (const path of this.#smallFiles()) this.#files.syncFileNow(path)
      this.#files.syncDirNow('')
    }
    if (this.#namesChanged) this.#files.syncDirNow(this.folder)
    this.#folderUnsynced = this.#namesChanged = false
  }

  /** Gives descriptors and memory back. */
  close(): void {
    this.#closed = true
    for (const segment of this.#segments) segment.close()
  }

  #needFolder(): void {
    if (this.#makeFolder === null) return
    this.#makeFolder()
    this.#makeFolder = null
    this.#folderIsNew = this.#folderUnsynced = this.#namesChanged = true
  }

  /** What the leader epoch file should hold and does not. An epoch without a record may as well not be there. */
  #dueEpochs(logEndOffset: number): Buffer | null {
    if (!this.#epochsDue) return null
    const data = this.epochs.format(logEndOffset)
    return this.#savedEpochs?.equals(data) === true ? null : data
  }

  /** Brings the leader epochs to the disk; the folder's names are to be synced after it. */
  async #syncEpochs(logEndOffset: number): Promise<void> {
    const data = this.#dueEpochs(logEndOffset)
    this.#epochsDue = (this.epochs.latest?.startOffset ?? -1) >= logEndOffset
    if (data === null) return
    if (this.#folderIsNew) return this.writeEpochs()
    const before = this.#savedEpochs
    const path = epochsPath(this.folder)
    const temporary = `${path}.sync${names.TEMPORARY_SUFFIX}`
    writeFresh(this.#files, temporary, data)
    await this.#files.syncFile(temporary)
    // Deleted meanwhile, or cut: then the file was written at once, and is the newer one.
    if (this.#closed) return
    if (this.#savedEpochs !== before) return this.#files.remove(temporary)
    this.#files.rename(temporary, path)
    this.#savedEpochs = data
    this.#namesChanged = true
  }

  #smallFiles(): string[] {
    const all = [names.join(this.folder, names.PARTITION_METADATA_FILE), epochsPath(this.folder)]
    return all.filter(path => this.#files.exists(path))
  }

  #deleteLater(paths: readonly string[], now: number): void {
    for (const path of paths) this.#deleted.push({ path, due: now + this.config.fileDeleteDelayMs })
  }
}
