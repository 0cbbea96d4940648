// Pooled read buffers: classes by size, a bounded number kept, none given out twice.
import { describe, expect, it } from 'vitest'
import { BufferPool } from '../../../src/runtime/buffer-pool.ts'

describe('buffer pool', () => {
  it.each([
    [0, 4096],
    [4096, 4096],
    [4097, 8192],
    [1 << 20, 1 << 20],
    [(1 << 20) + 1, 2 << 20],
    [4 << 20, 4 << 20],
    [(4 << 20) + 1, (4 << 20) + 1],
  ])('gives %i bytes a buffer of %i', (size, length) => {
    expect(new BufferPool().take(size).length).toBe(length)
  })

  it('uses a buffer again', () => {
    const pool = new BufferPool()
    const first = pool.take(5000)
    pool.give(first)
    expect(pool.take(8000)).toBe(first)
    expect(pool.outstanding).toBe(1)
  })

  it('keeps a bounded amount', () => {
    const pool = new BufferPool()
    const taken = [4096, 1 << 20, 4 << 20, 8 << 20].flatMap(size => Array.from({ length: 100 }, () => pool.take(size)))
    for (const buffer of taken) pool.give(buffer)
    expect(pool.outstanding).toBe(0)
    expect(pool.keptBytes).toBe(64 * 4096 + (4 << 20) + (4 << 20))
  })
})
