/**
 * A log directory as a whole: its lock, whose it is (meta.properties), its partition folders, the checkpoints of all
 * logs, and whether the last stop was clean. Opening reads the checkpoints and the list of folders; logs are opened one by
 * one, by the caller's own function (Log.open), which gets what the directory knows about the log.
 */
import { formatCleanShutdown, parseCleanShutdown } from './clean-shutdown.ts'
import { DirCheckpoints } from './dir-checkpoints.ts'
import type { Offsets } from './dir-checkpoints.ts'
import { errorCode, isFull } from './errors.ts'
import { FutureLogs } from './future-logs.ts'
import type { Files } from './files.ts'
import { checkOwner, LogDirError, takeLock } from './log-dir-owner.ts'
import type { LogDirOptions } from './log-dir-owner.ts'
import { addDirectoryId, formatMetaProperties } from './meta-properties.ts'
import * as names from './names.ts'
import { holdsRecords, readTopicId } from './log-folder.ts'
import { closeAll, type KnownLog, type ManagedLog, type PartitionFolder } from './managed-log.ts'
import { readRestingLogs, writeRestingLogs, type RestingLog } from './resting.ts'

export { LogDirError } from './log-dir-owner.ts'
export type { LogDirOptions } from './log-dir-owner.ts'
export type { KnownLog, ManagedLog, PartitionFolder } from './managed-log.ts'

export class LogDir<L extends ManagedLog> {
  readonly files: Files
  readonly path: string
  readonly clusterId: string
  readonly directoryId: string
  readonly nodeId: number
  /** Whether the directory was created by this start. */
  readonly isNew: boolean
  /** Whether Apache Kafka made it. Its meta.properties stays as it is. */
  readonly isKafkas: boolean
  /** Whether the run before stopped in order: nothing has to be recovered. */
  readonly wasClean: boolean
  /** Of the run before; -1 when it did not stop in order. */
  readonly previousBrokerEpoch: number
  /** Folders of partitions marked as without an owner (`-stray`): left alone. */
  readonly strayFolders: readonly string[]
  /** Logs that are to take the place of those their partitions have in another directory. */
  readonly futures: FutureLogs<L>
  /** What was found wrong and is being worked around, one sentence each. */
  readonly warnings: readonly string[]
  readonly #unlock: () => void
  readonly #newId: () => string
  readonly #deletedFolders: string[]
  /** By folder name: every partition folder there is. */
  readonly #known: Map<string, Offsets>
  readonly #logs = new Map<string, L>()
  /** By folder name: logs that had records, by the checkpoints, and have no folder. These keep them until they are forgotten. */
  readonly #lost = new Map<string, Offsets>()
  /** Folders opened, created or deleted in this run: no longer what the last run left. */
  readonly #untouched: Set<string>
  readonly #checkpoints: DirCheckpoints
  /** By folder name: what the run before left of its logs. */
  readonly #resting: Map<string, RestingLog>
  /** By folder name: what was asked of folders that were not opened yet. */
  readonly #topicIds = new Map<string, string | null>()
  /** Whether a folder's new name may not be on disk. */
  #renamed = false
  #closed = false

  /**
   * Takes the lock and reads the directory, creating it if need be. A directory that is not ours is left as it is.
   * @throws LogDirError
   */
  static open<L extends ManagedLog>(files: Files, options: LogDirOptions): LogDir<L> {
    const { path } = options
    try {
      checkOwner(files, options)
      files.mkdir('')
      const unlock = takeLock(files, path)
      try {
        return new LogDir<L>(files, options, unlock)
      } catch (error) {
        unlock()
        throw error
      }
    } catch (error) {
      if (!(error instanceof Error) || errorCode(error) === undefined) throw error
      throw new LogDirError(`The data directory ${path} cannot be used: ${error.message}.`, { cause: error })
    }
  }

  private constructor(files: Files, options: LogDirOptions, unlock: () => void) {
    this.files = files
    this.path = options.path
    this.nodeId = options.nodeId
    this.#unlock = unlock
    this.#newId = options.newId
    // Again under the lock: another process may have created the directory meanwhile.
    const found = checkOwner(files, options)
    this.isNew = found === null
    this.clusterId = found?.clusterId ?? options.clusterId ?? options.newId()
    this.directoryId = found?.directoryId ?? options.newId()
    this.isKafkas = found?.odradekVersion === 0
    if (found === null) files.writeAtomic(names.META_PROPERTIES_FILE, formatMetaProperties(this))
    else if (found.directoryId === null) addDirectoryId(files, this.directoryId)

    this.wasClean = found === null || files.exists(names.CLEAN_SHUTDOWN_FILE)
    this.previousBrokerEpoch =
      found !== null && this.wasClean ? parseCleanShutdown(files.readAll(names.CLEAN_SHUTDOWN_FILE)) : -1
    // Gone for good before the first write: the next start must not trust a directory this run has changed.
    if (found !== null && this.wasClean) files.remove(names.CLEAN_SHUTDOWN_FILE)
    // A run that was killed may have left folders whose names no crash would keep: logs take those they find for safe.
    files.syncDirNow('')

    const folders = files.list('').flatMap(name => {
      const parsed = names.parseFolder(name)
      // The metadata log is its owner's own affair, as in Apache Kafka.
      return parsed === null || parsed.topic === names.CLUSTER_METADATA_TOPIC ? [] : [{ name, ...parsed }]
    })
    const named = (kind: names.FolderKind) => folders.filter(folder => folder.kind === kind).map(({ name }) => name)
    this.#deletedFolders = named('delete')
    this.strayFolders = named('stray')

    const warnings: string[] = []
    this.#checkpoints = new DirCheckpoints(files, warnings)
    this.warnings = warnings
    this.#resting = readRestingLogs(files, this.previousBrokerEpoch)
    this.#known = new Map()
    this.#untouched = new Set()
    this.futures = new FutureLogs<L>({
      files,
      isClean: this.wasClean,
      marked: (topic, partition, kind) => this.#marked(topic, partition, kind),
      // A checkpoint may still tell the offsets of a log that was here: they would be taken for the new one's.
      prepare: (topic, partition) => {
        if (this.has(topic, partition))
          throw new LogDirError(`The log ${topic}-${partition} is already in ${this.path}.`)
        if (this.#checkpoints.mention(topic, partition)) this.writeCheckpoints()
      },
      touched: folder => this.#untouched.delete(folder),
    })
    for (const { name, topic, partition, kind } of folders) {
      if (kind !== 'log' && kind !== 'future') continue
      const key = names.partitionFolder(topic, partition)
      const offsets = this.#checkpoints.found(topic, partition)
      if (kind === 'log') this.#known.set(key, offsets)
      else this.futures.found({ ...offsets, folder: name, log: null })
      this.#untouched.add(name)
    }
    // A folder that was marked says why there is none: checkpoints are written before it is removed.
    const marked = new Set(folders.map(({ topic, partition }) => names.partitionFolder(topic, partition)))
    for (const offsets of this.#checkpoints.durable()) {
      const key = names.partitionFolder(offsets.topic, offsets.partition)
      if (!marked.has(key)) this.#lost.set(key, offsets)
    }
  }

  /** Every partition that has a folder. */
  get partitions(): PartitionFolder[] {
    return [...this.#known.values()].map(({ topic, partition }) => ({ topic, partition }))
  }

  /** How many logs there are, future ones included. */
  get logCount(): number {
    return this.#known.size + this.futures.all.length
  }

  /** The logs that are open. */
  get logs(): Iterable<L> {
    return this.#logs.values()
  }

  log(topic: string, partition: number): L | undefined {
    return this.#logs.get(names.partitionFolder(topic, partition))
  }

  has(topic: string, partition: number): boolean {
    return this.#known.has(names.partitionFolder(topic, partition))
  }

  /** Whether its folder is gone although it had records: somebody removed it, or the disk lost it. */
  hasLost(topic: string, partition: number): boolean {
    return this.#lost.has(names.partitionFolder(topic, partition))
  }

  /** Lost logs that nobody misses any more: their topic was deleted, or they are elsewhere. */
  forgetLost(isGone: (topic: string, partition: number) => boolean): void {
    for (const [folder, { topic, partition }] of this.#lost) if (isGone(topic, partition)) this.#lost.delete(folder)
  }

  /** The recovery point of a log as its checkpoint has it. */
  recoveryPointOf(topic: string, partition: number): number {
    return this.#known.get(names.partitionFolder(topic, partition))?.recoveryPoint ?? 0
  }

  /** Opens the log of a partition that has a folder. What `open` throws passes through, and the log may be tried again. */
  openLog(topic: string, partition: number, open: (known: KnownLog) => L): L {
    const folder = names.partitionFolder(topic, partition)
    const offsets = this.#known.get(folder)
    if (offsets === undefined) throw new LogDirError(`There is no log ${folder} in ${this.path}.`)
    const resting = this.#resting.get(folder)
    this.#resting.delete(folder)
    const folderTopicId = this.#topicIds.get(folder)
    this.#topicIds.delete(folder)
    // The checkpoints say the same, if nobody has touched anything.
    const isSame = resting?.logEndOffset === offsets.recoveryPoint && resting.logStartOffset === offsets.logStartOffset
    const found = folderTopicId === undefined ? {} : { folderTopicId }
    const known = { files: this.files, cleanShutdown: this.wasClean, ...found, ...offsets }
    return this.#add(folder, open(isSame ? { ...known, resting } : known))
  }

  /** Opens the log of a partition that has no folder yet; `open` creates it. */
  createLog(topic: string, partition: number, open: (known: KnownLog) => L): L {
    const folder = names.partitionFolder(topic, partition)
    if (!names.isTopicName(topic) || this.#known.has(folder)) {
      throw new LogDirError(`The log ${folder} cannot be created in ${this.path}: its name is taken or not allowed.`)
    }
    // A checkpoint may still tell the offsets of a deleted log of this name: after a crash they would be taken for the new one's.
    if (this.#checkpoints.mention(topic, partition)) this.writeCheckpoints()
    this.#lost.delete(folder)
    const offsets = { topic, partition, recoveryPoint: 0, logStartOffset: 0, highWatermark: 0 }
    const log = open({ files: this.files, cleanShutdown: true, lazily: true, ...offsets })
    this.#known.set(folder, offsets)
    return this.#add(folder, log)
  }

  /**
   * Closes a future log, gives its folder the name of the partition's own and opens it there. When this returns, all of that is
   * durable; the log in the other directory has to go next. What the disk or `open` throws passes through: if the future log
   * is still there afterwards, nothing has happened to its name.
   */
  promoteFuture(topic: string, partition: number, open: (known: KnownLog) => L): L {
    const future = this.futures.close(topic, partition)
    // Before the folder has its name, so that no crash brings back what was deleted. That the recovery point is older costs time.
    if (future.log?.logStartOffset !== future.logStartOffset) this.writeCheckpoints()
    this.futures.rename(future)
    const { folder: _, log: __, ...offsets } = future
    const folder = names.partitionFolder(topic, partition)
    this.#known.set(folder, offsets)
    return this.#add(folder, open({ files: this.files, cleanShutdown: true, ...offsets }))
  }

  /** Takes the log out and has it rename its folder; cleanDeleted() removes that later. */
  deleteLog(topic: string, partition: number): void {
    const folder = names.partitionFolder(topic, partition)
    const log = this.#logs.get(folder)
    if (log === undefined) throw new LogDirError(`The log ${folder} in ${this.path} is not open.`)
    // Whatever becomes of the folder, nobody looks for the partition here any more.
    this.#logs.delete(folder)
    this.#known.delete(folder)
    // Should the machine stop before the name is on disk, the next start finds a folder of a deleted topic.
    log.delete()
    this.#renamed = true
  }

  /** The topic id in the folder of a partition; null where a crash left it without one. @throws CorruptFileError */
  topicIdOf(topic: string, partition: number): string | null {
    const folder = names.partitionFolder(topic, partition)
    const topicId = this.#resting.get(folder)?.topicId ?? readTopicId(this.files, folder)
    this.#topicIds.set(folder, topicId)
    return topicId
  }

  /** Cheap. @throws what the disk throws where the directory is no longer there */
  mustBeThere(): void {
    this.files.size(names.META_PROPERTIES_FILE)
  }

  /** Reads and writes what can be read and written without harm. @throws what the disk throws */
  probe(): void {
    if (this.#closed) return
    this.files.readAll(names.META_PROPERTIES_FILE)
    this.#checkpoints.forget()
    this.writeCheckpoints()
  }

  /** Whether a folder holds anything but empty segments. */
  hasRecords(topic: string, partition: number): boolean {
    return holdsRecords(this.files, names.partitionFolder(topic, partition))
  }

  /** Marks the folder of a partition that is not open for deletion; cleanDeleted() removes it. */
  discard(topic: string, partition: number): void {
    this.#mark(topic, partition, 'delete')
  }

  /** Renames the folder of a partition that is not open, so that it is left alone. @returns its new name */
  setAside(topic: string, partition: number): string {
    return this.#mark(topic, partition, 'stray')
  }

  /**
   * Removes folders that were marked for deletion, by this run or an earlier one, and have waited long enough.
   * @returns how many
   */
  cleanDeleted(): number {
    const found = new Set(this.#deletedFolders.splice(0))
    if (this.#renamed) this.files.syncDirNow('')
    this.#renamed = false
    for (const name of this.files.list('')) if (names.parseFolder(name)?.kind === 'delete') found.add(name)
    if (found.size > 0) this.#forgetDeleted()
    for (const name of found) if (this.files.exists(name)) this.files.removeDir(name)
    return found.size
  }

  /**
   * Writes the checkpoint files that changed. Also to be called after a log was cut below its recovery point, before
   * anything is appended to it: the old point would make a crash recovery skip what was appended.
   * @param highWatermark of an open log; by default its recovery point
   */
  writeCheckpoints(highWatermark: (log: L) => number = log => log.syncedOffset): void {
    const note = (offsets: Offsets | undefined, log: L | null): void => {
      if (offsets === undefined || log === null) return
      offsets.recoveryPoint = log.syncedOffset
      offsets.logStartOffset = log.logStartOffset
      offsets.highWatermark = highWatermark(log)
    }
    for (const [folder, log] of this.#logs) note(this.#known.get(folder), log)
    for (const future of this.futures.all) note(future, future.log)
    this.#checkpoints.write([...this.#known.values(), ...this.futures.all, ...this.#lost.values()])
  }

  /**
   * Closes all logs and gives the lock back. When `clean` and everything reached the disk, leaves the mark by which
   * the next start recovers nothing.
   * @throws the first failure, after everything else was done
   */
  async close(clean: boolean, brokerEpoch = -1): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    try {
      const futures = this.futures.all.flatMap(({ log }) => log ?? [])
      const logs = [...this.#logs.values(), ...futures]
      const wasOffline = logs.some(log => log.offline !== null)
      await closeAll(logs, clean)
      if (!clean) return
      this.writeCheckpoints()
      // A log nobody opened after a crash has not been recovered yet.
      const recovered = this.wasClean || this.#untouched.size === 0
      if (wasOffline || !recovered) return
      writeRestingLogs(this.files, brokerEpoch, this.#logs.values())
      this.files.writeAtomic(names.CLEAN_SHUTDOWN_FILE, formatCleanShutdown(brokerEpoch))
    } finally {
      this.#unlock()
    }
  }

  /** What checkpoints say of a log without a folder would be taken for a loss. */
  #forgetDeleted(): void {
    if (!this.#checkpoints.mentionOther(folder => this.#known.has(folder) || this.#lost.has(folder))) return
    try {
      this.writeCheckpoints()
    } catch (error) {
      // A full disk has room for them once the folders are gone.
      if (!isFull(error)) throw error
    }
  }

  #mark(topic: string, partition: number, kind: 'delete' | 'stray'): string {
    const folder = names.partitionFolder(topic, partition)
    const target = this.#marked(topic, partition, kind)
    this.files.rename(folder, target)
    this.files.syncDirNow('')
    this.#resting.delete(folder)
    this.#topicIds.delete(folder)
    this.#known.delete(folder)
    this.#untouched.delete(folder)
    return target
  }

  #marked(topic: string, partition: number, kind: 'delete' | 'future' | 'stray'): string {
    return names.markedFolder(topic, partition, Buffer.from(this.#newId(), 'base64url').toString('hex'), kind)
  }

  #add(folder: string, log: L): L {
    this.#logs.set(folder, log)
    this.#untouched.delete(folder)
    return log
  }
}
