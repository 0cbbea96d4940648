/**
 * Read-ahead for consumers that work through a log. While one takes in what it was sent, what it will ask for next is read
 * into a buffer, so that the copy out of the page cache is no part of its waiting. A few buffers for all logs; what nobody
 * comes for goes with the second sweep().
 */
import type { Arena } from './arena.ts'
import { readBuffersOf, type ReadBuffers } from './read-buffers.ts'
import type { Segment } from './segment.ts'

/** Most bytes that are read ahead, over all logs. */
const MAX_BYTES = 8 * 1024 * 1024

/** Bytes of a segment from a batch on, `count` of them, in a buffer of ReadBuffers. */
export interface Stretch {
  readonly position: number
  readonly buffer: Buffer
  readonly count: number
}

/** Bytes of the file, in a buffer that the caller gives back. */
export function readStretch(segment: Segment, buffers: ReadBuffers, position: number, length: number): Stretch {
  const buffer = buffers.take(length)
  try {
    const count = segment.readAt(length === buffer.length ? buffer : buffer.subarray(0, length), position)
    return { buffer, count, position }
  } catch (error) {
    buffers.give(buffer)
    throw error
  }
}

interface AheadRead {
  readonly segment: Segment
  /** Of the segment when it was read. */
  readonly cuts: number
  readonly offset: number
  readonly stretch: Stretch
  isOld: boolean
}

export class ReadAhead {
  readonly #buffers: ReadBuffers
  readonly #later: (task: () => void) => void
  #ready: AheadRead[] = []
  #bytes = 0

  /** @param later runs a task when the answers of this turn have left */
  constructor(buffers: ReadBuffers, later: (task: () => void) => void) {
    this.#buffers = buffers
    this.#later = later
  }

  /** Bytes that wait for a reader, part of what the buffers call held. */
  get bytes(): number {
    return this.#bytes
  }

  /** What was read ahead from this offset of the segment on, if anything; the buffer is the caller's then. */
  take(segment: Segment, offset: number): Stretch | null {
    const index = this.#ready.findIndex(read => read.segment === segment && read.offset === offset)
    if (index < 0) return null
    const [{ stretch, cuts }] = this.#ready.splice(index, 1) as [AheadRead]
    this.#bytes -= stretch.buffer.length
    if (cuts === segment.cuts) return stretch
    this.#buffers.give(stretch.buffer)
    return null
  }

  /** Somebody has read up to `offset`, which lies at `position`, and will want as many bytes of what follows. */
  expect(segment: Segment, offset: number, position: number, bytes: number): void {
    if (this.#bytes + bytes > MAX_BYTES) return
    const { cuts } = segment
    this.#later(() => {
      if (segment.isClosed || segment.cuts !== cuts) return
      const length = Math.min(bytes, segment.written - position, this.#buffers.room, MAX_BYTES - this.#bytes)
      if (length > 0) this.#read(segment, offset, position, length)
    })
  }

  /** Called now and then: gives back what was there the last time. */
  sweep(): void {
    this.#ready = this.#ready.filter(read => {
      if (!read.isOld && !read.segment.isClosed) return (read.isOld = true)
      this.#bytes -= read.stretch.buffer.length
      this.#buffers.give(read.stretch.buffer)
      return false
    })
  }

  #read(segment: Segment, offset: number, position: number, length: number): void {
    // Two readers side by side: one of them reads for itself.
    if (this.#ready.some(read => read.segment === segment && read.offset === offset)) return
    let stretch
    try {
      stretch = readStretch(segment, this.#buffers, position, length)
    } catch {
      // Nobody has asked for it yet: who does reads for himself, meets the error and is told.
      return
    }
    this.#bytes += stretch.buffer.length
    this.#ready.push({ segment, cuts: segment.cuts, offset, stretch, isOld: false })
  }
}

/** What reads of consumers share. */
export interface ReadMemory {
  readonly buffers: ReadBuffers
  /** Null where the arena says nothing of later. */
  readonly ahead: ReadAhead | null
}

const memories = new WeakMap<Arena, ReadMemory>()

/** One for all logs of an arena. */
export function readMemoryOf(arena: Arena): ReadMemory {
  let memory = memories.get(arena)
  if (memory === undefined) {
    const buffers = readBuffersOf(arena)
    memory = { buffers, ahead: arena.later === undefined ? null : new ReadAhead(buffers, arena.later) }
    memories.set(arena, memory)
  }
  return memory
}
