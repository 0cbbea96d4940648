/** What files-crash.ts knows of a file and of a folder: how they are now, and how much of that a stopped machine leaves. */
/** Picks a number in [0, choices). */
export type Chooser = (choices: number) => number

type Op = { readonly position: number; readonly data: Buffer } | { readonly size: number }

export class CrashFile {
  #now: Buffer = Buffer.alloc(0)
  #size = 0
  #durable: Buffer = Buffer.alloc(0)
  /** Since the last sync. */
  #pending: Op[] = []
  #synced = 0

  get content(): Buffer {
    return this.#now.subarray(0, this.#size)
  }

  apply(op: Op): void {
    this.#pending.push(op)
    if ('size' in op) {
      this.#reserve(op.size)
      this.#now.fill(0, Math.min(op.size, this.#size))
      this.#size = op.size
    } else {
      this.#reserve(op.position + op.data.byteLength)
      this.#now.set(op.data, op.position)
      this.#size = Math.max(this.#size, op.position + op.data.byteLength)
    }
  }

  /** What sync() promises is what was written before it was called. */
  mark(): number {
    return this.#synced + this.#pending.length
  }

  syncedUpTo(mark: number): void {
    const done = this.#pending.splice(0, Math.max(0, mark - this.#synced))
    if (this.#pending.length === 0) this.#durable = Buffer.from(this.content)
    else for (const op of done) this.#durable = applied(this.#durable, op)
    this.#synced += done.length
  }

  crash(choose: Chooser): void {
    const pending = this.#pending
    const whole = choose(pending.length + 1)
    let content: Buffer = this.#durable
    for (const op of pending.slice(0, whole)) content = applied(content, op)
    const torn = pending[whole]
    if (torn !== undefined) {
      if ('data' in torn) {
        const data = torn.data.subarray(0, choose(torn.data.byteLength + 1))
        content = applied(content, { position: torn.position, data })
      }
      // The size may reach the disk before the data (zeros), and later pages before earlier ones (a hole).
      const mode = choose(4)
      for (const op of mode > 1 ? [] : pending.slice(whole + 1)) {
        if ('size' in op) continue
        const data = mode === 0 ? op.data : Buffer.alloc(op.data.byteLength)
        if (op.position >= content.byteLength) content = applied(content, { position: op.position, data })
      }
    }
    this.#durable = content
    this.#now = Buffer.from(content)
    this.#size = content.byteLength
    this.#pending = []
    this.#synced = 0
  }

  #reserve(size: number): void {
    if (size <= this.#now.byteLength) return
    const grown = Buffer.alloc(Math.max(size, this.#now.byteLength * 2))
    this.content.copy(grown)
    this.#now = grown
  }
}

function applied(content: Buffer, op: Op): Buffer {
  const size = 'size' in op ? op.size : Math.max(content.byteLength, op.position + op.data.byteLength)
  const result = Buffer.alloc(size)
  content.copy(result)
  if ('data' in op) result.set(op.data, op.position)
  return result
}

export type Entry = CrashFile | CrashFolder

export class CrashFolder {
  readonly now = new Map<string, Entry>()
  readonly #durable = new Map<string, Entry>()
  #pending: { remove: string | null; set: [string, Entry] | null }[] = []

  change(remove: string | null, set: [string, Entry] | null): void {
    if (remove !== null) this.now.delete(remove)
    if (set !== null) this.now.set(...set)
    this.#pending.push({ remove, set })
  }

  sync(count = this.#pending.length): void {
    for (const { remove, set } of this.#pending.splice(0, count)) {
      if (remove !== null) this.#durable.delete(remove)
      if (set !== null) this.#durable.set(...set)
    }
  }

  crash(choose: Chooser): void {
    this.sync(choose(this.#pending.length + 1))
    this.#pending = []
    this.now.clear()
    for (const [name, entry] of this.#durable) {
      this.now.set(name, entry)
      entry.crash(choose)
    }
  }
}
