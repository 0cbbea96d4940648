// How the memory budget is divided among the pools.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ConfigError, parse } from '../../../src/config/index.ts'

const MB = 1 << 20
const shares = (flags: Record<string, number> = {}) => parse({ flags }).memory

function sumOf({ total: _, cache: __, ...pools }: ReturnType<typeof shares>): number {
  return Object.values(pools).reduce((sum, bytes) => sum + bytes, 0)
}

describe('shares of odradek.memory.bytes', () => {
  test('of a gigabyte', () => {
    expect(shares()).toEqual({
      total: 1024 * MB,
      receiving: 256 * MB,
      unanswered: 96 * MB,
      answers: 128 * MB,
      reads: 128 * MB,
      tail: 128 * MB,
      cache: 32 * MB,
      decompression: 64 * MB,
      compaction: 160 * MB,
      state: 64 * MB,
    })
    expect(sumOf(shares())).toBe(1024 * MB)
  })

  test('what its own key says, a pool gets; the others share what is left, and no more than they had', () => {
    const more = shares({ 'queued.max.request.bytes': 512 * MB })
    expect(more.receiving).toBe(512 * MB)
    expect(more.unanswered).toBe(Math.floor(96 * MB * (448 / 704)))
    expect(sumOf(more)).toBeLessThanOrEqual(1024 * MB)
    const less = shares({ 'odradek.tail.cache.bytes': 4 * MB, 'odradek.fetch.memory.bytes': 16 * MB })
    expect(less).toMatchObject({ cache: 4 * MB, tail: 16 * MB, reads: 16 * MB, receiving: 256 * MB })
  })

  test('however little there is, a batch may be expanded', () => {
    const small = shares({ 'odradek.memory.bytes': 64 * MB })
    expect([small.decompression, small.receiving]).toEqual([16 * MB, Math.floor(16 * MB * (48 / 60))])
  })

  test('-1 is as if the key was not there', () => {
    const keys = ['queued.max.request.bytes', 'odradek.broker.max.bytes', 'odradek.fetch.memory.bytes']
    expect(shares(Object.fromEntries(keys.map(key => [key, -1])))).toEqual(shares())
    // Kafka's 'no limit' as well.
    expect(shares({ 'queued.max.request.bytes': 0 })).toEqual(shares())
  })

  test.each([
    [{ 'queued.max.request.bytes': 1000 * MB }, 'queued.max.request.bytes, which take 1048576000'],
    [{ 'queued.max.request.bytes': 600 * MB, 'odradek.fetch.memory.bytes': 400 * MB }, 'queued.max.request.bytes and'],
    [{ 'odradek.memory.bytes': 64 * MB, 'odradek.tail.cache.bytes': 32 * MB }, 'odradek.memory.bytes (67108864)'],
  ])('%j leave too little to the others', (flags, message) => {
    expect(() => shares(flags)).toThrow(ConfigError)
    expect(() => shares(flags)).toThrow(message)
  })

  test('are never more than there is together, and every pool has some', () => {
    const size = (least: number) => fc.option(fc.integer({ min: least, max: 800 * MB }), { nil: -1 })
    const property = fc.property(
      fc.integer({ min: 64 * MB, max: 4096 * MB }),
      size(1 * MB),
      size(1 * MB),
      size(1 * MB),
      size(4 * MB),
      (total, receiving, unanswered, reads, cache) => {
        let divided
        try {
          divided = shares({
            'odradek.memory.bytes': total,
            'queued.max.request.bytes': receiving,
            'odradek.broker.max.bytes': unanswered,
            'odradek.fetch.memory.bytes': reads,
            'odradek.tail.cache.bytes': cache,
          })
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError)
          return
        }
        expect(sumOf(divided)).toBeLessThanOrEqual(total)
        expect(Math.min(...Object.values(divided))).toBeGreaterThanOrEqual(Math.min(1 * MB, total / 300))
      },
    )
    fc.assert(property, { numRuns: 200 })
  })
})
