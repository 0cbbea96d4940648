// Variable-length integers of records (zigzag, 7 bits a byte, low bits first), read without allocating: the value is
// returned, the position behind it is left in `next`, which is -1 when the bytes end too early or the number is too
// long. As in Kafka (ByteUtils.java), bits beyond 32 or 64 fall away.

/** Where the last read ended, or -1 if it failed. Read it at once: every read sets it. */
export let next = -1

function fail(): number {
  next = -1
  return 0
}

/** At most 5 bytes. */
export function readVarint(bytes: Uint8Array, from: number, end: number): number {
  let at = from
  let raw = 0
  for (let shift = 0; shift < 35; shift += 7) {
    if (at >= end) return fail()
    const byte = bytes[at++]!
    raw |= (byte & 127) << shift
    if (byte < 128) {
      next = at
      return (raw >>> 1) ^ -(raw & 1)
    }
  }
  return fail()
}

/** At most 10 bytes. NaN, with `next` set, for a value beyond ±2^53. */
export function readVarlong(bytes: Uint8Array, from: number, end: number): number {
  let at = from
  let low = 0 // 28 bits
  let middle = 0 // 28 bits
  let high = 0 // 8 bits
  for (let i = 0; i < 10; i++) {
    if (at >= end) return fail()
    const byte = bytes[at++]!
    if (i < 4) low |= (byte & 127) << (7 * i)
    else if (i < 8) middle |= (byte & 127) << (7 * i - 28)
    else high |= (byte & 127) << (7 * i - 56)
    if (byte < 128) {
      next = at
      if ((high & 255) !== 0 || middle >= 0x400_0000) return Number.NaN
      const half = middle * 0x800_0000 + (low >>> 1)
      return (low & 1) === 0 ? half : -half - 1
    }
  }
  return fail()
}

/** readVarlong, exact over the whole range; for tools. */
export function readVarlongExactly(bytes: Uint8Array, from: number, end: number): bigint {
  let raw = 0n
  for (let i = 0; i < 10; i++) {
    if (from + i >= end) break
    const byte = bytes[from + i]!
    raw |= BigInt(byte & 127) << BigInt(7 * i)
    if (byte < 128) {
      next = from + i + 1
      raw = BigInt.asUintN(64, raw)
      return (raw >> 1n) ^ -(raw & 1n)
    }
  }
  fail()
  return 0n
}

export function varintSize(value: number): number {
  const raw = ((value << 1) ^ (value >> 31)) >>> 0
  return raw < 0x80 ? 1 : raw < 0x4000 ? 2 : raw < 0x20_0000 ? 3 : raw < 0x1000_0000 ? 4 : 5
}

/** Returns the position behind it. */
export function writeVarint(bytes: Uint8Array, from: number, value: number): number {
  let raw = ((value << 1) ^ (value >> 31)) >>> 0
  let at = from
  while (raw > 127) {
    bytes[at++] = (raw & 127) | 128
    raw >>>= 7
  }
  bytes[at++] = raw
  return at
}

// The zigzag form of a large number needs 54 bits: take the sign and six bits first, the rest is exact.
export function varlongSize(value: number): number {
  let rest = Math.floor((value < 0 ? -1 - value : value) / 64)
  let size = 1
  for (; rest > 0; size++) rest = Math.floor(rest / 128)
  return size
}

/** For values within ±2^53. Returns the position behind it. */
export function writeVarlong(bytes: Uint8Array, from: number, value: number): number {
  const magnitude = value < 0 ? -1 - value : value
  let rest = Math.floor(magnitude / 64)
  let at = from
  bytes[at++] = ((magnitude % 64) * 2) | (value < 0 ? 1 : 0) | (rest > 0 ? 128 : 0)
  while (rest > 0) {
    const byte = rest % 128
    rest = Math.floor(rest / 128)
    bytes[at++] = byte | (rest > 0 ? 128 : 0)
  }
  return at
}
