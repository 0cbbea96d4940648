// What the broker remembers of clients, as its pools of memory tell it: it grows with them, and goes when they go.
import { expect, test } from 'vitest'
import {
  DeleteGroups,
  Fetch,
  FindCoordinator,
  InitProducerId,
  OffsetCommit,
  Produce,
} from '../../../protocol/messages/index.ts'
import { encodeBatch } from '../../../protocol/records/record.ts'
import { memoryFiles } from '../../../storage/files-memory.ts'
import { MemoryBudget, type MemoryPool } from '../../../src/runtime/memory.ts'
import { records, testBroker } from './harness.ts'

const MB = 1 << 20
const NOTHING = Buffer.alloc(0)

async function start(config: Record<string, string | number> = {}) {
  const memory = new MemoryBudget(Number(config['odradek.memory.bytes'] ?? 1024 * MB))
  const broker = await testBroker({ files: memoryFiles(), durable: false, memory, config })
  const pool = (name: string): MemoryPool => memory.pools().find(one => one.name === name)!
  return { broker, memory, pool }
}

test('groups and their offsets, with the metadata that clients keep there', async () => {
  const { broker, pool } = await start()
  await broker.createTopic('t', 100)
  await broker.ask(FindCoordinator, { keyType: 0, coordinatorKeys: ['g'] })
  expect(pool('groups').usedBytes).toBe(0)
  const commit = (metadata: string) => {
    const partitions = Array.from({ length: 100 }, (_, partitionIndex) => ({
      partitionIndex,
      committedOffset: 1,
      committedMetadata: metadata,
    }))
    const member = { generationIdOrMemberEpoch: -1, memberId: '', groupInstanceId: null, retentionTimeMs: -1 }
    return broker.ask(OffsetCommit, { groupId: 'g', ...member, topics: [{ name: 't', partitions }] }, 9)
  }
  await commit('x'.repeat(1000))
  const { usedBytes } = pool('groups')
  expect(usedBytes).toBeGreaterThan(100 * 1000)
  await commit('x'.repeat(1000))
  expect(pool('groups').usedBytes).toBe(usedBytes)
  await commit('')
  expect(pool('groups').usedBytes).toBe(usedBytes - 100 * 1000)
  await broker.ask(DeleteGroups, { groupsNames: ['g'] })
  expect(pool('groups')).toMatchObject({ usedBytes: 0, peakBytes: usedBytes })
})

test('producers and fetch sessions', async () => {
  const { broker, pool } = await start()
  await broker.createTopic('t')
  const asked = { transactionalId: null, transactionTimeoutMs: 0 }
  const { producerId, producerEpoch } = (await broker.ask(InitProducerId, asked))!
  const batch = records(['a'], { producerId, producerEpoch, baseSequence: 0 })
  const topicData = [{ name: 't', partitionData: [{ index: 0, records: batch }] }]
  await broker.ask(Produce, { acks: 1, timeoutMs: 1000, topicData }, 9)
  expect(pool('producers').usedBytes).toBeGreaterThan(0)
  const topics = [{ topic: 't', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] }]
  const session = { sessionId: 0, sessionEpoch: 0, maxWaitMs: 0, minBytes: 0, forgottenTopicsData: [] }
  const { sessionId } = (await broker.ask(Fetch, { ...session, topics }, 12))!
  expect(sessionId).toBeGreaterThan(0)
  expect(pool('fetch.sessions').usedBytes).toBeGreaterThan(0)
  await broker.ask(Fetch, { ...session, sessionId, sessionEpoch: -1, topics: [] }, 12)
  expect(pool('fetch.sessions').usedBytes).toBe(0)
})

test('fetch sessions have no more than their part: a client without one goes on', async () => {
  const { broker, memory, pool } = await start({ 'odradek.memory.bytes': 64 * MB })
  expect(memory.limitBytes).toBeLessThanOrEqual(64 * MB)
  await broker.createTopic('t')
  const names = Array.from({ length: 4000 }, (_, partition) => ({ partition, fetchOffset: 0, partitionMaxBytes: 1000 }))
  const ids: number[] = []
  for (let i = 0; i < 4; i++) {
    const topics = [{ topic: 't', partitions: names }]
    const request = { sessionId: 0, sessionEpoch: 0, maxWaitMs: 0, minBytes: 0, topics, forgottenTopicsData: [] }
    const reply = (await broker.ask(Fetch, request, 12))!
    expect(reply.responses[0]!.partitions).toHaveLength(4000)
    ids.push(reply.sessionId)
  }
  const { usedBytes, limitBytes } = pool('fetch.sessions')
  expect(usedBytes).toBeLessThanOrEqual(limitBytes)
  expect(ids.map(id => id > 0)).toEqual([true, true, false, false])
})

test('compaction, while it runs: within its part, whatever Kafka’s keys say', async () => {
  const { broker, pool } = await start({
    'odradek.memory.bytes': 64 * MB,
    'log.cleaner.io.buffer.size': 64 * MB,
    'log.cleaner.io.max.bytes.per.second': 2000,
  })
  await broker.createTopic('t', 1, { 'cleanup.policy': 'compact', 'internal.segment.bytes': '500' })
  for (let n = 0; n < 50; n++) {
    const batch = encodeBatch({ timestamp: 1_700_000_000_000, records: [{ key: Buffer.from('k'), value: NOTHING }] })
    const partitionData = [{ index: 0, records: { byteLength: batch.length, parts: [batch] } }]
    const answer = broker.ask(Produce, { acks: 1, timeoutMs: 1000, topicData: [{ name: 't', partitionData }] }, 9)
    await broker.runtime.settle()
    expect((await answer)!.responses[0]!.partitionResponses[0]!.errorCode).toBe(0)
  }
  await broker.runtime.advanceAsync(15_100)
  const { usedBytes, limitBytes } = pool('compaction')
  expect(usedBytes).toBeGreaterThan(0)
  expect(usedBytes).toBeLessThanOrEqual(limitBytes)
  await broker.runtime.advanceAsync(60_000)
  expect(pool('compaction')).toMatchObject({ usedBytes: 0, peakBytes: usedBytes })
})
