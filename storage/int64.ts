/**
 * Big-endian int64 fields as numbers. Exact within +-(2^53 - 1); beyond, the nearest double (reading) and a clamp at the
 * ends of int64 (writing): enough for offsets, which never get there, and for timestamps in indexes, which are hints.
 */

export { readInt64 } from '../protocol/records/batch.ts'

const TWO_32 = 0x1_0000_0000
const TWO_63 = 2 ** 63

export function writeInt64(buffer: Buffer, value: number, at: number): void {
  if (value >= TWO_63) {
    buffer.writeInt32BE(0x7fffffff, at)
    buffer.writeUInt32BE(0xffffffff, at + 4)
    return
  }
  if (value < -TWO_63) value = -TWO_63
  const high = Math.floor(value / TWO_32)
  buffer.writeInt32BE(high, at)
  buffer.writeUInt32BE(value - high * TWO_32, at + 4)
}
