// Every setting of a log: its effect when it is the broker's from the start, set for all topics while the broker runs,
// or set for one topic, and after a restart. Each probe looks at what the log did, not at what it was told.
import type { Files } from '../../../storage/files.ts'
import type { TestBroker } from './harness.ts'
import { expect, test } from 'vitest'
import { INVALID_RECORD, INVALID_TIMESTAMP, MESSAGE_TOO_LARGE, NONE } from '../../../protocol/errors.ts'
import { IncrementalAlterConfigs, Produce } from '../../../protocol/messages/index.ts'
import * as batch from '../../../protocol/records/batch.ts'
import { codecReady, compress, decompress, GZIP, LZ4, ZSTD } from '../../../protocol/records/compression.ts'
import { memoryFiles } from '../../../storage/files-memory.ts'
import { records, testBroker } from './harness.ts'

const logOf = (broker: TestBroker) => broker.opened.broker.partitions.get('t', 0)!.log
const nowOf = (broker: TestBroker): number => broker.runtime.clock.now()

async function produce(broker: TestBroker, text: string, more: object = {}) {
  const data = records([text], { timestamp: nowOf(broker), ...more })
  const topicData = [{ name: 't', partitionData: [{ index: 0, records: data }] }]
  const reply = await broker.ask(Produce, { transactionalId: null, acks: 1, timeoutMs: 1000, topicData }, 12)
  return reply!.responses[0]!.partitionResponses[0]!
}

const errorOf = async (broker: TestBroker, text: string, more: object = {}): Promise<number> =>
  (await produce(broker, text, more)).errorCode

/** The batch that was written last, as it is stored. */
function stored(broker: TestBroker): Buffer {
  const log = logOf(broker)
  const end = log.logEndOffset
  const found = log.read(end - 1, { maxBytes: 1, maxOffset: end, minOneBatch: true })
  const bytes = Buffer.concat(found.parts)
  found.release?.()
  return bytes
}

async function rolls(broker: TestBroker, step: () => Promise<unknown>, times: number): Promise<boolean> {
  // Before it: what was written under another setting.
  logOf(broker).roll(nowOf(broker))
  const before = logOf(broker).segmentCount
  for (let n = 0; n < times; n++) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await step()
  }
  return logOf(broker).segmentCount > before
}

const words = ['partition', 'leader', 'epoch', 'offset', 'record', 'batch', 'segment', 'replica', 'index', 'broker']
const text = Array.from({ length: 4000 }, (_, n) => words[(n * n * 7 + ((n * 2_654_435_761) >>> 7)) % 10]).join(' ')

/** What is stored, as a share of what the codec's default level would have made of it. */
async function storedShare(broker: TestBroker, codec: number): Promise<number> {
  await codecReady(codec)
  await produce(broker, text)
  const bytes = stored(broker)
  const payload = bytes.subarray(batch.HEADER_SIZE, batch.sizeInBytes(bytes, 0))
  expect(batch.codec(bytes, 0)).toBe(codec)
  return payload.length / compress(codec, decompress(codec, payload, 1 << 20)).length
}

/** Whether segments that are over 100 bytes and ten seconds old are gone after the next look. */
async function retained(broker: TestBroker): Promise<boolean> {
  const log = logOf(broker)
  await produce(broker, 'x'.repeat(300))
  log.roll(nowOf(broker))
  await produce(broker, 'y')
  await broker.runtime.advanceAsync(310_000)
  return log.logStartOffset < log.logEndOffset - 1
}

interface Case {
  readonly topic?: string
  readonly broker: string
  /** As text for the broker's key, and for the topic's. */
  readonly value: string
  readonly probe: (broker: TestBroker) => Promise<unknown>
  readonly without: unknown
  readonly with: unknown
  /** Other settings of the topic. */
  readonly beside?: Record<string, string>
}

const cases: readonly Case[] = [
  {
    topic: 'max.message.bytes',
    broker: 'message.max.bytes',
    value: '1000',
    probe: broker => errorOf(broker, 'x'.repeat(2000)),
    without: NONE,
    with: MESSAGE_TOO_LARGE,
  },
  {
    topic: 'max.decompressed.message.bytes',
    broker: 'max.decompressed.message.bytes',
    value: '1000',
    probe: async broker => [
      await errorOf(broker, 'x'.repeat(1100), { codec: GZIP }),
      await errorOf(broker, 'x'.repeat(900), { codec: GZIP }),
      await errorOf(broker, 'x'.repeat(1100)),
    ],
    without: [NONE, NONE, NONE],
    with: [INVALID_RECORD, NONE, NONE],
  },
  {
    topic: 'segment.bytes',
    broker: 'log.segment.bytes',
    value: '1048576',
    probe: broker => rolls(broker, () => produce(broker, 'x'.repeat(600_000)), 2),
    without: false,
    with: true,
  },
  {
    topic: 'segment.ms',
    broker: 'log.roll.ms',
    value: '5000',
    probe: broker =>
      rolls(
        broker,
        async () => {
          await produce(broker, 'x')
          await broker.runtime.advanceAsync(6000)
        },
        2,
      ),
    without: false,
    with: true,
  },
  {
    topic: 'segment.jitter.ms',
    broker: 'log.roll.jitter.ms',
    value: '99000',
    // A segment's part of the jitter is drawn when it begins: of ten, some are closed at half the time.
    probe: async broker => {
      let early = 0
      const step = async (): Promise<void> => {
        await produce(broker, 'x')
        await broker.runtime.advanceAsync(50_000)
      }
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      for (let n = 0; n < 10; n++) if (await rolls(broker, step, 2)) early++
      return early > 0
    },
    without: false,
    with: true,
    beside: { 'segment.ms': '100000' },
  },
  {
    topic: 'segment.index.bytes',
    broker: 'log.index.size.max.bytes',
    value: '24',
    probe: broker => rolls(broker, () => produce(broker, 'x'.repeat(5000)), 6),
    without: false,
    with: true,
  },
  {
    topic: 'index.interval.bytes',
    broker: 'log.index.interval.bytes',
    value: '1000000',
    // With few entries even a small index is never full.
    probe: broker => rolls(broker, () => produce(broker, 'x'.repeat(5000)), 6),
    without: true,
    with: false,
    beside: { 'segment.index.bytes': '24' },
  },
  { topic: 'retention.ms', broker: 'log.retention.ms', value: '10000', probe: retained, without: true, with: false },
  { topic: 'retention.bytes', broker: 'log.retention.bytes', value: '10', probe: retained, without: true, with: false },
  {
    topic: 'file.delete.delay.ms',
    broker: 'log.segment.delete.delay.ms',
    value: '900000',
    // By default a file goes a minute after its segment; what was dropped before keeps the delay of that time.
    probe: async broker => {
      await broker.runtime.advanceAsync(1_000_000)
      await retained(broker)
      await broker.runtime.advanceAsync(100_000)
      return filesOf
        .get(broker)!
        .list('t-0')
        .some(name => name.endsWith('.log.deleted'))
    },
    without: false,
    with: true,
    beside: { 'retention.ms': '10000' },
  },
  {
    topic: 'cleanup.policy',
    broker: 'log.cleanup.policy',
    value: '',
    probe: retained,
    without: false,
    with: true,
    beside: { 'retention.ms': '10000' },
  },
  {
    topic: 'flush.messages',
    broker: 'log.flush.interval.messages',
    value: '1',
    probe: async broker => {
      await produce(broker, 'x')
      return logOf(broker).syncedOffset === logOf(broker).logEndOffset
    },
    without: false,
    with: true,
  },
  {
    topic: 'flush.ms',
    broker: 'log.flush.interval.ms',
    value: '2000',
    probe: async broker => {
      await produce(broker, 'x')
      await broker.runtime.advanceAsync(4000)
      await broker.runtime.settle()
      return logOf(broker).syncedOffset === logOf(broker).logEndOffset
    },
    without: false,
    with: true,
  },
  {
    topic: 'message.timestamp.type',
    broker: 'log.message.timestamp.type',
    value: 'LogAppendTime',
    probe: async broker => {
      const { logAppendTimeMs } = await produce(broker, 'x', { timestamp: nowOf(broker) - 5 })
      return [logAppendTimeMs < 0 ? 'none' : logAppendTimeMs - nowOf(broker), batch.timestampType(stored(broker), 0)]
    },
    without: ['none', 'CreateTime'],
    with: [0, 'LogAppendTime'],
  },
  {
    topic: 'message.timestamp.before.max.ms',
    broker: 'log.message.timestamp.before.max.ms',
    value: '5000',
    probe: broker => errorOf(broker, 'x', { timestamp: nowOf(broker) - 5001 }),
    without: NONE,
    with: INVALID_TIMESTAMP,
  },
  {
    topic: 'message.timestamp.after.max.ms',
    broker: 'log.message.timestamp.after.max.ms',
    value: '5000',
    probe: broker => errorOf(broker, 'x', { timestamp: nowOf(broker) + 5001 }),
    without: NONE,
    with: INVALID_TIMESTAMP,
  },
  {
    topic: 'compression.type',
    broker: 'compression.type',
    value: 'lz4',
    probe: async broker => {
      await produce(broker, 'x')
      return batch.codec(stored(broker), 0)
    },
    without: 0,
    with: 3,
  },
  {
    topic: 'compression.gzip.level',
    broker: 'compression.gzip.level',
    value: '1',
    probe: async broker => (await storedShare(broker, GZIP)) > 1.01,
    without: false,
    with: true,
    beside: { 'compression.type': 'gzip' },
  },
  {
    topic: 'compression.lz4.level',
    broker: 'compression.lz4.level',
    value: '12',
    probe: async broker => (await storedShare(broker, LZ4)) < 0.99,
    without: false,
    with: true,
    beside: { 'compression.type': 'lz4' },
  },
  {
    topic: 'compression.zstd.level',
    broker: 'compression.zstd.level',
    value: '-50',
    probe: async broker => (await storedShare(broker, ZSTD)) > 1.01,
    without: false,
    with: true,
    beside: { 'compression.type': 'zstd' },
  },
  {
    broker: 'producer.id.expiration.ms',
    value: '1000',
    probe: async broker => {
      const producerId = 1000 + logOf(broker).logEndOffset
      await produce(broker, 'x', { producerId, producerEpoch: 0, baseSequence: 0 })
      await broker.runtime.advanceAsync(650_000)
      return [...logOf(broker).producers.activeProducers()].length > 0
    },
    without: true,
    with: false,
  },
]

async function set(broker: TestBroker, resourceType: number, resourceName: string, name: string, value: string | null) {
  const configs = [{ name, configOperation: value === null ? 1 : 0, value }]
  const resources = [{ resourceType, resourceName, configs }]
  const reply = await broker.ask(IncrementalAlterConfigs, { resources, validateOnly: false })
  expect(reply!.responses[0]!.errorMessage).toBe(null)
  expect(reply!.responses[0]!.errorCode).toBe(NONE)
}

const filesOf = new WeakMap<TestBroker, Files>()

async function start(files: Files, more: object = {}): Promise<TestBroker> {
  const broker = await testBroker({ files, config: { 'odradek.tail.cache.bytes': 4_194_304, ...more } })
  filesOf.set(broker, files)
  return broker
}

test.each(cases)('$broker', async ({ broker: key, topic, value, probe, beside, ...expected }) => {
  const started = await start(memoryFiles(), { [key]: value })
  await started.createTopic('t', 1, beside)
  expect(await probe(started), 'from the start').toEqual(expected.with)
  await started.opened.close()

  const ways: [type: number, name: string, key: string][] = [[4, '', key]]
  if (topic !== undefined) ways.push([2, 't', topic])
  for (const way of ways) {
    const files = memoryFiles()
    // oxlint-disable no-await-in-loop -- one after the other
    const first = await start(files)
    await first.createTopic('t', 1, beside)
    expect(await probe(first), `${way[2]}: before`).toEqual(expected.without)
    await set(first, ...way, value)
    expect(await probe(first), `${way[2]}: changed`).toEqual(expected.with)
    await first.opened.close()

    const second = await start(files)
    expect(await probe(second), `${way[2]}: after a restart`).toEqual(expected.with)
    await set(second, ...way, null)
    expect(await probe(second), `${way[2]}: taken back`).toEqual(expected.without)
    await second.opened.close()
    // oxlint-enable no-await-in-loop
  }
})

// What compaction does with them is tested in tests/storage/compaction*.test.ts: here, that the log has them.
test.each([
  ['log.cleaner.delete.retention.ms', 'delete.retention.ms', 'deleteRetentionMs', 9, 7],
  ['log.cleaner.min.compaction.lag.ms', 'min.compaction.lag.ms', 'minCompactionLagMs', 9, 7],
  ['log.cleaner.max.compaction.lag.ms', 'max.compaction.lag.ms', 'maxCompactionLagMs', 9, 7],
  ['log.cleaner.min.cleanable.ratio', 'min.cleanable.dirty.ratio', 'minCleanableDirtyRatio', 0.9, 0],
] as const)('%s reaches the log', async (key, topic, field, started, own) => {
  const files = memoryFiles()
  const first = await start(files, { [key]: started })
  await first.createTopic('t')
  expect(logOf(first).config[field]).toBe(started)
  await set(first, 4, '', key, '1')
  expect(logOf(first).config[field]).toBe(1)
  await set(first, 2, 't', topic, String(own))
  expect(logOf(first).config[field]).toBe(own)
  await first.opened.close()
  const second = await start(files)
  expect(logOf(second).config[field]).toBe(own)
  await set(second, 2, 't', topic, null)
  expect(logOf(second).config[field]).toBe(1)
  await second.opened.close()
})
