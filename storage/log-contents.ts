/**
 * What a log has in its folder, opened when it is first needed: of a log that an orderly stop left at rest, or that has no
 * folder yet, a few numbers are enough until then. A broker may have thousands of such logs.
 */
import { CorruptFileError } from './errors.ts'
import type { LogConfig } from './log-config.ts'
import type { LogFiles } from './log-files.ts'
import { freeDeletedName } from './log-folder.ts'
import type { LoadedLog } from './recovery.ts'
import type { OpenedLog } from './log-open.ts'
import { openLogFiles } from './log-open.ts'
import type { OpenOptions } from './log-options.ts'
import * as names from './names.ts'
import type { RestingLog } from './resting.ts'

export class LogContents {
  readonly folder: string
  readonly topicId: string | null
  /** Where the log stands, as it was opened. */
  readonly start: Pick<LoadedLog, 'logStartOffset' | 'logEndOffset' | 'recoveryPoint' | 'scannedBytes'>
  readonly #o: OpenOptions
  /** Whether there was a folder. */
  readonly #isNew: boolean
  #config: LogConfig
  #opened: OpenedLog | null = null
  /** Of a leader that has appended nothing yet. */
  #epoch: { readonly epoch: number; readonly startOffset: number } | null = null

  /** @throws what the disk throws; Error for a folder of another topic id */
  constructor(o: OpenOptions) {
    this.#o = o
    this.#config = o.config
    this.folder = o.folder ?? names.partitionFolder(o.topic, o.partition)
    this.#isNew = o.resting === undefined && o.lazily === true && !o.files.exists(this.folder)
    const { resting } = o
    if (resting !== undefined || this.#isNew) {
      const { logStartOffset, recoveryPoint } = o
      this.topicId = o.topicId ?? resting?.topicId ?? null
      this.start = { logStartOffset, logEndOffset: recoveryPoint, recoveryPoint, scannedBytes: 0 }
    } else {
      this.#opened = openLogFiles(o)
      this.topicId = this.#opened.topicId
      this.start = this.#opened.loaded
    }
  }

  get isOpen(): boolean {
    return this.#opened !== null
  }

  /** Opens them. @throws what the disk throws, CorruptFileError if the log is not as it was left */
  get files(): LogFiles {
    return this.#open().files
  }

  get producers(): LoadedLog['producers'] {
    return this.#open().loaded.producers
  }

  get hasFolder(): boolean {
    return this.#opened === null ? !this.#isNew : this.#opened.files.hasFolder
  }

  get config(): LogConfig {
    return this.#config
  }

  configure(config: LogConfig): void {
    this.#config = config
    if (this.#opened === null) return
    this.#opened.files.configure(config)
    this.#opened.loaded.producers.expirationMs = config.producerIdExpirationMs
  }

  /** A leader's epoch begins. */
  beginEpoch(epoch: number, startOffset: number): void {
    if (this.#opened === null) this.#epoch = { epoch, startOffset }
    else if (this.#opened.files.epochs.assign(epoch, startOffset)) this.#opened.files.epochsChanged()
  }

  get sizeInBytes(): number {
    if (this.#opened === null) return this.#o.resting?.sizeInBytes ?? 0
    return this.#opened.files.segments.reduce((sum, segment) => sum + segment.size, 0)
  }

  get segmentCount(): number {
    return this.#opened === null ? (this.#o.resting?.segmentCount ?? 1) : this.#opened.files.segments.length
  }

  /** False if retention has nothing to do in a log that is not open. */
  mayExpire(now: number): boolean {
    if (this.#opened !== null) return true
    const { resting } = this.#o
    if (resting === undefined || resting.sizeInBytes === 0) return false
    const { cleanupPolicy, retentionBytes, retentionMs, segmentMs, segmentJitterMs } = this.#config
    const isOld = cleanupPolicy.delete && retentionMs >= 0 && now - resting.oldestTimestamp > retentionMs
    const isLarge = cleanupPolicy.delete && retentionBytes >= 0 && resting.sizeInBytes > retentionBytes
    return isOld || isLarge || now - this.#o.now > segmentMs - segmentJitterMs
  }

  /**
   * Brings everything to the disk, for good.
   * @returns what the next start needs to know of the log; null if it has to look into the folder
   */
  finish(logStartOffset: number, logEndOffset: number): RestingLog | null {
    if (this.#opened === null) return this.#o.resting ?? null
    this.files.syncForClose(this.producers, logEndOffset)
    const { topicId, sizeInBytes, segmentCount } = this
    const { segments } = this.#opened.files
    const second = segments[1]
    const isWhole = this.hasFolder && this.producers.firstUnstableOffset(logEndOffset) === null
    if (topicId === null || !isWhole || (second !== undefined && second.baseOffset <= logStartOffset)) return null
    const oldestTimestamp = segments[0]!.largestTimestamp
    return { topicId, logStartOffset, logEndOffset, sizeInBytes, segmentCount, oldestTimestamp }
  }

  /** Renames the folder, where there is one. @returns its new name */
  markDeleted(): string | null {
    if (!this.hasFolder) return null
    const { files, topic, partition } = this.#o
    const target = freeDeletedName(files, topic, partition, this.topicId)
    files.rename(this.folder, target)
    return target
  }

  close(): void {
    this.#opened?.files.close()
  }

  #open(): OpenedLog {
    if (this.#opened !== null) return this.#opened
    const opened = openLogFiles({ ...withoutTopicId(this.#o), config: this.#config })
    const { logEndOffset } = opened.loaded
    if (logEndOffset !== this.start.logEndOffset) {
      opened.files.close()
      throw new CorruptFileError(
        this.folder,
        `the log ends at ${logEndOffset}, it was left at ${this.start.logEndOffset}`,
      )
    }
    this.#opened = opened
    if (this.#epoch !== null) this.beginEpoch(this.#epoch.epoch, this.#epoch.startOffset)
    this.#epoch = null
    return opened
  }
}

/** Nobody knows what happened to the folder meanwhile. */
const withoutTopicId = ({ folderTopicId: _, ...o }: OpenOptions): OpenOptions => o
