/**
 * A model of a disk behind a page cache, for tests: bytes that were not synced, and names (created, renamed, removed) whose
 * folder was not synced, are lost by crash() as badly as a chooser wants. It fails on command, and can hold syncs back.
 * Its handles follow the same rules as the disk driver's (fileHandle).
 */
import { CrashFile, CrashFolder, type Chooser, type Entry } from './crash-model.ts'
import { fileHandle, LockedError } from './files.ts'
import type { Files, RawFile } from './files.ts'
import { failure } from './files-memory.ts'
import { join, nameOf, parentOf, TEMPORARY_SUFFIX } from './names.ts'

export type { Chooser } from './crash-model.ts'

export interface Failure {
  /** EHALT: the process stops there; every later call throws too, reads included, until crash() or kill(). */
  readonly code: 'ENOSPC' | 'EIO' | 'EHALT'
  /** An append writes half of its bytes before it fails. */
  readonly partial?: boolean
  /** Cutting back what a failed append wrote fails as well. */
  readonly cutFails?: boolean
  /** Every later call that changes something fails too, until failAt(0). */
  readonly sticky?: boolean
}

export interface CrashFiles extends Files {
  /** Calls so far that change something or sync. */
  readonly calls: number
  /** The n-th of these calls from now on fails (ENOSPC: the first from there on that takes space); 0: none does. */
  failAt(n: number, failure?: Failure): void
  /** No sync finishes until the function returned is called. */
  holdSyncs(): () => void
  /** The machine stops and comes back: open handles are dead, what was not synced survives in part. */
  crash(choose: Chooser): void
  /** The process stops and comes back: open handles are dead, everything written is there. */
  kill(): void
}

/** An empty file system whose root folder exists. */
export function crashFiles(): CrashFiles {
  return new Disk()
}

class Disk implements CrashFiles {
  readonly #root = new CrashFolder()
  readonly #locks = new Set<string>()
  #calls = 0
  #failCall = 0
  #failure: Failure = { code: 'EIO' }
  #cutFails = false
  #halted = false
  /** Changes when the process restarts: handles of an earlier one are dead. */
  #run = 0
  #syncGate: Promise<void> = Promise.resolve()

  get calls(): number {
    return this.#calls
  }

  failAt(n: number, planned: Failure = { code: 'EIO' }): void {
    this.#failCall = n === 0 ? 0 : this.#calls + n
    this.#failure = planned
  }

  holdSyncs(): () => void {
    let open = () => {}
    this.#syncGate = new Promise(resolve => {
      open = resolve
    })
    return open
  }

  crash(choose: Chooser): void {
    this.kill()
    this.#root.crash(choose)
  }

  kill(): void {
    this.#run++
    this.#locks.clear()
    this.#failCall = 0
    this.#halted = this.#cutFails = false
    this.#syncGate = Promise.resolve()
  }

  open(path: string, mode: 'read' | 'write') {
    this.#read(path)
    let entry = this.#find(path)
    if (entry === undefined && mode === 'write') {
      this.#call(path, true)
      entry = new CrashFile()
      this.#folder(parentOf(path)).change(null, [nameOf(path), entry])
    }
    if (entry === undefined) throw failure('ENOENT', path)
    if (entry instanceof CrashFolder) throw failure('EISDIR', path)
    return fileHandle(path, this.#raw(path, entry))
  }

  exists(path: string): boolean {
    this.#read(path)
    return this.#find(path) !== undefined
  }

  isFolder(path: string): boolean {
    this.#read(path)
    return this.#find(path) instanceof CrashFolder
  }

  list(path: string): string[] {
    this.#read(path)
    return [...this.#folder(path).now.keys()].toSorted()
  }

  size(path: string): number {
    this.#read(path)
    return this.#file(path).content.byteLength
  }

  readAll(path: string): Buffer {
    this.#read(path)
    return Buffer.from(this.#file(path).content)
  }

  mkdir(path: string): void {
    let at = ''
    for (const name of path === '' ? [] : path.split('/')) {
      const parent = this.#folder(at)
      at = join(at, name)
      if (parent.now.has(name)) continue
      this.#call(at, true)
      parent.change(null, [name, new CrashFolder()])
    }
    this.#folder(path)
  }

  rename(from: string, to: string): void {
    this.#call(from)
    const entry = this.#find(from)
    if (entry === undefined) throw failure('ENOENT', from)
    const target = this.#find(to)
    if (target instanceof CrashFolder && (entry instanceof CrashFile || target.now.size > 0)) {
      throw failure('ENOTEMPTY', to)
    }
    const [source, destination] = [this.#folder(parentOf(from)), this.#folder(parentOf(to))]
    if (source === destination) return source.change(nameOf(from), [nameOf(to), entry])
    destination.change(null, [nameOf(to), entry])
    source.change(nameOf(from), null)
  }

  remove(path: string): void {
    this.#call(path)
    this.#file(path)
    this.#folder(parentOf(path)).change(nameOf(path), null)
  }

  /** As rm -r: one entry after the other, so that a crash can leave half a folder. */
  removeDir(path: string): void {
    const folder = this.#folder(path)
    for (const [name, entry] of folder.now) {
      if (entry instanceof CrashFolder) this.removeDir(join(path, name))
      else this.remove(join(path, name))
    }
    this.#call(path)
    this.#folder(parentOf(path)).change(nameOf(path), null)
  }

  writeAtomic(path: string, data: Uint8Array): void {
    this.#replace(path, data, true)
    this.syncDirNow(parentOf(path))
  }

  writeUnsynced(path: string, data: Uint8Array): void {
    this.#replace(path, data, false)
  }

  async syncFile(path: string): Promise<void> {
    await this.#syncGate
    this.syncFileNow(path)
  }

  syncFileNow(path: string): void {
    const handle = this.open(path, 'write')
    try {
      handle.syncNow()
    } finally {
      handle.close()
    }
  }

  #replace(path: string, data: Uint8Array, synced: boolean): void {
    const temporary = path + TEMPORARY_SUFFIX
    const handle = this.open(temporary, 'write')
    try {
      handle.truncate(0)
      handle.append([data])
      if (synced) handle.syncNow()
    } finally {
      handle.close()
    }
    this.rename(temporary, path)
  }

  async syncDir(path: string): Promise<void> {
    const run = this.#run
    await this.#syncGate
    if (run !== this.#run) throw failure('EHALT', path)
    this.syncDirNow(path)
  }

  syncDirNow(path: string): void {
    this.#call(path)
    this.#folder(path).sync()
  }

  lock(path: string): () => void {
    this.#read(path)
    if (this.#locks.has(path)) throw new LockedError(path, process.pid)
    this.#locks.add(path)
    return () => void this.#locks.delete(path)
  }

  #raw(path: string, file: CrashFile): RawFile {
    const run = this.#run
    const alive = () => {
      if (run !== this.#run) throw failure('EBADF', path)
      this.#read(path)
    }
    return {
      size: () => file.content.byteLength,
      writev: (parts, position) => {
        alive()
        const data = Buffer.concat(parts)
        try {
          this.#call(path, true)
        } catch (error) {
          if (this.#failure.cutFails === true) this.#cutFails = true
          if (this.#failure.partial !== true || data.byteLength < 2) throw error
          file.apply({ position, data: data.subarray(0, data.byteLength >>> 1) })
          throw error
        }
        file.apply({ position, data })
        return data.byteLength
      },
      read: (target, position) => {
        alive()
        return position >= file.content.byteLength ? 0 : file.content.copy(target, 0, position)
      },
      truncate: size => {
        alive()
        if (this.#cutFails) throw failure('EIO', path)
        this.#call(path)
        file.apply({ size })
      },
      datasync: async () => {
        alive()
        const mark = file.mark()
        await this.#syncGate
        alive()
        this.#call(path)
        file.syncedUpTo(mark)
      },
      datasyncNow: () => {
        alive()
        this.#call(path)
        file.syncedUpTo(file.mark())
      },
      close: () => {},
    }
  }

  /** Counts a call that changes something, and fails it when it is its turn; a full disk fails only what takes space. */
  #call(path: string, takesSpace = false): void {
    this.#read(path)
    this.#calls++
    const { code, sticky } = this.#failure
    if (this.#failCall === 0 || this.#calls < this.#failCall || (code === 'ENOSPC' && !takesSpace)) return
    if (sticky !== true) this.#failCall = 0
    if (code === 'EHALT') this.#halted = true
    throw failure(code, path)
  }

  #read(path: string): void {
    if (this.#halted) throw failure('EHALT', path)
  }

  #find(path: string): Entry | undefined {
    let entry: Entry | undefined = this.#root
    if (path === '') return entry
    for (const name of path.split('/')) entry = entry instanceof CrashFolder ? entry.now.get(name) : undefined
    return entry
  }

  #folder(path: string): CrashFolder {
    const found = this.#find(path)
    if (found instanceof CrashFolder) return found
    throw failure(found === undefined ? 'ENOENT' : 'ENOTDIR', path)
  }

  #file(path: string): CrashFile {
    const found = this.#find(path)
    if (found instanceof CrashFile) return found
    throw failure(found === undefined ? 'ENOENT' : 'EISDIR', path)
  }
}
