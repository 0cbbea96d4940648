/**
 * How many files of a log directory are open at once. Beyond the limit the one that was used longest ago is closed, and
 * opened again when it is needed; whoever holds it does not notice. A file with bytes that were not synced stays open: the
 * system reports a failed write-back to those who had the file open then.
 */
import fs from 'node:fs'
import { isShortage } from './errors.ts'
import type { RawFile } from './files.ts'

const { O_RDONLY, O_RDWR, O_CREAT } = fs.constants

export class OpenFiles {
  readonly #limit: number
  /** Those that may be closed, the one used longest ago first. */
  readonly #idle = new Set<DiskFile>()
  #count = 0

  /** @param limit exceeded only while that many files have unsynced bytes */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** How many are open now. */
  get count(): number {
    return this.#count
  }

  file(path: string, mode: 'read' | 'write'): RawFile {
    return new DiskFile(this, path, mode)
  }

  /** A descriptor for DiskFile, given back with closed(). */
  open(path: string, flags: number): number {
    while (this.#count >= this.#limit && this.#closeOldest());
    const fd = this.withDescriptors(() => fs.openSync(path, flags, 0o644))
    this.#count++
    return fd
  }

  closed(): void {
    this.#count--
  }

  /** Runs what opens a file, and no more: it may run twice. When the process has no descriptor left, half of ours go for it. */
  withDescriptors<T>(calls: () => T): T {
    try {
      return calls()
    } catch (error) {
      if (!isShortage(error) || this.#idle.size === 0) throw error
      for (let left = Math.ceil(this.#idle.size / 2); left > 0; left--) this.#closeOldest()
      return calls()
    }
  }

  /** The file was used just now, and may be closed or not from now on. */
  used(file: DiskFile, isIdle: boolean): void {
    this.#idle.delete(file)
    if (isIdle) this.#idle.add(file)
  }

  #closeOldest(): boolean {
    for (const file of this.#idle) {
      file.close()
      return true
    }
    return false
  }
}

class DiskFile implements RawFile {
  readonly #open: OpenFiles
  readonly #path: string
  readonly #flags: number
  /** -1 while closed. */
  #fd: number
  #changes = 0
  /** Of #changes, how many are on the disk. */
  #synced = 0
  #syncing = 0

  constructor(open: OpenFiles, path: string, mode: 'read' | 'write') {
    this.#open = open
    this.#path = path
    // A file that is opened again must still be there.
    this.#flags = mode === 'read' ? O_RDONLY : O_RDWR
    this.#fd = open.open(path, mode === 'read' ? O_RDONLY : O_RDWR | O_CREAT)
    this.#used()
  }

  size(): number {
    return fs.fstatSync(this.#use()).size
  }

  writev(parts: readonly Uint8Array[], position: number): number {
    const fd = this.#change()
    const only = parts[0]
    return parts.length === 1 && only !== undefined
      ? fs.writeSync(fd, only, 0, only.byteLength, position)
      : fs.writevSync(fd, parts, position)
  }

  read(target: Uint8Array, position: number): number {
    return fs.readSync(this.#use(), target, 0, target.byteLength, position)
  }

  truncate(size: number): void {
    if (this.size() !== size) fs.ftruncateSync(this.#change(), size)
  }

  async datasync(): Promise<void> {
    const fd = this.#use()
    const changes = this.#changes
    this.#syncing++
    this.#used()
    try {
      await new Promise<void>((done, failed) => {
        fs.fdatasync(fd, error => (error === null ? done() : failed(error)))
      })
      this.#synced = changes
    } finally {
      this.#syncing--
      this.#used()
    }
  }

  datasyncNow(): void {
    fs.fdatasyncSync(this.#use())
    this.#synced = this.#changes
    this.#used()
  }

  /** For good, or until it is used again. */
  close(): void {
    if (this.#fd < 0) return
    const fd = this.#fd
    this.#fd = -1
    this.#used()
    this.#open.closed()
    fs.closeSync(fd)
  }

  #use(): number {
    if (this.#fd < 0) this.#fd = this.#open.open(this.#path, this.#flags)
    this.#used()
    return this.#fd
  }

  #change(): number {
    const fd = this.#use()
    this.#changes++
    this.#used()
    return fd
  }

  #used(): void {
    this.#open.used(this, this.#fd >= 0 && this.#syncing === 0 && this.#synced === this.#changes)
  }
}
