// Randomness as an argument: the machine's own, or a seeded one that replays.
import { randomBytes, randomInt } from 'node:crypto'

export interface Random {
  bytes(n: number): Buffer
  /** A new id in Kafka's spelling: version 4, 22 characters of base64url, never with a leading '-' (Uuid.randomUuid). */
  uuid(): string
  /** An integer in [0, n), n in [1, 2^48). */
  int(n: number): number
}

/** The reserved ids (zero, one, the special directory ids) lack the version bits and so cannot come out. */
function uuidFrom(bytes: (n: number) => Buffer): string {
  for (;;) {
    const id = bytes(16)
    id[6] = (id[6]! & 0x0f) | 0x40
    id[8] = (id[8]! & 0x3f) | 0x80
    const text = id.toString('base64url')
    // Kafka avoids it because command lines take such an id for an option.
    if (!text.startsWith('-')) return text
  }
}

export const systemRandom: Random = {
  bytes: n => randomBytes(n),
  uuid: () => uuidFrom(randomBytes),
  int: n => randomInt(n),
}

/** A small deterministic generator (mulberry32); not for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed | 0
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return (t ^ (t >>> 14)) >>> 0
  }
  const bytes = (n: number) => Buffer.from(Array.from({ length: n }, () => next() & 255))
  return { bytes, uuid: () => uuidFrom(bytes), int: n => Math.floor((next() / 2 ** 32) * n) }
}
