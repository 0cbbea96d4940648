// Offset, time and transaction index: against a plain list, warm and cold, over several files at once.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CorruptFileError } from '../../storage/errors.ts'
import { memoryFiles } from '../../storage/files-memory.ts'
import { OffsetIndex, parseOffsetIndex } from '../../storage/offset-index.ts'
import { parseTimeIndex, TimeIndex } from '../../storage/time-index.ts'
import { TransactionIndex } from '../../storage/txn-index.ts'
import type { AbortedTxn } from '../../storage/txn-index.ts'

type Step = ['append', number] | ['truncate', number] | ['flush' | 'seal' | 'reset']
const steps = fc.array(
  fc.oneof(
    { weight: 100, arbitrary: fc.tuple(fc.constant('append' as const), fc.integer({ min: 1, max: 50 })) },
    { weight: 8, arbitrary: fc.tuple(fc.constant('truncate' as const), fc.integer({ min: 0, max: 2000 })) },
    { weight: 20, arbitrary: fc.tuple(fc.constantFrom('flush' as const, 'seal' as const)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('reset' as const)) },
  ) as fc.Arbitrary<Step>,
  { maxLength: 400, size: 'max' },
)

describe('offset index', () => {
  const open = (baseOffset = 1000, maxBytes = 8192) => {
    const files = memoryFiles()
    return { files, index: new OffsetIndex(files, 'x.index', baseOffset, maxBytes) }
  }

  test('is a sorted list', () => {
    fc.assert(
      fc.property(steps, list => {
        const files = memoryFiles()
        const index = new OffsetIndex(files, 'a', 1000, 1 << 20)
        // A second one shares the scratch page.
        const other = new OffsetIndex(files, 'b', 0, 1 << 20)
        for (let n = 1; n <= 700; n++) other.append(n * 3, n * 7)
        other.seal()
        let model: { offset: number; position: number }[] = []
        for (const [kind, value = 0] of list) {
          const last = model.at(-1) ?? { offset: 1000, position: 0 }
          if (kind === 'append') {
            const entry = { offset: last.offset + value, position: last.position + value * 10 }
            model.push(entry)
            index.append(entry.offset, entry.position)
          } else if (kind === 'truncate') {
            model = model.filter(({ offset }) => offset < 1000 + value)
            index.truncateTo(1000 + value)
          } else if (kind === 'reset') {
            model = []
            index.reset()
          } else index[kind]()
          expect(index.entries).toBe(model.length)
          expect(index.lastOffset).toBe(model.at(-1)?.offset ?? 1000)
          const target = 1000 + value * 40
          expect(other.lookup(value)).toEqual({ offset: value - (value % 3), position: Math.floor(value / 3) * 7 })
          expect(index.lookup(target)).toEqual(
            model.findLast(({ offset }) => offset <= target) ?? { offset: 1000, position: 0 },
          )
          expect(index.firstFrom(value * 100)).toEqual(model.find(({ position }) => position >= value * 100) ?? null)
        }
        index.sanityCheck()
        index.seal()
        expect(files.exists('a')).toBe(true)
        expect(parseOffsetIndex(files.readAll('a'), 1000, 'a')).toEqual(model)
      }),
      { numRuns: 60 },
    )
  })

  test('refuses what cannot be looked up', () => {
    const { index } = open(1000, 24)
    index.append(1001, 10)
    expect(() => index.append(1001, 20)).toThrow(RangeError)
    expect(() => index.append(999, 20)).toThrow(RangeError)
    expect(() => index.append(1000 + 2 ** 31, 20)).toThrow(RangeError)
    expect(index.accepts(1000 + 2 ** 31 - 1)).toBe(true)
    index.append(1000 + 2 ** 31 - 1, 20)
    expect(index.isFull).toBe(false)
    expect(() => index.append(2 ** 33, 30)).toThrow(RangeError)
    expect(index.lookup(Infinity)).toEqual({ offset: 1000 + 2 ** 31 - 1, position: 20 })
  })

  test('is full', () => {
    const { index } = open(0, 23)
    index.append(1, 1)
    index.append(2, 2)
    expect(index.isFull).toBe(true)
    expect(() => index.append(3, 3)).toThrow('full')
  })

  test('touches no file before it must', () => {
    const { files, index } = open()
    expect(index.lookup(5000)).toEqual({ offset: 1000, position: 0 })
    index.append(1001, 5)
    expect(files.list('')).toEqual([])
    index.flush()
    expect(files.readAll('x.index').toString('hex')).toBe('0000000100000005')
    index.release()
    expect(index.lookup(1001)).toEqual({ offset: 1001, position: 5 })
  })

  test.each([
    ['torn', '000000010000000500', 'no multiple of 8'],
    ['zeros behind the entries', '00000001000000050000000000000000', 'do not rise'],
    ['a negative offset', 'ffffffff00000005', 'impossible'],
    ['a negative position', '00000001ffffffff', 'impossible'],
  ])('sanity check: %s', (_, hex, reason) => {
    const { files, index } = open()
    files.writeAtomic('x.index', Buffer.from(hex, 'hex'))
    expect(() => index.sanityCheck()).toThrow(CorruptFileError)
    expect(() => index.sanityCheck()).toThrow(reason)
    index.reset()
    index.sanityCheck()
    index.append(1003, 9)
    index.flush()
    expect(files.readAll('x.index').toString('hex')).toBe('0000000300000009')
  })

  test('what a crash of Apache Kafka leaves', () => {
    expect(parseOffsetIndex(Buffer.alloc(80), 5, 'x')).toEqual([])
    const data = Buffer.alloc(80)
    data.writeInt32BE(3, 0)
    data.writeInt32BE(7, 4)
    expect(parseOffsetIndex(data, 5, 'x')).toEqual([{ offset: 8, position: 7 }])
  })
})

describe('time index', () => {
  test('is a sorted list', () => {
    fc.assert(
      fc.property(steps, list => {
        const files = memoryFiles()
        const index = new TimeIndex(files, 'a', 1000, 1 << 20)
        let model: { timestamp: number; offset: number }[] = []
        for (const [kind, value = 0] of list) {
          const last = model.at(-1) ?? { timestamp: 0, offset: 1000 }
          if (kind === 'append') {
            const entry = { timestamp: last.timestamp + (value % 5) * 1e12, offset: last.offset + value }
            if (entry.timestamp > (model.at(-1)?.timestamp ?? -1)) model.push(entry)
            index.maybeAppend(entry.timestamp, entry.offset)
          } else if (kind === 'truncate') {
            model = model.filter(({ offset }) => offset < 1000 + value)
            index.truncateTo(1000 + value)
          } else if (kind === 'reset') {
            model = []
            index.reset()
          } else index[kind]()
          expect(index.entries).toBe(model.length)
          expect(index.lastEntry).toEqual(model.at(-1) ?? { timestamp: -1, offset: 1000 })
          const target = value * 7e12
          expect(index.lookup(target)).toEqual(
            model.findLast(({ timestamp }) => timestamp <= target) ?? { timestamp: -1, offset: 1000 },
          )
        }
        index.sanityCheck()
        index.seal()
        expect(parseTimeIndex(files.readAll('a'), 1000, 'a')).toEqual(model)
      }),
      { numRuns: 60 },
    )
  })

  test('keeps a slot for the entry that closes the segment', () => {
    const index = new TimeIndex(memoryFiles(), 'x', 0, 36)
    index.maybeAppend(1, 1)
    index.maybeAppend(2, 2)
    expect(index.isFull).toBe(true)
    expect(() => index.maybeAppend(3, 3)).toThrow('full')
    index.maybeAppend(3, 3, true)
    expect(index.lastEntry).toEqual({ timestamp: 3, offset: 3 })
    expect(() => index.maybeAppend(2, 4, true)).toThrow('below the last entry')
    expect(() => index.maybeAppend(4, 2, true)).toThrow('below the last entry')
    index.maybeAppend(3, 9, true)
    expect(index.entries).toBe(3)
  })

  test.each([
    ['torn', '00', 'no multiple of 12'],
    ['zeros', `000000000000000500000001${'00'.repeat(12)}`, 'impossible'],
    ['not rising', '000000000000000500000001000000000000000500000002', 'do not rise'],
  ])('sanity check: %s', (_, hex, reason) => {
    const files = memoryFiles()
    files.writeAtomic('x', Buffer.from(hex, 'hex'))
    expect(() => new TimeIndex(files, 'x', 0, 100).sanityCheck()).toThrow(reason)
  })

  test('zeros that a crash of Apache Kafka leaves, and an entry of zeros that is one', () => {
    expect(parseTimeIndex(Buffer.alloc(48), 5, 'x')).toEqual([])
    expect(parseTimeIndex(Buffer.alloc(12), 5, 'x')).toEqual([{ timestamp: 0, offset: 5 }])
  })
})

describe('transaction index', () => {
  const txn = (producerId: number, firstOffset: number, lastOffset: number, lastStableOffset: number): AbortedTxn => ({
    producerId,
    firstOffset,
    lastOffset,
    lastStableOffset,
  })
  const all = [txn(1, 0, 10, 0), txn(2, 5, 12, 0), txn(1, 20, 25, 20), txn(3, 22, 40, 30)]
  const filled = () => {
    const files = memoryFiles()
    const index = new TransactionIndex(files, 'x.txnindex', 0)
    for (const entry of all) index.append(entry)
    return { files, index }
  }

  test('takes more entries at once than a call takes arguments', () => {
    const index = new TransactionIndex(memoryFiles(), 'x.txnindex', 0)
    const entry = (n: number) => ({ producerId: 1, firstOffset: 2 * n, lastOffset: 2 * n + 1, lastStableOffset: 2 * n })
    index.begin()
    index.appendAll(Array.from({ length: 200_000 }, (_, n) => entry(n)))
    expect(index.entries.length).toBe(200_000)
    expect(index.entries.at(-1)).toEqual(entry(199_999))
  })

  const collect = (index: TransactionIndex, from: number, to: number) => {
    const found: AbortedTxn[] = []
    const complete = index.collect(from, to, found)
    return { complete, ids: found.map(({ producerId }) => producerId) }
  }

  test('exists once something was aborted', () => {
    const files = memoryFiles()
    const index = new TransactionIndex(files, 'x.txnindex', 0)
    index.sanityCheck()
    index.reset()
    index.truncateTo(0)
    expect(index.entries).toEqual([])
    expect(files.list('')).toEqual([])
    expect(filled().files.size('x.txnindex')).toBe(4 * 34)
  })

  test('collects what overlaps', () => {
    const { index } = filled()
    expect(collect(index, 0, 5)).toEqual({ complete: true, ids: [1] })
    expect(collect(index, 11, 21)).toEqual({ complete: true, ids: [2, 1] })
    expect(collect(index, 26, 100)).toEqual({ complete: false, ids: [3] })
    expect(collect(index, 41, 100)).toEqual({ complete: false, ids: [] })
    expect(collect(index, 41, 30)).toEqual({ complete: true, ids: [] })
  })

  test('is cut, and read again after release', async () => {
    const { files, index } = filled()
    index.truncateTo(26)
    expect(index.entries).toEqual(all.slice(0, 3))
    index.release()
    expect(index.entries).toEqual(all.slice(0, 3))
    index.truncateTo(25)
    index.append(txn(9, 1, 26, 3))
    await index.sync()
    index.release()
    expect(index.entries).toEqual([...all.slice(0, 2), txn(9, 1, 26, 3)])
    expect(() => index.append(txn(9, 1, 26, 3))).toThrow(RangeError)
    index.reset()
    expect(files.size('x.txnindex')).toBe(0)
  })

  test('damage is noticed', () => {
    const { files, index } = filled()
    index.release()
    const data = files.readAll('x.txnindex')
    files.writeAtomic('x.txnindex', data.subarray(1))
    expect(() => index.entries).toThrow('no multiple of 34')
    data[1] = 1
    files.writeAtomic('x.txnindex', data)
    expect(() => index.entries).toThrow('unknown version 1')
    expect(() => new TransactionIndex(filled().files, 'x.txnindex', 11).sanityCheck()).toThrow('below 11')
  })
})
