// An LZ4 block compressor with levels, which the one of lz4-wasm-nodejs does not have: chains of earlier places with the same
// four bytes, searched longer the higher the level, and a look at the next byte before a match is taken. Kafka turns to
// lz4-java's high compressor in the same way, for every level but the default (Lz4BlockOutputStream.java).

const HASH_BITS = 15
const LARGEST_BLOCK = 64 * 1024
const MIN_MATCH = 4
/** The format's rules for the end of a block: no match begins in the last 12 bytes or reaches into the last 5. */
const LAST_MATCH = 12
const LAST_LITERALS = 5
/** Places tried at the highest levels. More would hold up everybody else for data made to have long chains. */
const MOST_ATTEMPTS = 128
/** A match of this length is long enough: no longer one is looked for. */
const LONG_MATCH = 128

/** Latest place of each hash, and for each place the one before with the same hash; -1 ends a chain. */
const heads = new Int32Array(1 << HASH_BITS)
const earlier = new Int32Array(LARGEST_BLOCK)

/** Compresses blocks of at most 64 KiB. Not to be used by two at a time. */
class Search {
  readonly #block: Buffer
  readonly #attempts: number
  #entered = 0
  /** What the last find() found. */
  length = 0
  from = 0

  constructor(block: Buffer, level: number) {
    this.#block = block
    this.#attempts = Math.min(2 ** (level - 1), MOST_ATTEMPTS)
    heads.fill(-1)
  }

  /** The longest match for what begins at `at`, where one is longer than `atLeast`. */
  find(at: number, atLeast: number): boolean {
    for (; this.#entered < at; this.#entered++) this.#enter(this.#entered)
    const block = this.#block
    const end = block.length - LAST_LITERALS
    this.length = atLeast
    let candidate = heads[this.#hash(at)]!
    for (
      let left = this.#attempts;
      candidate >= 0 && left > 0 && this.length < LONG_MATCH && at + this.length < end;
      left--
    ) {
      if (block[candidate + this.length] === block[at + this.length]) {
        let length = 0
        while (at + length < end && block[candidate + length] === block[at + length]) length++
        if (length > this.length) {
          this.length = length
          this.from = candidate
        }
      }
      candidate = earlier[candidate]!
    }
    return this.length > atLeast
  }

  #enter(at: number): void {
    const hash = this.#hash(at)
    earlier[at] = heads[hash]!
    heads[hash] = at
  }

  #hash(at: number): number {
    return Math.imul(this.#block.readInt32LE(at), -1640531535) >>> (32 - HASH_BITS)
  }
}

/** @param level 1 to 17 @returns null for a block that would not shrink */
export function lz4CompressHigh(block: Buffer, level: number): Buffer | null {
  const search = new Search(block, level)
  const target = Buffer.allocUnsafe(block.length)
  const last = block.length - LAST_MATCH
  let to = 0
  /** Literals that wait for a match begin here. */
  let anchor = 0
  let at = 0
  while (at <= last) {
    if (!search.find(at, MIN_MATCH - 1)) {
      at++
      continue
    }
    let { length, from } = search
    // One literal more may open a longer match.
    while (at < last && length < LONG_MATCH && search.find(at + 1, length)) {
      at++
      ;({ length, from } = search)
    }
    for (; at > anchor && from > 0 && block[at - 1] === block[from - 1]; at--, from--) length++
    to = putSequence(target, to, block.subarray(anchor, at), at - from, length)
    if (to < 0) return null
    at += length
    anchor = at
  }
  to = putSequence(target, to, block.subarray(anchor), 0, 0)
  return to < 0 ? null : target.subarray(0, to)
}

/**
 * Literals, then a match; the last sequence of a block has none (length 0).
 * @returns where it ends, -1 if it does not fit
 */
function putSequence(target: Buffer, start: number, literals: Buffer, distance: number, length: number): number {
  const extra = length === 0 ? 0 : length - MIN_MATCH
  const room = 1 + lengthBytes(literals.length) + literals.length + (length === 0 ? 0 : 2 + lengthBytes(extra))
  if (start + room > target.length) return -1
  target[start] = (Math.min(literals.length, 15) << 4) | Math.min(extra, 15)
  let to = putLength(target, start + 1, literals.length)
  to += literals.copy(target, to)
  if (length === 0) return to
  return putLength(target, target.writeUInt16LE(distance, to), extra)
}

/** Bytes behind the four bits of a token. */
const lengthBytes = (length: number): number => (length < 15 ? 0 : 1 + Math.floor((length - 15) / 255))

function putLength(target: Buffer, at: number, length: number): number {
  if (length < 15) return at
  let to = at
  let left = length - 15
  for (; left >= 255; left -= 255) target[to++] = 255
  target[to] = left
  return to + 1
}
