/** Whether a log directory may be ours: what meta.properties says, and the lock. Every refusal is one sentence. */
import { CorruptFileError } from './errors.ts'
import type { Files } from './files.ts'
import { LockedError } from './files.ts'
import { parseMetaProperties } from './meta-properties.ts'
import type { MetaProperties } from './meta-properties.ts'
import * as names from './names.ts'

/** The directory cannot be used; the message is one sentence for whoever started the broker. */
export class LogDirError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'LogDirError'
  }
}

export interface LogDirOptions {
  /** How messages name the directory. */
  readonly path: string
  readonly nodeId: number
  /** The cluster a directory must belong to; a new one gets it. By default any, or a new id. */
  readonly clusterId?: string
  /** A new id: 22 characters of base64url. */
  readonly newId: () => string
  /**
   * Looks at a directory of Apache Kafka's, changing nothing, and throws UnfitError where it cannot be served. Left out, none
   * is opened.
   */
  readonly examine?: (files: Files) => void
}

/** Why a directory of Apache Kafka's cannot be opened: half a sentence. */
export class UnfitError extends Error {
  override readonly name = 'UnfitError'
}

/**
 * Reads meta.properties and changes nothing. Null: the directory is missing or empty and may be made ours.
 * @throws LogDirError for any other directory that is neither ours nor one of Apache Kafka's that can be served
 */
export function checkOwner(files: Files, o: LogDirOptions): MetaProperties | null {
  const { path, nodeId, clusterId } = o
  if (!files.exists('')) return null
  if (!files.exists(names.META_PROPERTIES_FILE)) {
    const foreign = files.list('').find(name => !isHarmless(name))
    if (foreign === undefined) return null
    throw new LogDirError(
      `The data directory ${path} is not empty (it holds ${foreign}) and not Odradek's: nothing was changed; choose another directory.`,
    )
  }
  let found: MetaProperties
  try {
    found = parseMetaProperties(files.readAll(names.META_PROPERTIES_FILE), names.META_PROPERTIES_FILE)
  } catch (error) {
    if (!(error instanceof CorruptFileError)) throw error
    throw new LogDirError(`The data directory ${path} cannot be read (${error.message}): nothing was changed.`, {
      cause: error,
    })
  }
  if (found.nodeId !== nodeId) {
    throw new LogDirError(
      `The data directory ${path} belongs to node.id ${found.nodeId}, not ${nodeId}: set node.id=${found.nodeId} or choose another directory.`,
    )
  }
  if (clusterId !== undefined && found.clusterId !== clusterId) {
    throw new LogDirError(
      `The data directory ${path} belongs to cluster ${found.clusterId}, not ${clusterId}: choose another directory.`,
    )
  }
  if (found.odradekVersion === 0) examineKafkas(files, found, o)
  return found
}

/** Only what nobody wrote but Apache Kafka; a directory of ours that it used is still ours, and keeps our key. */
function examineKafkas(files: Files, { nodeId, clusterId }: MetaProperties, { path, examine }: LogDirOptions): void {
  const whose = `The data directory ${path} was written by Apache Kafka (node ${nodeId}, cluster ${clusterId})`
  if (examine === undefined) {
    throw new LogDirError(`${whose}, which is not opened here: nothing was changed; choose another directory.`)
  }
  try {
    examine(files)
  } catch (error) {
    if (!(error instanceof UnfitError)) throw error
    throw new LogDirError(`${whose} and cannot be opened: ${error.message}; nothing was changed.`, { cause: error })
  }
}

/** What an empty directory may hold: a file system's own folder, and what a first start that was interrupted left. */
function isHarmless(name: string): boolean {
  return (
    name === 'lost+found' ||
    name === names.LOCK_FILE ||
    name.startsWith(`${names.LOCK_FILE}.`) ||
    name === names.META_PROPERTIES_FILE + names.TEMPORARY_SUFFIX
  )
}

/** @throws LogDirError when another process holds the lock */
export function takeLock(files: Files, path: string): () => void {
  try {
    return files.lock(names.LOCK_FILE)
  } catch (error) {
    if (!(error instanceof LockedError)) throw error
    throw new LogDirError(
      `The data directory ${path} is in use by the running process ${error.pid}: stop it first, or choose another directory.`,
      { cause: error },
    )
  }
}
