// Settings of the coordinators' topics, how they are written and read back, and of what coordinators wait for.
import { expect, test } from 'vitest'
import { CONCURRENT_TRANSACTIONS, COORDINATOR_NOT_AVAILABLE, NONE } from '../../../protocol/errors.ts'
import { InitProducerId, OffsetCommit, OffsetFetch } from '../../../protocol/messages/index.ts'
import * as batch from '../../../protocol/records/batch.ts'
import type { Files } from '../../../storage/files.ts'
import { crashFiles } from '../../../storage/files-crash.ts'
import { memoryFiles } from '../../../storage/files-memory.ts'
import { parse } from '../../../src/config/index.ts'
import { testBroker, type TestBroker } from './harness.ts'
import { startBroker, TestProducer } from './transactional-client.ts'
import { withHandles } from './with-handles.ts'

async function commit(broker: TestBroker, committedOffset: number): Promise<number> {
  const partitions = [{ partitionIndex: 0, committedOffset, committedMetadata: 'm'.repeat(200) }]
  const reply = await broker.ask(OffsetCommit, { groupId: 'g', memberId: '', topics: [{ name: 't', partitions }] }, 9)
  return reply!.topics[0]!.partitions[0]!.errorCode
}

async function committed(broker: TestBroker): Promise<number> {
  const groups = [{ groupId: 'g', topics: [{ name: 't', partitionIndexes: [0] }] }]
  const reply = await broker.ask(OffsetFetch, { groups, topics: null }, 9)
  return reply!.groups[0]!.topics[0]!.partitions[0]!.committedOffset
}

const offsetsLog = (broker: TestBroker) => broker.opened.broker.partitions.get('__consumer_offsets', 0)!.log

function codecs(broker: TestBroker): number[] {
  const log = offsetsLog(broker)
  const found = log.read(0, { maxBytes: 1 << 20, maxOffset: log.logEndOffset, minOneBatch: true })
  const bytes = Buffer.concat(found.parts)
  found.release?.()
  return [...batch.batchesOf(bytes)].map(at => batch.codec(bytes, at))
}

test.each([0, 1, 2, 3, 4])(
  'offsets.topic.compression.codec=%i is how commits are written, and read back',
  async codec => {
    const files = memoryFiles()
    const config = { 'offsets.topic.num.partitions': 1, 'offsets.topic.compression.codec': codec }
    const first = await testBroker({ files, config })
    await first.createTopic('t')
    await first.opened.broker.ensureInternalTopic('__consumer_offsets')
    await first.opened.broker.coordinatorsLoaded()
    expect([await commit(first, 1), await commit(first, 2)]).toEqual([NONE, NONE])
    expect(codecs(first)).toEqual([codec, codec])
    await first.opened.close()

    const plain = await testBroker({ files, config: { 'offsets.topic.num.partitions': 1 } })
    await plain.opened.broker.coordinatorsLoaded()
    expect(await committed(plain)).toBe(2)
    expect(await commit(plain, 3)).toBe(NONE)
    expect(codecs(plain)).toEqual([codec, codec, 0])
    await plain.opened.close()
  },
)

test.each([-1, 5])('offsets.topic.compression.codec=%i does not exist', codec => {
  expect(() => parse({ flags: { 'offsets.topic.compression.codec': codec } })).toThrow('between 0 and 4')
})

/** Files that count reads of a partition's log. */
function counting(files: Files, folder: string): { files: Files; reads: () => number } {
  let reads = 0
  const opening = withHandles(files, (handle, path) => {
    if (!path.includes(folder) || !path.endsWith('.log')) return {}
    return {
      readAt(target, position) {
        reads++
        return handle.readAt(target, position)
      },
    }
  })
  return { files: opening, reads: () => reads }
}

async function init(broker: TestBroker, transactionalId: string) {
  const asked = broker.ask(InitProducerId, { transactionalId, transactionTimeoutMs: 1000 }, 4)
  await broker.runtime.settle()
  return (await asked)!
}

const loads = [
  {
    topic: '__consumer_offsets',
    key: 'offsets.load.buffer.size',
    write: async (broker: TestBroker, n: number): Promise<number> => commit(broker, n),
    isLoaded: async (broker: TestBroker): Promise<boolean> => (await committed(broker)) === 20,
  },
  {
    topic: '__transaction_state',
    key: 'transaction.state.log.load.buffer.size',
    write: async (broker: TestBroker, n: number): Promise<number> => (await init(broker, `x${n}`)).errorCode,
    // Those that are known get the next epoch.
    isLoaded: async (broker: TestBroker): Promise<boolean> => (await init(broker, 'x20')).producerEpoch === 1,
  },
] as const

test.each(
  loads.flatMap(load => [
    { ...load, size: 1, slices: 20 },
    { ...load, size: 5_242_880, slices: 1 },
  ]),
)(
  '$key=$size: a load reads twenty records in $slices slices',
  async ({ topic, key, write, isLoaded, size, slices }) => {
    const files = memoryFiles()
    const config = { 'offsets.topic.num.partitions': 1, 'transaction.state.log.num.partitions': 1, [key]: size }
    const first = await testBroker({ files, config })
    await first.createTopic('t')
    await first.opened.broker.ensureInternalTopic(topic)
    await first.opened.broker.coordinatorsLoaded()
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    for (let n = 1; n <= 20; n++) expect(await write(first, n)).toBe(NONE)
    await first.opened.close()

    const watched = counting(files, `${topic}-0`)
    const again = await testBroker({ files: watched.files, config })
    await again.opened.broker.coordinatorsLoaded()
    const reads = watched.reads()
    expect(await isLoaded(again)).toBe(true)
    expect(reads).toBeGreaterThanOrEqual(slices)
    if (slices === 1) expect(reads).toBeLessThan(20)
    await again.opened.close()
  },
)

/** How long a producer's next transaction waits for the end of the one before, which does not come, and what it is told. */
async function nextTransaction(config: Record<string, number>): Promise<[code: number, ms: number]> {
  const files = crashFiles()
  const broker = await startBroker({ files, config })
  await broker.createTopic('t')
  const producer = new TestProducer(broker)
  await producer.init()
  await producer.send('t', 'a')
  expect(await producer.end(true)).toBe(NONE)
  files.holdSyncs()
  const from = broker.runtime.clock.monotonic()
  const answered = producer.send('t', 'b').then(code => [code, broker.runtime.clock.monotonic() - from] as const)
  // oxlint-disable-next-line no-await-in-loop -- time goes by
  for (let ms = 0; ms < 400; ms++) await broker.runtime.advanceAsync(1)
  const [code, ms] = await answered
  // The answer takes its turns, and time goes by in each.
  return [code, Math.floor(ms / 10) * 10]
}

test('add.partitions.to.txn.retry.backoff.ms and .max.ms: how often and how long the end of the transaction before is waited for', async () => {
  expect(await nextTransaction({})).toEqual([CONCURRENT_TRANSACTIONS, 100])
  expect(await nextTransaction({ 'add.partitions.to.txn.retry.backoff.ms': 70 })).toEqual([
    CONCURRENT_TRANSACTIONS,
    140,
  ])
  expect(await nextTransaction({ 'add.partitions.to.txn.retry.backoff.max.ms': 0 })).toEqual([
    CONCURRENT_TRANSACTIONS,
    0,
  ])
})

/** Files whose syncs of a partition's log end when the test says so. */
function holding(files: Files, folder: string): { files: Files; hold: () => void; release: () => void } {
  let held: Promise<void> | null = null
  let release = (): void => undefined
  const opening = withHandles(files, (handle, path) => {
    if (!path.includes(folder)) return {}
    return {
      async sync() {
        await held
        await handle.sync()
      },
    }
  })
  return {
    files: opening,
    hold: () => void (held = new Promise(resolve => (release = resolve))),
    release: () => release(),
  }
}

/** How long what is written to a topic that does not reach the disk is waited for, and what is answered then. */
async function patience(
  topic: string,
  config: Record<string, number>,
  write: (broker: TestBroker) => Promise<number>,
): Promise<[code: number, ms: number]> {
  const { files, hold, release } = holding(memoryFiles(), `${topic}-0`)
  const one = { 'offsets.topic.num.partitions': 1, 'transaction.state.log.num.partitions': 1 }
  const broker = await testBroker({ files, config: { ...one, ...config } })
  await broker.createTopic('t')
  await broker.opened.broker.ensureInternalTopic(topic)
  await broker.opened.broker.coordinatorsLoaded()
  hold()
  const from = broker.runtime.clock.monotonic()
  const answered = write(broker).then(code => [code, broker.runtime.clock.monotonic() - from] as const)
  await broker.runtime.advanceAsync(60_000)
  release()
  const [code, ms] = await answered
  await broker.opened.close()
  return [code, ms]
}

test('offsets.commit.timeout.ms: how long a commit waits for the disk', async () => {
  const write = (broker: TestBroker): Promise<number> => commit(broker, 1)
  expect(await patience('__consumer_offsets', {}, write)).toEqual([COORDINATOR_NOT_AVAILABLE, 5000])
  expect(await patience('__consumer_offsets', { 'offsets.commit.timeout.ms': 700 }, write)).toEqual([
    COORDINATOR_NOT_AVAILABLE,
    700,
  ])
})

test('request.timeout.ms: how long the transaction coordinator waits for the disk', async () => {
  const write = async (broker: TestBroker): Promise<number> => {
    const asked = { transactionalId: 'x', transactionTimeoutMs: 1000 }
    return (await broker.ask(InitProducerId, asked, 4))!.errorCode
  }
  expect(await patience('__transaction_state', {}, write)).toEqual([COORDINATOR_NOT_AVAILABLE, 30_000])
  expect(await patience('__transaction_state', { 'request.timeout.ms': 700 }, write)).toEqual([
    COORDINATOR_NOT_AVAILABLE,
    700,
  ])
})

test.each([
  [{}, true],
  [{ 'transaction.abort.timed.out.transaction.cleanup.interval.ms': 500 }, false],
])('a transaction past its time-out is looked for in time: %j', async (config, isLeft) => {
  const broker = await startBroker({ config })
  await broker.createTopic('t')
  const producer = new TestProducer(broker, { timeoutMs: 1000 })
  await producer.init()
  await producer.send('t', 'a')
  await broker.runtime.advanceAsync(3000)
  const { lastStableOffset } = broker.opened.broker.partitions.get('t', 0)!
  expect(lastStableOffset === 0).toBe(isLeft)
})

test.each([
  [{ 'transactional.id.expiration.ms': 1000 }, true],
  [{ 'transaction.remove.expired.transaction.cleanup.interval.ms': 500 }, true],
  [
    {
      'transactional.id.expiration.ms': 1000,
      'transaction.remove.expired.transaction.cleanup.interval.ms': 500,
    },
    false,
  ],
])('an idle transactional id is forgotten in time: %j', async (config, isKnown) => {
  const broker = await startBroker({ config })
  await broker.opened.broker.ensureInternalTopic('__transaction_state')
  await broker.opened.broker.coordinatorsLoaded()
  const first = await init(broker, 'x')
  await broker.runtime.advanceAsync(5000)
  const second = await init(broker, 'x')
  expect([first.errorCode, second.errorCode]).toEqual([NONE, NONE])
  expect(second.producerId === first.producerId).toBe(isKnown)
})
