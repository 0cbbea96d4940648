// Log directories, pages of topics, the quorum and gone brokers: what the oracle, which is in memory and has one broker,
// cannot show.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { ResponseOf } from '../../../protocol/api.ts'
import {
  BROKER_ID_NOT_REGISTERED,
  ELECTION_NOT_NEEDED,
  INVALID_REQUEST,
  INVALID_REPLICA_ASSIGNMENT,
  KAFKA_STORAGE_ERROR,
  LOG_DIR_NOT_FOUND,
  NONE,
  UNSUPPORTED_VERSION,
} from '../../../protocol/errors.ts'
import {
  AlterPartitionReassignments,
  AlterReplicaLogDirs,
  DescribeLogDirs,
  DescribeQuorum,
  DescribeTopicPartitions,
  ElectLeaders,
  Produce,
  UnregisterBroker,
  UnregisterController,
} from '../../../protocol/messages/index.ts'
import { crashFiles } from '../../../storage/files-crash.ts'
import { diskFiles } from '../../../storage/files-disk.ts'
import { memoryFiles } from '../../../storage/files-memory.ts'
import { registerBroker } from '../../../src/cluster/controller.ts'
import { records, testBroker, type TestBroker } from '../broker/harness.ts'

async function dir(broker: TestBroker) {
  const reply = await broker.ask(DescribeLogDirs, { topics: null })
  return reply!.results[0]!
}

describe('DescribeLogDirs', () => {
  test('sizes are those of the files, and the file system tells how much room there is', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'odradek-log-dirs-'))
    try {
      const files = diskFiles(folder)
      const broker = await testBroker({ files })
      await broker.createTopic('t')
      const partitionData = [{ index: 0, records: records(['a', 'b']) }]
      const topicData = [{ name: 't', partitionData }]
      await broker.ask(Produce, { transactionalId: null, acks: -1, timeoutMs: 1000, topicData }, 12)
      const found = await dir(broker)
      const [partition] = found.topics.find(({ name }) => name === 't')!.partitions
      expect(partition!.partitionSize).toBe(files.size('t-0/00000000000000000000.log'))
      expect(found.totalBytes).toBeGreaterThan(found.usableBytes)
      expect(found.usableBytes).toBeGreaterThan(0)
      await broker.opened.close()
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('in memory there is no file system; one that fails is told', async () => {
    const files = memoryFiles()
    const broker = await testBroker({ files })
    expect(await dir(broker)).toMatchObject({ errorCode: NONE, logDir: 'test', totalBytes: -1, usableBytes: -1 })
    files.space = () => {
      throw new Error('EIO')
    }
    expect(await dir(broker)).toMatchObject({ errorCode: KAFKA_STORAGE_ERROR, logDir: 'test', topics: [] })
  })
})

test('AlterReplicaLogDirs knows one directory', async () => {
  const broker = await testBroker({ files: memoryFiles() })
  await broker.createTopic('t')
  const move = async (path: string) => {
    const reply = await broker.ask(AlterReplicaLogDirs, { dirs: [{ path, topics: [{ name: 't', partitions: [0] }] }] })
    return reply!.results[0]!.partitions[0]!.errorCode
  }
  expect(await move('test')).toBe(NONE)
  expect(await move('/elsewhere')).toBe(LOG_DIR_NOT_FOUND)
})

test('DescribeTopicPartitions: page after page, every partition once', async () => {
  const broker = await testBroker({ files: memoryFiles(), config: { 'max.request.partition.size.limit': 3 } })
  for (const [name, count] of Object.entries({ b: 4, a: 2, c: 1, d: 5 })) {
    // oxlint-disable-next-line no-await-in-loop -- in order
    await broker.createTopic(name, count)
  }
  const found: string[] = []
  let cursor: { topicName: string; partitionIndex: number } | null = null
  for (let pages = 0; pages < 10; pages++) {
    // oxlint-disable-next-line no-await-in-loop -- each page tells where the next begins
    const reply: ResponseOf<typeof DescribeTopicPartitions> = (await broker.ask(DescribeTopicPartitions, {
      topics: [],
      cursor,
      responsePartitionLimit: 2000,
    }))!
    const page = reply.topics.flatMap(({ name, partitions }) => partitions.map(p => `${name}${p.partitionIndex}`))
    expect(page.length).toBeLessThanOrEqual(3)
    found.push(...page)
    cursor = reply.nextCursor
    if (cursor === null) break
  }
  expect(found).toEqual(['a0', 'a1', 'b0', 'b1', 'b2', 'b3', 'c0', 'd0', 'd1', 'd2', 'd3', 'd4'])
})

test('DescribeQuorum: a new epoch with every start, and the end of the metadata log', async () => {
  const files = crashFiles()
  const topics = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }]
  const ask = async (broker: TestBroker) => (await broker.ask(DescribeQuorum, { topics }))!.topics[0]!.partitions[0]!
  let broker = await testBroker({ files })
  const before = await ask(broker)
  await broker.createTopic('t')
  const after = await ask(broker)
  expect(after.highWatermark).toBeGreaterThan(before.highWatermark)
  expect(after.currentVoters).toMatchObject([{ replicaId: 1, logEndOffset: after.highWatermark }])
  await broker.opened.close()
  broker = await testBroker({ files })
  expect((await ask(broker)).leaderEpoch).toBe(before.leaderEpoch + 1)
})

test('a broker that is gone is unregistered for good; the one that runs stays', async () => {
  const files = crashFiles()
  let broker = await testBroker({ files })
  const unregister = async (brokerId: number) => (await broker.ask(UnregisterBroker, { brokerId }))!.errorCode
  const gone = {
    brokerId: 7,
    incarnationId: broker.runtime.random.uuid(),
    endPoints: [],
    rack: null,
    logDirs: [],
    cleanShutdown: false,
  }
  await broker.opened.broker.metadata.submit(image => registerBroker(image, gone))
  await broker.createTopic('t')
  const move = async (replicas: number[]) => {
    const topics = [{ name: 't', partitions: [{ partitionIndex: 0, replicas }] }]
    const reply = await broker.ask(AlterPartitionReassignments, { timeoutMs: 1000, topics })
    return reply!.responses[0]!.partitions[0]!.errorCode
  }
  expect(await move([1])).toBe(NONE)
  expect(await move([1, 7])).toBe(INVALID_REPLICA_ASSIGNMENT)
  const topicPartitions = [{ topic: 't', partitions: [0] }]
  const elected = await broker.ask(ElectLeaders, { electionType: 0, topicPartitions, timeoutMs: 1000 })
  expect(elected!.replicaElectionResults[0]!.partitionResult[0]!.errorCode).toBe(ELECTION_NOT_NEEDED)
  expect(await unregister(1)).toBe(INVALID_REQUEST)
  expect(await unregister(8)).toBe(BROKER_ID_NOT_REGISTERED)
  expect(await unregister(7)).toBe(NONE)
  expect(await unregister(7)).toBe(BROKER_ID_NOT_REGISTERED)
  await broker.opened.close()
  broker = await testBroker({ files })
  expect(await unregister(7)).toBe(BROKER_ID_NOT_REGISTERED)
})

test('the controller there is leads and stays; no record can take away another one yet', async () => {
  const broker = await testBroker({ files: memoryFiles() })
  const unregister = async (controllerId: number) =>
    (await broker.ask(UnregisterController, { controllerId }))!.errorCode
  expect(await unregister(1)).toBe(INVALID_REQUEST)
  expect(await unregister(2)).toBe(UNSUPPORTED_VERSION)
})
