// Cuts a byte stream into frames (int32 size, then that many bytes), however it arrives. A frame that lies whole in the
// received buffer is handed out as a view on it; one that does not is collected in a pooled buffer, which the socket can
// read into directly. A view is valid until the receiver returns.
import type { Purpose, ReceiveMemory } from './receive-memory.ts'
import { FIRST_BUFFER_MAX } from './receive-memory.ts'

export type Refusal =
  | { kind: 'size'; size: number; limit: number }
  | { kind: 'api'; apiKey: number; size: number; limit: number }
  /** It needs more memory than there is for unfinished requests, or all of that is taken. */
  | { kind: 'memory'; size: number; limit: number }

export interface FrameLimits {
  /** socket.request.max.bytes: the largest frame of any API. */
  readonly maxFrameBytes: number
  /** Frames of at most this size are collected without a look at their API key. */
  readonly plainFrameBytes: number
  /** The largest frame of one API, asked only for frames above `plainFrameBytes`. */
  maxBytesOf(apiKey: number): number
}

export interface FrameReceiver {
  /** One frame, its size prefix left out. False: keep what follows until `resume`. */
  frame(buffer: Buffer, start: number, end: number): boolean
  /** The stream is beyond repair; nothing more will be handed out. */
  refused(refusal: Refusal): void
}

/** Size prefix and API key: what must be known before a buffer is chosen. */
const PREFIX_SIZE = 6
/** Buffers up to this size are not waited for. */
export const SMALL = 64 * 1024
const NOTHING = Buffer.alloc(0)
/** With less than this to go, one more read into the shared buffer gets the next frames as well. */
const DIRECT_MIN = 16 * 1024

export class FrameSplitter {
  readonly #memory: ReceiveMemory
  readonly #limits: FrameLimits
  readonly #receiver: FrameReceiver
  /** Prefix bytes of a frame whose buffer is not chosen yet. */
  readonly #prefix = Buffer.alloc(PREFIX_SIZE)
  #prefixLength = 0
  /** The frame being collected: `#have` of `#size` bytes are in `#frame`. */
  #frame: Buffer | null = null
  #size = 0
  #have = 0
  #target: Buffer | null = null
  /** What came after the receiver said stop. */
  #held: Buffer | null = null
  #heldStart = 0
  #heldEnd = 0
  #paused = false
  /** Paused for want of memory. */
  #isShort = false
  #busy = false
  #closed = false

  constructor(memory: ReceiveMemory, limits: FrameLimits, receiver: FrameReceiver) {
    this.#memory = memory
    this.#limits = limits
    this.#receiver = receiver
  }

  get paused(): boolean {
    return this.#paused
  }

  /** Whether it was stopped by a want of memory: `resume` tries again. */
  get isShort(): boolean {
    return this.#isShort
  }

  /** Memory taken: for a frame that is incomplete, and for frames held back. */
  get takenBytes(): number {
    return (this.#frame?.length ?? 0) + (this.#held?.length ?? 0)
  }

  /** Where the next bytes had best be read to; stays good until they have come. */
  target(): Buffer | null {
    this.#target = null
    if (this.#frame && !this.#held && !this.#closed) {
      const room = Math.min(this.#size, this.#frame.length)
      if (room - this.#have >= DIRECT_MIN) this.#target = this.#frame.subarray(this.#have, room)
    }
    return this.#target
  }

  /** `length` bytes at the start of `buffer`, which is the last target or any other buffer. */
  push(buffer: Buffer, length: number): void {
    if (this.#closed) return
    if (this.#paused) return this.#keep(buffer, 0, length)
    if (this.#target && buffer === this.#target) {
      this.#target = null
      this.#have += length
      if (this.#have === this.#size) this.#complete()
      else if (this.#have === this.#frame!.length) this.#grow()
    } else this.#keep(buffer, this.#split(buffer, 0, length), length)
    this.#settle()
  }

  /** What comes is kept until `resume`. */
  pause(): void {
    this.#paused = true
  }

  /** Goes on after the receiver said stop. */
  resume(): void {
    this.#paused = false
    // Called from within `frame`: the loop that is running goes on.
    if (this.#busy || this.#closed) return
    if (this.#isShort) {
      this.#isShort = false
      if (this.#frame) this.#grow()
      else this.#begin(NOTHING, 0, 0)
      if (this.#paused) return
    }
    if (this.#held) {
      this.#heldStart = this.#split(this.#held, this.#heldStart, this.#heldEnd)
      if (this.#heldStart === this.#heldEnd) this.#dropHeld()
    }
    this.#settle()
  }

  /** Gives the buffers back; nothing is handed out any more. */
  close(): void {
    this.#closed = true
    this.#settle()
  }

  #settle(): void {
    if (!this.#closed || this.#busy) return
    if (this.#frame) this.#memory.give(this.#frame, this.#size > SMALL)
    this.#frame = this.#target = null
    this.#have = this.#prefixLength = 0
    this.#dropHeld()
  }

  #dropHeld(): void {
    if (this.#held) this.#memory.give(this.#held, false)
    this.#held = null
    this.#heldStart = this.#heldEnd = 0
  }

  /** Hands out frames until the bytes end or the receiver says stop; returns where. */
  #split(buffer: Buffer, from: number, end: number): number {
    let at = from
    while (at < end && !this.#closed && !this.#paused) {
      if (this.#frame) at = this.#collect(buffer, at, end)
      else if (this.#prefixLength === 0 && end - at >= 4) {
        const size = buffer.readInt32BE(at)
        const next = at + 4 + size
        if (size < 0 || size > this.#limits.plainFrameBytes || next > end) at = this.#begin(buffer, at, end)
        else {
          this.#hand(buffer, at + 4, next)
          at = next
        }
      } else at = this.#begin(buffer, at, end)
    }
    return at
  }

  /** Takes prefix bytes until the size, and for a big frame the API key, is known; then opens the frame. */
  #begin(buffer: Buffer, from: number, end: number): number {
    let at = from
    while (this.#prefixLength < 4) {
      if (at === end) return at
      this.#prefix[this.#prefixLength++] = buffer[at++]!
    }
    const size = this.#prefix.readInt32BE(0)
    const limit = this.#limits.maxFrameBytes
    if (size < 0 || size > limit) return this.#refuse({ kind: 'size', size, limit }, end)
    if (size > this.#limits.plainFrameBytes && size >= 2) {
      while (this.#prefixLength < PREFIX_SIZE) {
        if (at === end) return at
        this.#prefix[this.#prefixLength++] = buffer[at++]!
      }
      const apiKey = this.#prefix.readInt16BE(4)
      const most = this.#limits.maxBytesOf(apiKey)
      if (size > most) return this.#refuse({ kind: 'api', apiKey, size, limit: most }, end)
    }
    this.#open(size)
    return at
  }

  #open(size: number): void {
    const isLarge = size > SMALL
    if (isLarge && !this.#memory.canHold(size)) return this.#refuseMemory(size)
    const purpose = size > FIRST_BUFFER_MAX ? 'begin' : isLarge ? 'whole' : 'small'
    const frame = this.#take(Math.max(1, Math.min(size, FIRST_BUFFER_MAX)), purpose)
    if (!frame) return
    this.#size = size
    this.#have = this.#prefixLength - 4
    this.#frame = frame
    this.#prefix.copy(this.#frame, 0, 4, this.#prefixLength)
    this.#prefixLength = 0
    if (this.#have === size) this.#complete()
  }

  /** Null: there is no room; the stream stops until there is, or ends where it has nothing to stop with. */
  #take(size: number, purpose: Purpose): Buffer | null {
    const buffer = this.#memory.take(size, purpose)
    if (buffer) return buffer
    if (purpose === 'wait' || purpose === 'small') this.#refuseMemory(size)
    else this.#paused = this.#isShort = true
    return null
  }

  #refuseMemory(size: number): void {
    this.#refuse({ kind: 'memory', size, limit: this.#memory.limitBytes }, 0)
  }

  #collect(buffer: Buffer, at: number, end: number): number {
    const room = Math.min(this.#size, this.#frame!.length)
    const length = Math.min(end - at, room - this.#have)
    buffer.copy(this.#frame!, this.#have, at, at + length)
    this.#have += length
    if (this.#have === this.#size) this.#complete()
    else if (this.#have === room) this.#grow()
    return at + length
  }

  #complete(): void {
    const frame = this.#frame!
    const size = this.#size
    this.#frame = null
    this.#have = this.#size = 0
    try {
      this.#hand(frame, 0, size)
    } finally {
      this.#memory.give(frame, size > SMALL)
    }
  }

  /** Doubles: at most one more copy of what was sent, and never more memory than twice what was sent. */
  #grow(): void {
    const full = this.#frame!
    const bigger = this.#take(Math.min(this.#size, full.length * 2), 'grow')
    if (!bigger) return
    full.copy(bigger, 0, 0, this.#have)
    this.#memory.give(full, true)
    this.#frame = bigger
  }

  #hand(buffer: Buffer, start: number, end: number): void {
    this.#busy = true
    try {
      if (!this.#receiver.frame(buffer, start, end)) this.#paused = true
    } finally {
      this.#busy = false
    }
  }

  #keep(buffer: Buffer, start: number, end: number): void {
    if (start === end || this.#closed) return
    const length = end - start
    const held = this.#held
    const kept = this.#heldEnd - this.#heldStart
    if (!held || this.#heldEnd + length > held.length) {
      const larger = this.#take(kept + length, this.#isShort ? 'wait' : 'small')
      if (!larger) return
      this.#held = larger
      if (held) {
        held.copy(larger, 0, this.#heldStart, this.#heldEnd)
        this.#memory.give(held, false)
      }
      this.#heldStart = 0
      this.#heldEnd = kept
    }
    buffer.copy(this.#held!, this.#heldEnd, start, end)
    this.#heldEnd += length
  }

  #refuse(refusal: Refusal, end: number): number {
    this.#closed = true
    this.#receiver.refused(refusal)
    return end
  }
}
