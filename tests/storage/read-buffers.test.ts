// Buffers for cold reads: used again, bounded when idle, counted while they are out.
import { expect, test } from 'vitest'
import { ReadBuffers } from '../../storage/read-buffers.ts'

test('sizes are powers of two from 4 KiB; a buffer given back is used again', () => {
  const pool = new ReadBuffers(1e9)
  const [small, larger] = [pool.take(1), pool.take(4097)]
  expect([small.length, larger.length, pool.idleBytes]).toEqual([4096, 8192, 0])
  pool.give(small)
  pool.give(larger)
  expect(pool.idleBytes).toBe(4096 + 8192)
  expect(pool.take(5000)).toBe(larger)
  expect(pool.take(100)).toBe(small)
  expect(pool.take(100)).not.toBe(small)
  expect(pool.idleBytes).toBe(0)
})

test('a buffer for one huge batch is exact and not kept; idle ones have a bound', () => {
  const pool = new ReadBuffers(1e9)
  const huge = pool.take(5_000_000)
  expect(huge).toHaveLength(5_000_000)
  pool.give(huge)
  expect(pool.idleBytes).toBe(0)
  for (const buffer of Array.from({ length: 10 }, () => pool.take(4_000_000))) pool.give(buffer)
  expect(pool.idleBytes).toBe(16 * 1024 * 1024)
})

test('what is out is counted; the last quarter of the budget is for single batches', () => {
  const pool = new ReadBuffers(64 * 1024)
  const taken = [pool.take(20_000), pool.take(5_000_000)]
  expect([pool.heldBytes, pool.room, pool.isExhausted]).toEqual([32_768 + 5_000_000, 0, true])
  pool.give(taken[1]!)
  expect([pool.heldBytes, pool.room, pool.isExhausted]).toEqual([32_768, 16_384, false])
  pool.take(16_384)
  expect([pool.room, pool.isExhausted]).toEqual([0, false])
})

test('idle buffers are no memory on top of the budget', () => {
  const pool = new ReadBuffers(256 * 1024)
  const small = Array.from({ length: 32 }, () => pool.take(4096))
  for (const buffer of small) pool.give(buffer)
  expect([pool.usedBytes, pool.peakBytes]).toEqual([128 * 1024, 128 * 1024])
  pool.take(128 * 1024)
  expect([pool.usedBytes, pool.idleBytes]).toEqual([256 * 1024, 128 * 1024])
  pool.take(64 * 1024)
  expect([pool.usedBytes, pool.idleBytes, pool.peakBytes]).toEqual([192 * 1024, 0, 256 * 1024])
})

test('a buffer that turns out half empty is exchanged for one that fits', () => {
  const pool = new ReadBuffers(1e9)
  const buffer = pool.take(64 * 1024)
  buffer.write('what was read')
  expect(pool.fit(buffer, 33_000)).toBe(buffer)
  const smaller = pool.fit(buffer, 5000)
  expect([smaller.length, smaller.toString('latin1', 0, 13)]).toEqual([8192, 'what was read'])
  expect(pool.heldBytes).toBe(8192)
  expect(pool.fit(smaller, 1).length).toBe(4096)
})
