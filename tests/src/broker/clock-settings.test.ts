// Settings of what the broker does by the clock, and those of a log that change with a restart only: each by what is done
// with it and without.
import { expect, test } from 'vitest'
import { Produce } from '../../../protocol/messages/index.ts'
import type { Files } from '../../../storage/files.ts'
import { memoryFiles } from '../../../storage/files-memory.ts'
import type { BatchToEncode } from '../../../protocol/records/record.ts'
import { records, testBroker, type TestBroker } from './harness.ts'

const HOUR_MS = 3_600_000

const logOf = (broker: TestBroker) => broker.opened.broker.partitions.get('t', 0)!.log
const nowOf = (broker: TestBroker): number => broker.runtime.clock.now()

async function produce(broker: TestBroker, more: Partial<BatchToEncode> = {}): Promise<void> {
  const data = records(['x'.repeat(100)], { timestamp: nowOf(broker), ...more })
  const topicData = [{ name: 't', partitionData: [{ index: 0, records: data }] }]
  const reply = await broker.ask(Produce, { transactionalId: null, acks: 1, timeoutMs: 1000, topicData }, 12)
  expect(reply!.responses[0]!.partitionResponses[0]!.errorCode).toBe(0)
}

interface Case {
  readonly key: string
  readonly value: number
  readonly beside?: Record<string, string | number>
  readonly topic?: Record<string, string>
  readonly probe: (broker: TestBroker, files: Files) => Promise<unknown>
  readonly without: unknown
  readonly with: unknown
}

/** A closed segment that retention has something against is there; after so long it is gone. */
async function isDropped(broker: TestBroker, firstMs: number, thenMs: number): Promise<boolean> {
  await broker.runtime.advanceAsync(firstMs)
  await produce(broker)
  logOf(broker).roll(nowOf(broker))
  await produce(broker)
  await broker.runtime.advanceAsync(thenMs)
  return logOf(broker).logStartOffset > 0
}

/** How many of ten segments are closed by the second batch, whose timestamp is so much later. */
async function rolled(broker: TestBroker, laterMs: number): Promise<number> {
  let count = 0
  for (let n = 0; n < 10; n++) {
    logOf(broker).roll(nowOf(broker))
    const before = logOf(broker).segmentCount
    // oxlint-disable no-await-in-loop -- one after the other
    await produce(broker, { timestamp: nowOf(broker) - laterMs })
    await produce(broker)
    // oxlint-enable no-await-in-loop
    if (logOf(broker).segmentCount > before) count++
  }
  return count
}

async function remembers(broker: TestBroker, ms: number): Promise<boolean> {
  await produce(broker, { producerId: 1, producerEpoch: 0, baseSequence: 0 })
  await broker.runtime.advanceAsync(ms)
  return [...logOf(broker).producers.activeProducers()].length > 0
}

const cases: readonly Case[] = [
  {
    key: 'log.retention.check.interval.ms',
    value: 1000,
    topic: { 'retention.bytes': '1' },
    probe: broker => isDropped(broker, 30_500, 2000),
    without: false,
    with: true,
  },
  {
    key: 'log.initial.task.delay.ms',
    value: 100,
    topic: { 'retention.bytes': '1' },
    probe: broker => isDropped(broker, 0, 1000),
    without: false,
    with: true,
  },
  {
    key: 'log.retention.minutes',
    value: 2,
    probe: broker => isDropped(broker, 0, 310_000 + 310_000),
    without: false,
    with: true,
  },
  {
    key: 'log.retention.hours',
    value: 1,
    probe: broker => isDropped(broker, 0, HOUR_MS + 310_000),
    without: false,
    with: true,
  },
  { key: 'log.roll.hours', value: 1, probe: broker => rolled(broker, 1.5 * HOUR_MS), without: 0, with: 10 },
  {
    key: 'log.roll.jitter.hours',
    value: 2,
    beside: { 'log.roll.hours': 2 },
    // Up to two hours are taken off: of ten segments some are closed after one, and some are not.
    probe: async broker => {
      const count = await rolled(broker, HOUR_MS)
      return count > 0 && count < 10
    },
    without: false,
    with: true,
  },
  {
    key: 'log.flush.scheduler.interval.ms',
    value: 100,
    // What nobody set flush.ms for waits so long, too.
    probe: async broker => {
      await produce(broker)
      await broker.runtime.advanceAsync(250)
      await broker.runtime.settle()
      return logOf(broker).syncedOffset
    },
    without: 0,
    with: 1,
  },
  {
    key: 'log.flush.offset.checkpoint.interval.ms',
    value: 1000,
    topic: { 'flush.messages': '1' },
    probe: async (broker, files) => {
      await broker.runtime.advanceAsync(30_500)
      await produce(broker)
      await broker.runtime.advanceAsync(2000)
      return files.readAll('recovery-point-offset-checkpoint').toString().includes('t 0 1')
    },
    without: false,
    with: true,
  },
  {
    key: 'producer.id.expiration.check.interval.ms',
    value: 1000,
    beside: { 'producer.id.expiration.ms': 5000 },
    probe: broker => remembers(broker, 7000),
    without: true,
    with: false,
  },
  {
    key: 'producer.id.expiration.ms',
    value: 5000,
    beside: { 'producer.id.expiration.check.interval.ms': 1000 },
    probe: broker => remembers(broker, 7000),
    without: true,
    with: false,
  },
]

test.each(cases)('$key', async ({ key, value, beside = {}, topic = {}, probe, ...expected }) => {
  for (const [config, outcome] of [
    [beside, expected.without],
    [{ ...beside, [key]: value }, expected.with],
  ] as const) {
    const files = memoryFiles()
    // oxlint-disable no-await-in-loop -- one after the other
    const broker = await testBroker({ files, config })
    await broker.createTopic('t', 1, topic)
    expect(await probe(broker, files)).toEqual(outcome)
    await broker.opened.close()
    // oxlint-enable no-await-in-loop
  }
})
