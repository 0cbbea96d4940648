// Arena and tails: what a response holds stays as it was until it lets go, memory is bounded, and comes back.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Slab } from '../../storage/arena.ts'
import { Arena } from '../../storage/arena.ts'
import type { ReadOptions } from '../../storage/log-options.ts'
import type { TailRecords } from '../../storage/tail.ts'

const all: ReadOptions = { maxBytes: 1e9, maxOffset: Infinity, minOneBatch: true }
const join = (records: TailRecords | null) => (records === null ? null : Buffer.concat(records.parts).toString())

/** A log that writes at once: appends text of one record each. */
function logOn(arena: Arena) {
  const tail = arena.tail()
  let end = 0
  return {
    tail,
    append(text: string, records = 1) {
      const slice = arena.append(Buffer.from(text))
      tail.push(end, (end += records), slice)
      arena.release(slice.slab)
    },
    read: (offset: number, options: Partial<ReadOptions> = {}) => tail.read(offset, { ...all, ...options }),
  }
}

describe('a tail', () => {
  test('serves batches that lie side by side as one view of the slab', () => {
    const log = logOn(new Arena({ slabBytes: 16 }))
    log.append('aaa')
    log.append('bbb', 3)
    log.append('cc')
    const records = log.read(0)
    expect(records?.parts).toHaveLength(1)
    expect(records).toMatchObject({ firstOffset: 0, nextOffset: 5, byteLength: 8 })
    expect(join(records)).toBe('aaabbbcc')
    records?.release()
  })

  test('an offset within a batch gets the whole batch', () => {
    const log = logOn(new Arena())
    log.append('aaa', 3)
    log.append('bbb', 3)
    for (const offset of [3, 4, 5]) {
      const records = log.read(offset)
      expect(records).toMatchObject({ firstOffset: 3, nextOffset: 6 })
      expect(join(records)).toBe('bbb')
    }
    expect(log.read(6)).toBeNull()
    expect(log.read(-1)).toBeNull()
  })

  test('maxBytes, maxOffset, minOneBatch', () => {
    const log = logOn(new Arena())
    for (const text of ['aaaa', 'bbbb', 'cccc']) log.append(text)
    expect(join(log.read(0, { maxBytes: 8 }))).toBe('aaaabbbb')
    expect(join(log.read(0, { maxBytes: 7 }))).toBe('aaaa')
    expect(join(log.read(0, { maxBytes: 1 }))).toBe('aaaa')
    expect(log.read(0, { maxBytes: 1, minOneBatch: false })).toMatchObject({ byteLength: 0, parts: [], nextOffset: 0 })
    expect(join(log.read(0, { maxOffset: 2 }))).toBe('aaaabbbb')
    expect(log.read(0, { maxOffset: 0 })).toMatchObject({ byteLength: 0, parts: [] })
  })

  test('two logs in one slab: a view each time another came between', () => {
    const arena = new Arena({ slabBytes: 64 })
    const [a, b] = [logOn(arena), logOn(arena)]
    a.append('a1')
    a.append('a2')
    b.append('b1')
    a.append('a3')
    expect(a.read(0)?.parts.map(String)).toEqual(['a1a2', 'a3'])
    expect(join(b.read(0))).toBe('b1')
  })

  test('is cut with its log', () => {
    const log = logOn(new Arena())
    log.append('aaa', 3)
    log.append('bbb', 3)
    log.tail.truncateTo(6)
    expect(log.tail.endOffset).toBe(6)
    log.tail.truncateTo(4)
    expect(log.tail.endOffset).toBe(3)
    log.tail.truncateTo(0)
    expect(log.tail).toMatchObject({ isEmpty: true, startOffset: -1, endOffset: -1 })
  })

  test('a batch that does not follow starts anew', () => {
    const arena = new Arena()
    const tail = arena.tail()
    const push = (base: number, text: string) => tail.push(base, base + 1, arena.append(Buffer.from(text)))
    push(0, 'a')
    push(1, 'b')
    push(7, 'c')
    expect(tail.startOffset).toBe(7)
    expect(tail.read(1, all)).toBeNull()
    push(7, 'd')
    expect(join(tail.read(7, all))).toBe('d')
  })
})

describe('the arena', () => {
  test('the oldest slab leaves first, its batches with it, and its memory is used again', () => {
    const arena = new Arena({ slabBytes: 4, tailBytes: 8 })
    const log = logOn(arena)
    log.append('aaaa')
    log.append('bbbb')
    const [first] = log.read(0, { maxBytes: 4 })?.parts ?? []
    expect(arena.hotBytes).toBe(8)
    log.append('cccc')
    expect(log.tail.startOffset).toBe(1)
    expect(log.read(0)).toBeNull()
    // The response still sends from it.
    expect(String(first)).toBe('aaaa')
    expect(arena).toMatchObject({ hotBytes: 8, pinnedBytes: 4, freeBytes: 0 })
  })

  test('a released slab becomes the next one', () => {
    const arena = new Arena({ slabBytes: 4, tailBytes: 8 })
    const log = logOn(arena)
    log.append('aaaa')
    const records = log.read(0)
    log.append('bbbb')
    log.append('cccc')
    records?.release()
    records?.release()
    expect(arena).toMatchObject({ pinnedBytes: 0, freeBytes: 4 })
    log.append('dddd')
    expect(String(records?.parts[0])).toBe('dddd')
  })

  test('a batch larger than a slab gets its own memory, which is not kept', () => {
    const arena = new Arena({ slabBytes: 4, tailBytes: 16 })
    const log = logOn(arena)
    log.append('aa')
    log.append('0123456789')
    log.append('b')
    expect(join(log.read(1))).toBe('0123456789b')
    log.append('cccc')
    log.append('dddd')
    expect(join(log.read(log.tail.startOffset))).toBe('ccccdddd')
    expect(arena.hotBytes).toBe(8)
  })

  test('a batch larger than all of the tail leaves the others where they are, and memory once it is written', () => {
    const arena = new Arena({ slabBytes: 4, tailBytes: 8 })
    const log = logOn(arena)
    log.append('aaaa')
    const { slab } = arena.append(Buffer.alloc(20))
    expect([arena.hotBytes, arena.pinnedBytes, arena.usedBytes]).toEqual([4, 20, 24])
    arena.release(slab)
    expect([arena.hotBytes, arena.pinnedBytes, arena.usedBytes, arena.peakBytes]).toEqual([4, 0, 4, 24])
    expect(join(log.read(0))).toBe('aaaa')
  })

  test('a tail cut to before a large batch still loses what lies in the slab before it', () => {
    const arena = new Arena({ slabBytes: 4, tailBytes: 16 })
    const log = logOn(arena)
    log.append('aa')
    log.append('0123456789')
    log.append('b')
    log.tail.truncateTo(2)
    const other = logOn(arena)
    other.append('cccc')
    expect(log.read(0)).toBeNull()
    arena.clear()
    expect(log.tail.isEmpty).toBe(true)
  })

  test('pinned memory is bounded: tails answer no more reads', () => {
    const arena = new Arena({ slabBytes: 4, tailBytes: 4, pinnedBytes: 8 })
    const log = logOn(arena)
    const held = ['aaaa', 'bbbb', 'cccc'].map((text, offset) => {
      log.append(text)
      return log.read(offset)
    })
    expect(arena).toMatchObject({ pinnedBytes: 8, isCrowded: true })
    expect(log.read(2)).toBeNull()
    held[0]?.release()
    expect(arena.isCrowded).toBe(false)
    expect(join(log.read(2))).toBe('cccc')
  })

  test('a reference given back twice is our bug', () => {
    const arena = new Arena({ slabBytes: 4 })
    const { slab } = arena.append(Buffer.from('aaaa'))
    arena.release(slab)
    arena.clear()
    expect(() => arena.release(slab)).toThrow('once too often')
    expect(() => arena.retain(slab)).toThrow('without references')
    expect(arena).toMatchObject({ hotBytes: 0, pinnedBytes: 0, freeBytes: 0 })
  })

  test('whatever happens, reads are right until released, and everything comes back', () => {
    const step = fc.tuple(
      fc.constantFrom('append', 'append', 'append', 'read', 'release', 'truncate', 'clear', 'written'),
      fc.nat({ max: 2 }),
      fc.nat({ max: 1000 }),
    )
    let reads = 0
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300, size: 'max' }), list => {
        const arena = new Arena({ slabBytes: 64, tailBytes: 256, pinnedBytes: 256 })
        const logs = Array.from({ length: 3 }, () => ({
          tail: arena.tail(),
          batches: [] as { base: number; next: number; text: string }[],
        }))
        const waiting: Slab[] = []
        const held: { records: TailRecords; text: string }[] = []
        const wrong: string[] = []
        let stamp = 0
        for (const [kind, which, size] of list) {
          const log = logs[which]
          if (log === undefined) continue
          const { tail, batches } = log
          const end = batches.at(-1)?.next ?? 0
          if (kind === 'append') {
            const text = String(stamp++).padEnd(size % 90, '.')
            const slice = arena.append(Buffer.from(text))
            waiting.push(slice.slab)
            batches.push({ base: end, next: end + 1 + (size % 3), text })
            tail.push(end, end + 1 + (size % 3), slice)
          } else if (kind === 'read') {
            const offset = size % (end + 1)
            const records = tail.read(offset, { ...all, maxBytes: size })
            if (records === null) continue
            const expected = batches.filter(({ base, next }) => next > offset && base < records.nextOffset)
            if (records.firstOffset !== batches.find(({ next }) => next > offset)?.base) wrong.push('first offset')
            if (records.byteLength > size && expected.length !== 1) wrong.push('size')
            reads++
            held.push({ records, text: records.byteLength === 0 ? '' : expected.map(({ text }) => text).join('') })
          } else if (kind === 'release') held.splice(size % (held.length + 1), 1)[0]?.records.release()
          else if (kind === 'written') for (const slab of waiting.splice(0)) arena.release(slab)
          else if (kind === 'clear') tail.clear()
          else {
            const to = batches[size % (batches.length + 1)]?.base ?? end
            log.batches = batches.filter(({ next }) => next <= to)
            tail.truncateTo(to)
          }
          for (const { records, text } of held) if (join(records) !== text) wrong.push(text)
          for (const each of logs) {
            const { endOffset } = each.tail
            expect(endOffset === -1 || endOffset === each.batches.at(-1)?.next).toBe(true)
          }
          expect(arena.hotBytes).toBeLessThanOrEqual(256)
        }
        expect(wrong).toEqual([])
        for (const { records } of held) records.release()
        for (const slab of waiting) arena.release(slab)
        arena.clear()
        expect(arena).toMatchObject({ hotBytes: 0, pinnedBytes: 0 })
        for (const { tail } of logs) expect(tail.isEmpty).toBe(true)
      }),
      { numRuns: 100 },
    )
    expect(reads).toBeGreaterThan(100)
  })
})
