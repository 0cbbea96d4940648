/** Reads the whole batches of a sealed segment in order, a buffer at a time, which grows for a batch that is larger. */
import * as header from '../protocol/records/batch.ts'
import * as errors from '../protocol/errors.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { Segment } from './segment.ts'

const SMALLEST_BUFFER = 4096

export class SegmentReader {
  buffer: Buffer
  /** Where the current batch begins in `buffer`, and its size: 0 when there is none. */
  at = 0
  size = 0
  readonly #segment: Segment
  readonly #end: number
  #position: number
  #filled = 0

  /** @param position where a batch begins; @param end where one ends: that of the last, if left out */
  constructor(segment: Segment, position: number, bufferBytes: number, end: number = segment.written) {
    this.#segment = segment
    this.#position = position
    this.#end = end
    this.buffer = Buffer.allocUnsafe(Math.max(SMALLEST_BUFFER, bufferBytes))
  }

  get hasBatch(): boolean {
    return this.size > 0
  }

  /**
   * Reads on once the buffer has no whole batch left. @returns bytes of whole batches that are there now, 0 at the end
   * @throws KafkaError CORRUPT_MESSAGE
   */
  fill(): number {
    const left = this.#end - this.#position
    if (left === 0) return 0
    const whole = this.#read(left)
    if (whole > 0) return whole
    const size = this.#filled < header.LOG_OVERHEAD ? left + 1 : header.sizeInBytes(this.buffer, 0)
    if (size <= this.buffer.length || size > left) throw this.#corrupt()
    this.buffer = Buffer.allocUnsafe(size)
    return this.#read(left)
  }

  /** Moves to the next batch of the buffer, if it has another. */
  advance(): void {
    this.at += this.size
    this.#position += this.size
    this.size = this.#sizeAt(this.at)
  }

  #read(left: number): number {
    this.#filled = this.#segment.readAt(this.buffer.subarray(0, Math.min(left, this.buffer.length)), this.#position)
    this.at = 0
    this.size = this.#sizeAt(0)
    let whole = 0
    for (let size = this.size; size > 0; size = this.#sizeAt(whole)) whole += size
    return whole
  }

  #sizeAt(at: number): number {
    const size = header.wholeBatchAt(this.buffer, at, this.#filled)
    if (size === header.INVALID) throw this.#corrupt()
    return size === header.INCOMPLETE ? 0 : size
  }

  #corrupt(): KafkaError {
    return new KafkaError(
      errors.CORRUPT_MESSAGE,
      `No whole batch begins at position ${this.#position} of ${this.#segment.path}.`,
    )
  }
}
