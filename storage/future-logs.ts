/**
 * The future logs of a log directory: each is filled from the log of its partition in another directory, in a folder
 * `<topic>-<partition>.<id>-future`, until it takes that one's place (KIP-113). Checkpoints know them by topic and partition, as
 * in Apache Kafka.
 */
import type { Offsets } from './dir-checkpoints.ts'
import { LogDirError } from './log-dir-owner.ts'
import type { Files } from './files.ts'
import type { KnownLog, ManagedLog } from './log-dir.ts'
import { holdsRecords, readTopicId } from './log-folder.ts'
import * as names from './names.ts'

export interface FutureLog<L> extends Offsets {
  readonly folder: string
  /** Null: not opened yet. */
  log: L | null
}

/** What the directory lends to its future logs. */
export interface FutureLogsOptions {
  readonly files: Files
  /** Whether what an earlier run left need not be recovered. */
  readonly isClean: boolean
  /** A free name for a folder. */
  readonly marked: (topic: string, partition: number, kind: 'delete' | 'future') => string
  /** Before a new one is made. */
  readonly prepare: (topic: string, partition: number) => void
  /** The folder is no longer what the last run left. */
  readonly touched: (folder: string) => void
}

export class FutureLogs<L extends ManagedLog> {
  readonly #o: FutureLogsOptions
  readonly #logs = new Map<string, FutureLog<L>>()

  constructor(options: FutureLogsOptions) {
    this.#o = options
  }

  get all(): readonly FutureLog<L>[] {
    return [...this.#logs.values()]
  }

  has(topic: string, partition: number): boolean {
    return this.#logs.has(names.partitionFolder(topic, partition))
  }

  /** Of a folder that an earlier run left. */
  found(future: FutureLog<L>): void {
    this.#logs.set(names.partitionFolder(future.topic, future.partition), future)
  }

  /** The topic id in the folder; null where a crash left none. @throws CorruptFileError */
  topicIdOf(topic: string, partition: number): string | null {
    const folder = this.#logs.get(names.partitionFolder(topic, partition))?.folder
    return folder === undefined ? null : readTopicId(this.#o.files, folder)
  }

  /** Whether there is one with records in it. */
  hasRecords(topic: string, partition: number): boolean {
    const folder = this.#logs.get(names.partitionFolder(topic, partition))?.folder
    return folder !== undefined && holdsRecords(this.#o.files, folder)
  }

  /** `open` creates the folder if there is none. What it throws passes through. */
  open(topic: string, partition: number, open: (known: KnownLog) => L): L {
    const { files, isClean, marked, prepare, touched } = this.#o
    const found = this.#logs.get(names.partitionFolder(topic, partition))
    if (found === undefined) prepare(topic, partition)
    else if (found.log !== null) throw new LogDirError(`The future log of ${topic}-${partition} is open.`)
    const folder = found?.folder ?? marked(topic, partition, 'future')
    const nothing = { recoveryPoint: 0, logStartOffset: 0, highWatermark: 0 }
    const future: FutureLog<L> = found ?? { topic, partition, folder, ...nothing, log: null }
    const { log: _, ...known } = future
    future.log = open({ files, cleanShutdown: found === undefined || isClean, ...known })
    this.found(future)
    touched(folder)
    return future.log
  }

  /** Brings everything to the disk and closes the log; to be renamed next. */
  close(topic: string, partition: number): FutureLog<L> {
    const future = this.#logs.get(names.partitionFolder(topic, partition))
    if (!future?.log) throw new LogDirError(`The future log of ${topic}-${partition} is not open.`)
    future.log.closeNow(true)
    return future
  }

  /** The folder gets the name of the partition's own, for good. If this throws, nobody knows which name it has. */
  rename({ topic, partition, folder }: FutureLog<L>): void {
    const name = names.partitionFolder(topic, partition)
    this.#logs.delete(name)
    this.#o.files.rename(folder, name)
    this.#o.files.syncDirNow('')
  }

  /** Gives it up: its folder is marked for deletion. */
  discard(topic: string, partition: number): void {
    const { files, marked, touched } = this.#o
    const key = names.partitionFolder(topic, partition)
    const future = this.#logs.get(key)
    if (future === undefined) return
    future.log?.closeNow(false)
    this.#logs.delete(key)
    touched(future.folder)
    if (files.exists(future.folder)) files.rename(future.folder, marked(topic, partition, 'delete'))
    files.syncDirNow('')
  }
}
