// Large batches: compaction goes through one in steps, between which everything else may happen.
import { expect, test } from 'vitest'
import * as header from '../../protocol/records/batch.ts'
import { codecReady } from '../../protocol/records/compression.ts'
import { memoryFiles } from '../../storage/files-memory.ts'
import type { Pace } from '../../storage/compaction-options.ts'
import type { Log } from '../../storage/log.ts'
import { batchesIn, compacted, compactOnce, keyed, recordsIn } from './compaction-fixtures.ts'
import { NOW, openLog } from './log-fixtures.ts'

const put = (log: Log, batch: Buffer) => log.append(batch, { leaderEpoch: 0, now: NOW, origin: 'client' })

async function seal(log: Log): Promise<void> {
  log.roll(NOW)
  await log.sync()
}

/** Random enough that what it is compressed to is large, too. */
function values(seed: number): () => string {
  let random = seed
  return () => {
    let text = ''
    for (let n = 0; n < 6; n++) text += (random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0).toString(36)
    return text
  }
}

/** Of 6,000 records a batch, every other of which the second one has again. */
async function largeLog(codec: number, seed: number, prefix = 'k'): Promise<Log> {
  await codecReady(codec)
  const log = openLog(memoryFiles(), { config: compacted({ segmentBytes: 1 << 20 }) })
  const value = values(seed)
  const entries = (step: number) =>
    Array.from({ length: 6000 / step }, (_, n): [string, string] => [`${prefix}${n * step}`, value()])
  put(log, keyed(entries(1), { codec }))
  put(log, keyed(entries(2), { codec }))
  await seal(log)
  return log
}

/** Wants to rest whenever it is asked. */
function restless(rest: () => Promise<void> = () => Promise.resolve()) {
  const seen = { rests: 0, waits: 0 }
  let isRested = false
  const pace: Pace = {
    moved: () => {},
    get isSpent() {
      const isSpent = !isRested
      isRested = false
      return isSpent
    },
    rest: () => {
      isRested = true
      seen.rests++
      return rest()
    },
    during: work => {
      seen.waits++
      return work
    },
  }
  return { pace, seen }
}

test.each([0, 1, 2, 3, 4])('a batch of many records takes many steps (codec %i)', async codec => {
  const [log, twin] = [await largeLog(codec, 7), await largeLog(codec, 7)]
  await compactOnce(twin)
  const { pace, seen } = restless()
  await compactOnce(log, { pace })
  expect(batchesIn(log)).toEqual(batchesIn(twin))
  const kept = recordsIn(log)
  expect(kept).toHaveLength(6000)
  expect([kept[0]!.split('=')[0], kept[3000]!.split('=')[0]]).toEqual(['1 k1', '6000 k0'])
  // Twice through 9,000 records, and once through the 3,000 that stay of the first batch: every other time it goes on.
  expect(seen.rests).toBeGreaterThan(10)
})

test('gzip of a large batch is a thread’s work', async () => {
  const { pace, seen } = restless()
  const log = await largeLog(1, 3)
  await compactOnce(log, { pace })
  const twin = restless()
  await compactOnce(await largeLog(2, 3), { pace: twin.pace })
  // Two batches are expanded twice, one is compressed.
  expect(seen.waits - twin.seen.waits).toBe(5)
})

test('a few bytes that expand to many are large, too', async () => {
  const log = openLog(memoryFiles(), { config: compacted({ segmentBytes: 1 << 20 }) })
  const zeros = '0'.repeat(3_000_000)
  put(log, keyed([['k', zeros]], { codec: 1 }))
  put(log, keyed([['k', zeros]], { codec: 1 }))
  put(log, keyed([['k', 'short']], { codec: 1 }))
  await seal(log)
  expect(log.sizeInBytes).toBeLessThan(20_000)
  const { pace, seen } = restless()
  await compactOnce(log, { pace })
  expect(recordsIn(log)).toEqual(['2 k=short'])
  // Both are expanded twice, beside three syncs of the folder and one of the segment.
  expect(seen.waits).toBe(8)
})

test('two at the same time do not disturb each other', async () => {
  const logs = await Promise.all([largeLog(0, 1, 'a'), largeLog(1, 2, 'b'), largeLog(3, 3, 'c')])
  const alone = await Promise.all([largeLog(0, 1, 'a'), largeLog(1, 2, 'b'), largeLog(3, 3, 'c')])
  for (const log of alone) await compactOnce(log)
  await Promise.all(logs.map(log => compactOnce(log, { pace: restless().pace })))
  logs.forEach((log, n) => expect(batchesIn(log)).toEqual(batchesIn(alone[n]!)))
})

test.each([0, 1])('what ends a run in the middle of a batch leaves all as it was (codec %i)', async codec => {
  const count = async (cutAt: number): Promise<number> => {
    const log = await largeLog(codec, 5)
    const before = recordsIn(log)
    const { pace, seen } = restless(async () => {
      if (seen.rests === cutAt) log.compaction.abort()
    })
    const result = await compactOnce(log, { pace })
    if (seen.rests < cutAt) return seen.rests
    expect(result).toMatchObject({ cleanedOffset: null })
    expect(seen.rests).toBe(cutAt)
    expect(recordsIn(log)).toEqual(before)
    return seen.rests
  }
  const all = await count(1000)
  for (let cutAt = 1; cutAt <= all; cutAt += 3) await count(cutAt)
})

test('a large gzip batch that does not expand ends the run with an error, the log as it was', async () => {
  const files = memoryFiles()
  const log = openLog(files, { config: compacted({ segmentBytes: 1 << 20 }) })
  const value = values(1)
  put(
    log,
    keyed(
      Array.from({ length: 6000 }, (_, n): [string, string] => [`k${n}`, value()]),
      { codec: 1 },
    ),
  )
  await seal(log)
  const path = 'topic-0/00000000000000000000.log'
  const bytes = files.readAll(path)
  bytes.fill(0xff, 60_000, 60_100)
  bytes.writeUInt32BE(header.computeCrc(bytes, 0, bytes.length), header.CRC_FROM - 4)
  const handle = files.open(path, 'write')
  handle.writeAt(bytes, 0)
  handle.close()
  await expect(compactOnce(log)).rejects.toThrow('Invalid gzip data')
  expect(log.offline).toBe(null)
})
