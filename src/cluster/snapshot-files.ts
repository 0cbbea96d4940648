/**
 * The snapshots in the folder of the metadata log (KafkaRaftLog.java, FileRawSnapshotWriter.java). One is written under
 * `….checkpoint.part`, synced, renamed and its name synced; so what has its final name is whole, unless the disk lost
 * it. Deleted ones become `….checkpoint.deleted` until `deletePending`; damaged ones are kept as `….checkpoint.damaged`.
 */
import type { Files } from '../../storage/files.ts'
import * as names from '../../storage/names.ts'
import { MetadataReplayError } from './image.ts'
import { headerTimestamp, readSnapshot, type Snapshot, type SnapshotId } from './snapshot.ts'

/** Told apart from the names that Apache Kafka gives, which end in random digits. */
const PART_MARK = '-odradek'
const DAMAGED_SUFFIX = '.damaged'
/** The first batch, which may name many voters, fits in. */
const HEADER_BYTES = 16 * 1024

export interface SnapshotFile {
  readonly id: SnapshotId
  readonly size: number
  /** Of the last batch it covers, in milliseconds. */
  readonly lastContainedTimestamp: number
}

export interface DamagedSnapshot {
  readonly id: SnapshotId
  readonly reason: string
}

export interface LoadedSnapshots {
  /** Oldest first; the last one is the newest that can be read. */
  readonly files: readonly SnapshotFile[]
  /** Of the last of `files`, null where there is none. */
  readonly newest: Snapshot | null
  /** Those newer than it that cannot be read, newest first. */
  readonly damaged: readonly DamagedSnapshot[]
}

const fileName = ({ offset, epoch }: SnapshotId, suffix = '') => names.metadataSnapshotFile(offset, epoch, suffix)

const older = (a: SnapshotId, b: SnapshotId): number => a.offset - b.offset || a.epoch - b.epoch

/** The ids of the finished snapshots in the folder, oldest first. Changes nothing. */
export function listSnapshots(files: Files, folder: string): SnapshotId[] {
  if (!files.exists(folder)) return []
  return files
    .list(folder)
    .flatMap(name => names.parseMetadataSnapshot(name) ?? [])
    .filter(({ whole }) => whole)
    .map(({ offset, epoch }) => ({ offset, epoch }))
    .toSorted(older)
}

/** Reads the newest snapshot that can be read. Changes nothing. */
export function loadSnapshots(files: Files, folder: string): LoadedSnapshots {
  const ids = listSnapshots(files, folder)
  const damaged: DamagedSnapshot[] = []
  let newest: Snapshot | null = null
  while (ids.length > 0 && newest === null) {
    const id = ids.at(-1)!
    try {
      newest = readSnapshot(files.readAll(names.join(folder, fileName(id))), id)
    } catch (error) {
      if (!(error instanceof MetadataReplayError)) throw error
      damaged.push({ id, reason: error.message })
      ids.pop()
    }
  }
  return {
    files: ids.map(id => {
      const path = names.join(folder, fileName(id))
      return { id, size: files.size(path), lastContainedTimestamp: timestampOf(files, path) }
    }),
    newest,
    damaged,
  }
}

/** From the header alone; 0, so that it goes first, where that is damaged. */
function timestampOf(files: Files, path: string): number {
  const handle = files.open(path, 'read')
  try {
    const beginning = Buffer.alloc(HEADER_BYTES)
    return headerTimestamp(beginning.subarray(0, handle.readAt(beginning, 0))) ?? 0
  } finally {
    handle.close()
  }
}

export class SnapshotFolder {
  readonly #files: Files
  readonly #folder: string
  #snapshots: SnapshotFile[]
  #deleted: { readonly path: string; readonly due: number }[] = []

  constructor(files: Files, folder: string, loaded: LoadedSnapshots) {
    this.#files = files
    this.#folder = folder
    this.#snapshots = [...loaded.files]
  }

  /** Oldest first. */
  get snapshots(): readonly SnapshotFile[] {
    return this.#snapshots
  }

  /** Removes what a stop left half done, and sets damaged files aside. @returns the new names of those */
  tidy(damaged: readonly DamagedSnapshot[]): string[] {
    for (const name of this.#files.list(this.#folder))
      if (names.parseMetadataSnapshot(name)?.whole === false) this.#files.remove(names.join(this.#folder, name))
    return damaged.map(({ id }) => {
      const target = names.join(this.#folder, fileName(id, DAMAGED_SUFFIX))
      this.#files.rename(this.#path(id), target)
      return target
    })
  }

  /**
   * Writes a snapshot piece by piece, with a `pause` after each. It is durable when this resolves. Rejects with what the disk
   * throws, and then there is none. One at a time.
   */
  async write(
    id: SnapshotId,
    lastContainedTimestamp: number,
    batches: Iterable<Buffer>,
    pause: () => Promise<void>,
  ): Promise<SnapshotFile> {
    const part = names.join(this.#folder, fileName(id).replace(/\./, `${PART_MARK}.`) + names.PART_SUFFIX)
    let size = 0
    try {
      const handle = this.#files.open(part, 'write')
      try {
        handle.truncate(0)
        for (const bytes of batches) {
          handle.append([bytes])
          await pause()
        }
        size = handle.size()
        await handle.sync()
      } finally {
        handle.close()
      }
      this.#files.rename(part, this.#path(id))
      await this.#files.syncDir(this.#folder)
    } catch (error) {
      this.#removeQuietly(part)
      throw error
    }
    const file = { id, size, lastContainedTimestamp }
    this.#snapshots.push(file)
    return file
  }

  /** Takes the snapshots before `offset` out; their files go with a `deletePending` at or after `due`. */
  deleteBefore(offset: number, due: number): number {
    const old = this.#snapshots.filter(({ id }) => id.offset < offset)
    for (const { id } of old) {
      const path = names.join(this.#folder, fileName(id, names.DELETED_SUFFIX))
      this.#files.rename(this.#path(id), path)
      this.#snapshots.shift()
      this.#deleted.push({ path, due })
    }
    return old.length
  }

  deletePending(now: number): void {
    while (this.#deleted.length > 0 && this.#deleted[0]!.due <= now) this.#files.remove(this.#deleted.shift()!.path)
  }

  #path(id: SnapshotId): string {
    return names.join(this.#folder, fileName(id))
  }

  /** What is left over is removed at the next start; the failure to be told of is the one before. */
  #removeQuietly(path: string): void {
    try {
      if (this.#files.exists(path)) this.#files.remove(path)
    } catch {
      // see above
    }
  }
}

export interface SnapshotRetention {
  readonly snapshots: readonly SnapshotFile[]
  readonly logStartOffset: number
  readonly logSize: number
  readonly retentionBytes: number
  readonly retentionMs: number
  readonly now: number
}

/**
 * How many of the oldest snapshots go, with the log before the next one (KafkaRaftLog.maybeClean). The newest always stays:
 * it is the only one of its kind. Pure. `sizeAfter` tells the log's size once it starts at an offset.
 */
export function planSnapshotRetention(o: SnapshotRetention, sizeAfter: (offset: number) => number): number {
  const { snapshots, retentionBytes, retentionMs, now } = o
  let count = 0
  let snapshotBytes = snapshots.reduce((sum, { size }) => sum + size, 0)
  let logBytes = o.logSize
  const isTooBig = () => retentionBytes >= 0 && logBytes + snapshotBytes > retentionBytes
  const isTooOld = () => retentionMs >= 0 && now - snapshots[count]!.lastContainedTimestamp > retentionMs
  let start = o.logStartOffset
  for (let next = snapshots[1]; next !== undefined && (isTooBig() || isTooOld()); next = snapshots[count + 1]) {
    // As in Kafka: the log must really move forward to the next snapshot.
    if (next.id.offset <= start) break
    start = next.id.offset
    snapshotBytes -= snapshots[count]!.size
    logBytes = sizeAfter(start)
    count++
  }
  return count
}
