// Seeded damage to files of a log directory, of the kinds that disks, crashes and people do: for what finds and mends it.
import * as header from '../../protocol/records/batch.ts'
import type { Files } from '../../storage/files.ts'
import type { Random } from '../fuzz/random.ts'

export interface Damage {
  readonly kind: string
  readonly path: string
  /** The file as it was. */
  readonly before: Buffer
  readonly after: Buffer
}

type Change = (data: Buffer, random: Random) => Buffer | null

const flip = (data: Buffer, at: number, random: Random): Buffer => {
  data[at] = data[at]! ^ (1 << random.below(8))
  return data
}

const batches = (data: Buffer): number[] => [...header.batchesOf(data)]
const sizeAt = (data: Buffer, at: number): number => header.sizeInBytes(data, at)

/** A bit of a field of one batch. */
const inHeader =
  (offset: number, size: number): Change =>
  (data, random) => {
    const all = batches(data)
    return all.length === 0 ? null : flip(data, random.pick(all) + offset + random.below(size), random)
  }

/** Two batches that follow each other, as new bytes. */
const pair =
  (change: (first: Buffer, second: Buffer) => Buffer[]): Change =>
  (data, random) => {
    const all = batches(data)
    if (all.length < 2) return null
    const at = random.pick(all.slice(0, -1))
    const middle = at + sizeAt(data, at)
    const end = middle + sizeAt(data, middle)
    return Buffer.concat([
      data.subarray(0, at),
      ...change(data.subarray(at, middle), data.subarray(middle, end)),
      data.subarray(end),
    ])
  }

/** An entry of fixed size, or two. */
const entries =
  (size: number, change: (data: Buffer, n: number, count: number, random: Random) => Buffer | null): Change =>
  (data, random) => {
    const count = Math.floor(data.byteLength / size)
    return count === 0 ? null : change(data, random.below(count), count, random)
  }

const swapEntries = (size: number): Change =>
  entries(size, (data, n, count) => {
    if (count < 2) return null
    const first = Math.min(n, count - 2) * size
    const [a, b] = [data.subarray(first, first + size), data.subarray(first + size, first + 2 * size)]
    return Buffer.concat([data.subarray(0, first), b, a, data.subarray(first + 2 * size)])
  })

const zerosBehind: Change = (data, random) => Buffer.concat([data, Buffer.alloc(12 * (1 + random.below(40)) * 2)])
const cut: Change = (data, random) =>
  data.byteLength < 2 ? null : data.subarray(0, 1 + random.below(data.byteLength - 1))
const anyBit: Change = (data, random) =>
  data.byteLength === 0 ? null : flip(data, random.below(data.byteLength), random)

const ofLog: Record<string, Change> = {
  'a bit of the records': (data, random) => {
    const full = batches(data).filter(at => sizeAt(data, at) > header.HEADER_SIZE)
    if (full.length === 0) return null
    const at = random.pick(full)
    return flip(data, at + header.HEADER_SIZE + random.below(sizeAt(data, at) - header.HEADER_SIZE), random)
  },
  'a bit of a header': inHeader(21, 40),
  'a bit of a CRC': inHeader(17, 4),
  'a bit of a base offset': inHeader(0, 8),
  'a bit of a length': inHeader(8, 4),
  'a bit of a leader epoch': inHeader(12, 4),
  'a bit of the magic': inHeader(16, 1),
  'the file cut': cut,
  'the file cut behind a batch': (data, random) => {
    const all = batches(data)
    return all.length < 2 ? null : data.subarray(0, random.pick(all.slice(1)))
  },
  'zeros behind the end': zerosBehind,
  'noise behind the end': (data, random) => Buffer.concat([data, random.bytes(1 + random.below(300))]),
  'zeros in the middle': (data, random) => {
    if (data.byteLength < 100) return null
    const at = random.below(data.byteLength - 50)
    return data.fill(0, at, Math.min(data.byteLength, at + 50 + random.below(4096)))
  },
  'two batches swapped': pair((a, b) => [b, a]),
  'a batch twice': pair((a, b) => [a, a, b]),
  'a batch gone': pair((_, b) => [b]),
}

const ofOffsetIndex: Record<string, Change> = {
  'a bit': anyBit,
  'the file cut': cut,
  'zeros behind the end': (data, random) => Buffer.concat([data, Buffer.alloc(8 * (1 + random.below(100)))]),
  'another position': entries(8, (data, n, _, random) => {
    data.writeInt32BE(data.readInt32BE(n * 8 + 4) + 1 + random.below(1000), n * 8 + 4)
    return data
  }),
  'another offset': entries(8, (data, n, _, random) => {
    data.writeInt32BE(data.readInt32BE(n * 8) + 1 + random.below(1000), n * 8)
    return data
  }),
  'two entries swapped': swapEntries(8),
  'noise behind the end': (data, random) => Buffer.concat([data, random.bytes(8)]),
}

const ofTimeIndex: Record<string, Change> = {
  'a bit': anyBit,
  'the file cut': cut,
  'zeros behind the end': (data, random) => Buffer.concat([data, Buffer.alloc(12 * (1 + random.below(100)))]),
  'another timestamp': entries(12, (data, n, _, random) => {
    data.writeBigInt64BE(data.readBigInt64BE(n * 12) + BigInt(1 + random.below(1000)), n * 12)
    return data
  }),
  'another offset': entries(12, (data, n, _, random) => {
    data.writeInt32BE(data.readInt32BE(n * 12 + 8) + 1 + random.below(1000), n * 12 + 8)
    return data
  }),
  'two entries swapped': swapEntries(12),
  'an entry gone': entries(12, (data, n) => Buffer.concat([data.subarray(0, n * 12), data.subarray((n + 1) * 12)])),
}

const ofTxnIndex: Record<string, Change> = {
  'a bit': anyBit,
  'the file cut': cut,
  'two entries swapped': swapEntries(34),
}

const ofSnapshot: Record<string, Change> = {
  'a bit': anyBit,
  'a bit of the CRC': (data, random) => flip(data, 2 + random.below(4), random),
  'the file cut': cut,
  'zeros behind the end': zerosBehind,
}

/** Files that Kafka's tool does not read. */
const ofSmallFile: Record<string, Change> = {
  'the file cut': cut,
  zeros: data => Buffer.alloc(data.byteLength),
  'a letter': (data, random) => {
    data[random.below(data.byteLength)] = 0x78
    return data
  },
  'a line too many': data => Buffer.concat([data, Buffer.from('\nnone of it\n')]),
}

const byEnding: readonly [string, Record<string, Change>][] = [
  ['.log', ofLog],
  ['.timeindex', ofTimeIndex],
  ['.txnindex', ofTxnIndex],
  ['.index', ofOffsetIndex],
  ['.snapshot', ofSnapshot],
  ['-checkpoint', ofSmallFile],
  ['partition.metadata', ofSmallFile],
]

/** The kinds there are for a file. */
export function kindsOf(path: string): string[] {
  return Object.keys(byEnding.find(([ending]) => path.endsWith(ending))?.[1] ?? {})
}

/** Damages a file; null where its bytes do not allow that, or it would be as before. */
export function damage(files: Files, path: string, kind: string, random: Random): Damage | null {
  const change = byEnding.find(([ending]) => path.endsWith(ending))?.[1][kind]
  const before = files.readAll(path)
  if (change === undefined || before.byteLength === 0) return null
  const after = change(Buffer.from(before), random)
  if (after === null || after.equals(before)) return null
  files.writeAtomic(path, after)
  return { kind, path, before, after }
}
