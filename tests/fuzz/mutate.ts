// Changes to bytes that know nothing of their structure: flips, cuts, insertions, copies, numbers at the edges.
import type { Random } from './random.ts'

const EDGES = [
  '7fffffff',
  'ffffffff',
  '80000000',
  '7fff',
  'ffff',
  'ffffffff0f',
  'ffffffffff',
  '80808080',
  '00',
  'ff',
].map(hex => Buffer.from(hex, 'hex'))

/** One change, somewhere; the input stays as it is. */
export function mutate(bytes: Buffer, random: Random): Buffer {
  if (bytes.length === 0) return random.bytes(random.below(8))
  const at = random.below(bytes.length)
  switch (random.below(7)) {
    case 0:
      return edited(bytes, copy => (copy[at]! ^= 1 << random.below(8)))
    case 1:
      return edited(bytes, copy => (copy[at] = random.below(256)))
    case 2:
      return edited(bytes, copy => random.pick(EDGES).copy(copy, at))
    case 3:
      return bytes.subarray(0, at)
    case 4:
      return Buffer.concat([bytes.subarray(0, at), random.bytes(1 + random.below(8)), bytes.subarray(at)])
    case 5:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(8))])
    default: {
      const from = random.below(bytes.length)
      const piece = bytes.subarray(from, from + 1 + random.below(64))
      return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)])
    }
  }
}

function edited(bytes: Buffer, edit: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(bytes)
  edit(copy)
  return copy
}
