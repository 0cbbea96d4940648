// Buffers for cold reads: used again, bounded when idle.
import { expect, test } from 'vitest'
import { ReadBuffers } from '../../storage/read-buffers.ts'

test('sizes are powers of two from 4 KiB; a buffer given back is used again', () => {
  const pool = new ReadBuffers()
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
  const pool = new ReadBuffers()
  const huge = pool.take(5_000_000)
  expect(huge).toHaveLength(5_000_000)
  pool.give(huge)
  expect(pool.idleBytes).toBe(0)
  for (const buffer of Array.from({ length: 10 }, () => pool.take(4_000_000))) pool.give(buffer)
  expect(pool.idleBytes).toBe(16 * 1024 * 1024)
})
