// Compaction of one log: what stays, what goes, and when.
import { expect, test } from 'vitest'
import { crashFiles } from '../../storage/files-crash.ts'
import { memoryFiles } from '../../storage/files-memory.ts'
import { verifyFolder } from '../../storage/inspect-verify.ts'
import type { Log } from '../../storage/log.ts'
import { batchesIn, compacted, compactOnce, keyed, marker, recordsIn } from './compaction-fixtures.ts'
import { NOW, openLog } from './log-fixtures.ts'

const put = (log: Log, batch: Buffer, now = NOW) => log.append(batch, { leaderEpoch: 0, now, origin: 'client' })
const end = (log: Log, batch: Buffer) => log.append(batch, { leaderEpoch: 0, now: NOW, origin: 'coordinator' })

async function seal(log: Log): Promise<void> {
  log.roll(NOW)
  await log.sync()
}

test('of each key the newest record stays, with its offset', async () => {
  const files = memoryFiles()
  const log = openLog(files, { config: compacted() })
  for (let n = 0; n < 100; n++)
    put(
      log,
      keyed([
        [`k${n % 7}`, `v${n}`],
        ['same', `s${n}`],
      ]),
    )
  await seal(log)
  put(log, keyed([['k1', 'active']]))
  const before = log.sizeInBytes
  const result = await compactOnce(log)
  expect(result!.cleanedOffset).toBe(200)
  expect(recordsIn(log)).toEqual([
    '186 k2=v93',
    '188 k3=v94',
    '190 k4=v95',
    '192 k5=v96',
    '194 k6=v97',
    '196 k0=v98',
    '198 k1=v99',
    '199 same=s99',
    '200 k1=active',
  ])
  // A batch comes as a whole.
  expect(recordsIn(log, 195)).toEqual(recordsIn(log, 194))
  expect(recordsIn(log, 196)).toEqual(['196 k0=v98', '198 k1=v99', '199 same=s99', '200 k1=active'])
  expect(log.sizeInBytes).toBeLessThan(before / 5)
  expect(log.segmentCount).toBe(11)
  await log.sync()
  log.deletePendingFiles(NOW + 1e9)
  expect(verifyFolder(files, 'topic-0')).toEqual([])
  await log.close(true)
  const again = openLog(files, { config: compacted(), recoveryPoint: 201 })
  expect(recordsIn(again)).toHaveLength(9)
  // A scan finds the same.
  const scanned = openLog(files, { config: compacted(), cleanShutdown: false })
  expect(recordsIn(scanned)).toHaveLength(9)
})

test('a tombstone stays for delete.retention.ms after it was first met, then goes', async () => {
  const log = openLog(memoryFiles(), { config: compacted({ deleteRetentionMs: 1000 }) })
  put(
    log,
    keyed([
      ['a', '1'],
      ['b', '1'],
    ]),
  )
  put(
    log,
    keyed([
      ['a', null],
      ['c', '1'],
    ]),
  )
  await seal(log)
  await compactOnce(log)
  expect(recordsIn(log)).toEqual(['1 b=1', '2 a=null', '3 c=1'])
  expect(batchesIn(log).map(({ horizon }) => horizon)).toEqual([null, NOW + 1000])
  put(log, keyed([['d', '1']]))
  await seal(log)
  await compactOnce(log, { now: NOW + 999, cleanedOffset: 4 })
  expect(recordsIn(log)).toEqual(['1 b=1', '2 a=null', '3 c=1', '4 d=1'])
  put(log, keyed([['e', '1']]))
  await seal(log)
  await compactOnce(log, { now: NOW + 1000, cleanedOffset: 5 })
  expect(recordsIn(log)).toEqual(['1 b=1', '3 c=1', '4 d=1', '5 e=1'])
  // The horizon stays in the batch, and timestamps are as they were.
  expect(log.offsetForTimestamp(NOW)).toMatchObject({ offset: 1, timestamp: NOW })
})

test('aborted records go at once, their marker when it has nothing left to say', async () => {
  const log = openLog(memoryFiles(), { config: compacted({ deleteRetentionMs: 1000 }) })
  const transactional = { producerId: 5, producerEpoch: 0, isTransactional: true }
  put(log, keyed([['a', 'committed']], { ...transactional, baseSequence: 0 }))
  end(log, marker(5, 0, 'commit'))
  put(
    log,
    keyed(
      [
        ['a', 'aborted'],
        ['b', 'aborted'],
      ],
      { ...transactional, baseSequence: 1 },
    ),
  )
  end(log, marker(5, 0, 'abort'))
  put(log, keyed([['c', '1']], { ...transactional, baseSequence: 3 }))
  end(log, marker(5, 0, 'commit'))
  await seal(log)
  put(log, keyed([['c', '2']]))
  await seal(log)
  await compactOnce(log)
  expect(recordsIn(log)).toEqual(['0 a=committed', '7 c=2'])
  // The producer's last batch is kept for its sequence; markers stay: their batches were there.
  expect(batchesIn(log).map(b => [b.lastOffset, b.count, b.isControl, b.lastSequence])).toEqual([
    [0, 1, false, 0],
    [1, 1, true, -1],
    [4, 1, true, -1],
    [5, 0, false, 3],
    [6, 1, true, -1],
    [7, 1, false, -1],
  ])
  expect(log.abortedTransactions(0, 8)).toMatchObject([{ producerId: 5, firstOffset: 2, lastOffset: 4 }])
  put(log, keyed([['d', '2']]))
  await seal(log)
  await compactOnce(log, { cleanedOffset: 8, now: NOW + 5 })
  expect(batchesIn(log).map(b => [b.lastOffset, b.horizon])).toEqual([
    [0, null],
    [1, null],
    [4, NOW + 1005],
    [5, null],
    [6, null],
    [7, null],
    [8, null],
  ])
  expect(log.abortedTransactions(0, 8)).toEqual([])
  put(log, keyed([['a', '2']]))
  await seal(log)
  await compactOnce(log, { cleanedOffset: 9, now: NOW + 1005 })
  await compactOnce(log, { cleanedOffset: 0, now: NOW + 1005 })
  expect(batchesIn(log).map(b => b.lastOffset)).toEqual([1, 5, 6, 7, 8, 9])
})

test.each([0, 1, 2, 3])('batches keep their codec (%i)', async codec => {
  const log = openLog(memoryFiles(), { config: compacted() })
  for (let n = 0; n < 20; n++) {
    put(
      log,
      keyed(
        [
          ['x', `${n}`],
          [`k${n % 3}`, `v${n}`],
          [`own${n}`, 'o'],
        ],
        { codec },
      ),
    )
  }
  await seal(log)
  await compactOnce(log)
  expect(recordsIn(log).slice(-5)).toEqual(['55 k0=v18', '56 own18=o', '57 x=19', '58 k1=v19', '59 own19=o'])
  expect(batchesIn(log)).toHaveLength(20)
  expect(batchesIn(log).every(batch => batch.codec === codec && batch.lastOffset - batch.baseOffset === 2)).toBe(true)
})

test('a map that is full: the rest of the log waits for the next run', async () => {
  const log = openLog(memoryFiles(), { config: compacted() })
  for (let n = 0; n < 60; n++) put(log, keyed([[`k${n % 20}`, `v${n}`]]))
  await seal(log)
  // 13 slots, filled to nine tenths.
  let cleanedOffset = (await compactOnce(log, { mapBytes: 13 * 24 }))!.cleanedOffset!
  expect(cleanedOffset).toBe(11)
  expect(recordsIn(log)).toHaveLength(60)
  for (let n = 0; n < 20 && cleanedOffset < 60; n++) {
    cleanedOffset = (await compactOnce(log, { mapBytes: 13 * 24, cleanedOffset }))!.cleanedOffset!
  }
  expect(cleanedOffset).toBe(60)
  expect(recordsIn(log)).toHaveLength(20)
})

test('what cuts the log ends a run and leaves no file of it', async () => {
  for (const cut of [
    (log: Log) => log.truncateTo(5, NOW),
    (log: Log) => log.truncateFullyAndStartAt(5, NOW),
    (log: Log) => void log.delete(),
    (log: Log) => log.configure(compacted({ cleanupPolicy: { compact: false, delete: true } })),
    (log: Log) => log.closeNow(true),
  ]) {
    const files = crashFiles()
    const log = openLog(files, { config: compacted() })
    for (let n = 0; n < 60; n++) put(log, keyed([[`k${n % 20}`, `v${n}`]]))
    await seal(log)
    const held = files.holdSyncs()
    const running = compactOnce(log)
    await Promise.resolve()
    cut(log)
    held()
    expect(await running).toMatchObject({ cleanedOffset: null })
    const folder = files.list('').find(name => name.startsWith('topic-0'))!
    const kept = folder === 'topic-0' ? files.list(folder) : []
    expect(kept.filter(name => /cleaned|swap/.test(name))).toEqual([])
  }
})

test('retention waits for a run', async () => {
  const files = crashFiles()
  const log = openLog(files, { config: compacted({ cleanupPolicy: { compact: true, delete: true }, retentionMs: 1 }) })
  for (let n = 0; n < 60; n++) put(log, keyed([[`k${n % 20}`, `v${n}`]]))
  await seal(log)
  const held = files.holdSyncs()
  const running = compactOnce(log)
  await Promise.resolve()
  expect(log.applyRetention(NOW + 1e6)).toBe(0)
  held()
  expect((await running)!.cleanedOffset).toBe(60)
  expect(log.applyRetention(NOW + 1e6)).toBe(5)
})
