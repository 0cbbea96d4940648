// Settings that bound what clients get: answers, fetch sessions, groups, topics. Each by what is answered with it and without.
import { expect, test } from 'vitest'
import {
  GROUP_MAX_SIZE_REACHED,
  INVALID_REPLICATION_FACTOR,
  INVALID_SESSION_TIMEOUT,
  INVALID_TRANSACTION_TIMEOUT,
  NONE,
  OFFSET_METADATA_TOO_LARGE,
} from '../../../protocol/errors.ts'
import {
  CreateTopics,
  Fetch,
  InitProducerId,
  JoinGroup,
  Metadata,
  OffsetCommit,
  Produce,
} from '../../../protocol/messages/index.ts'
import { ZERO_UUID } from '../../../protocol/schema.ts'
import { memoryFiles } from '../../../storage/files-memory.ts'
import { records, testBroker, testConnection, type TestBroker } from './harness.ts'

async function produce(broker: TestBroker, topic: string, partition: number, bytes: number): Promise<void> {
  const data = records(['x'.repeat(bytes)])
  const topicData = [{ name: topic, partitionData: [{ index: partition, records: data }] }]
  const reply = await broker.ask(Produce, { transactionalId: null, acks: 1, timeoutMs: 1000, topicData }, 12)
  expect(reply!.responses[0]!.partitionResponses[0]!.errorCode).toBe(NONE)
}

async function fetch(broker: TestBroker, sessionEpoch: number, maxBytes = 1 << 20) {
  const partitions = [0, 1].map(partition => ({ partition, fetchOffset: 0, partitionMaxBytes: 1 << 20 }))
  const topics = [{ topic: 't', topicId: ZERO_UUID, partitions }]
  const sizes = { maxWaitMs: 0, minBytes: 0, maxBytes }
  const reply = await broker.ask(Fetch, { ...sizes, sessionEpoch, topics, forgottenTopicsData: [] }, 12)
  expect(reply!.errorCode).toBe(NONE)
  return reply!
}

const sizesOf = (reply: Awaited<ReturnType<typeof fetch>>): boolean[] =>
  reply.responses[0]!.partitions.map(({ records: of }) => (of?.byteLength ?? 0) > 0)

async function join(broker: TestBroker, clientId: number, sessionTimeoutMs = 10_000): Promise<number> {
  await broker.opened.broker.ensureInternalTopic('__consumer_offsets')
  await broker.opened.broker.coordinatorsLoaded()
  const request = {
    groupId: 'g',
    sessionTimeoutMs,
    rebalanceTimeoutMs: 10_000,
    memberId: '',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
  }
  // Version 3: a member gets its id while the group waits for others.
  const joining = broker.ask(JoinGroup, request, 3, testConnection(clientId))
  await broker.runtime.advanceAsync(20_000)
  return (await joining)!.errorCode
}

async function commit(broker: TestBroker, metadata: string): Promise<number> {
  await broker.opened.broker.ensureInternalTopic('__consumer_offsets')
  await broker.opened.broker.coordinatorsLoaded()
  const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: metadata }]
  const topics = [{ name: 't', partitions }]
  const reply = broker.ask(OffsetCommit, { groupId: 'g', memberId: '', topics }, 9)
  await broker.runtime.settle()
  return (await reply)!.topics[0]!.partitions[0]!.errorCode
}

async function created(broker: TestBroker, numPartitions: number, replicationFactor: number, name = 'made') {
  const topic = { name, numPartitions, replicationFactor, assignments: [], configs: [] }
  const reply = await broker.ask(CreateTopics, { topics: [topic], timeoutMs: 1000, validateOnly: false })
  const { errorCode, numPartitions: count } = reply!.topics[0]!
  return [errorCode, count]
}

async function initTransactional(broker: TestBroker, transactionTimeoutMs: number): Promise<number> {
  await broker.opened.broker.ensureInternalTopic('__transaction_state')
  await broker.opened.broker.coordinatorsLoaded()
  const reply = broker.ask(InitProducerId, { transactionalId: 'x', transactionTimeoutMs }, 4)
  await broker.runtime.settle()
  return (await reply)!.errorCode
}

interface Case {
  readonly key: string
  readonly value: number | boolean
  readonly beside?: Record<string, number>
  readonly probe: (broker: TestBroker) => Promise<unknown>
  readonly without: unknown
  readonly with: unknown
}

const cases: readonly Case[] = [
  {
    key: 'fetch.max.bytes',
    value: 1024,
    probe: async broker => {
      for (const partition of [0, 1]) await produce(broker, 't', partition, 2000)
      return sizesOf(await fetch(broker, -1))
    },
    without: [true, true],
    with: [true, false],
  },
  {
    key: 'max.incremental.fetch.session.cache.slots',
    value: 1,
    probe: async broker => {
      const ids = [await fetch(broker, 0), await fetch(broker, 0)].map(({ sessionId }) => sessionId > 0)
      return ids
    },
    without: [true, true],
    with: [true, false],
  },
  {
    key: 'group.max.size',
    value: 1,
    probe: async broker => {
      const [first, second] = [join(broker, 1), join(broker, 2)]
      await broker.runtime.advanceAsync(20_000)
      return [await first, await second]
    },
    beside: { 'group.initial.rebalance.delay.ms': 1000 },
    without: [NONE, NONE],
    with: [NONE, GROUP_MAX_SIZE_REACHED],
  },
  {
    key: 'group.min.session.timeout.ms',
    value: 10_001,
    probe: broker => join(broker, 1),
    without: NONE,
    with: INVALID_SESSION_TIMEOUT,
  },
  {
    key: 'group.max.session.timeout.ms',
    value: 9999,
    probe: broker => join(broker, 1),
    without: NONE,
    with: INVALID_SESSION_TIMEOUT,
  },
  {
    key: 'offset.metadata.max.bytes',
    value: 3,
    probe: async broker => [await commit(broker, 'abc'), await commit(broker, 'abcd')],
    without: [NONE, NONE],
    with: [NONE, OFFSET_METADATA_TOO_LARGE],
  },
  {
    key: 'num.partitions',
    value: 3,
    probe: broker => created(broker, -1, -1),
    without: [NONE, 1],
    with: [NONE, 3],
  },
  {
    key: 'default.replication.factor',
    value: 2,
    probe: broker => created(broker, 1, -1),
    without: [NONE, 1],
    with: [INVALID_REPLICATION_FACTOR, -1],
  },
  {
    key: 'auto.create.topics.enable',
    value: false,
    probe: async broker => {
      const topics = [{ topicId: ZERO_UUID, name: 'wished' }]
      const reply = broker.ask(Metadata, { topics, allowAutoTopicCreation: true }, 12)
      await broker.runtime.settle()
      return (await reply)!.topics[0]!.partitions.length
    },
    without: 1,
    with: 0,
  },
  {
    key: 'transaction.max.timeout.ms',
    value: 1000,
    probe: broker => initTransactional(broker, 1001),
    without: NONE,
    with: INVALID_TRANSACTION_TIMEOUT,
  },
]

test.each(cases)('$key', async ({ key, value, beside = {}, probe, ...expected }) => {
  for (const [config, outcome] of [
    [beside, expected.without],
    [{ ...beside, [key]: value }, expected.with],
  ] as const) {
    // oxlint-disable no-await-in-loop -- one after the other
    const broker = await testBroker({ files: memoryFiles(), durable: false, config })
    await created(broker, 2, 1, 't')
    expect([config, await probe(broker)]).toEqual([config, outcome])
    await broker.opened.close()
    // oxlint-enable no-await-in-loop
  }
})
