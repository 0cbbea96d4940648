/**
 * A file of fixed-size entries, appended in order: what the offset and the time index share. While a segment is active its
 * entries lie in memory, in file format, and reach the file on flush(); of a cold segment only one page is ever held,
 * in a scratch buffer shared by all indexes, and the file is opened on first use. Of a new segment there is no file before the
 * first entry is flushed, or the segment is sealed or closed.
 * An active index that never reached its file is no loss: recovery rebuilds the indexes of every segment that was not
 * wholly on disk (recovery.ts).
 */
import assert from 'node:assert'
import type { FileHandle, Files } from './files.ts'

const PAGE_BYTES = 4096
const SMALLEST_MEMORY = 512

const scratch = Buffer.allocUnsafeSlow(PAGE_BYTES)
/** Which index the scratch page belongs to; 0: none. */
let scratchOwner = 0
let lastId = 0
let scratchStart = 0
let scratchEnd = 0

export class IndexFile {
  readonly path: string
  /** Entries that fit below the limit on the file's size. */
  readonly maxEntries: number
  /** After at(n): the buffer that holds entry n. Valid until the next call on any index. */
  page: Buffer = scratch
  readonly #id = ++lastId
  readonly #files: Files
  readonly #entrySize: number
  #handle: FileHandle | null = null
  /** Entries of an active index; null while cold. */
  #memory: Buffer | null = null
  /** -1 until the file's size is known. */
  #entries = -1
  /** Of #entries, how many the file has. */
  #flushed = 0
  /** Whether there is a file; null until known. */
  #exists: boolean | null = null
  /** Whether the file has changes that were not synced. */
  #unsynced = false

  /** Touches nothing: a missing file counts as empty, and is created by flush(). */
  constructor(files: Files, path: string, entrySize: number, maxBytes: number) {
    this.path = path
    this.#files = files
    this.#entrySize = entrySize
    this.maxEntries = Math.floor(maxBytes / entrySize)
  }

  get entries(): number {
    if (this.#entries < 0) {
      const handle = this.#open('read')
      this.#entries = handle === null ? 0 : Math.floor(handle.size() / this.#entrySize)
      this.#flushed = this.#entries
    }
    return this.#entries
  }

  /** Of a new segment: there is no file, which the disk need not be asked. */
  begin(): void {
    this.#exists = false
    this.#entries = this.#flushed = 0
  }

  get bytes(): number {
    return this.entries * this.#entrySize
  }

  /** Whether the file ends in the middle of an entry. */
  get torn(): boolean {
    const handle = this.#open('read')
    return handle !== null && handle.size() % this.#entrySize !== 0
  }

  /** Where entry n begins in `page`. */
  at(n: number): number {
    if (n < 0 || n >= this.entries) assert.fail(`${this.path}: entry ${n} of ${this.#entries}`)
    const position = n * this.#entrySize
    if (this.#memory !== null) {
      this.page = this.#memory
      return position
    }
    this.page = scratch
    if (scratchOwner !== this.#id || position < scratchStart || position + this.#entrySize > scratchEnd) {
      this.#loadPage(position)
    }
    return position - scratchStart
  }

  /** Adds one entry and returns where in `page` the caller writes it. */
  add(): number {
    const memory = this.#load()
    const position = this.#entries * this.#entrySize
    if (position + this.#entrySize > memory.byteLength) {
      const grown = Buffer.allocUnsafe(memory.byteLength * 2)
      memory.copy(grown, 0, 0, position)
      this.#memory = grown
    }
    this.#entries++
    this.page = this.#memory as Buffer
    return position
  }

  /** Keeps the first `count` entries. The file is cut at once: entries of a cut log must not come back after a crash. */
  truncate(count: number): void {
    if (count >= this.entries && !this.torn) return
    if (scratchOwner === this.#id) scratchOwner = 0
    this.#entries = Math.min(count, this.#entries)
    this.#flushed = Math.min(this.#flushed, this.#entries)
    this.#unsynced = true
    this.#open('write')?.truncate(this.#flushed * this.#entrySize)
  }

  /** Writes what the file does not have yet; creates it if need be. */
  flush(): void {
    const isWhole = this.#memory === null || this.#flushed === this.#entries
    if (isWhole && (this.#exists ??= this.#files.exists(this.path))) return
    const handle = this.#open('write')
    if (this.#memory === null || this.#flushed === this.#entries) return
    this.#unsynced = true
    handle?.append([this.#memory.subarray(this.#flushed * this.#entrySize, this.#entries * this.#entrySize)])
    this.#flushed = this.#entries
  }

  /** A file without entries that gets lost is made anew from the log: nobody waits for it. */
  async sync(): Promise<void> {
    this.flush()
    if (!this.#unsynced) return
    this.#unsynced = false
    await this.#open('write')?.sync()
  }

  syncNow(): void {
    this.flush()
    if (!this.#unsynced) return
    this.#unsynced = false
    this.#open('write')?.syncNow()
  }

  /** Turns cold: flushed, memory and descriptor given back; usable afterwards. */
  seal(): void {
    this.flush()
    this.release()
  }

  /** Gives the descriptor of a cold index back (it is opened again when needed); of an active one with all unflushed entries. */
  release(): void {
    if (scratchOwner === this.#id) scratchOwner = 0
    this.#memory = null
    if (this.#flushed < this.#entries) this.#entries = -1
    this.#handle?.close()
    this.#handle = null
  }

  #load(): Buffer {
    if (this.#memory !== null) return this.#memory
    if (this.entries > 0 && this.torn) this.truncate(this.entries)
    const bytes = this.bytes
    const memory = Buffer.allocUnsafe(Math.max(SMALLEST_MEMORY, bytes + this.#entrySize))
    const count = this.#open('read')?.readAt(memory.subarray(0, bytes), 0) ?? 0
    if (count !== bytes) assert.fail(`${this.path}: ${count} bytes of ${bytes}`)
    this.#memory = memory
    return memory
  }

  #loadPage(position: number): void {
    const start = position - (position % (PAGE_BYTES - (PAGE_BYTES % this.#entrySize)))
    scratchOwner = 0
    const count = this.#open('read')?.readAt(scratch, start) ?? 0
    if (start + count < position + this.#entrySize) assert.fail(`${this.path}: ends at ${start + count}`)
    scratchOwner = this.#id
    scratchStart = start
    scratchEnd = start + count
  }

  /** Null when there is no file and it is only to be read. A descriptor opened once is good for both. */
  #open(mode: 'read' | 'write'): FileHandle | null {
    if (this.#handle === null) {
      if (mode === 'read' && !(this.#exists ??= this.#files.exists(this.path))) return null
      this.#exists = true
      this.#handle = this.#files.open(this.path, 'write')
      if (this.#entries < 0) {
        this.#entries = Math.floor(this.#handle.size() / this.#entrySize)
        this.#flushed = this.#entries
      }
    }
    return this.#handle
  }
}
