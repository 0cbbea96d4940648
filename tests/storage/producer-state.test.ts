// Idempotence and transactions of one partition (KIP-98, KIP-360, KIP-890), on batches alone.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as header from '../../protocol/records/batch.ts'
import * as errors from '../../protocol/errors.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { formatProducerSnapshot, parseProducerSnapshot } from '../../storage/producer-snapshot.ts'
import { ProducerState } from '../../storage/producer-state.ts'
import type { TxnMarker } from '../../storage/producer-state.ts'
import { batchOf, idempotent, NOW } from './log-fixtures.ts'

const MAX_SEQUENCE = 2 ** 31 - 1
const DAY = 24 * 3600_000

/** A partition that only counts offsets. */
class Partition {
  readonly producers = new ProducerState(DAY)
  end = 0

  /** The offset it got, `again at n` for a duplicate, or the error's name. */
  send(batch: Buffer): number | string {
    try {
      const known = this.producers.check(batch, 0, 'client')
      if (known !== null) return `again at ${known.lastOffset - known.offsetDelta}`
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      return errors.errorOf(error.code).name
    }
    header.setBaseOffset(batch, 0, this.end)
    this.producers.apply(batch, 0)
    const at = this.end
    this.end += header.lastOffsetDelta(batch, 0) + 1
    return at
  }

  mark(producerId: number, epoch: number, o: Partial<TxnMarker> & { version?: number } = {}) {
    const marker = { aborted: false, coordinatorEpoch: 0, timestamp: NOW, ...o }
    try {
      this.producers.checkMarker(producerId, epoch, marker, o.version ?? 0)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      return errors.errorOf(error.code).name
    }
    return this.producers.applyMarker(producerId, epoch, this.end++, marker)
  }
}

const transactional = (producerId: number, producerEpoch: number, baseSequence: number) =>
  batchOf(1, 'v', { producerId, producerEpoch, baseSequence, isTransactional: true })

describe('sequences', () => {
  test('a new producer may begin anywhere; from then on every sequence counts', () => {
    const p = new Partition()
    expect(p.send(idempotent(1, 0, 77, 3))).toBe(0)
    expect(p.send(idempotent(1, 0, 81))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(p.send(idempotent(1, 0, 79))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(p.send(idempotent(1, 0, 80))).toBe(3)
  })

  test('the last five batches are recognised, by first and last sequence', () => {
    const p = new Partition()
    for (let n = 0; n < 6; n++) p.send(idempotent(1, 0, n * 2, 2))
    for (let n = 1; n < 6; n++) expect(p.send(idempotent(1, 0, n * 2, 2))).toBe(`again at ${n * 2}`)
    expect(p.send(idempotent(1, 0, 0, 2))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(p.send(idempotent(1, 0, 10, 1))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(p.end).toBe(12)
  })

  test('wrap from 2^31-1 to 0, at and inside a batch', () => {
    const p = new Partition()
    p.send(idempotent(1, 0, MAX_SEQUENCE - 1, 2))
    expect(p.send(idempotent(1, 0, 0))).toBe(2)
    expect(p.send(idempotent(1, 0, MAX_SEQUENCE - 1, 2))).toBe('again at 0')
    p.send(idempotent(2, 0, MAX_SEQUENCE, 3))
    expect(p.send(idempotent(2, 0, MAX_SEQUENCE, 3))).toBe('again at 3')
    expect(p.send(idempotent(2, 0, 2))).toBe(6)
  })

  test('a higher epoch begins at 0, a lower one is fenced, and nothing of the old epoch is a duplicate', () => {
    const p = new Partition()
    p.send(idempotent(1, 3, 0))
    expect(p.send(idempotent(1, 4, 1))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(p.send(idempotent(1, 4, 0))).toBe(1)
    expect(p.send(idempotent(1, 3, 0))).toBe('INVALID_PRODUCER_EPOCH')
    expect(p.send(idempotent(1, 4, 0))).toBe('again at 1')
  })

  test('an expired producer is a new one; one with an open transaction never expires', () => {
    const p = new Partition()
    p.send(idempotent(1, 5, 0))
    p.send(transactional(2, 0, 0))
    p.producers.expire(NOW + DAY - 1)
    expect(p.producers.size).toBe(2)
    p.producers.expire(NOW + DAY)
    expect(Array.from(p.producers.activeProducers(), entry => entry.producerId)).toEqual([2])
    expect(p.send(idempotent(1, 0, 40))).toBe(2)
  })

  test('any traffic with repeats of the last five: each batch is stored once, in order', () => {
    const event = fc.record({
      producer: fc.integer({ min: 1, max: 3 }),
      count: fc.integer({ min: 1, max: 4 }),
      back: fc.nat({ max: 4 }),
    })
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), fc.integer({ min: 0, max: 30 }), (events, below) => {
        const p = new Partition()
        const sent = new Map<number, { sequence: number; count: number; at: number }[]>()
        for (const { producer, count, back } of events) {
          const batches = sent.get(producer) ?? []
          const old = batches.at(-back)
          if (back > 0 && old !== undefined) {
            expect(p.send(idempotent(producer, 0, old.sequence, old.count))).toBe(`again at ${old.at}`)
            continue
          }
          const last = batches.at(-1)
          const sequence = last ? header.incrementSequence(last.sequence, last.count) : MAX_SEQUENCE - below
          const at = p.end
          expect(p.send(idempotent(producer, 0, sequence, count))).toBe(at)
          sent.set(producer, [...batches, { sequence, count, at }])
        }
      }),
      { numRuns: 100 },
    )
  })
})

describe('transactions', () => {
  test('the first undecided offset is that of the oldest open one', () => {
    const p = new Partition()
    p.send(batchOf(2))
    p.send(transactional(1, 0, 0))
    p.send(transactional(2, 0, 0))
    p.send(transactional(1, 0, 1))
    expect(p.producers.firstUndecidedOffset).toBe(2)
    expect(p.mark(1, 0, { aborted: true })).toEqual({ producerId: 1, firstOffset: 2, lastOffset: 5, aborted: true })
    expect(p.producers.firstUndecidedOffset).toBe(3)
    expect(p.producers.lastStableOffsetAfter({ producerId: 1, firstOffset: 2, lastOffset: 5, aborted: true })).toBe(3)
    // Unstable until its marker is below the high watermark.
    expect(p.producers.firstUnstableOffset(5)).toBe(2)
    expect(p.producers.firstUnstableOffset(6)).toBe(3)
    expect(p.mark(2, 0)).toMatchObject({ firstOffset: 3, aborted: false })
    expect(p.producers.firstUndecidedOffset).toBe(null)
    expect(p.producers.firstUnstableOffset(p.end)).toBe(null)
  })

  test('a marker without a transaction ends nothing, and is remembered by its epoch', () => {
    const p = new Partition()
    expect(p.mark(1, 3)).toBe(null)
    expect(p.send(transactional(1, 2, 0))).toBe('INVALID_PRODUCER_EPOCH')
    expect(p.send(transactional(1, 3, 0))).toBe(1)
  })

  test('a plain batch inside a transaction is refused', () => {
    const p = new Partition()
    p.send(transactional(1, 0, 0))
    expect(p.send(idempotent(1, 0, 1))).toBe('INVALID_TXN_STATE')
  })

  test('markers of an older producer epoch or an older coordinator are refused', () => {
    const p = new Partition()
    p.send(transactional(1, 5, 0))
    expect(p.mark(1, 4)).toBe('INVALID_PRODUCER_EPOCH')
    expect(p.mark(1, 5, { coordinatorEpoch: 7 })).toMatchObject({ firstOffset: 0 })
    p.send(transactional(1, 5, 1))
    expect(p.mark(1, 5, { coordinatorEpoch: 6 })).toBe('TRANSACTION_COORDINATOR_FENCED')
  })

  test('transaction version 2: a marker raises the epoch; the same epoch only repeats a marker', () => {
    const p = new Partition()
    p.send(transactional(1, 5, 0))
    expect(p.mark(1, 5, { version: 2 })).toBe('INVALID_PRODUCER_EPOCH')
    expect(p.mark(1, 6, { version: 2 })).toMatchObject({ firstOffset: 0 })
    expect(p.mark(1, 6, { version: 2 })).toBe(null)
    expect(p.send(transactional(1, 6, 0))).toBe(3)
    expect(p.mark(1, 6, { version: 2 })).toBe('INVALID_PRODUCER_EPOCH')
  })
})

test('a snapshot holds what a restart needs: epoch, remembered batches, open transaction', () => {
  const p = new Partition()
  p.send(idempotent(1, 2, 0, 3))
  p.send(idempotent(1, 2, 3, 2))
  p.send(transactional(2, 0, 0))
  p.mark(3, 1, { coordinatorEpoch: 4 })
  const file = formatProducerSnapshot(p.producers.snapshot())
  const again = new Partition()
  again.end = p.end
  again.producers.load(parseProducerSnapshot(file, 'x'), p.end, NOW)
  expect(again.producers.mapEndOffset).toBe(p.end)
  expect(again.producers.firstUndecidedOffset).toBe(5)
  expect(again.send(idempotent(1, 2, 3, 2))).toBe('again at 3')
  expect(again.send(idempotent(1, 2, 0, 3))).toBe('again at 0')
  expect(again.send(idempotent(1, 2, 5))).toBe(7)
  expect(again.mark(3, 1, { coordinatorEpoch: 3 })).toBe('TRANSACTION_COORDINATOR_FENCED')
  again.producers.load(parseProducerSnapshot(file, 'x'), p.end, NOW + DAY)
  expect(Array.from(again.producers.activeProducers(), entry => entry.producerId)).toEqual([2])
})
