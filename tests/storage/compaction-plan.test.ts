// What is compacted, when, and into how many segments: plans made of facts.
import { expect, test } from 'vitest'
import type { CleanableOptions } from '../../storage/compaction-plan.ts'
import { findCleanable, groupSegments } from '../../storage/compaction-plan.ts'
import { compacted } from './compaction-fixtures.ts'
import { NOW } from './log-fixtures.ts'

/** Ten offsets and 100 bytes each; the last one is active. */
const segments = Array.from({ length: 5 }, (_, n) => ({
  baseOffset: n * 10,
  size: 100,
  firstTimestamp: NOW + n * 1000,
  largestTimestamp: NOW + n * 1000 + 999,
}))

const plan = (o: Partial<CleanableOptions> = {}, config: Parameters<typeof compacted>[0] = {}) =>
  findCleanable(segments, {
    config: compacted({ minCleanableDirtyRatio: 0.5, ...config }),
    now: NOW + 10_000,
    logStartOffset: 0,
    logEndOffset: 50,
    stableOffset: 50,
    syncedOffset: 50,
    cleanedOffset: undefined,
    ...o,
  })

test('dirty is what lies between the checkpoint and the first segment that must stay', () => {
  expect(plan()).toMatchObject({ firstDirtyOffset: 0, firstUncleanableOffset: 40, dirtyRatio: 1, isDue: true })
  expect(plan({ cleanedOffset: 20 })).toMatchObject({ firstDirtyOffset: 20, dirtyRatio: 0.5, isDue: false })
  expect(plan({ cleanedOffset: 10 })).toMatchObject({ cleanableBytes: 300, totalBytes: 400, isDue: true })
  // Of a segment that was mapped in part the rest is dirty, which counts as all of it.
  expect(plan({ cleanedOffset: 15 })).toMatchObject({ cleanableBytes: 300, totalBytes: 500 })
})

test('when all is clean nothing is due, whatever the ratio', () => {
  expect(plan({ cleanedOffset: 40 }, { minCleanableDirtyRatio: 0 })).toMatchObject({ cleanableBytes: 0, isDue: false })
  expect(plan({ cleanedOffset: 50 }, { minCleanableDirtyRatio: 0 })).toMatchObject({ cleanableBytes: 0, isDue: false })
})

test('open transactions, bytes that are not on disk, and young segments stay', () => {
  expect(plan({ stableOffset: 25 }).firstUncleanableOffset).toBe(20)
  expect(plan({ syncedOffset: 10 }).firstUncleanableOffset).toBe(10)
  expect(plan({}, { minCompactionLagMs: 8500 }).firstUncleanableOffset).toBe(10)
  expect(plan({ stableOffset: 5 })).toMatchObject({ firstUncleanableOffset: 0, cleanableBytes: 0, isDue: false })
})

test('records that wait too long are due before the ratio is', () => {
  const changes = { maxCompactionLagMs: 7500 }
  expect(plan({ cleanedOffset: 20 }, changes)).toMatchObject({ overdueMs: 500, dirtyRatio: 0.5, isDue: true })
  expect(plan({ cleanedOffset: 30 }, changes)).toMatchObject({ overdueMs: 0, isDue: false })
})

test('a checkpoint outside the log begins anew', () => {
  expect(plan({ logStartOffset: 20, cleanedOffset: 10 })).toMatchObject({ isReset: true, firstDirtyOffset: 20 })
  expect(plan({ cleanedOffset: 51 })).toMatchObject({ isReset: true, firstDirtyOffset: 0 })
})

test('groups keep within size, index size and offset range', () => {
  const sized = segments.map(({ baseOffset, size }) => ({ baseOffset, size, offsetIndexBytes: 16, timeIndexBytes: 24 }))
  const of = (o: Partial<Parameters<typeof groupSegments>[1]>, list = sized) =>
    groupSegments(list, { segmentBytes: 1000, segmentIndexBytes: 1000, firstUncleanableOffset: 50, ...o }).map(group =>
      group.map(({ baseOffset }) => baseOffset),
    )
  expect(of({})).toEqual([[0, 10, 20, 30, 40]])
  expect(of({ segmentBytes: 250 })).toEqual([[0, 10], [20, 30], [40]])
  expect(of({ segmentIndexBytes: 50 })).toEqual([[0, 10], [20, 30], [40]])
  const far = [0, 2 ** 31 - 5, 2 ** 31 + 5].map((baseOffset, n) => ({ ...sized[n]!, baseOffset }))
  expect(of({ firstUncleanableOffset: 2 ** 31 + 9 }, far)).toEqual([[0], [2 ** 31 - 5, 2 ** 31 + 5]])
})
