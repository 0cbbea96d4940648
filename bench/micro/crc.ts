// CRC-32C against the package crc-32, and against the native CRC of Node's zlib: another polynomial, and the cost of native code.
import * as zlib from 'node:zlib'
import crc32 from 'crc-32/crc32c.js'
import { crc32c } from '../../protocol/records/crc32c.ts'
import type { Contest } from './contest.ts'

const sizes = [
  [100, '100 B'],
  [1024, '1 KiB'],
  [16_384, '16 KiB'],
  [131_072, '128 KiB'],
  [1_048_576, '1 MiB'],
] as const

export function crcContests(): Contest[] {
  return sizes.flatMap(([size, label]): Contest[] => {
    const data = Buffer.from(Array.from({ length: size }, (_, i) => (i * 31 + (i >> 7)) & 255))
    const ours = (): number => crc32c(data)
    const byPackage = (): number => crc32.buf(data, 0)
    if (ours() !== byPackage() >>> 0) throw new Error(`${label}: the two checksums differ`)
    const contest = { name: `CRC-32C, ${label}`, ours, bytes: size }
    const contests: Contest[] = [{ ...contest, reference: 'crc-32', theirs: byPackage }]
    if ('crc32' in zlib) {
      const { crc32: native } = zlib as { crc32: (bytes: Buffer) => number }
      contests.push({ ...contest, reference: 'zlib.crc32 of Node', theirs: () => native(data) })
    }
    return contests
  })
}
