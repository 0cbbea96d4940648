// Transactions: what is refused and in which words, and what administrators see and do.
import { describe, expect, test } from 'vitest'
import {
  CONCURRENT_TRANSACTIONS,
  INVALID_PRODUCER_EPOCH,
  INVALID_PRODUCER_ID_MAPPING,
  INVALID_RECORD,
  NONE,
  PRODUCER_FENCED,
  TRANSACTION_ABORTABLE,
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
} from '../../../protocol/errors.ts'
import {
  AddPartitionsToTxn,
  ApiVersions,
  CreatePartitions,
  DescribeProducers,
  DescribeTransactions,
  Fetch,
  FindCoordinator,
  InitProducerId,
  ListOffsets,
  ListTransactions,
  Produce,
  WriteTxnMarkers,
} from '../../../protocol/messages/index.ts'
import { crashFiles } from '../../../storage/files-crash.ts'
import { records, type TestBroker } from './harness.ts'
import { committedOffset, consume, letMarkersOut, startBroker, TestProducer } from './transactional-client.ts'

const worst = (): number => 0

describe('refusals', () => {
  async function produce(broker: TestBroker, transactionalId: string | null, more: object): Promise<number> {
    const topicData = [{ name: 't', partitionData: [{ index: 0, records: records(['a'], more) }] }]
    const reply = await broker.ask(Produce, { transactionalId, acks: -1, timeoutMs: 1000, topicData }, 12)
    return reply!.responses[0]!.partitionResponses[0]!.errorCode
  }
  const identity = { producerId: 1, producerEpoch: 0, baseSequence: 0, isTransactional: true }

  test('of batches: control batches, without a transactional id, of a producer that is not known', async () => {
    const broker = await startBroker()
    await broker.createTopic('t')
    await new TestProducer(broker).init()
    expect(await produce(broker, 'x', { ...identity, isTransactional: false, isControl: true })).toBe(INVALID_RECORD)
    expect(await produce(broker, null, identity)).toBe(TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
    expect(await produce(broker, 'x', identity)).toBe(INVALID_PRODUCER_ID_MAPPING)
    expect(await produce(broker, 'never seen', identity)).toBe(INVALID_PRODUCER_ID_MAPPING)
  })

  test('fenced producers are told so in the words of their version', async () => {
    const broker = await startBroker()
    const old = new TestProducer(broker, { version: 1 })
    await old.init()
    await new TestProducer(broker).init()
    const { transactionalId, producerId, producerEpoch } = old
    const request = { transactionalId, transactionTimeoutMs: 1000, producerId, producerEpoch }
    expect((await broker.ask(InitProducerId, request, 4))!.errorCode).toBe(PRODUCER_FENCED)
    expect((await broker.ask(InitProducerId, request, 3))!.errorCode).toBe(INVALID_PRODUCER_EPOCH)
  })

  test('a broker that was never asked for a coordinator has none', async () => {
    const broker = await startBroker()
    const request = { transactionalId: 'x', transactionTimeoutMs: 1000 }
    expect((await broker.ask(InitProducerId, request))!.errorCode).toBe(16)
    for (const [transactionTimeoutMs, transactionalId] of [
      [0, 'x'],
      [900_001, 'x'],
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await broker.ask(InitProducerId, { transactionalId, transactionTimeoutMs }))!.errorCode).toBe(50)
    }
    expect((await broker.ask(InitProducerId, { ...request, transactionalId: '' }))!.errorCode).toBe(42)
  })
})

describe('administration', () => {
  test('FindCoordinator makes the topic; features are told', async () => {
    const broker = await startBroker()
    const found = await broker.ask(FindCoordinator, { key: '', keyType: 1, coordinatorKeys: ['x', 'y'] })
    expect(found!.coordinators.map(({ key, errorCode }) => [key, errorCode])).toEqual([
      ['x', 0],
      ['y', 0],
    ])
    const versions = await broker.ask(ApiVersions, { clientSoftwareName: 'a', clientSoftwareVersion: '1' }, 4)
    expect(versions!.supportedFeatures).toContainEqual({ name: 'transaction.version', minVersion: 0, maxVersion: 2 })
    expect(versions!.finalizedFeatures).toContainEqual({
      name: 'transaction.version',
      minVersionLevel: 2,
      maxVersionLevel: 2,
    })
  })

  test('a metadata log keeps its level of transaction.version', async () => {
    const files = crashFiles()
    const before = await startBroker({ files, features: {} })
    expect(before.opened.broker.metadata.image.featureLevel('transaction.version')).toBe(0)
    files.crash(worst)
    const after = await startBroker({ files })
    expect(after.opened.broker.metadata.image.featureLevel('transaction.version')).toBe(0)
  })

  test('describe, list, and the abort of a hanging transaction', async () => {
    const broker = await startBroker()
    await broker.createTopic('t', 2)
    const producer = new TestProducer(broker, { version: 1, transactionalId: 'app-1' })
    await producer.init()
    await producer.send('t', 'a', 1)
    const described = await broker.ask(DescribeTransactions, { transactionalIds: ['app-1', 'unknown', ''] })
    expect(described!.transactionStates).toMatchObject([
      { errorCode: 0, transactionState: 'Ongoing', topics: [{ topic: 't', partitions: [1] }] },
      { errorCode: 105 },
      { errorCode: 42 },
    ])
    const list = async (more: object) =>
      (await broker.ask(ListTransactions, { stateFilters: [], producerIdFilters: [], ...more }))!
    expect((await list({})).transactionStates).toMatchObject([
      { transactionalId: 'app-1', transactionState: 'Ongoing' },
    ])
    expect(await list({ stateFilters: ['Ongoing', 'What'] })).toMatchObject({
      unknownStateFilters: ['What'],
      transactionStates: [{ transactionalId: 'app-1' }],
    })
    expect((await list({ stateFilters: ['What'] })).transactionStates).toEqual([])
    expect((await list({ transactionalIdPattern: 'app-.*' })).transactionStates).toHaveLength(1)
    expect((await list({ transactionalIdPattern: 'app' })).transactionStates).toEqual([])
    expect((await list({ transactionalIdPattern: '(' })).errorCode).toBe(128)
    expect((await list({ producerIdFilters: [producer.producerId + 1] })).transactionStates).toEqual([])

    const producers = await broker.ask(DescribeProducers, { topics: [{ name: 't', partitionIndexes: [1, 7] }] })
    const [known, unknown] = producers!.topics[0]!.partitions
    expect(known!.activeProducers).toMatchObject([{ producerId: producer.producerId, currentTxnStartOffset: 0 }])
    expect(unknown!.errorCode).toBe(3)
    const marker = {
      producerId: producer.producerId,
      producerEpoch: producer.producerEpoch,
      transactionResult: false,
      coordinatorEpoch: known!.activeProducers[0]!.coordinatorEpoch,
      topics: [{ name: 't', partitionIndexes: [1, 7] }],
    }
    const written = await broker.ask(WriteTxnMarkers, { markers: [marker] })
    expect(written!.markers[0]!.topics[0]!.partitions.map(({ errorCode }) => errorCode)).toEqual([0, 3])
    expect(await consume(broker, 't', { partition: 1 })).toMatchObject({ values: [], nextOffset: 2 })
  })

  test('groups and transactional ids stay where they are when partitions are added to their topics', async () => {
    const broker = await startBroker()
    await broker.createTopic('t')
    await broker.opened.broker.ensureInternalTopic('__consumer_offsets')
    const producer = new TestProducer(broker)
    await producer.init()
    expect(await producer.sendOffset('g', 't', 5)).toBe(NONE)
    expect(await producer.end(true)).toBe(NONE)
    await letMarkersOut(broker)
    expect(await producer.send('t', 'a')).toBe(NONE)
    const topics = ['__transaction_state', '__consumer_offsets'].map(name => ({ name, count: 101, assignments: null }))
    const grown = await broker.ask(CreatePartitions, { topics, timeoutMs: 1000, validateOnly: false })
    expect(grown!.results.map(({ errorCode }) => errorCode)).toEqual([NONE, NONE])
    expect(await committedOffset(broker, 'g', 't')).toEqual({ offset: 5, errorCode: NONE })
    expect(await producer.send('t', 'b')).toBe(NONE)
    expect(await producer.sendOffset('g', 't', 6)).toBe(NONE)
    expect(await producer.end(true)).toBe(NONE)
    await letMarkersOut(broker)
    expect((await consume(broker, 't')).values).toEqual(['a', 'b'])
    expect(await committedOffset(broker, 'g', 't')).toEqual({ offset: 6, errorCode: NONE })
  })

  test('what is named again is answered once', async () => {
    const broker = await startBroker()
    await broker.createTopic('t', 2)
    const producer = new TestProducer(broker)
    await producer.init()
    await producer.send('t', 'a', 1)
    const transactionalIds = Array.from({ length: 1000 }, () => producer.transactionalId)
    const described = await broker.ask(DescribeTransactions, { transactionalIds })
    expect(described!.transactionStates).toHaveLength(1)
    const named = { name: 't', partitionIndexes: [1, 0, 1] }
    const producers = await broker.ask(DescribeProducers, {
      topics: [named, { name: 'u', partitionIndexes: [] }, named],
    })
    expect(producers!.topics.map(({ name, partitions }) => [name, partitions.map(p => p.partitionIndex)])).toEqual([
      ['t', [1, 0]],
      ['u', []],
    ])
  })

  test('AddPartitionsToTxn of brokers verifies and adds for several transactions', async () => {
    const broker = await startBroker()
    await broker.createTopic('t')
    const producer = new TestProducer(broker)
    await producer.init()
    const { transactionalId, producerId, producerEpoch } = producer
    const transaction = (more: object) => ({
      transactionalId,
      producerId,
      producerEpoch,
      verifyOnly: true,
      topics: [{ name: 't', partitions: [0] }],
      ...more,
    })
    const ask = async (transactions: ReturnType<typeof transaction>[]) => {
      const reply = await broker.ask(AddPartitionsToTxn, { transactions, v3AndBelowTopics: [] }, 5)
      return reply!.resultsByTransaction.map(({ topicResults }) =>
        topicResults.flatMap(topic => topic.resultsByPartition.map(({ partitionErrorCode }) => partitionErrorCode)),
      )
    }
    expect(await ask([transaction({}), transaction({ transactionalId: 'unknown' })])).toEqual([
      [TRANSACTION_ABORTABLE],
      [INVALID_PRODUCER_ID_MAPPING],
    ])
    const topics = [{ name: 't', partitions: [0, 9] }]
    expect(await ask([transaction({ topics, verifyOnly: false })])).toEqual([[55, 3]])
    expect(await ask([transaction({ verifyOnly: false })])).toEqual([[NONE]])
    expect(await ask([transaction({})])).toEqual([[NONE]])
  })

  test('ListOffsets ends where the first open transaction begins, for read_committed', async () => {
    const broker = await startBroker()
    await broker.createTopic('t')
    const producer = new TestProducer(broker)
    await producer.init()
    await producer.send('t', 'a')
    const latest = async (isolationLevel: number) => {
      const partitions = [{ partitionIndex: 0, timestamp: -1 }]
      const reply = await broker.ask(ListOffsets, {
        replicaId: -1,
        isolationLevel,
        topics: [{ name: 't', partitions }],
      })
      return reply!.topics[0]!.partitions[0]!.offset
    }
    expect([await latest(0), await latest(1)]).toEqual([1, 0])
    await producer.end(true)
    await letMarkersOut(broker)
    expect([await latest(0), await latest(1)]).toEqual([2, 2])
  })

  test('aborted transactions that overlap are told in the order in which they began', async () => {
    const broker = await startBroker()
    await broker.createTopic('t')
    const [first, second] = [new TestProducer(broker), new TestProducer(broker, { transactionalId: 'y' })]
    await first.init()
    await second.init()
    await first.send('t', 'a')
    await second.send('t', 'b')
    await second.end(false)
    await letMarkersOut(broker)
    await first.end(false)
    await letMarkersOut(broker)
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }]
    const topics = [{ topic: 't', partitions }]
    const request = { maxWaitMs: 0, minBytes: 1, isolationLevel: 1, topics, forgottenTopicsData: [] }
    const reply = await broker.ask(Fetch, request, 12)
    expect(reply!.responses[0]!.partitions[0]!.abortedTransactions).toEqual([
      { producerId: first.producerId, firstOffset: 0 },
      { producerId: second.producerId, firstOffset: 1 },
    ])
  })

  test('a deleted topic keeps no transaction from its end', async () => {
    const broker = await startBroker()
    await broker.createTopic('t')
    await broker.createTopic('u')
    const producer = new TestProducer(broker)
    await producer.init()
    await producer.send('t', 'a')
    await producer.send('u', 'b')
    await broker.opened.broker.metadata.submit(image => ({
      records: [{ type: 'RemoveTopicRecord', value: { topicId: image.topicByName('t')!.topicId } }],
      reply: undefined,
    }))
    expect(await producer.end(true)).toBe(NONE)
    await letMarkersOut(broker)
    expect((await consume(broker, 'u')).values).toEqual(['b'])
    const list = await broker.ask(ListTransactions, { stateFilters: [], producerIdFilters: [] })
    expect(list!.transactionStates[0]!.transactionState).toBe('CompleteCommit')
  })

  test('while markers wait for the disk the next transaction waits too', async () => {
    const files = crashFiles()
    const broker = await startBroker({ files })
    await broker.createTopic('t')
    const producer = new TestProducer(broker, { version: 1 })
    await producer.init()
    await producer.send('t', 'a')
    expect(await producer.end(true)).toBe(NONE)
    const release = files.holdSyncs()
    await letMarkersOut(broker)
    expect(await producer.add('t')).toBe(CONCURRENT_TRANSACTIONS)
    release()
    await letMarkersOut(broker)
    expect(await producer.add('t')).toBe(NONE)
  })
})
