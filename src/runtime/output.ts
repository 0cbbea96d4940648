// The sending half of a socket: collects chunks and sends them in one write when the promise reactions of the running
// callback have run; at most one write is under way, so each buffer is given back exactly when its write has ended.
import type { Socket } from 'node:net'

const dirty: Output[] = []
let scheduled = false

/** A tick that is queued from a microtask runs when no microtask is left: all answers that could settle have done so. */
function schedule(output: Output): void {
  dirty.push(output)
  if (scheduled) return
  scheduled = true
  queueMicrotask(() => process.nextTick(flushAll))
}

function flushAll(): void {
  scheduled = false
  for (const output of dirty.splice(0)) output.flush()
}

/** Bytes to send, in order. `release` is called once: when they have left or never will. */
export interface Outgoing {
  readonly chunks: readonly Buffer[]
  release(): void
}

export interface OutputEvents {
  /** Last call for what is to leave in this flush. */
  flushing(): void
  /** A write has left. */
  sent(): void
}

/** A private part of a net.Socket: bytes of writes under way that the system has not taken. */
interface Inside {
  readonly _handle?: { readonly writeQueueSize?: number } | null
}

export class Output {
  readonly #socket: Socket
  readonly #events: OutputEvents
  #chunks: Buffer[] = []
  #queued: Outgoing[] = []
  #queuedBytes = 0
  #flying: Outgoing[] | null = null
  #flyingBytes = 0
  #writtenBytes = 0
  #isDirty = false
  #ending = false
  #closed = false

  constructor(socket: Socket, events: OutputEvents) {
    this.#socket = socket
    this.#events = events
  }

  /** None of a destroyed socket: they never leave. */
  get unsentBytes(): number {
    return this.#socket.destroyed ? 0 : this.#queuedBytes + this.#flyingBytes
  }

  /** Bytes that have left; unlike `unsentBytes`, those of the write under way count one by one. */
  get leftBytes(): number {
    const { writeQueueSize = Infinity } = (this.#socket as unknown as Inside)._handle ?? {}
    return this.#writtenBytes - this.#queuedBytes - Math.min(this.#flyingBytes, writeQueueSize)
  }

  write(outgoing: Outgoing): void {
    if (this.#closed || this.#ending) return outgoing.release()
    let bytes = 0
    for (const chunk of outgoing.chunks) {
      bytes += chunk.length
      this.#chunks.push(chunk)
    }
    this.#queuedBytes += bytes
    this.#writtenBytes += bytes
    this.#queued.push(outgoing)
    this.flushSoon()
  }

  flushSoon(): void {
    // A write under way flushes when it has left.
    if (this.#isDirty || this.#flying || this.#closed) return
    this.#isDirty = true
    schedule(this)
  }

  /** Sends what is queued, then closes; what is written afterwards is dropped. */
  end(): void {
    if (this.#ending) return
    this.#events.flushing()
    this.#ending = true
    this.flushSoon()
  }

  flush(): void {
    this.#isDirty = true
    if (!this.#flying && !this.#closed) {
      if (!this.#ending) this.#events.flushing()
      if (this.#chunks.length > 0) this.#send()
      // After our FIN the peer has nothing to say that we would read.
      else if (this.#ending) this.#socket.end(() => this.#socket.destroy())
    }
    this.#isDirty = false
  }

  #send(): void {
    const chunks = this.#chunks
    this.#flying = this.#queued
    this.#flyingBytes = this.#queuedBytes
    this.#chunks = []
    this.#queued = []
    this.#queuedBytes = 0
    const last = chunks.length - 1
    if (last > 0) this.#socket.cork()
    for (let i = 0; i < last; i++) this.#socket.write(chunks[i]!)
    // Runs after an error and after destroy, too, but never while the operating system may still read the chunks.
    this.#socket.write(chunks[last]!, error => this.#landed(error))
    if (last > 0) this.#socket.uncork()
  }

  /** The socket is closed: nothing reads our buffers any more. */
  closed(): void {
    this.#closed = true
    const left = [...(this.#flying ?? []), ...this.#queued]
    this.#flying = null
    this.#chunks = []
    this.#queued = []
    this.#queuedBytes = this.#flyingBytes = 0
    for (const outgoing of left) outgoing.release()
  }

  #landed(error: Error | null | undefined): void {
    const left = this.#flying
    if (!left) return
    this.#flying = null
    this.#flyingBytes = 0
    for (const outgoing of left) outgoing.release()
    if (error || this.#socket.destroyed) return
    this.#events.sent()
    this.flush()
  }
}
