/**
 * How many files of a broker's log directories are open at once, counted together. Beyond the limit the one that was used longest ago is closed, and
 * opened again when it is needed; whoever holds it does not notice. A file with bytes that were not synced stays open: the
 * system reports a failed write-back to those who had the file open then. Where descriptors run short such files are synced
 * first, on the spot: who opens files waits, and nobody goes offline.
 */
import fs from 'node:fs'
import { isShortage } from './errors.ts'
import type { RawFile } from './files.ts'

/** How many unsynced files are tried for one descriptor. */
const SYNCED_IN_NEED = 8

const { O_RDONLY, O_RDWR, O_CREAT } = fs.constants

export class OpenFiles {
  readonly #limit: number
  readonly #most: number
  /** Those that may be closed, the one used longest ago first. */
  readonly #idle = new Set<DiskFile>()
  /** Those that may be closed once they are synced, in the same order. */
  readonly #unsynced = new Set<DiskFile>()
  #count = 0

  /**
   * @param limit exceeded only while that many files have unsynced bytes
   * @param most never exceeded while any of them can be synced
   */
  constructor(limit: number, most = Infinity) {
    this.#limit = Math.min(limit, most)
    this.#most = most
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
    while (this.#count >= this.#most && this.#syncOldest());
    const fd = this.withDescriptors(() => fs.openSync(path, flags, 0o644))
    this.#count++
    return fd
  }

  closed(): void {
    this.#count--
  }

  /**
   * Runs what opens a file, and no more: it may run again. When the process has no descriptor left, half of our idle ones go for
   * it, and then those of unsynced files.
   */
  withDescriptors<T>(calls: () => T): T {
    try {
      return calls()
    } catch (error) {
      if (!isShortage(error)) throw error
      const before = this.#count
      for (let left = Math.ceil(this.#idle.size / 2); left > 0; left--) this.#closeOldest()
      for (let left = SYNCED_IN_NEED; this.#count === before && left > 0; left--) this.#syncOldest()
      if (this.#count === before) throw error
      return calls()
    }
  }

  /** The file was used just now. `as`: whether it may be closed from now on. */
  used(file: DiskFile, as: 'idle' | 'unsynced' | 'busy'): void {
    this.#idle.delete(file)
    this.#unsynced.delete(file)
    if (as === 'idle') this.#idle.add(file)
    else if (as === 'unsynced') this.#unsynced.add(file)
  }

  /** False when there is none. One that cannot be synced stays open, and its owner will hear of it. */
  #syncOldest(): boolean {
    for (const file of this.#unsynced) {
      file.settle()
      return true
    }
    return false
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
  /** Of a sync that nobody asked for. */
  #failure: unknown = null

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

  /** Synced, and closed until it is used again. */
  settle(): void {
    try {
      fs.fdatasyncSync(this.#fd)
      this.#synced = this.#changes
      this.close()
    } catch (error) {
      this.#failure = error ?? new Error('the sync failed')
      this.#used()
    }
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
    if (this.#failure !== null) throw this.#failure
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
    const isBusy = this.#fd < 0 || this.#syncing > 0 || this.#failure !== null
    this.#open.used(this, isBusy ? 'busy' : this.#synced === this.#changes ? 'idle' : 'unsynced')
  }
}
