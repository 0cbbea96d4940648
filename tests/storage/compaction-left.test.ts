// What a compaction leaves as it is: segments of which nothing goes keep their files, and nothing is written for them.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { crashFiles, type CrashFiles } from '../../storage/files-crash.ts'
import { verifyFolder } from '../../storage/inspect-verify.ts'
import type { Log } from '../../storage/log.ts'
import { batchesIn, compacted, compactOnce, keyed, marker, recordsIn } from './compaction-fixtures.ts'
import { NOW, openLog } from './log-fixtures.ts'

const put = (log: Log, batch: Buffer) => log.append(batch, { leaderEpoch: 0, now: NOW, origin: 'client' })
const end = (log: Log, batch: Buffer) => log.append(batch, { leaderEpoch: 0, now: NOW, origin: 'coordinator' })
const pad = (text: string): string => text.padEnd(100, '.')

async function seal(log: Log): Promise<void> {
  log.roll(NOW)
  await log.sync()
}

/** The files of the log, with their content. */
const contentOf = (files: CrashFiles): Map<string, string> =>
  new Map(files.list('topic-0').map(name => [name, files.readAll(`topic-0/${name}`).toString('latin1')]))

/** Names of those whose content is another, that came or that went. */
function changed(before: Map<string, string>, after: Map<string, string>): string[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter(name => before.get(name) !== after.get(name) && !name.endsWith('.deleted'))
    .toSorted()
}

/** Four full segments of six keys each, all clean. */
async function cleanLog(files: CrashFiles): Promise<Log> {
  const log = openLog(files, { config: compacted({ segmentBytes: 1200 }) })
  for (let n = 0; n < 24; n++) put(log, keyed([[`key${n}`, pad(`old ${n}`)]]))
  await seal(log)
  expect(log.segmentCount).toBe(5)
  await compactOnce(log)
  return log
}

test('nothing is written for a log of which nothing goes', async () => {
  const files = crashFiles()
  const log = await cleanLog(files)
  const [before, calls] = [contentOf(files), files.calls]
  const result = await compactOnce(log, { cleanedOffset: undefined! })
  expect(result).toMatchObject({
    cleanedOffset: 24,
    counts: { bytesWritten: 0, segmentsBefore: 4, segmentsAfter: 4, segmentsLeft: 4, recordsRead: 24, recordsKept: 24 },
  })
  // Not a byte, no name, no sync.
  expect(files.calls).toBe(calls)
  expect(contentOf(files)).toEqual(before)
})

test('only segments in which a key was written again are written anew', async () => {
  const files = crashFiles()
  const log = await cleanLog(files)
  // The third of the four, at its end: all before it is copied as it is.
  for (const key of ['key17', 'new1', 'new2', 'new3', 'new4', 'new5']) put(log, keyed([[key, pad('new')]]))
  await seal(log)
  const before = contentOf(files)
  const { counts, cleanedOffset } = (await compactOnce(log, { cleanedOffset: 24 }))!
  expect(counts).toMatchObject({ segmentsBefore: 5, segmentsAfter: 5, segmentsLeft: 4 })
  expect(cleanedOffset).toBe(30)
  const third = '00000000000000000012'
  // The index of times says the same as before.
  expect(changed(before, contentOf(files))).toEqual([`${third}.index`, `${third}.log`, `${third}.txnindex`])
  const size = openLog(files, { config: log.config, recoveryPoint: 30 }).segmentBounds[2]!.size
  expect(counts.bytesWritten).toBe(size)
  expect(recordsIn(log).map(record => record.split(' ')[1]!.split('=')[0])).toEqual([
    ...Array.from({ length: 17 }, (_, n) => `key${n}`),
    ...Array.from({ length: 6 }, (_, n) => `key${18 + n}`),
    'key17',
    ...Array.from({ length: 5 }, (_, n) => `new${n + 1}`),
  ])
  await log.sync()
  log.deletePendingFiles(NOW + 1e9)
  expect(verifyFolder(files, 'topic-0')).toEqual([])
})

test('small segments become one all the same', async () => {
  const files = crashFiles()
  const log = openLog(files, { config: compacted({ segmentBytes: 1200 }) })
  for (let n = 0; n < 6; n++) {
    put(log, keyed([[`key${n}`, 'v']]))
    await seal(log)
  }
  expect(log.segmentCount).toBe(7)
  expect((await compactOnce(log))!.counts).toMatchObject({ segmentsBefore: 6, segmentsAfter: 1, segmentsLeft: 0 })
  const { calls } = files
  expect((await compactOnce(log))!.counts).toMatchObject({ segmentsBefore: 1, segmentsAfter: 1, segmentsLeft: 1 })
  expect(files.calls).toBe(calls)
  expect(recordsIn(log)).toHaveLength(6)
})

test('a tombstone gets its horizon, then nothing happens until that has passed', async () => {
  const files = crashFiles()
  const log = openLog(files, { config: compacted({ segmentBytes: 1200, deleteRetentionMs: 1000 }) })
  for (let n = 0; n < 5; n++) put(log, keyed([[`key${n}`, pad('v')]]))
  put(log, keyed([['gone', null]]))
  await seal(log)
  const left = async (now: number) => (await compactOnce(log, { now }))!.counts.segmentsLeft
  expect(await left(NOW)).toBe(0)
  expect(batchesIn(log).at(-1)!.horizon).toBe(NOW + 1000)
  const { calls } = files
  expect(await left(NOW + 999)).toBe(1)
  expect(files.calls).toBe(calls)
  expect(await left(NOW + 1000)).toBe(0)
  expect(recordsIn(log)).toHaveLength(5)
  expect(await left(NOW + 1e6)).toBe(1)
})

test('markers and the index of aborted transactions', async () => {
  const files = crashFiles()
  const log = openLog(files, { config: compacted({ segmentBytes: 2000, deleteRetentionMs: 1000 }) })
  const transactional = { producerId: 5, producerEpoch: 0, isTransactional: true }
  const put5 = (key: string, baseSequence: number) =>
    put(log, keyed([[key, pad('v')]], { ...transactional, baseSequence }))
  const read = () => log.abortedTransactions(0, 100).map(({ firstOffset, lastOffset }) => [firstOffset, lastOffset])
  put5('a', 0)
  end(log, marker(5, 0, 'abort'))
  put5('b', 1)
  end(log, marker(5, 0, 'commit'))
  await seal(log)
  put(log, keyed([['full', '.'.repeat(1800)]]))
  await seal(log)
  const counts = async (now: number) => (await compactOnce(log, { now }))!.counts
  // The aborted records go; in the next run the marker is found to be of no use; then it waits for its horizon, and goes.
  expect(await counts(NOW)).toMatchObject({ segmentsLeft: 1, segmentsBefore: 2 })
  expect(read()).toEqual([[0, 1]])
  expect(await counts(NOW + 1)).toMatchObject({ segmentsLeft: 1 })
  expect(read()).toEqual([])
  expect(batchesIn(log).map(({ lastOffset, horizon }) => [lastOffset, horizon])).toEqual([
    [1, NOW + 1001],
    [2, null],
    [3, null],
    [4, null],
  ])
  expect(await counts(NOW + 1000)).toMatchObject({ segmentsLeft: 2, bytesWritten: 0 })
  expect(await counts(NOW + 1001)).toMatchObject({ segmentsLeft: 1 })
  expect(batchesIn(log).map(({ lastOffset }) => lastOffset)).toEqual([2, 3, 4])
  expect(await counts(NOW + 1e6)).toMatchObject({ segmentsLeft: 2 })
})

test('what comes late in a segment finds the aborted transactions before it in the new index', async () => {
  const files = crashFiles()
  const log = openLog(files, { config: compacted({ segmentBytes: 3000, deleteRetentionMs: 1000 }) })
  // Aborted batches that stay: each is the last of its producer.
  for (let producerId = 1; producerId < 5; producerId++) {
    put(log, keyed([['x', 'v']], { producerId, producerEpoch: 0, isTransactional: true, baseSequence: 0 }))
    end(log, marker(producerId, 0, 'abort'))
  }
  for (let n = 0; n < 10; n++) put(log, keyed([[`key${n}`, pad('v')]]))
  await seal(log)
  const read = () => log.abortedTransactions(0, 100).map(({ producerId }) => producerId)
  await compactOnce(log)
  expect(batchesIn(log).filter(({ count }) => count === 0)).toHaveLength(4)
  expect((await compactOnce(log))!.counts).toMatchObject({ segmentsLeft: 1 })
  put(log, keyed([['key9', '.'.repeat(2900)]]))
  await seal(log)
  expect((await compactOnce(log))!.counts).toMatchObject({ segmentsLeft: 1, segmentsBefore: 2 })
  expect(read()).toEqual([1, 2, 3, 4])
  expect(batchesIn(log).map(({ lastOffset }) => lastOffset)).toEqual([...Array.from({ length: 17 }, (_, n) => n), 18])
  await log.sync()
  log.deletePendingFiles(NOW + 1e9)
  expect(verifyFolder(files, 'topic-0')).toEqual([])
})

test('any log: a run that follows another at the same moment writes only where segments become one', async () => {
  const entry = fc.record({ key: fc.nat(30), isTombstone: fc.nat(5), roll: fc.nat(9) })
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { maxLength: 80 }), fc.integer({ min: 300, max: 900 }), async (entries, bytes) => {
      const files = crashFiles()
      const log = openLog(files, { config: compacted({ segmentBytes: bytes }) })
      for (const { key, isTombstone, roll } of entries) {
        put(log, keyed([[`k${key}`, isTombstone === 0 ? null : `v${key}`]]))
        if (roll === 0) log.roll(NOW)
      }
      await seal(log)
      await compactOnce(log)
      const seen = batchesIn(log)
      // Groups are made of what there was before: what is left may fit together more than once.
      for (let count = log.segmentCount + 1; count > log.segmentCount;) {
        count = log.segmentCount
        const { calls } = files
        const counts = (await compactOnce(log))?.counts
        expect(batchesIn(log)).toEqual(seen)
        if (counts === undefined || counts.segmentsAfter < counts.segmentsBefore) continue
        expect(counts).toMatchObject({ bytesWritten: 0, segmentsLeft: counts.segmentsBefore })
        expect(files.calls).toBe(calls)
      }
    }),
    { numRuns: 60 },
  )
})
