/**
 * Files in memory, for brokers that keep nothing (`--memory`) and for tests: a tree of folders, file contents in chunks.
 * sync() does nothing; memory goes back when a file is cut, or removed and closed. Not a model of a disk: see files-crash.ts.
 */
import { join, nameOf, parentOf } from './names.ts'
import type { FileHandle, Files } from './files.ts'
import { LockedError } from './files.ts'

const CHUNK_BYTES = 256 * 1024
const SMALLEST_CHUNK = 1024

/** Content of one file: whole chunks of CHUNK_BYTES, the last one growing by doubling up to that. */
class Content {
  size = 0
  #chunks: Buffer[] = []

  write(data: Uint8Array, position: number): void {
    const end = position + data.byteLength
    this.#reserve(end)
    for (let done = 0; done < data.byteLength;) {
      const at = position + done
      const chunk = this.#chunks[Math.floor(at / CHUNK_BYTES)] as Buffer
      const start = at % CHUNK_BYTES
      const count = Math.min(CHUNK_BYTES - start, data.byteLength - done)
      chunk.set(done === 0 && count === data.byteLength ? data : data.subarray(done, done + count), start)
      done += count
    }
    this.size = Math.max(this.size, end)
  }

  read(target: Uint8Array, position: number): number {
    const count = Math.max(0, Math.min(target.byteLength, this.size - position))
    for (let done = 0; done < count;) {
      const at = position + done
      const chunk = this.#chunks[Math.floor(at / CHUNK_BYTES)] as Buffer
      const start = at % CHUNK_BYTES
      done += chunk.copy(target, done, start, Math.min(CHUNK_BYTES, start + count - done))
    }
    return count
  }

  truncate(size: number): void {
    if (size > this.size) this.#reserve(size)
    else this.#chunks.length = Math.ceil(size / CHUNK_BYTES)
    // What is beyond the end must read as zeros should the file grow over it again.
    if (size < this.size && size % CHUNK_BYTES !== 0) this.#chunks.at(-1)?.fill(0, size % CHUNK_BYTES)
    this.size = size
  }

  #reserve(size: number): void {
    for (;;) {
      const last = this.#chunks.length - 1
      const chunk = this.#chunks[last]
      const capacity = chunk === undefined ? 0 : last * CHUNK_BYTES + chunk.byteLength
      if (capacity >= size) return
      if (chunk === undefined || chunk.byteLength === CHUNK_BYTES) {
        this.#chunks.push(Buffer.alloc(Math.min(CHUNK_BYTES, Math.max(SMALLEST_CHUNK, size - capacity))))
      } else {
        const grown = Buffer.alloc(Math.min(CHUNK_BYTES, Math.max(chunk.byteLength * 2, size - last * CHUNK_BYTES)))
        chunk.copy(grown)
        this.#chunks[last] = grown
      }
    }
  }
}

type Folder = Map<string, Content | Folder>

/** A new, empty file system. */
export function memoryFiles(): Files {
  const root: Folder = new Map()
  const locks = new Set<string>()

  const find = (path: string): Content | Folder | undefined => {
    let entry: Content | Folder | undefined = root
    if (path !== '') for (const name of path.split('/')) entry = entry instanceof Map ? entry.get(name) : undefined
    return entry
  }
  const folder = (path: string): Folder => {
    const found = find(path)
    if (found instanceof Map) return found
    throw failure(found === undefined ? 'ENOENT' : 'ENOTDIR', path)
  }
  const file = (path: string): Content => {
    const found = find(path)
    if (found instanceof Content) return found
    throw failure(found === undefined ? 'ENOENT' : 'EISDIR', path)
  }
  const openForWriting = (path: string): Content => {
    if (find(path) !== undefined) return file(path)
    const content = new Content()
    folder(parentOf(path)).set(nameOf(path), content)
    return content
  }

  const replace = (path: string, data: Uint8Array): void => {
    const content = new Content()
    content.write(data, 0)
    folder(parentOf(path)).set(nameOf(path), content)
  }

  return {
    open: (path, mode) => handle(path, mode === 'write' ? openForWriting(path) : file(path)),
    exists: path => find(path) !== undefined,
    list: path => [...folder(path).keys()].toSorted(),
    isFolder: path => find(path) instanceof Map,
    size: path => file(path).size,
    mkdir(path) {
      let at = ''
      for (const name of path === '' ? [] : path.split('/')) {
        const parent = folder(at)
        at = join(at, name)
        if (!parent.has(name)) parent.set(name, new Map())
      }
      folder(path)
    },
    rename(from, to) {
      const entry = find(from)
      if (entry === undefined) throw failure('ENOENT', from)
      const target = find(to)
      if (target instanceof Map && (entry instanceof Content || target.size > 0)) throw failure('ENOTEMPTY', to)
      folder(parentOf(to)).set(nameOf(to), entry)
      folder(parentOf(from)).delete(nameOf(from))
    },
    remove(path) {
      file(path)
      folder(parentOf(path)).delete(nameOf(path))
    },
    removeDir(path) {
      folder(path)
      folder(parentOf(path)).delete(nameOf(path))
    },
    readAll(path) {
      const content = file(path)
      const data = Buffer.allocUnsafe(content.size)
      content.read(data, 0)
      return data
    },
    writeAtomic: replace,
    writeUnsynced: replace,
    async syncFile(path) {
      file(path)
    },
    syncFileNow: path => void file(path),
    async syncDir(path) {
      folder(path)
    },
    syncDirNow: path => void folder(path),
    lock(path) {
      if (locks.has(path)) throw new LockedError(path, process.pid)
      locks.add(path)
      return () => void locks.delete(path)
    },
  }
}

function handle(path: string, content: Content): FileHandle {
  let open: Content | null = content
  const opened = () => {
    if (open === null) throw new Error(`${path} is closed`)
    return open
  }
  return {
    path,
    size: () => opened().size,
    append(parts) {
      const into = opened()
      for (const part of parts) into.write(part, into.size)
    },
    readAt: (target, position) => opened().read(target, position),
    writeAt: (data, position) => opened().write(data, position),
    truncate: size => opened().truncate(size),
    async sync() {
      opened()
    },
    syncNow: () => void opened(),
    close() {
      open = null
    },
  }
}

/** An error as node:fs raises it. */
export function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code })
}
