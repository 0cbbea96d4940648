// Settings of compaction: each by how a log is compacted with it and without.
import { expect, test } from 'vitest'
import { IncrementalAlterConfigs, Produce } from '../../../protocol/messages/index.ts'
import { encodeBatch } from '../../../protocol/records/record.ts'
import { memoryFiles } from '../../../storage/files-memory.ts'
import type { Files } from '../../../storage/files.ts'
import { recordsIn } from '../../storage/compaction-fixtures.ts'
import { testBroker, type TestBroker } from './harness.ts'
import { withHandles } from './with-handles.ts'

const COMPACTED = { 'cleanup.policy': 'compact', 'internal.segment.bytes': '500' }

async function produce(broker: TestBroker, key: string, value: string | null, sizeOfValue = 0): Promise<void> {
  const text = value === null ? null : Buffer.from(value.padEnd(sizeOfValue, '.'))
  const bytes = encodeBatch({
    timestamp: broker.runtime.clock.now(),
    records: [{ key: Buffer.from(key), value: text }],
  })
  const partitionData = [{ index: 0, records: { byteLength: bytes.length, parts: [bytes] } }]
  const request = { transactionalId: null, acks: -1, timeoutMs: 1000, topicData: [{ name: 't', partitionData }] }
  const reply = broker.ask(Produce, request, 12)
  await broker.runtime.settle()
  expect((await reply)!.responses[0]!.partitionResponses[0]!.errorCode).toBe(0)
}

const logOf = (broker: TestBroker) => broker.opened.broker.partitions.get('t', 0)!.log
const count = (broker: TestBroker): number => recordsIn(logOf(broker)).length
/** Compactions that were brought to their end. */
const runs = (broker: TestBroker): number =>
  broker.runtime.lines.filter(({ message }) => message === 'Log compacted').length

async function fill(broker: TestBroker, keys: number): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- one after the other
  for (let n = 0; n < 50; n++) await produce(broker, `k${n % keys}`, `value ${n}`)
}

interface Case {
  readonly key: string
  readonly value: string
  readonly topic?: Record<string, string>
  readonly beside?: Record<string, string | number>
  readonly probe: (broker: TestBroker, largestRead: () => number) => Promise<unknown>
  readonly without: unknown
  readonly with: unknown
}

const isCompactedAfter =
  (ms: number) =>
  async (broker: TestBroker): Promise<boolean> => {
    await fill(broker, 5)
    await broker.runtime.advanceAsync(ms)
    return count(broker) < 20
  }

/** A map with room for a few keys takes several rounds. */
async function takesRounds(broker: TestBroker): Promise<boolean> {
  await fill(broker, 45)
  await broker.runtime.advanceAsync(100_000)
  return runs(broker) > 2
}

const cases: readonly Case[] = [
  { key: 'log.cleaner.enable', value: 'false', probe: isCompactedAfter(40_000), without: true, with: false },
  { key: 'log.cleaner.threads', value: '0', probe: isCompactedAfter(40_000), without: true, with: false },
  { key: 'log.cleaner.backoff.ms', value: '1000', probe: isCompactedAfter(5000), without: false, with: true },
  {
    key: 'log.cleaner.io.max.bytes.per.second',
    value: '50',
    probe: isCompactedAfter(20_000),
    without: true,
    with: false,
  },
  {
    key: 'log.cleaner.min.cleanable.ratio',
    value: '0.9',
    // After the first round half of the log, about, is clean.
    probe: async broker => {
      await fill(broker, 25)
      await broker.runtime.advanceAsync(20_000)
      const before = runs(broker)
      await fill(broker, 25)
      await broker.runtime.advanceAsync(20_000)
      return [before > 0, runs(broker) > before]
    },
    without: [true, true],
    with: [true, false],
  },
  {
    key: 'log.cleaner.min.compaction.lag.ms',
    value: '100000',
    probe: async broker => {
      const early = await isCompactedAfter(40_000)(broker)
      await broker.runtime.advanceAsync(100_000)
      return [early, count(broker) < 20]
    },
    without: [true, true],
    with: [false, true],
  },
  {
    key: 'log.cleaner.max.compaction.lag.ms',
    value: '30000',
    topic: { 'min.cleanable.dirty.ratio': '1' },
    // Also the active segment is closed for it.
    probe: async broker => {
      await fill(broker, 5)
      await broker.runtime.advanceAsync(20_000)
      const before = runs(broker)
      await fill(broker, 5)
      await broker.runtime.advanceAsync(20_000)
      const early = runs(broker) > before
      await broker.runtime.advanceAsync(60_000)
      await produce(broker, 'k0', 'last')
      await broker.runtime.advanceAsync(60_000)
      return [early, runs(broker) > before]
    },
    without: [false, false],
    with: [false, true],
  },
  {
    key: 'log.cleaner.delete.retention.ms',
    value: '1000',
    topic: { 'min.cleanable.dirty.ratio': '0' },
    probe: async broker => {
      await produce(broker, 'gone', 'value')
      await produce(broker, 'gone', null)
      // The first round gives the marker its time, a later one takes it away.
      for (let n = 0; n < 3; n++) {
        // oxlint-disable no-await-in-loop -- one after the other
        await fill(broker, 5)
        await broker.runtime.advanceAsync(40_000)
        // oxlint-enable no-await-in-loop
      }
      return recordsIn(logOf(broker)).some(text => text.includes('gone'))
    },
    without: true,
    with: false,
  },
  {
    key: 'log.cleaner.dedupe.buffer.size',
    value: '480',
    probe: takesRounds,
    topic: { 'min.cleanable.dirty.ratio': '0' },
    without: false,
    with: true,
  },
  {
    key: 'log.cleaner.io.buffer.load.factor',
    value: '0.1',
    topic: { 'min.cleanable.dirty.ratio': '0' },
    beside: { 'log.cleaner.dedupe.buffer.size': 4800 },
    probe: takesRounds,
    without: false,
    with: true,
  },
  {
    key: 'log.cleaner.io.buffer.size',
    value: '40000',
    topic: { 'internal.segment.bytes': '400000' },
    probe: async (broker, largestRead) => {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      for (let n = 0; n < 90; n++) await produce(broker, `k${n % 5}`, `value ${n}`, 5000)
      await broker.runtime.advanceAsync(20_000)
      expect(runs(broker)).toBe(1)
      return largestRead() <= 40_000
    },
    without: false,
    with: true,
  },
]

/** Files that remember the largest read of the topic's log. */
function watched(files: Files): { files: Files; largestRead: () => number } {
  let largest = 0
  const opening = withHandles(files, (handle, path) => {
    if (!/^t-0\/\d+\.log$/.test(path)) return {}
    return {
      readAt(target, position) {
        largest = Math.max(largest, target.length)
        return handle.readAt(target, position)
      },
    }
  })
  return { files: opening, largestRead: () => largest }
}

test.each(cases)('$key', async ({ key, value, topic = {}, beside = {}, probe, ...expected }) => {
  for (const [config, outcome] of [
    [beside, expected.without],
    [{ ...beside, [key]: value }, expected.with],
  ] as const) {
    const { files, largestRead } = watched(memoryFiles())
    // oxlint-disable no-await-in-loop -- one after the other
    const broker = await testBroker({ files, config })
    await broker.createTopic('t', 1, { ...COMPACTED, ...topic })
    expect([config, await probe(broker, largestRead)]).toEqual([config, outcome])
    expect(broker.runtime.lines.filter(({ level }) => level === 'error')).toEqual([])
    const closing = broker.opened.close()
    await broker.runtime.settle()
    await closing
    // oxlint-enable no-await-in-loop
  }
})

test('log.cleaner.threads, changed while the broker runs, counts at once', async () => {
  const broker = await testBroker({ files: memoryFiles(), config: { 'log.cleaner.threads': 0 } })
  await broker.createTopic('t', 1, COMPACTED)
  await fill(broker, 5)
  await broker.runtime.advanceAsync(40_000)
  expect(count(broker)).toBe(50)
  const configs = [{ name: 'log.cleaner.threads', configOperation: 0, value: '1' }]
  const resources = [{ resourceType: 4, resourceName: '', configs }]
  const changed = broker.ask(IncrementalAlterConfigs, { resources, validateOnly: false })
  await broker.runtime.advanceAsync(1000)
  expect((await changed)!.responses[0]!.errorCode).toBe(0)
  expect(count(broker)).toBeLessThan(20)
})
