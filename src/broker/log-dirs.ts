// The log directories of a broker (JBOD, KIP-112): opened together, of one cluster and one node, each failing alone. Says
// where a partition is and where a new one goes. Kafka: MetaPropertiesEnsemble.java, KafkaRaftServer.scala, LogManager.java.
import type { Files } from '../../storage/files.ts'
import type { Log } from '../../storage/log.ts'
import type { MetaProperties } from '../../storage/meta-properties.ts'
import type { Logger } from '../runtime/log.ts'
import { isSystemError } from '../../storage/errors.ts'
import { checkOwner } from '../../storage/log-dir-owner.ts'
import { LogDir, LogDirError } from '../../storage/log-dir.ts'
import { CLUSTER_METADATA_TOPIC, partitionFolder } from '../../storage/names.ts'

export { isSystemError }

export interface DirectoryOptions {
  /** How messages and clients name it: absolute. */
  readonly path: string
  /** As the configuration has it; default: the path. */
  readonly name?: string
  readonly files: Files
}

export interface LogDirsOptions {
  /** log.dirs, in its order. */
  readonly directories: readonly DirectoryOptions[]
  /** metadata.log.dir where that is none of them; by default the first one holds the metadata log. */
  readonly metadata?: DirectoryOptions | undefined
  readonly nodeId: number
  readonly newId: () => string
  readonly log: Logger
  /** Looks at a directory of Apache Kafka's with its metadata log; see LogDirOptions. */
  readonly examine?: (files: Files) => void
}

/** One of log.dirs. */
export interface LogDirectory {
  readonly path: string
  readonly name: string
  readonly files: Files
  /** Null: it could not be opened at the start. */
  readonly dir: LogDir<Log> | null
  /** Why it is offline; null while all is well. */
  failure: Error | null
}

export interface OnlineDirectory extends LogDirectory {
  readonly dir: LogDir<Log>
}

const isOnline = (directory: LogDirectory): directory is OnlineDirectory =>
  directory.dir !== null && directory.failure === null

/** No room is no damage: what is there can be read, and what is written later may fit again. */
const isFull = (error: unknown): boolean =>
  isSystemError(error) &&
  ['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'ENOMEM'].includes((error as { code?: string }).code!)

export class LogDirs {
  readonly all: readonly LogDirectory[]
  /** The directory of the metadata log: one of `all`, or one of its own. */
  readonly metadataDir: LogDir<Log>
  /** Whether every directory was closed in order, and is there. */
  readonly wasClean: boolean

  /**
   * Opens all directories. One whose disk fails is offline from the start; the others go on without it, if one is left and the
   * metadata log's is well.
   * @throws LogDirError
   */
  static async open(o: LogDirsOptions): Promise<LogDirs> {
    const metadata = o.metadata ?? o.directories[0]!
    const clusterId = checkOwners(o, metadata)
    const opened: LogDir<Log>[] = []
    const open = ({ files, path }: DirectoryOptions, ofCluster?: string): LogDir<Log> => {
      const { nodeId, newId } = o
      const examine = files === metadata.files ? o.examine : () => undefined
      const cluster = ofCluster !== undefined && { clusterId: ofCluster }
      const dir = LogDir.open<Log>(files, { path, nodeId, newId, ...(examine && { examine }), ...cluster })
      opened.push(dir)
      return dir
    }
    try {
      const metadataDir = open(metadata, clusterId)
      const all = o.directories.map(({ path, name = path, files }): LogDirectory => {
        if (files === metadata.files) return { path, name, files, dir: metadataDir, failure: null }
        try {
          return { path, name, files, dir: open({ path, files }, metadataDir.clusterId), failure: null }
        } catch (error) {
          if (!isDiskFailure(error)) throw error
          o.log.error({ path, err: error }, 'A log directory cannot be opened: its partitions are offline')
          return { path, name, files, dir: null, failure: error }
        }
      })
      const first = all[0]!
      if (!all.some(isOnline)) throw first.failure!
      return new LogDirs(all, metadataDir)
    } catch (error) {
      await Promise.allSettled(opened.map(dir => dir.close(false)))
      throw error
    }
  }

  private constructor(all: readonly LogDirectory[], metadataDir: LogDir<Log>) {
    this.all = all
    this.metadataDir = metadataDir
    this.wasClean = metadataDir.wasClean && all.every(({ dir }) => dir?.wasClean === true)
  }

  get clusterId(): string {
    return this.metadataDir.clusterId
  }

  get nodeId(): number {
    return this.metadataDir.nodeId
  }

  get online(): readonly OnlineDirectory[] {
    return this.all.filter(isOnline)
  }

  get hasOffline(): boolean {
    return !this.all.every(isOnline)
  }

  /** The `directory.id` of each directory that is online. */
  get onlineIds(): readonly string[] {
    return this.online.map(({ dir }) => dir.directoryId)
  }

  byPath(path: string): LogDirectory | undefined {
    return this.all.find(directory => directory.path === path)
  }

  byId(id: string): OnlineDirectory | undefined {
    return this.online.find(({ dir }) => dir.directoryId === id)
  }

  /** Where the log of a partition is; its folder, if it is not open. */
  of(topic: string, partition: number): OnlineDirectory | undefined {
    return this.online.find(({ dir }) => dir.has(topic, partition))
  }

  /** @throws LogDirError where there are logs, of which an empty metadata log knows nothing */
  mustBeEmpty(): void {
    for (const { path, dir } of this.online)
      for (const { topic, partition } of dir.partitions)
        throw new LogDirError(
          `The metadata log in ${this.metadataDir.path} is empty, but ${path} holds ${topic}-${partition}: bring back the folder ${partitionFolder(CLUSTER_METADATA_TOPIC, 0)}, or choose another directory. No partition was changed.`,
        )
  }

  /** Where a new partition goes, the best first: the directory with the fewest logs (LogManager.nextLogDirs). */
  candidates(isCordoned: (directory: LogDirectory) => boolean): readonly OnlineDirectory[] {
    const open = this.online.filter(directory => !isCordoned(directory))
    if (open.length === 0) return this.online.slice(0, 1)
    return open.toSorted((a, b) => a.dir.logCount - b.dir.logCount)
  }

  /** Runs disk work in each directory that is online. @throws the first failure, after the others had their turn */
  each(work: (dir: LogDir<Log>) => void, onFailure: (directory: OnlineDirectory, error: unknown) => void): void {
    for (const directory of this.online)
      try {
        work(directory.dir)
      } catch (error) {
        onFailure(directory, error)
      }
  }

  /** Whether a disk error concerns the directory as a whole: it can no longer be read and written. */
  hasFailed({ dir }: OnlineDirectory): Error | null {
    try {
      dir.probe()
      return null
    } catch (error) {
      if (isFull(error)) return null
      return error instanceof Error ? error : new Error(String(error))
    }
  }

  /** Closes those that are online; without the mark of a clean stop where `clean` is false. @throws the first failure */
  async close(clean: boolean, brokerEpoch?: number): Promise<void> {
    const dirs = new Set([this.metadataDir, ...this.online.map(({ dir }) => dir)])
    const results = await Promise.allSettled(Array.from(dirs, dir => dir.close(clean, brokerEpoch)))
    const failed = results.find(result => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }
}

const isDiskFailure = (error: unknown): error is LogDirError =>
  error instanceof LogDirError && isSystemError(error.cause)

/**
 * What can be known before anything is changed: all directories belong to one cluster, each has its own id, and the metadata
 * log is where it is looked for. @returns the cluster's id; undefined for a new cluster
 * @throws LogDirError
 */
function checkOwners(
  { directories, nodeId, newId, ...o }: LogDirsOptions,
  metadata: DirectoryOptions,
): string | undefined {
  const found = new Map<DirectoryOptions, MetaProperties | null>()
  for (const directory of new Set([metadata, ...directories])) {
    const { files, path } = directory
    try {
      const examine = directory === metadata ? o.examine : () => undefined
      found.set(directory, checkOwner(files, { path, nodeId, newId, ...(examine && { examine }) }))
    } catch (error) {
      // A disk that fails is left to be met when the directory is opened.
      if (!isSystemError(error) && !isDiskFailure(error)) throw error
    }
  }
  const owned = [...found].flatMap(([directory, owner]) => (owner === null ? [] : [{ path: directory.path, ...owner }]))
  const [first] = owned
  const stranger = owned.find(({ clusterId }) => clusterId !== first?.clusterId)
  if (first && stranger)
    throw new LogDirError(
      `The data directories belong to several clusters (${first.path} to ${first.clusterId}, ${stranger.path} to ${stranger.clusterId}): nothing was changed.`,
    )
  const ids = owned.flatMap(({ directoryId }) => directoryId ?? [])
  const twin = owned.find(
    ({ directoryId }) => directoryId !== null && ids.indexOf(directoryId) !== ids.lastIndexOf(directoryId),
  )
  if (twin)
    throw new LogDirError(
      `The data directory ${twin.path} has the directory.id of another, ${twin.directoryId}: one is a copy of the other; nothing was changed.`,
    )
  const home = [...found.keys()].find(directory => directory !== metadata && holdsMetadata(directory))
  if (home)
    throw new LogDirError(
      `The metadata log is in ${home.path}, but looked for in ${metadata.path}: set metadata.log.dir=${home.path}. Nothing was changed.`,
    )
  if (first && found.get(metadata) === null)
    throw new LogDirError(
      `The metadata log is looked for in ${metadata.path}, which is new, but ${first.path} belongs to cluster ${first.clusterId}: name the old directory first, or in metadata.log.dir. Nothing was changed.`,
    )
  return first?.clusterId
}

function holdsMetadata({ files }: DirectoryOptions): boolean {
  try {
    return files.exists(partitionFolder(CLUSTER_METADATA_TOPIC, 0))
  } catch (error) {
    if (isSystemError(error)) return false
    throw error
  }
}
