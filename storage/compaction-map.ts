/**
 * Which offset each key was last written at, in bounded memory (SkimpyOffsetMap.java): open addressing over 16 bytes of a hash
 * and an offset, 24 bytes a slot. Keys are known by their hash alone; it is keyed (SipHash-1-3, 128 bits), so that nobody
 * who writes keys can make two of them collide and have the one deleted for the other.
 */

export const BYTES_PER_SLOT = 24

/** 128 bits nobody outside knows, as four int32. */
export type HashKey = readonly [number, number, number, number]

export class OffsetMap {
  readonly slots: number
  /** The last offset that was looked at: records behind it are none of the map's business. */
  latestOffset = -1
  #size = 0
  readonly #key: HashKey
  readonly #hashes: Int32Array
  /** Offset + 1; 0 in an empty slot. */
  readonly #offsets: Float64Array
  readonly #hash = new Int32Array(4)

  constructor(slots: number, key: HashKey) {
    this.slots = slots
    this.#key = key
    this.#hashes = new Int32Array(slots * 4)
    this.#offsets = new Float64Array(slots)
  }

  /** How many keys it holds. */
  get size(): number {
    return this.#size
  }

  /** The offset of the key `bytes[from, end)`; -1 if there is none. */
  get(bytes: Uint8Array, from: number, end: number): number {
    return this.#offsets[this.#slot(bytes, from, end)]! - 1
  }

  /** @returns false, with nothing changed, for a new key when there are `limit` already */
  put(bytes: Uint8Array, from: number, end: number, offset: number, limit: number): boolean {
    const slot = this.#slot(bytes, from, end)
    if (this.#offsets[slot] === 0) {
      if (this.#size >= limit) return false
      this.#size++
      this.#hashes.set(this.#hash, slot * 4)
    }
    this.#offsets[slot] = offset + 1
    this.latestOffset = offset
    return true
  }

  /** The slot that holds the key, or the empty one where it would go. One is always left empty: see mapFor. */
  #slot(bytes: Uint8Array, from: number, end: number): number {
    const hash = this.#hash
    sipHash(bytes, from, end, this.#key, hash)
    const h0 = hash[0]!
    const h1 = hash[1]!
    const h2 = hash[2]!
    const h3 = hash[3]!
    const hashes = this.#hashes
    let slot = (h0 >>> 0) % this.slots
    while (this.#offsets[slot] !== 0) {
      const at = slot * 4
      if (hashes[at] === h0 && hashes[at + 1] === h1 && hashes[at + 2] === h2 && hashes[at + 3] === h3) return slot
      slot = slot + 1 === this.slots ? 0 : slot + 1
    }
    return slot
  }
}

/**
 * A map for at most `keys` keys within `maxBytes`, filled to `loadFactor` at most. @returns it, and how many keys it may get
 */
export function mapFor(
  keys: number,
  { maxBytes, loadFactor, key }: { maxBytes: number; loadFactor: number; key: HashKey },
): { map: OffsetMap; limit: number } {
  // As Kafka: what one map can address bounds it too.
  const most = Math.max(2, Math.floor(Math.min(maxBytes, 0x7fffffff) / BYTES_PER_SLOT))
  const slots = Math.min(most, Math.ceil(keys / loadFactor) + 2)
  const limit = Math.max(1, Math.min(slots - 1, Math.floor(slots * loadFactor)))
  return { map: new OffsetMap(slots, key), limit }
}

/** SipHash-1-3 with 128 bits of output (Aumasson, Bernstein), on 32-bit halves: the low one first in each pair. */
export function sipHash(bytes: Uint8Array, from: number, end: number, key: HashKey, out: Int32Array): void {
  const state = scratch
  const [k0, k1, k2, k3] = key
  state[0] = k0 ^ 0x70736575
  state[1] = k1 ^ 0x736f6d65
  state[2] = k2 ^ 0x6e646f6d ^ 0xee
  state[3] = k3 ^ 0x646f7261
  state[4] = k0 ^ 0x6e657261
  state[5] = k1 ^ 0x6c796765
  state[6] = k2 ^ 0x79746573
  state[7] = k3 ^ 0x74656462
  const length = end - from
  const whole = from + (length & ~7)
  let at = from
  for (; at < whole; at += 8) {
    const low = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    const high = bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24)
    absorb(state, low, high)
  }
  let low = 0
  let high = length << 24
  for (let n = 0; at < end; n++, at++) {
    if (n < 4) low |= bytes[at]! << (8 * n)
    else high |= bytes[at]! << (8 * (n - 4))
  }
  absorb(state, low, high)
  state[4] = state[4] ^ 0xee
  for (let n = 0; n < 3; n++) sipRound(state)
  out[0] = state[0] ^ state[2] ^ state[4] ^ state[6]
  out[1] = state[1] ^ state[3] ^ state[5] ^ state[7]
  state[2] = state[2] ^ 0xdd
  for (let n = 0; n < 3; n++) sipRound(state)
  out[2] = state[0] ^ state[2] ^ state[4] ^ state[6]
  out[3] = state[1] ^ state[3] ^ state[5] ^ state[7]
}

const scratch = new Int32Array(8)

function absorb(state: Int32Array, low: number, high: number): void {
  state[6] = state[6]! ^ low
  state[7] = state[7]! ^ high
  sipRound(state)
  state[0] = state[0]! ^ low
  state[1] = state[1]! ^ high
}

/** v0..v3 are pairs (low, high) at 0, 2, 4, 6. Additions carry from the low half into the high one. */
function sipRound(s: Int32Array): void {
  let a = s[0]!
  let b = s[1]!
  let c = s[2]!
  let d = s[3]!
  let e = s[4]!
  let f = s[5]!
  let g = s[6]!
  let h = s[7]!
  let low = (a >>> 0) + (c >>> 0)
  b = (b + d + (low > 0xffffffff ? 1 : 0)) | 0
  a = low | 0
  let t = (c << 13) | (d >>> 19)
  d = (d << 13) | (c >>> 19)
  c = t
  c ^= a
  d ^= b
  t = a
  a = b
  b = t
  low = (e >>> 0) + (g >>> 0)
  f = (f + h + (low > 0xffffffff ? 1 : 0)) | 0
  e = low | 0
  t = (g << 16) | (h >>> 16)
  h = (h << 16) | (g >>> 16)
  g = t
  g ^= e
  h ^= f
  low = (a >>> 0) + (g >>> 0)
  b = (b + h + (low > 0xffffffff ? 1 : 0)) | 0
  a = low | 0
  t = (g << 21) | (h >>> 11)
  h = (h << 21) | (g >>> 11)
  g = t
  g ^= a
  h ^= b
  low = (e >>> 0) + (c >>> 0)
  f = (f + d + (low > 0xffffffff ? 1 : 0)) | 0
  e = low | 0
  t = (c << 17) | (d >>> 15)
  d = (d << 17) | (c >>> 15)
  c = t
  c ^= e
  d ^= f
  t = e
  e = f
  f = t
  s[0] = a
  s[1] = b
  s[2] = c
  s[3] = d
  s[4] = e
  s[5] = f
  s[6] = g
  s[7] = h
}
