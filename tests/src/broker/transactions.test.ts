// Transactions through the real handlers, coordinators and logs: what read_committed sees, who is let in, what a crash leaves
// behind.
import { describe, expect, test } from 'vitest'
import {
  CONCURRENT_TRANSACTIONS,
  INVALID_PRODUCER_EPOCH,
  INVALID_TXN_STATE,
  NONE,
  PRODUCER_FENCED,
  TRANSACTION_ABORTABLE,
  UNKNOWN_MEMBER_ID,
  UNSTABLE_OFFSET_COMMIT,
} from '../../../protocol/errors.ts'
import { DescribeTransactions, ListTransactions, Produce } from '../../../protocol/messages/index.ts'
import { crashFiles } from '../../../storage/files-crash.ts'
import { records } from './harness.ts'
import { committedOffset, consume, letMarkersOut, startBroker, TestProducer } from './transactional-client.ts'

const worst = (): number => 0

describe.each([2, 1])('clients of transaction.version %i', version => {
  test('read_committed sees a transaction when it has committed, whole, and an aborted one never', async () => {
    const broker = await startBroker()
    await broker.createTopic('t', 2)
    const producer = new TestProducer(broker, { version })
    expect(await producer.init()).toBe(NONE)
    expect(await producer.send('t', 'a', 0)).toBe(NONE)
    expect(await producer.send('t', 'b', 1)).toBe(NONE)
    expect(await producer.send('t', 'c', 0)).toBe(NONE)
    expect((await consume(broker, 't')).values).toEqual([])
    expect((await consume(broker, 't', { committed: false })).values).toEqual(['a', 'c'])
    expect(await producer.end(true)).toBe(NONE)
    await letMarkersOut(broker)
    expect((await consume(broker, 't')).values).toEqual(['a', 'c'])
    expect((await consume(broker, 't', { partition: 1 })).values).toEqual(['b'])

    expect(await producer.send('t', 'lost')).toBe(NONE)
    expect(await producer.end(false)).toBe(NONE)
    await letMarkersOut(broker)
    expect(await producer.send('t', 'd')).toBe(NONE)
    expect(await producer.end(true)).toBe(NONE)
    await letMarkersOut(broker)
    expect((await consume(broker, 't')).values).toEqual(['a', 'c', 'd'])
    expect((await consume(broker, 't', { committed: false })).values).toEqual(['a', 'c', 'lost', 'd'])
  })

  test('transactions one after the other need not wait for the markers of the one before', async () => {
    const broker = await startBroker()
    await broker.createTopic('t')
    const producer = new TestProducer(broker, { version })
    await producer.init()
    for (const n of [1, 2, 3, 4, 5]) {
      const code = await producer.send('t', String(n))
      // Clients before version 2 are told to come again, later ones wait in the broker.
      // oxlint-disable-next-line no-await-in-loop -- as above
      expect(version === 1 && code === CONCURRENT_TRANSACTIONS ? await producer.send('t', String(n)) : code).toBe(NONE)
      // oxlint-disable-next-line no-await-in-loop -- as above
      expect(await producer.end(n % 2 === 1)).toBe(NONE)
    }
    await letMarkersOut(broker)
    expect((await consume(broker, 't')).values).toEqual(['1', '3', '5'])
  })

  test('offsets count once their transaction has committed', async () => {
    const broker = await startBroker()
    await broker.createTopic('in')
    await broker.opened.broker.ensureInternalTopic('__consumer_offsets')
    const producer = new TestProducer(broker, { version })
    await producer.init()
    expect(await producer.sendOffset('g', 'in', 5)).toBe(NONE)
    expect(await committedOffset(broker, 'g', 'in')).toEqual({ offset: -1, errorCode: NONE })
    expect(await committedOffset(broker, 'g', 'in', true)).toEqual({ offset: -1, errorCode: UNSTABLE_OFFSET_COMMIT })
    expect(await producer.end(true)).toBe(NONE)
    await letMarkersOut(broker)
    expect(await committedOffset(broker, 'g', 'in', true)).toEqual({ offset: 5, errorCode: NONE })
    expect(await producer.sendOffset('g', 'in', 9)).toBe(NONE)
    expect(await producer.end(false)).toBe(NONE)
    await letMarkersOut(broker)
    expect(await committedOffset(broker, 'g', 'in', true)).toEqual({ offset: 5, errorCode: NONE })
    expect(await producer.sendOffset('g', 'in', 9, 3, 'nobody')).toBe(UNKNOWN_MEMBER_ID)
  })

  test('a new producer fences the one before, and its open transaction is aborted', async () => {
    const broker = await startBroker()
    await broker.createTopic('t')
    const zombie = new TestProducer(broker, { version })
    await zombie.init()
    await zombie.send('t', 'zombie')
    const producer = new TestProducer(broker, { version })
    const init = producer.init()
    await letMarkersOut(broker)
    expect(await init).toBe(NONE)
    expect(await zombie.produce('t', 'late')).toBe(INVALID_PRODUCER_EPOCH)
    expect(await zombie.end(true)).toBe(PRODUCER_FENCED)
    expect(await producer.send('t', 'mine')).toBe(NONE)
    expect(await producer.end(true)).toBe(NONE)
    await letMarkersOut(broker)
    expect((await consume(broker, 't')).values).toEqual(['mine'])
  })

  test('a transaction beyond its time-out is aborted', async () => {
    const broker = await startBroker()
    await broker.createTopic('t')
    const producer = new TestProducer(broker, { version, timeoutMs: 15_000 })
    await producer.init()
    await producer.send('t', 'a')
    await broker.runtime.advanceAsync(21_000)
    expect((await consume(broker, 't', { committed: false })).values).toEqual(['a'])
    const { values, nextOffset } = await consume(broker, 't')
    expect({ values, nextOffset }).toEqual({ values: [], nextOffset: 2 })
    expect(await producer.produce('t', 'b')).toBe(INVALID_PRODUCER_EPOCH)
  })

  test.each([
    ['a power cut', (files: ReturnType<typeof crashFiles>) => files.crash(worst)],
    ['kill -9', (files: ReturnType<typeof crashFiles>) => files.kill()],
  ])('%s after the answer to EndTxn, before any marker: the restart writes them', async (_, crash) => {
    const files = crashFiles()
    const broker = await startBroker({ files })
    await broker.createTopic('t', 2)
    await broker.opened.broker.ensureInternalTopic('__consumer_offsets')
    const producer = new TestProducer(broker, { version })
    await producer.init()
    await producer.send('t', 'a', 0)
    await producer.send('t', 'b', 1)
    await producer.sendOffset('g', 't', 7)
    // The answer leaves with the decision; nothing that follows has had its turn.
    expect(await producer.end(true)).toBe(NONE)
    crash(files)
    const again = await startBroker({ files, seed: 2 })
    await letMarkersOut(again)
    expect((await consume(again, 't')).values).toEqual(['a'])
    expect((await consume(again, 't', { partition: 1 })).values).toEqual(['b'])
    expect(await committedOffset(again, 'g', 't', true)).toEqual({ offset: 7, errorCode: NONE })
    producer.broker = again
    expect(await producer.send('t', 'next')).toBe(NONE)
    expect(await producer.end(true)).toBe(NONE)
    await letMarkersOut(again)
    expect((await consume(again, 't')).values).toEqual(['a', 'next'])
  })

  test('what a killed process had written is not answered on before it is on the disk', async () => {
    const files = crashFiles()
    const broker = await startBroker({ files })
    await broker.createTopic('t')
    const producer = new TestProducer(broker, { version })
    await producer.init()
    files.holdSyncs()
    const lost = version === 2 ? producer.produce('t', 'a') : producer.add('t')
    lost.catch(() => undefined)
    await broker.runtime.settle()
    files.kill()
    const again = await startBroker({ files, seed: 2 })
    producer.broker = again
    expect(await producer.send('t', 'a')).toBe(NONE)
    files.crash(worst)
    const last = await startBroker({ files, seed: 3 })
    producer.broker = last
    expect(await producer.end(true)).toBe(NONE)
    await letMarkersOut(last)
    expect(await consume(last, 't')).toMatchObject({ values: ['a'], nextOffset: 2 })
  })

  test('an open transaction survives a restart and goes on', async () => {
    const files = crashFiles()
    const broker = await startBroker({ files })
    await broker.createTopic('t')
    const producer = new TestProducer(broker, { version })
    await producer.init()
    await producer.send('t', 'a')
    files.crash(worst)
    const again = await startBroker({ files, seed: 2 })
    producer.broker = again
    expect((await consume(again, 't')).values).toEqual([])
    expect(await producer.send('t', 'b')).toBe(NONE)
    expect(await producer.end(true)).toBe(NONE)
    await letMarkersOut(again)
    expect((await consume(again, 't')).values).toEqual(['a', 'b'])
  })

  test('a process that knows producer id and epoch ends what another one prepared, as two-phase sinks do', async () => {
    const files = crashFiles()
    const broker = await startBroker({ files })
    await broker.createTopic('t')
    const producer = new TestProducer(broker, { version })
    await producer.init()
    expect(await producer.send('t', 'a')).toBe(NONE)
    expect(await producer.send('t', 'b')).toBe(NONE)
    files.crash(worst)
    const again = await startBroker({ files, seed: 2 })
    const successor = new TestProducer(again, { version })
    successor.producerId = producer.producerId
    successor.producerEpoch = producer.producerEpoch
    expect(await successor.end(true)).toBe(NONE)
    await letMarkersOut(again)
    expect((await consume(again, 't')).values).toEqual(['a', 'b'])
  })
})

describe('what hangs no transaction (KIP-890)', () => {
  test('a batch whose partition was not added is refused in the words of the version', async () => {
    const broker = await startBroker()
    await broker.createTopic('t')
    const producer = new TestProducer(broker, { version: 1 })
    await producer.init()
    expect(await producer.produce('t', 'a', 0, 10)).toBe(INVALID_TXN_STATE)
    expect(await producer.produce('t', 'a', 0, 11)).toBe(TRANSACTION_ABORTABLE)
    expect((await consume(broker, 't', { committed: false })).values).toEqual([])
  })

  test('a batch that comes after the end of its transaction is refused', async () => {
    const broker = await startBroker()
    await broker.createTopic('t')
    const producer = new TestProducer(broker, { version: 1 })
    await producer.init()
    await producer.send('t', 'a')
    await producer.end(true)
    await letMarkersOut(broker)
    expect(await producer.produce('t', 'late', 0, 11)).toBe(TRANSACTION_ABORTABLE)
    expect((await consume(broker, 't')).nextOffset).toBe(2)
  })

  test('a batch that was admitted before the abort and appended after it is refused', async () => {
    const files = crashFiles()
    const broker = await startBroker({ files, config: { 'transaction.state.log.num.partitions': 1 } })
    await broker.createTopic('t', 3)
    const other = new TestProducer(broker, { version: 1, transactionalId: 'other' })
    await other.init()
    const producer = new TestProducer(broker, { version: 2 })
    await producer.init()
    // Both become durable in one go: the marker is written before the batch has its turn.
    const release = files.holdSyncs()
    const before = other.add('t', 1)
    const sent = producer.produce('t', 'late')
    const ended = producer.end(false)
    await broker.runtime.settle()
    release()
    await letMarkersOut(broker)
    await before
    expect(await ended).toBe(NONE)
    expect(await sent).toBe(INVALID_PRODUCER_EPOCH)
    const { values, nextOffset, lastStableOffset } = await consume(broker, 't', { committed: false })
    expect({ values, nextOffset, lastStableOffset }).toEqual({ values: [], nextOffset: 1, lastStableOffset: 1 })
  })

  test('the same in version 1, where no epoch tells the two apart', async () => {
    const files = crashFiles()
    const broker = await startBroker({ files, config: { 'transaction.state.log.num.partitions': 1 } })
    await broker.createTopic('t', 3)
    const other = new TestProducer(broker, { version: 1, transactionalId: 'other' })
    await other.init()
    const producer = new TestProducer(broker, { version: 1 })
    await producer.init()
    await producer.add('t')
    const release = files.holdSyncs()
    const before = Promise.all([other.add('t', 1), other.add('t', 2)])
    const sent = producer.produce('t', 'late')
    const ended = producer.end(false)
    await broker.runtime.settle()
    release()
    await letMarkersOut(broker)
    await before
    expect(await ended).toBe(NONE)
    expect(await sent).toBe(INVALID_TXN_STATE)
    const { values, nextOffset, lastStableOffset } = await consume(broker, 't', { committed: false })
    expect({ values, nextOffset, lastStableOffset }).toEqual({ values: [], nextOffset: 1, lastStableOffset: 1 })
  })

  test('with transaction.partition.verification.enable=false version 1 is taken on trust', async () => {
    const broker = await startBroker({ config: { 'transaction.partition.verification.enable': false } })
    await broker.createTopic('t')
    const producer = new TestProducer(broker, { version: 1 })
    await producer.init()
    expect(await producer.produce('t', 'a')).toBe(NONE)
  })

  test('batches in flight keep their order while the first is being admitted', async () => {
    const broker = await startBroker()
    await broker.createTopic('t')
    const producer = new TestProducer(broker, { version: 2 })
    await producer.init()
    const { producerId, producerEpoch, transactionalId } = producer
    const ask = (n: number) => {
      const sent = records([String(n)], { producerId, producerEpoch, baseSequence: n, isTransactional: true })
      const topicData = [{ name: 't', partitionData: [{ index: 0, records: sent }] }]
      return broker.ask(Produce, { transactionalId, acks: -1, timeoutMs: 30_000, topicData }, 12)
    }
    const answers = Promise.all([0, 1, 2, 3, 4].map(ask))
    await broker.runtime.settle()
    const replies = await answers
    expect(replies.map(reply => reply!.responses[0]!.partitionResponses[0]!.errorCode)).toEqual([0, 0, 0, 0, 0])
    await producer.end(true)
    await letMarkersOut(broker)
    expect((await consume(broker, 't')).values).toEqual(['0', '1', '2', '3', '4'])
  })
})

test('the next transaction begins when the markers of the one before are on the disk, with the write of its end', async () => {
  const files = crashFiles()
  const broker = await startBroker({ files })
  await broker.createTopic('t')
  const producer = new TestProducer(broker)
  await producer.init()
  expect(await producer.send('t', 'a')).toBe(NONE)
  const { runtime } = broker
  const ended = producer.end(true)
  const end = { isAnswered: false }
  void ended.then(() => (end.isAnswered = true))
  while (!end.isAnswered) {
    // oxlint-disable-next-line no-await-in-loop -- turn by turn, so that the markers are not written yet
    await new Promise(resolve => setImmediate(resolve))
    if (!end.isAnswered) runtime.flush()
  }
  const letSyncsEnd = files.holdSyncs()
  const state = async () => {
    const { transactionStates } = (await broker.ask(ListTransactions, { stateFilters: [], producerIdFilters: [] }))!
    return transactionStates[0]?.transactionState
  }
  const { producerId, producerEpoch } = producer
  const sent = records(['b'], { producerId, producerEpoch, baseSequence: 0, isTransactional: true })
  const topicData = [{ name: 't', partitionData: [{ index: 0, records: sent }] }]
  // Time stands still while it waits.
  const begun = broker.ask(Produce, { transactionalId: 'x', acks: -1, timeoutMs: 1000, topicData }, 12)
  let isBegun = false
  void begun.then(() => (isBegun = true))
  await runtime.settle()
  expect({ isBegun, state: await state() }).toEqual({ isBegun: false, state: 'PrepareCommit' })
  letSyncsEnd()
  await runtime.settle()
  expect(isBegun).toBe(true)
  expect((await begun)!.responses[0]!.partitionResponses[0]!.errorCode).toBe(NONE)
  expect(await state()).toBe('Ongoing')
})

test('the end of a transaction waits for no disk of its own: it is there when somebody asks', async () => {
  const files = crashFiles()
  const broker = await startBroker({ files })
  await broker.createTopic('t')
  const producer = new TestProducer(broker)
  await producer.init()
  await producer.send('t', 'a')
  expect(await producer.end(true)).toBe(NONE)
  await letMarkersOut(broker)
  const { calls } = files
  const request = { transactionalIds: ['x'] }
  const reply = await broker.ask(DescribeTransactions, request)
  expect(reply!.transactionStates).toMatchObject([{ errorCode: NONE, transactionState: 'CompleteCommit' }])
  // The sync that the answer asked for.
  expect(files.calls).toBe(calls + 1)
  await broker.ask(DescribeTransactions, request)
  expect(files.calls).toBe(calls + 1)
})
