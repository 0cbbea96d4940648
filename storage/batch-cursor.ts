/**
 * Walks the batches of a segment file by their headers, in order, without reading record bytes that lie between two
 * distant headers. Also the facts a log needs of a batch of any magic: messages of magic 0 and 1 carry their *last* offset.
 */
import * as header from '../protocol/records/batch.ts'
import * as errors from '../protocol/errors.ts'
import { KafkaError } from '../protocol/errors.ts'

/** Read ahead: many small batches, or one header of a large one. */
const CHUNK_BYTES = 16 * 1024

export const lastOffsetOf = (buffer: Buffer, at: number): number =>
  header.magic(buffer, at) >= 2 ? header.lastOffset(buffer, at) : header.baseOffset(buffer, at)

/** -1 where the format has none (magic 0). */
export const maxTimestampOf = (buffer: Buffer, at: number): number => {
  const magic = header.magic(buffer, at)
  return magic >= 2 ? header.maxTimestamp(buffer, at) : magic === 1 ? header.readInt64(buffer, at + 18) : -1
}

/** -1 where the format has none (magic 0 and 1). */
export const leaderEpochOf = (buffer: Buffer, at: number): number =>
  header.magic(buffer, at) >= 2 ? header.partitionLeaderEpoch(buffer, at) : -1

/** Something with bytes at positions: a segment. */
export interface Readable {
  readAt(target: Buffer, position: number): number
}

/**
 * After next() returned true: the header lies at `at` of `buffer`, the batch at `position` of the file, `size` bytes long.
 * `buffer` holds the header alone for certain, and is overwritten by the following next().
 */
export class BatchCursor {
  readonly buffer: Buffer
  at = 0
  position: number
  size = 0
  readonly #file: Readable
  readonly #end: number
  /** Part of the file that the buffer holds. */
  #from = 0
  #to = 0

  /** @param position where a batch begins; @param end the end of the last whole batch */
  constructor(file: Readable, position: number, end: number, buffer: Buffer = Buffer.allocUnsafe(CHUNK_BYTES)) {
    this.#file = file
    this.#end = end
    this.position = position
    this.buffer = buffer
  }

  /** @throws KafkaError CORRUPT_MESSAGE where no whole batch begins */
  next(): boolean {
    this.position += this.size
    this.size = 0
    if (this.position >= this.#end) return false
    const wanted = Math.min(header.HEADER_SIZE, this.#end - this.position)
    if (this.position < this.#from || this.position + wanted > this.#to) this.#fill()
    this.at = this.position - this.#from
    // Only the header is in the buffer: its size is judged against the file.
    const size = header.wholeBatchAt(this.buffer, this.at, this.at + (this.#end - this.position))
    if (size <= 0 || this.#to - this.position < Math.min(size, header.HEADER_SIZE)) {
      throw new KafkaError(errors.CORRUPT_MESSAGE, `No whole batch begins at position ${this.position} of the segment.`)
    }
    this.size = size
    return true
  }

  #fill(): void {
    const length = Math.min(this.buffer.length, this.#end - this.position)
    const count = this.#file.readAt(this.buffer.subarray(0, length), this.position)
    this.#from = this.position
    this.#to = this.position + count
    // Too few bytes must not be taken for a batch because of what the buffer held before.
    if (count < header.HEADER_SIZE) this.buffer.fill(0, count, header.HEADER_SIZE)
  }
}
