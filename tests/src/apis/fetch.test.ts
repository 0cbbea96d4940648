// Fetch: long polls, byte limits, positions inside a batch, leader epochs, topic ids, and what a deleted topic does to a waiting fetch.
import { beforeEach, describe, expect, test } from 'vitest'
import type { ResponseOf } from '../../../protocol/api.ts'
import {
  FENCED_LEADER_EPOCH,
  INCONSISTENT_TOPIC_ID,
  NONE,
  NOT_LEADER_OR_FOLLOWER,
  OFFSET_OUT_OF_RANGE,
  UNKNOWN_LEADER_EPOCH,
  UNKNOWN_TOPIC_ID,
  UNKNOWN_TOPIC_OR_PARTITION,
} from '../../../protocol/errors.ts'
import { DeleteTopics, Fetch, Produce } from '../../../protocol/messages/index.ts'
import { ZERO_UUID } from '../../../protocol/schema.ts'
import { memoryFiles } from '../../../storage/files-memory.ts'
import { records, testBroker, testConnection, type TestBroker } from '../broker/harness.ts'

/** The last version with topic names. */
const BY_NAME = 12

interface Asked {
  topic?: string
  partition?: number
  offset?: number
  maxBytes?: number
  epoch?: number
}

let broker: TestBroker
beforeEach(async () => {
  broker = await testBroker({ files: memoryFiles(), durable: false })
})

const request = (asked: Asked[], more: object = {}) => ({
  maxWaitMs: 0,
  minBytes: 1,
  forgottenTopicsData: [],
  topics: asked.map(({ topic = 't', partition = 0, offset = 0, maxBytes = 1 << 20, epoch = -1 }) => ({
    topic,
    partitions: [{ partition, fetchOffset: offset, partitionMaxBytes: maxBytes, currentLeaderEpoch: epoch }],
  })),
  ...more,
})

async function fetch(asked: Asked[], more: object = {}, connection = broker.connection) {
  return (await broker.ask(Fetch, request(asked, more), BY_NAME, connection))!
}

const partitions = (reply: ResponseOf<typeof Fetch>) =>
  reply.responses.flatMap(({ topic, partitions: of }) =>
    of.map(p => ({ at: `${topic}-${p.partitionIndex}`, error: p.errorCode, bytes: p.records?.byteLength })),
  )

async function produce(topic: string, values: string[], partition = 0): Promise<void> {
  const topicData = [{ name: topic, partitionData: [{ index: partition, records: records(values) }] }]
  await broker.ask(Produce, { transactionalId: null, acks: 1, timeoutMs: 1000, topicData }, BY_NAME)
}

async function isAnswered(answer: Promise<unknown>): Promise<boolean> {
  let answered = false
  void answer.then(() => {
    answered = true
  })
  await broker.runtime.settle()
  return answered
}

describe('a long poll', () => {
  test('is answered when enough bytes have come', async () => {
    await broker.createTopic('t', 2)
    const one = records(['x']).byteLength
    const answer = fetch([{}, { partition: 1 }], { maxWaitMs: 5000, minBytes: one + 1 })
    await produce('t', ['x'])
    expect(await isAnswered(answer)).toBe(false)
    await produce('t', ['x'], 1)
    expect(partitions(await answer)).toEqual([
      { at: 't-0', error: NONE, bytes: one },
      { at: 't-1', error: NONE, bytes: one },
    ])
  })

  test('is answered empty at its time, with length 0 and not null', async () => {
    await broker.createTopic('t')
    const answer = fetch([{}], { maxWaitMs: 500 })
    await broker.runtime.advanceAsync(499)
    expect(await isAnswered(answer)).toBe(false)
    await broker.runtime.advanceAsync(1)
    expect(partitions(await answer)).toEqual([{ at: 't-0', error: NONE, bytes: 0 }])
  })

  test('is answered at once when a partition has an error', async () => {
    await broker.createTopic('t')
    const answer = fetch([{}, { topic: 'absent' }], { maxWaitMs: 5000 })
    expect(partitions(await answer)).toEqual([
      { at: 't-0', error: NONE, bytes: 0 },
      { at: 'absent-0', error: UNKNOWN_TOPIC_OR_PARTITION, bytes: 0 },
    ])
  })

  test('looks again when its topic is deleted', async () => {
    await broker.createTopic('t')
    const answer = fetch([{}], { maxWaitMs: 5000 })
    expect(await isAnswered(answer)).toBe(false)
    await broker.ask(DeleteTopics, { topics: [{ name: 't', topicId: ZERO_UUID }], timeoutMs: 1000 })
    expect(partitions(await answer)).toEqual([{ at: 't-0', error: UNKNOWN_TOPIC_OR_PARTITION, bytes: 0 }])
  })

  test('ends with its connection and leaves nothing behind', async () => {
    await broker.createTopic('t')
    const timers = broker.runtime.pendingTimers
    const connection = testConnection(7)
    const answer = fetch([{}], { maxWaitMs: 5000 }, connection)
    expect(broker.runtime.pendingTimers).toBe(timers + 1)
    connection.drop()
    await answer
    expect(broker.runtime.pendingTimers).toBe(timers)
    expect(broker.opened.broker.partitions.get('t', 0)!.waits.size).toBe(0)
  })

  test('sees what an earlier request of the same turn appended', async () => {
    await broker.createTopic('t')
    const [, answer] = broker.turn(() => [produce('t', ['x']), fetch([{}], { maxWaitMs: 5000 })] as const)
    expect(partitions(await answer)[0]!.bytes).toBe(records(['x']).byteLength)
  })
})

describe('byte limits', () => {
  test('the first partition with data ignores them, so that a consumer always gets on (KIP-74)', async () => {
    await broker.createTopic('t', 3)
    await produce('t', ['x'.repeat(100)], 1)
    await produce('t', ['y'.repeat(100)], 2)
    const reply = await fetch([{ maxBytes: 1 }, { partition: 1, maxBytes: 1 }, { partition: 2, maxBytes: 1 }])
    expect(partitions(reply).map(({ bytes }) => bytes! > 0)).toEqual([false, true, false])
  })

  test('what the connection may still be given bounds an answer too; a batch it gets', async () => {
    await broker.createTopic('t', 2)
    for (const index of [0, 1]) for (const value of ['x', 'y']) await produce('t', [value], index)
    const one = records(['x']).byteLength
    const ask = (answerRoom: number, minBytes: number) =>
      broker.ask(Fetch, { ...request([{}, { partition: 1 }]), minBytes, maxWaitMs: 5000 }, BY_NAME, {
        ...testConnection(),
        answerRoom,
      })
    expect(partitions((await ask(3 * one, 1e6))!)).toEqual([
      { at: 't-0', error: NONE, bytes: 2 * one },
      { at: 't-1', error: NONE, bytes: one },
    ])
    // Nor does it wait for more than that.
    expect(partitions((await ask(0, 1e6))!)).toEqual([
      { at: 't-0', error: NONE, bytes: one },
      { at: 't-1', error: NONE, bytes: 0 },
    ])
  })

  test('max_bytes holds over all partitions', async () => {
    await broker.createTopic('t', 2)
    await produce('t', ['x'.repeat(100)])
    await produce('t', ['y'.repeat(100)], 1)
    const one = records(['x'.repeat(100)]).byteLength
    const reply = await fetch([{}, { partition: 1 }], { maxBytes: one + 10 })
    expect(partitions(reply).map(({ bytes }) => bytes)).toEqual([one, 0])
  })

  test('an offset inside a batch gets the whole batch, and never half of the next', async () => {
    await broker.createTopic('t')
    await produce('t', ['a', 'b', 'c'])
    await produce('t', ['d'])
    const first = records(['a', 'b', 'c']).byteLength
    expect(partitions(await fetch([{ offset: 1, maxBytes: first + 5 }]))).toEqual([
      { at: 't-0', error: NONE, bytes: first },
    ])
  })
})

test('offsets outside the log are refused, its end is not', async () => {
  await broker.createTopic('t')
  await produce('t', ['a', 'b'])
  expect(partitions(await fetch([{ offset: 2 }]))).toEqual([{ at: 't-0', error: NONE, bytes: 0 }])
  expect(partitions(await fetch([{ offset: 3 }]))).toEqual([{ at: 't-0', error: OFFSET_OUT_OF_RANGE, bytes: 0 }])
  expect(partitions(await fetch([{ offset: -1 }]))).toEqual([{ at: 't-0', error: OFFSET_OUT_OF_RANGE, bytes: 0 }])
})

test('a leader epoch that is not the current one is told so (KIP-320)', async () => {
  await broker.createTopic('t')
  const partition = broker.opened.broker.partitions.get('t', 0)!
  partition.leaderEpoch = 5
  const codes = [5, 4, 6].map(async epoch => partitions(await fetch([{ epoch }]))[0]!.error)
  expect(await Promise.all(codes)).toEqual([NONE, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH])
})

test('a follower has nothing to fetch here', async () => {
  await broker.createTopic('t')
  expect(partitions(await fetch([{}], { replicaId: 3 }))[0]!.error).toBe(NOT_LEADER_OR_FOLLOWER)
})

describe('topic ids', () => {
  const byId = (topicId: string, more: object = {}) => ({
    ...request([]),
    topics: [{ topicId, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] }],
    ...more,
  })

  test('an unknown one is told so', async () => {
    const reply = await broker.ask(Fetch, byId('ABCDEFGHIJKLMNOPQRSTUV'), 13)
    expect(reply!.responses[0]!.partitions[0]!.errorCode).toBe(UNKNOWN_TOPIC_ID)
  })

  test('a session keeps the id of a topic that was deleted and created again', async () => {
    const topicId = await broker.createTopic('t')
    const opened = (await broker.ask(Fetch, byId(topicId, { sessionEpoch: 0 }), 13))!
    expect(opened.sessionId).not.toBe(0)
    await broker.ask(DeleteTopics, { topics: [{ name: 't', topicId: ZERO_UUID }], timeoutMs: 1000 })
    await broker.createTopic('t')
    const next = { ...request([]), topics: [], sessionId: opened.sessionId, sessionEpoch: 1 }
    const reply = (await broker.ask(Fetch, next, 13))!
    expect(reply.responses[0]!.partitions[0]!.errorCode).toBe(INCONSISTENT_TOPIC_ID)
  })
})
