/**
 * The Files port: everything storage needs of a disk, relative to one root (a log directory). Calls are synchronous
 * except sync() and syncDir(). Drivers: diskFiles (files-disk.ts), memoryFiles (files-memory.ts), CrashFiles (files-crash.ts).
 * Errors are Node's (`code` ENOENT, ENOSPC, EIO ...).
 */

export interface Files {
  /** 'write' creates a missing file and allows reading as well; 'read' throws ENOENT. */
  open(path: string, mode: 'read' | 'write'): FileHandle
  exists(path: string): boolean
  /** Names in a folder ('' is the root), sorted; throws ENOENT when it is missing. */
  list(path: string): string[]
  isFolder(path: string): boolean
  /** Of the file system that holds the root, in bytes; left out by drivers that have none. */
  space?(): { totalBytes: number; usableBytes: number }
  /** Bytes of a file. */
  size(path: string): number
  /** With its parents; an existing folder is fine. The caller syncs the parent. */
  mkdir(path: string): void
  /** A file or a folder; replaces an existing file in one step. The caller syncs the parent. */
  rename(from: string, to: string): void
  /** One file. */
  remove(path: string): void
  /** A folder with everything in it. */
  removeDir(path: string): void
  readAll(path: string): Buffer
  /** After it returns the new content is on disk; whenever it fails, or the machine stops, the file is the old or the new one. */
  writeAtomic(path: string, data: Uint8Array): void
  /**
   * The same for a process that stops, at the cost of no sync: if the machine stops, the file may be missing or empty. The
   * caller syncs it and its folder (syncFile, syncDir) before anything depends on it.
   */
  writeUnsynced(path: string, data: Uint8Array): void
  /** Brings a file's bytes to the disk. */
  syncFile(path: string): Promise<void>
  syncFileNow(path: string): void
  /** Makes creations, renames and removals in this folder ('' is the root) durable. */
  syncDir(path: string): Promise<void>
  syncDirNow(path: string): void
  /**
   * Takes the lock file at `path` for as long as this process lives; the function returned gives it back.
   * Throws LockedError when a live process holds it. A lock of a process that died is taken over.
   */
  lock(path: string): () => void
  /** The live process that holds the lock file at `path`, by its pid, or null; takes nothing. Left out by drivers that cannot tell. */
  lockHolder?(path: string): number | null
}

export interface FileHandle {
  readonly path: string
  size(): number
  /** Writes parts at the end: all of them, or throws after cutting the file back to its size before. */
  append(parts: readonly Uint8Array[]): void
  /** Bytes read: less than the target's length only at the end of the file. */
  readAt(target: Uint8Array, position: number): number
  /** Overwrites, or extends the file. A failure may leave part of it written. */
  writeAt(data: Uint8Array, position: number): void
  truncate(size: number): void
  /** fdatasync in the thread pool. After one failure every later call on this handle throws that error. */
  sync(): Promise<void>
  syncNow(): void
  /** Idempotent; a sync in flight is allowed to finish. */
  close(): void
}

/** A live process holds the lock. */
export class LockedError extends Error {
  readonly pid: number

  constructor(path: string, pid: number) {
    super(`${path} is held by the running process ${pid}`)
    this.name = 'LockedError'
    this.pid = pid
  }
}

/** What a driver must be able to do with one open file; `writev` may write less than asked. */
export interface RawFile {
  size(): number
  writev(parts: readonly Uint8Array[], position: number): number
  read(target: Uint8Array, position: number): number
  truncate(size: number): void
  datasync(): Promise<void>
  datasyncNow(): void
  close(): void
}

/** Most buffers one writev takes on Linux (IOV_MAX). */
const MAX_PARTS = 1024

/**
 * The rules of a handle over any raw file: appends that fail are cut back; a cut that fails, or a failed sync, poisons
 * the handle, because from then on nobody knows what the disk holds (a second fsync would report success for lost pages).
 */
export function fileHandle(path: string, raw: RawFile): FileHandle {
  let size = raw.size()
  let poison: Error | null = null
  let closed = false
  let syncing = 0

  const check = () => {
    if (poison !== null) throw poison
    if (closed) throw new Error(`${path} is closed`)
  }
  const poisonWith = (error: unknown): Error => {
    poison ??= error instanceof Error ? error : new Error(String(error))
    return poison
  }
  const writeFully = (parts: readonly Uint8Array[], position: number): number => {
    let written = 0
    for (let from = 0; from < parts.length; from += MAX_PARTS) {
      let batch = parts.length <= MAX_PARTS ? parts : parts.slice(from, from + MAX_PARTS)
      let left = 0
      for (const part of batch) left += part.byteLength
      while (left > 0) {
        const count = raw.writev(batch, position + written)
        if (count <= 0) throw Object.assign(new Error(`${path}: nothing could be written`), { code: 'EIO' })
        written += count
        left -= count
        if (left > 0) batch = dropBytes(batch, count)
      }
    }
    return written
  }

  return {
    path,
    size: () => size,
    append(parts) {
      check()
      try {
        size += writeFully(parts, size)
      } catch (error) {
        try {
          raw.truncate(size)
        } catch {
          throw poisonWith(error)
        }
        throw error
      }
    },
    readAt(target, position) {
      check()
      let count = 0
      while (count < target.byteLength) {
        const more = raw.read(count === 0 ? target : target.subarray(count), position + count)
        if (more === 0) break
        count += more
      }
      return count
    },
    writeAt(data, position) {
      check()
      try {
        writeFully([data], position)
      } finally {
        size = raw.size()
      }
    },
    truncate(newSize) {
      check()
      raw.truncate(newSize)
      size = newSize
    },
    async sync() {
      check()
      syncing++
      try {
        await raw.datasync()
      } catch (error) {
        throw poisonWith(error)
      } finally {
        syncing--
        if (closed && syncing === 0) raw.close()
      }
      // Another sync of this handle may have failed meanwhile: this one's success then says nothing about those pages.
      if (poison !== null) throw poison
    },
    syncNow() {
      check()
      try {
        raw.datasyncNow()
      } catch (error) {
        throw poisonWith(error)
      }
    },
    close() {
      if (closed) return
      closed = true
      // Closing under a running fdatasync could hand the descriptor to another file: the last sync closes it.
      if (syncing === 0) raw.close()
    },
  }
}

/** The parts without their first `count` bytes. */
function dropBytes(parts: readonly Uint8Array[], count: number): Uint8Array[] {
  let index = 0
  while (count > 0) {
    const length = parts[index]?.byteLength ?? 0
    if (length > count) break
    count -= length
    index++
  }
  const rest = parts.slice(index)
  const first = rest[0]
  if (count > 0 && first !== undefined) rest[0] = first.subarray(count)
  return rest
}
