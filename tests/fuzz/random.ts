// Seeded chance: the same seed and case number give the same case on every machine.

export interface Random {
  /** 0 <= n < below, an integer. */
  below(below: number): number
  /** True with this probability. */
  chance(probability: number): boolean
  pick<T>(from: readonly T[]): T
  bytes(size: number): Buffer
}

/** The generator of case `index` of a run (mulberry32 after a mix of both numbers). */
export function randomOf(seed: number, index: number): Random {
  let state = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35)) | 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return (t ^ (t >>> 14)) >>> 0
  }
  const below = (limit: number): number => Math.floor((next() / 4294967296) * limit)
  return {
    below,
    chance: probability => next() < probability * 4294967296,
    pick: from => from[below(from.length)]!,
    bytes(size) {
      const bytes = Buffer.allocUnsafe(size)
      for (let i = 0; i < size; i++) bytes[i] = next()
      return bytes
    },
  }
}
