/**
 * Every file and folder name of a log directory, as Apache Kafka spells them (LogFileUtils.java, LocalLog.java, LogManager.java).
 * All paths are relative to the log directory and use '/'.
 */

export const LOG_SUFFIX = '.log'
export const OFFSET_INDEX_SUFFIX = '.index'
export const TIME_INDEX_SUFFIX = '.timeindex'
export const TXN_INDEX_SUFFIX = '.txnindex'
export const PRODUCER_SNAPSHOT_SUFFIX = '.snapshot'
/** Appended to a file that waits for its deletion. */
export const DELETED_SUFFIX = '.deleted'
/** Appended to files of a segment that compaction is writing: worthless after a crash. */
export const CLEANED_SUFFIX = '.cleaned'
/** Appended to files of a finished compacted segment that is replacing others: completed after a crash. */
export const SWAP_SUFFIX = '.swap'
/** Appended to the new content of a small file until it is renamed into place: worthless after a crash. */
export const TEMPORARY_SUFFIX = '.tmp'
/** A snapshot of `__cluster_metadata` (KIP-630). */
export const CHECKPOINT_SUFFIX = '.checkpoint'
/** Appended to a snapshot of `__cluster_metadata` that is being written: worthless after a crash. */
export const PART_SUFFIX = '.part'

export const LOCK_FILE = '.lock'
export const CLEAN_SHUTDOWN_FILE = '.kafka_cleanshutdown'
export const RESTING_LOGS_FILE = '.odradek_logs'
export const META_PROPERTIES_FILE = 'meta.properties'
export const RECOVERY_POINT_CHECKPOINT_FILE = 'recovery-point-offset-checkpoint'
export const LOG_START_OFFSET_CHECKPOINT_FILE = 'log-start-offset-checkpoint'
export const REPLICATION_OFFSET_CHECKPOINT_FILE = 'replication-offset-checkpoint'
export const CLEANER_OFFSET_CHECKPOINT_FILE = 'cleaner-offset-checkpoint'
export const BOOTSTRAP_CHECKPOINT_FILE = 'bootstrap.checkpoint'
export const LEADER_EPOCH_CHECKPOINT_FILE = 'leader-epoch-checkpoint'
export const PARTITION_METADATA_FILE = 'partition.metadata'
export const QUORUM_STATE_FILE = 'quorum-state'

export const CLUSTER_METADATA_TOPIC = '__cluster_metadata'

/** Longest name of a file or folder that common file systems take, in bytes. */
const MAX_NAME_LENGTH = 255
const MAX_TOPIC_LENGTH = 249
const TOPIC_PATTERN = /^[a-zA-Z0-9._-]+$/
const OFFSET_PATTERN = /^(\d{20})\./
/** What follows the topic of a folder that is being deleted, moved or was found without an owner. */
const MARKED_PATTERN = /^(.+)-(\d+)\.([^.]+)-(delete|future|stray)$/
/** A snapshot of `__cluster_metadata`, and what may stand behind its id before the suffix while it is written. */
const SNAPSHOT_PATTERN = /^(\d{20})-(\d{10})(.*)\.checkpoint(|\.part|\.deleted)$/
const FOLDER_PATTERN = /^(.+)-(\d+)$/

export type FolderKind = 'log' | 'delete' | 'future' | 'stray'

export interface FolderName {
  readonly topic: string
  readonly partition: number
  readonly kind: FolderKind
}

/** 1-249 characters of `[a-zA-Z0-9._-]`, not `.` or `..` (Topic.java): such a name can never leave the log directory. */
export function isTopicName(name: string): boolean {
  return name.length <= MAX_TOPIC_LENGTH && name !== '.' && name !== '..' && TOPIC_PATTERN.test(name)
}

/** 20 digits, so that names sort as offsets do. */
export function offsetDigits(offset: number): string {
  return String(offset).padStart(20, '0')
}

/** `00000000000000000042.log` + an optional further suffix such as `.deleted`. */
export function logFile(baseOffset: number, suffix = ''): string {
  return offsetDigits(baseOffset) + LOG_SUFFIX + suffix
}

export function offsetIndexFile(baseOffset: number, suffix = ''): string {
  return offsetDigits(baseOffset) + OFFSET_INDEX_SUFFIX + suffix
}

export function timeIndexFile(baseOffset: number, suffix = ''): string {
  return offsetDigits(baseOffset) + TIME_INDEX_SUFFIX + suffix
}

export function txnIndexFile(baseOffset: number, suffix = ''): string {
  return offsetDigits(baseOffset) + TXN_INDEX_SUFFIX + suffix
}

/** State of the producers before `offset` (exclusive end of what it covers). */
export function producerSnapshotFile(offset: number, suffix = ''): string {
  return offsetDigits(offset) + PRODUCER_SNAPSHOT_SUFFIX + suffix
}

/** The offset a file name starts with; null when it starts with none that a number holds exactly. */
export function offsetOfFile(name: string): number | null {
  const digits = OFFSET_PATTERN.exec(name)?.[1]
  if (digits === undefined) return null
  const offset = Number(digits)
  return Number.isSafeInteger(offset) ? offset : null
}

/** `00000000000000000042-0000000007.checkpoint`: the metadata before `offset`, whose last record has that leader epoch. */
export function metadataSnapshotFile(offset: number, epoch: number, suffix = ''): string {
  return `${offsetDigits(offset)}-${String(epoch).padStart(10, '0')}${CHECKPOINT_SUFFIX}${suffix}`
}

export interface MetadataSnapshotName {
  readonly offset: number
  readonly epoch: number
  /** Finished and in use; else it is being written or waits for deletion (Snapshots.java). */
  readonly whole: boolean
}

/** Null when it is no snapshot's name. */
export function parseMetadataSnapshot(name: string): MetadataSnapshotName | null {
  const match = SNAPSHOT_PATTERN.exec(name)
  if (match === null) return null
  const [offset, epoch] = [Number(match[1]), Number(match[2])]
  if (!Number.isSafeInteger(offset) || epoch > 0x7fffffff) return null
  return { offset, epoch, whole: match[4] === '' && match[3] === '' }
}

export function partitionFolder(topic: string, partition: number): string {
  return `${topic}-${partition}`
}

/**
 * The name a partition's folder gets when it is deleted or found without an owner:
 * `topic-partition.uniqueId-delete`, the topic cut where the name would be too long.
 * @param uniqueId 32 hexadecimal digits
 */
export function markedFolder(
  topic: string,
  partition: number,
  uniqueId: string,
  kind: Exclude<FolderKind, 'log'>,
): string {
  const suffix = `-${partition}.${uniqueId}-${kind}`
  return topic.slice(0, MAX_NAME_LENGTH - suffix.length) + suffix
}

/** Topic and partition of a folder, or null when it is no partition's folder. The topic of a marked one may be cut. */
export function parseFolder(name: string): FolderName | null {
  const marked = MARKED_PATTERN.exec(name)
  const parts = marked ?? FOLDER_PATTERN.exec(name)
  if (parts === null) return null
  const topic = parts[1] ?? ''
  const digits = parts[2] ?? ''
  const partition = Number(digits)
  if (!isTopicName(topic) || partition > 0x7fffffff || String(partition) !== digits) return null
  return { topic, partition, kind: marked === null ? 'log' : (marked[4] as FolderKind) }
}

/** Joins folder and name; '' is the log directory itself. */
export function join(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`
}

/** The folder of a path: '' for the log directory itself. */
export function parentOf(path: string): string {
  const at = path.lastIndexOf('/')
  return at < 0 ? '' : path.slice(0, at)
}

/** The last part of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
