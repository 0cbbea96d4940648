// Compaction as the broker runs it: by the clock, for user topics and its own, beside everything else that happens to a log.
import { expect, test } from 'vitest'
import {
  DeleteTopics,
  IncrementalAlterConfigs,
  OffsetCommit,
  OffsetFetch,
  Produce,
} from '../../../protocol/messages/index.ts'
import { encodeBatch } from '../../../protocol/records/record.ts'
import { ZERO_UUID } from '../../../protocol/schema.ts'
import type { Files } from '../../../storage/files.ts'
import { memoryFiles } from '../../../storage/files-memory.ts'
import { recordsIn } from '../../storage/compaction-fixtures.ts'
import type { TestBroker } from './harness.ts'
import { testBroker } from './harness.ts'

const START = 1_700_000_000_000
const COMPACTED = { 'cleanup.policy': 'compact', 'internal.segment.bytes': '500' }

async function produce(broker: TestBroker, topic: string, entries: [string | null, string | null][], codec = 0) {
  const bytes = encodeBatch({
    timestamp: START,
    codec,
    records: entries.map(([key, value]) => ({
      key: key === null ? null : Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
    })),
  })
  const partitionData = [{ index: 0, records: { byteLength: bytes.length, parts: [bytes] } }]
  const request = { transactionalId: null, acks: -1, timeoutMs: 1000, topicData: [{ name: topic, partitionData }] }
  const reply = broker.ask(Produce, request, 12)
  await broker.runtime.settle()
  return (await reply)!.responses[0]!.partitionResponses[0]!
}

const logOf = (broker: TestBroker, topic: string) => broker.opened.broker.partitions.get(topic, 0)!.log

async function fill(broker: TestBroker, topic: string, count = 50): Promise<void> {
  for (let n = 0; n < count; n++) await produce(broker, topic, [[`k${n % 5}`, `value ${n}`]])
}

const checkpoint = (files: Files): string => files.readAll('cleaner-offset-checkpoint').toString()

test('a compacted topic is compacted, and how far is remembered', async () => {
  const files = memoryFiles()
  const broker = await testBroker({ files, durable: true })
  await broker.createTopic('t', 1, COMPACTED)
  await fill(broker, 't')
  expect(recordsIn(logOf(broker, 't'))).toHaveLength(50)
  // Sealed segments reach the disk first.
  await broker.runtime.advanceAsync(20_000)
  const left = recordsIn(logOf(broker, 't'))
  expect(left.length).toBeLessThan(15)
  expect(left.slice(-5)).toEqual([45, 46, 47, 48, 49].map(n => `${n} k${n % 5}=value ${n}`))
  const [version, count, line] = checkpoint(files).split('\n')
  expect([version, count]).toEqual(['0', '1'])
  expect(line).toMatch(/^t 0 4\d$/)
  broker.opened.quiesce()
  const closing = broker.opened.close()
  await broker.runtime.settle()
  await closing
  const again = await testBroker({ files })
  expect(recordsIn(logOf(again, 't'))).toEqual(left)
})

test('the topic is deleted, or no longer compacted, while it is compacted', async () => {
  for (const change of [
    (broker: TestBroker) => broker.ask(DeleteTopics, { topics: [{ name: 't', topicId: ZERO_UUID }], timeoutMs: 1000 }),
    (broker: TestBroker) =>
      broker.ask(IncrementalAlterConfigs, {
        validateOnly: false,
        resources: [
          {
            resourceType: 2,
            resourceName: 't',
            configs: [{ name: 'cleanup.policy', configOperation: 0, value: 'delete' }],
          },
        ],
      }),
  ]) {
    const files = memoryFiles()
    const broker = await testBroker({ files, config: { 'log.cleaner.io.max.bytes.per.second': 2000 } })
    await broker.createTopic('t', 1, COMPACTED)
    await fill(broker, 't')
    const { log } = { log: logOf(broker, 't') }
    await broker.runtime.advanceAsync(15_100)
    expect(log.compaction.isRunning).toBe(true)
    const changed = change(broker)
    await broker.runtime.settle()
    await changed
    await broker.runtime.advanceAsync(60_000)
    expect(log.compaction.isRunning).toBe(false)
    expect(files.exists('cleaner-offset-checkpoint') && checkpoint(files).includes('t 0')).toBe(false)
    expect(broker.runtime.lines.filter(({ level }) => level === 'error')).toEqual([])
    const folder = files.list('').find(name => name.startsWith('t-0'))
    if (folder === 't-0') expect(files.list(folder).filter(name => /cleaned|swap/.test(name))).toEqual([])
  }
})

test('what a crash left of a deleted topic in the checkpoint says nothing of a later one', async () => {
  const files = memoryFiles()
  const open = async (seed: number): Promise<TestBroker> => {
    const opened = await testBroker({ files, seed })
    await opened.runtime.settle()
    return opened
  }
  const stop = async (broker: TestBroker): Promise<void> => {
    broker.opened.quiesce()
    const closing = broker.opened.close()
    await broker.runtime.settle()
    await closing
  }
  let broker = await open(1)
  await broker.createTopic('t', 1, COMPACTED)
  await broker.createTopic('u', 1, COMPACTED)
  for (const topic of ['t', 'u']) await fill(broker, topic)
  await broker.runtime.advanceAsync(20_000)
  const before = checkpoint(files)
  const [, kept] = /^(u 0 4\d)$/m.exec(before)!
  expect(before).toMatch(/^t 0 4\d$/m)
  const deleted = broker.ask(DeleteTopics, { topics: [{ name: 't', topicId: ZERO_UUID }], timeoutMs: 1000 })
  await broker.runtime.settle()
  await deleted
  await stop(broker)
  // As if it had stopped between the two.
  files.writeAtomic('cleaner-offset-checkpoint', Buffer.from(before))
  broker = await open(2)
  await broker.createTopic('t', 1, COMPACTED)
  await fill(broker, 't')
  expect(checkpoint(files)).toBe(`0\n1\n${kept}\n`)
})

test('looking for what is due among many logs lets others have their turn', async () => {
  const broker = await testBroker({ files: memoryFiles() })
  const topics = Array.from({ length: 12 }, (_, n) => `t${n}`)
  for (const topic of topics) {
    await broker.createTopic(topic, 1, COMPACTED)
    await fill(broker, topic, 12)
  }
  const { clock, timers } = broker.runtime as {
    clock: { monotonic: () => number }
    timers: { defer: (fn: () => void) => void }
  }
  const monotonic = clock.monotonic.bind(clock)
  const defer = timers.defer.bind(timers)
  const events: string[] = []
  let spent = 0
  clock.monotonic = () => monotonic() + spent
  timers.defer = fn => {
    events.push('turn')
    defer(fn)
  }
  for (const topic of topics) {
    const { compaction } = logOf(broker, topic)
    const plan = compaction.plan.bind(compaction)
    compaction.plan = o => {
      events.push('look')
      spent += 2
      return plan(o)
    }
  }
  await broker.runtime.advanceAsync(20_000)
  expect(events.filter(event => event === 'look').length).toBeGreaterThan(24)
  // Two slices at most: the end of one look at all, and the beginning of the next.
  expect(events.join(' ')).not.toContain(Array.from({ length: 9 }, () => 'look').join(' '))
  for (const topic of topics) expect(recordsIn(logOf(broker, topic)).length).toBeLessThan(12)
})

test('a stop ends a compaction', async () => {
  const files = memoryFiles()
  const broker = await testBroker({ files, config: { 'log.cleaner.io.max.bytes.per.second': 2000 } })
  await broker.createTopic('t', 1, COMPACTED)
  await fill(broker, 't')
  await broker.runtime.advanceAsync(15_100)
  expect(logOf(broker, 't').compaction.isRunning).toBe(true)
  broker.opened.quiesce()
  const closing = broker.opened.close()
  await broker.runtime.settle()
  await closing
  expect(files.list('t-0').filter(name => /cleaned|swap/.test(name))).toEqual([])
  expect(broker.runtime.lines.filter(({ level }) => level === 'error')).toEqual([])
})

test('compacted and deleted: both', async () => {
  const broker = await testBroker({ files: memoryFiles() })
  await broker.createTopic('t', 1, { ...COMPACTED, 'cleanup.policy': 'compact,delete', 'retention.ms': '60000' })
  await fill(broker, 't')
  await broker.runtime.advanceAsync(20_000)
  expect(recordsIn(logOf(broker, 't')).length).toBeLessThan(15)
  await broker.runtime.advanceAsync(60_000)
  expect(logOf(broker, 't').logStartOffset).toBe(50)
})

test('log.cleaner.enable=false, and a log that cannot be read, are left alone', async () => {
  const idle = await testBroker({ files: memoryFiles(), config: { 'log.cleaner.enable': false } })
  await idle.createTopic('t', 1, COMPACTED)
  await fill(idle, 't')
  await idle.runtime.advanceAsync(60_000)
  expect(recordsIn(logOf(idle, 't'))).toHaveLength(50)

  const files = memoryFiles()
  const broker = await testBroker({ files })
  await broker.createTopic('t', 1, COMPACTED)
  await broker.createTopic('u', 1, COMPACTED)
  await fill(broker, 't')
  await fill(broker, 'u')
  const log = files.list('t-0').find(name => name.endsWith('.log'))!
  const handle = files.open(`t-0/${log}`, 'write')
  handle.writeAt(Buffer.from('?'), 65)
  handle.close()
  await broker.runtime.advanceAsync(60_000)
  expect(logOf(broker, 't').segmentCount).toBeGreaterThan(5)
  expect(recordsIn(logOf(broker, 'u')).length).toBeLessThan(15)
  const errors = broker.runtime.lines.filter(({ level }) => level === 'error')
  expect(errors).toHaveLength(1)
  expect(logOf(broker, 't').offline).toBe(null)
})

test('a record without a key is refused, also in a compressed batch', async () => {
  const broker = await testBroker({ files: memoryFiles() })
  await broker.createTopic('t', 1, COMPACTED)
  for (const codec of [0, 1]) {
    const refused = await produce(
      broker,
      't',
      [
        ['k', '1'],
        [null, '2'],
      ],
      codec,
    )
    expect(refused.errorCode).toBe(87)
    expect(refused.recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([1])
  }
  expect((await produce(broker, 't', [['', '1']])).errorCode).toBe(0)
})

test('a group that commits for long leaves little, which is what it loads', async () => {
  const files = memoryFiles()
  const config = { 'offsets.topic.num.partitions': 1, 'offsets.topic.segment.bytes': 5000 }
  const broker = await testBroker({ files, config })
  await broker.createTopic('t', 3)
  const commit = (n: number) =>
    broker.ask(
      OffsetCommit,
      {
        groupId: 'g',
        generationIdOrMemberEpoch: -1,
        memberId: '',
        topics: [{ name: 't', partitions: [{ partitionIndex: n % 3, committedOffset: n, committedMetadata: '' }] }],
      },
      7,
    )
  const settled = async <T>(wait: Promise<T>): Promise<T> => {
    await broker.runtime.settle()
    return await wait
  }
  await settled(broker.opened.broker.ensureInternalTopic('__consumer_offsets'))
  for (let n = 0; n < 600; n += 20) {
    await settled(Promise.all(Array.from({ length: 20 }, (_, i) => commit(n + i))))
  }
  const before = logOf(broker, '__consumer_offsets').sizeInBytes
  await broker.runtime.advanceAsync(40_000)
  expect(logOf(broker, '__consumer_offsets').sizeInBytes).toBeLessThan(before / 4)
  broker.opened.quiesce()
  await settled(broker.opened.close())

  const again = await testBroker({ files, config })
  await again.opened.broker.coordinatorsLoaded()
  const groups = [{ groupId: 'g', topics: [{ name: 't', partitionIndexes: [0, 1, 2] }] }]
  const fetched = (await again.ask(OffsetFetch, { topics: null, groups }, 8))!
  const partitions = fetched.groups[0]!.topics[0]!.partitions
  expect(partitions.map(({ committedOffset }) => committedOffset).toSorted((a, b) => a - b)).toEqual([597, 598, 599])
})
