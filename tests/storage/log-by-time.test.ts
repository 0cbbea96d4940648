// Lookups by time against a naive model: every record in a list. Batches of all codecs and formats, times in any order,
// several segments, sparse and dense indexes, stops and crashes in between.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as header from '../../protocol/records/batch.ts'
import { encodeMessageSet } from '../../protocol/records/legacy.ts'
import { encodeBatch } from '../../protocol/records/record.ts'
import { codecReady, ZSTD } from '../../protocol/records/compression.ts'
import type { Files } from '../../storage/files.ts'
import { memoryFiles } from '../../storage/files-memory.ts'
import type { Log, LogConfig } from '../../storage/log.ts'
import { logFile } from '../../storage/names.ts'
import { append, config, NOW, openLog } from './log-fixtures.ts'

await codecReady(ZSTD)

interface Kept {
  readonly offset: number
  readonly timestamp: number
}

const records = (times: readonly number[]) =>
  times.map(timestamp => ({ key: null, value: Buffer.alloc(20), timestamp }))

/** Compares every lookup that could go wrong: at each time, and just beside it. */
function agree(log: Log, all: readonly Kept[]): void {
  log.write()
  const kept = all.filter(({ offset }) => offset < log.logEndOffset)
  const readable = kept.filter(({ offset }) => offset >= log.logStartOffset)
  const times = new Set([0, ...kept.flatMap(({ timestamp }) => [timestamp - 1, timestamp, timestamp + 1])])
  const asked = [...times].filter(time => time >= 0)
  const found = asked.map(time => [time, atOf(log.offsetForTimestamp(time))])
  expect(found).toEqual(asked.map(time => [time, atOf(readable.find(({ timestamp }) => timestamp >= time) ?? null)]))
  // Kafka looks at whole segments for the greatest: what lies before the start of the log counts as long as it is there.
  if (readable.length < kept.length) return
  const greatest = kept.reduce((most, { timestamp }) => Math.max(most, timestamp), -1)
  expect(atOf(log.maxTimestamp())).toEqual(atOf(kept.find(({ timestamp }) => timestamp === greatest) ?? null))
}

const atOf = (at: Kept | null) => (at === null ? null : [at.offset, at.timestamp])

/** Few distinct times, so that equal ones meet; -1 stands for none. */
const time = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: 0, max: 40 }).map(n => NOW + n * 3) },
  { weight: 1, arbitrary: fc.constant(-1) },
)
const someTimes = fc.array(time, { minLength: 1, maxLength: 5 })

const step = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('batch' as const),
      times: someTimes,
      codec: fc.integer({ min: 0, max: 4 }),
      tellsGreatest: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('roll' as const, 'crash' as const, 'stop' as const, 'start' as const, 'cut' as const),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
)

const settings = fc.record({
  segmentBytes: fc.constantFrom(300, 1000, 1024 * 1024),
  indexIntervalBytes: fc.constantFrom(0, 150, 4096),
  // Changes with a start: smaller indexes than the segments were written with lose nothing.
  segmentIndexBytes: fc.constantFrom(36, 10 * 1024 * 1024),
})

describe('lookups by time', () => {
  test('agree with the list of all records, whatever happens to the log', async () => {
    const property = fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 40 }),
      fc.array(settings, { minLength: 1, maxLength: 3 }),
      fc.constantFrom<LogConfig['timestampType']>('CreateTime', 'LogAppendTime'),
      async (steps, configs, timestampType) => {
        const files = memoryFiles()
        let starts = 0
        let now = NOW
        let logStartOffset = 0
        const open = (cleanShutdown: boolean, recoveryPoint: number) =>
          openLog(files, {
            config: config({ ...configs[starts++ % configs.length], timestampType }),
            cleanShutdown,
            recoveryPoint,
            logStartOffset,
          })
        let log = open(true, 0)
        let all: Kept[] = []
        for (const it of steps) {
          if (it.kind === 'batch') {
            now += 1
            const tells = it.tellsGreatest ? {} : { maxTimestamp: -1 }
            const { firstOffset } = append(
              log,
              encodeBatch({ codec: it.codec, records: records(it.times), ...tells }),
              now,
            )
            for (const [n, given] of it.times.entries()) {
              all.push({ offset: firstOffset + n, timestamp: timestampType === 'CreateTime' ? given : now })
            }
            continue
          }
          log.write()
          if (it.kind === 'roll') log.roll(now)
          else if (it.kind === 'start') log.advanceLogStartOffset(Math.floor(it.share * log.logEndOffset))
          else if (it.kind === 'cut') {
            log.truncateTo(Math.max(log.logStartOffset, Math.floor(it.share * log.logEndOffset)), now)
            all = all.filter(({ offset }) => offset < log.logEndOffset)
          } else if (it.kind === 'stop') {
            ;({ logStartOffset } = log)
            const { logEndOffset } = log
            await log.close(true)
            log = open(true, logEndOffset)
          } else {
            // The process died with everything in the page cache: indexes are made anew from where the last sync was.
            await log.sync()
            ;({ logStartOffset } = log)
            const recoveryPoint = Math.floor(it.share * log.syncedOffset)
            log = open(false, recoveryPoint)
          }
          agree(log, all)
        }
        agree(log, all)
      },
    )
    await fc.assert(property, { numRuns: 60 })
  })

  const inOldFormats = (
    files: Files,
    batches: readonly { magic: 0 | 1; codec: number; times: readonly number[]; type: 'CreateTime' | 'LogAppendTime' }[],
  ) => {
    const all: Kept[] = []
    const sets = batches.map(({ magic, codec, times, type }) => {
      const of = type === 'LogAppendTime' ? times.map(() => Math.max(...times)) : times
      const messages = of.map((timestamp, n) => {
        all.push({ offset: all.length, timestamp: magic === 0 ? -1 : timestamp })
        return { offset: all.length - 1, timestamp: times[n]!, key: null, value: Buffer.from('x') }
      })
      return encodeMessageSet({ magic, codec, messages, timestampType: magic === 1 ? type : 'CreateTime' })
    })
    files.mkdir('topic-0')
    const log = files.open(`topic-0/${logFile(0)}`, 'write')
    log.append([Buffer.concat(sets)])
    log.close()
    return all
  }

  test('are exact in messages of the formats before Kafka 0.11, alone or compressed', () => {
    const old = fc.record({
      magic: fc.constantFrom(0 as const, 1 as const),
      codec: fc.integer({ min: 0, max: 3 }),
      times: someTimes,
      // Uncompressed messages each have a type and a time of their own.
      type: fc.constantFrom('CreateTime' as const, 'LogAppendTime' as const),
    })
    const property = fc.property(fc.array(old, { minLength: 1, maxLength: 8 }), fc.boolean(), (batches, clean) => {
      const files = memoryFiles()
      const own = batches.map(batch => (batch.codec === 0 ? { ...batch, type: 'CreateTime' as const } : batch))
      const all = inOldFormats(files, own)
      const log = openLog(files, { cleanShutdown: clean, config: config({ indexIntervalBytes: 60 }) })
      expect(log.logEndOffset).toBe(all.length)
      // Messages of magic 0 have no time at all: they are not even the greatest of a log without any.
      if (all.every(({ timestamp }) => timestamp === -1) && own[0]!.magic === 0) expect(log.maxTimestamp()).toBe(null)
      else agree(log, all)
    })
    fc.assert(property, { numRuns: 60 })
  })

  test('find what a client left out of the header of a compressed batch', () => {
    const log = openLog(memoryFiles())
    const batch = encodeBatch({ codec: 1, records: records([NOW + 10, NOW + 30, NOW + 20]), maxTimestamp: -1 })
    append(log, batch)
    log.write()
    expect(log.offsetForTimestamp(NOW + 15)).toMatchObject({ offset: 1, timestamp: NOW + 30 })
    const { parts, release } = log.read(0, { maxBytes: 1000, maxOffset: 3, minOneBatch: true })
    expect(header.maxTimestamp(parts[0]!, 0)).toBe(NOW + 30)
    expect(header.isCrcValid(parts[0]!, 0)).toBe(true)
    release()
  })
})
