// Several log directories: where partitions go and are found again, what is recorded of it, and what a directory that fails
// takes with it.
import { describe, expect, test } from 'vitest'
import {
  INVALID_REPLICA_ASSIGNMENT,
  KAFKA_STORAGE_ERROR,
  LOG_DIR_NOT_FOUND,
  NONE,
  UNKNOWN_TOPIC_OR_PARTITION,
} from '../../../protocol/errors.ts'
import {
  DeleteRecords,
  DeleteTopics,
  DescribeTopicPartitions,
  IncrementalAlterConfigs,
  ListOffsets,
  Metadata,
} from '../../../protocol/messages/index.ts'
import { crashFiles, type CrashFiles } from '../../../storage/files-crash.ts'
import { failure, memoryFiles } from '../../../storage/files-memory.ts'
import type { Files } from '../../../storage/files.ts'
import { ZERO_UUID } from '../../../protocol/schema.ts'
import { layout, move, produce, read, recorded } from './directories.ts'
import { testBroker, type TestBroker } from './harness.ts'

const twoDisks = () => ({ files: crashFiles(), more: { other: crashFiles() } })

async function stop(broker: TestBroker): Promise<void> {
  broker.opened.quiesce()
  await broker.opened.close()
}

/** Every call fails. */
const brokenDisk = (): Files => {
  const fail = (): never => {
    throw failure('EIO', '')
  }
  return new Proxy(memoryFiles(), { get: () => fail })
}

const errorLines = (broker: TestBroker) =>
  broker.runtime.lines.filter(({ level }) => level === 'error').map(({ message }) => message)

async function leaderOf(broker: TestBroker, name: string) {
  const reply = await broker.ask(Metadata, { topics: [{ name }], allowAutoTopicCreation: false }, 9)
  const { errorCode, leaderId, isrNodes, offlineReplicas } = reply!.topics[0]!.partitions[0]!
  return { errorCode, leaderId, isrNodes, offlineReplicas }
}

describe('placement', () => {
  test('new partitions go where the fewest are, and the metadata says where they went', async () => {
    const broker = await testBroker(twoDisks())
    await broker.createTopic('a', 3)
    await broker.createTopic('b', 2)
    expect(await layout(broker)).toEqual(['test: a-0 a-2 b-1', 'other: a-1 b-0'])
    await broker.runtime.settle()
    expect([0, 1, 2].map(index => recorded(broker, 'a', index))).toEqual(['test', 'other', 'test'])
    const { dirs, metadata } = broker.opened.broker
    expect(metadata.image.broker(dirs.nodeId)?.logDirs).toEqual(dirs.onlineIds)
    expect(new Set(dirs.onlineIds).size).toBe(2)
  })

  test('is found again after an orderly stop and after a crash, with what is in it', async () => {
    const disks = twoDisks()
    let broker = await testBroker(disks)
    await broker.createTopic('a', 2)
    for (const index of [0, 1]) expect(await produce(broker, 'a', `v${index}`, -1, index)).toBe(NONE)
    await stop(broker)
    for (const files of [disks.files, disks.more.other]) expect(files.exists('.kafka_cleanshutdown')).toBe(true)
    broker = await testBroker({ ...disks, seed: 2 })
    expect(await layout(broker)).toEqual(['test: a-0', 'other: a-1'])
    for (const files of [disks.files, disks.more.other]) files.crash(() => 0)
    broker = await testBroker({ ...disks, seed: 3 })
    expect([await read(broker, 'a', 0), await read(broker, 'a', 1)]).toEqual([['v0'], ['v1']])
  })

  test('a partition that does not exist yet is made where AlterReplicaLogDirs asked', async () => {
    const broker = await testBroker(twoDisks())
    expect(await move(broker, 'a', 'other')).toBe(UNKNOWN_TOPIC_OR_PARTITION)
    await broker.createTopic('a', 1)
    expect(await layout(broker)).toEqual(['test:', 'other: a-0'])
  })

  test('cordoned.log.dirs keeps new partitions out, by request and at once', async () => {
    const broker = await testBroker(twoDisks())
    await broker.createTopic('kept')
    const alter = async (value: string): Promise<number> => {
      const configs = [{ name: 'cordoned.log.dirs', configOperation: 0, value }]
      const resources = [{ resourceType: 4, resourceName: '1', configs }]
      const reply = await broker.ask(IncrementalAlterConfigs, { resources, validateOnly: false })
      return reply!.responses[0]!.errorCode
    }
    expect(await alter('test')).toBe(NONE)
    await broker.createTopic('a', 2)
    expect(await layout(broker)).toEqual(['test cordoned: kept-0', 'other: a-0 a-1'])
    expect(await move(broker, 'a', 'test')).toBe(INVALID_REPLICA_ASSIGNMENT)
    await broker.runtime.settle()
    const { dirs, metadata } = broker.opened.broker
    expect(metadata.image.broker(1)?.cordonedLogDirs).toEqual([dirs.onlineIds[0]])
    expect(await alter('test,other')).toBe(NONE)
    await broker.runtime.settle()
    await expect(broker.createTopic('b')).rejects.toThrow(/cordoned|broker/)
    expect(await alter('')).toBe(NONE)
    await broker.runtime.settle()
    await broker.createTopic('b')
    expect((await layout(broker)).join()).toMatch(/test:.* b-0/)
  })

  test('the metadata log may have a directory of its own', async () => {
    const [first, metadata] = [memoryFiles(), memoryFiles()]
    const open = (seed: number) => testBroker({ files: first, metadata, seed })
    const broker = await open(1)
    await broker.createTopic('a')
    expect(await layout(broker)).toEqual(['test: a-0'])
    expect([first.exists('__cluster_metadata-0'), metadata.exists('__cluster_metadata-0')]).toEqual([false, true])
    await stop(broker)
    expect(await layout(await open(2))).toEqual(['test: a-0'])
  })
})

describe('a directory is refused', () => {
  test.each<[string, (a: Files, b: Files) => Promise<Parameters<typeof testBroker>[0]>, RegExp]>([
    ['of another cluster', async (a, b) => (await used(a, 1), await used(b, 2), { files: a, more: { b } }), /clusters/],
    [
      'without the metadata log',
      async (a, b) => (await used(a), { files: b, more: { a } }),
      /metadata log is in a.*metadata\.log\.dir=a/,
    ],
    [
      'that is a copy',
      async (a, b) => {
        await used(a)
        b.writeAtomic('meta.properties', a.readAll('meta.properties'))
        return { files: a, more: { b } }
      },
      /copy/,
    ],
    ['that is in use', async (a, b) => (await testBroker({ files: a, more: { b } }), { files: b }), /in use|metadata/],
  ])('%s', async (_, prepare, message) => {
    const [a, b] = [crashFiles(), crashFiles()]
    const options = await prepare(a, b)
    await expect(testBroker(options)).rejects.toThrow(message)
  })

  async function used(files: Files, seed = 1): Promise<void> {
    await stop(await testBroker({ files, seed }))
  }
})

describe('a directory that cannot be opened at the start', () => {
  async function withOneMissing() {
    const disks = twoDisks()
    const first = await testBroker(disks)
    await first.createTopic('a', 2)
    for (const index of [0, 1]) await produce(first, 'a', `v${index}`, -1, index)
    await stop(first)
    const broker = await testBroker({ files: disks.files, more: { other: brokenDisk() }, seed: 2 })
    return { disks, broker }
  }

  test('takes its partitions offline, the others go on', async () => {
    const { broker } = await withOneMissing()
    expect(await layout(broker)).toEqual(['test: a-0', `other error ${KAFKA_STORAGE_ERROR}:`])
    expect(await produce(broker, 'a', 'more')).toBe(NONE)
    expect(await produce(broker, 'a', 'more', -1, 1)).toBe(KAFKA_STORAGE_ERROR)
    expect(await read(broker, 'a', 1)).toEqual([`error ${KAFKA_STORAGE_ERROR}`])
    const asked = [{ name: 'a', partitions: [{ partitionIndex: 1, currentLeaderEpoch: -1, timestamp: -1 }] }]
    const listed = await broker.ask(ListOffsets, { replicaId: -1, isolationLevel: 0, topics: asked })
    expect(listed!.topics[0]!.partitions[0]!.errorCode).toBe(KAFKA_STORAGE_ERROR)
    const image = broker.opened.broker.metadata.image.topicByName('a')!
    expect(image.partitions.map(({ leader }) => leader)).toEqual([1, -1])
    const reply = await broker.ask(Metadata, { topics: [{ name: 'a' }], allowAutoTopicCreation: false }, 9)
    expect(reply!.topics[0]!.partitions[1]!).toMatchObject({ leaderId: -1, isrNodes: [], offlineReplicas: [1] })
    expect(await move(broker, 'a', 'other')).toBe(KAFKA_STORAGE_ERROR)
    expect(await move(broker, 'a', 'test', 1)).toBe(KAFKA_STORAGE_ERROR)
    expect(await move(broker, 'a', 'nowhere')).toBe(LOG_DIR_NOT_FOUND)
    await broker.createTopic('b', 2)
    expect(await layout(broker)).toEqual(['test: a-0 b-0 b-1', `other error ${KAFKA_STORAGE_ERROR}:`])
  })

  test('brings them back when it is back', async () => {
    const { broker, disks } = await withOneMissing()
    await produce(broker, 'a', 'more')
    await stop(broker)
    const again = await testBroker({ ...disks, seed: 3 })
    expect([await read(again, 'a', 0), await read(again, 'a', 1)]).toEqual([['v0', 'more'], ['v1']])
    expect(await produce(again, 'a', 'new', -1, 1)).toBe(NONE)
  })

  test("stops the start if it is the metadata log's, or if no other is left", async () => {
    const broken = brokenDisk()
    await expect(testBroker({ files: broken, more: { other: memoryFiles() } })).rejects.toThrow(/test cannot be used/)
    await expect(testBroker({ files: broken, metadata: memoryFiles() })).rejects.toThrow(/test cannot be used/)
  })
})

describe('a directory that fails', () => {
  async function failing() {
    const disks = twoDisks()
    const broker = await testBroker(disks)
    await broker.createTopic('a', 4)
    for (const index of [0, 1, 2, 3]) expect(await produce(broker, 'a', `v${index}`, -1, index)).toBe(NONE)
    await broker.runtime.settle()
    return { disks, broker, bad: disks.more.other }
  }
  const breakDown = (files: CrashFiles): void => files.failAt(1, { code: 'EIO', sticky: true })

  test('takes all its partitions offline, the others go on; the metadata says so', async () => {
    const { broker, bad } = await failing()
    breakDown(bad)
    expect(await produce(broker, 'a', 'lost', 1, 1)).toBe(KAFKA_STORAGE_ERROR)
    await broker.runtime.settle()
    // Not touched itself, but in the same directory.
    expect(await read(broker, 'a', 3)).toEqual([`error ${KAFKA_STORAGE_ERROR}`])
    expect(await layout(broker)).toEqual(['test: a-0 a-2', `other error ${KAFKA_STORAGE_ERROR}:`])
    expect([await produce(broker, 'a', 'x', -1, 0), await produce(broker, 'a', 'x', -1, 2)]).toEqual([NONE, NONE])
    const { metadata, dirs } = broker.opened.broker
    expect(metadata.image.topicByName('a')!.partitions.map(({ leader }) => leader)).toEqual([1, -1, 1, -1])
    expect(metadata.image.broker(1)?.logDirs).toEqual([dirs.onlineIds[0]])
    // Who may lead again once it is back (KIP-966).
    const described = await broker.ask(DescribeTopicPartitions, { topics: [{ name: 'a' }] })
    expect(described!.topics[0]!.partitions.map(p => p.eligibleLeaderReplicas)).toEqual([[], [1], [], [1]])
    expect(await leaderOf(broker, 'a')).toMatchObject({ leaderId: 1, offlineReplicas: [] })
    await broker.createTopic('b', 2)
    expect(recorded(broker, 'b', 1)).toBe('test')
    expect(errorLines(broker).filter(line => line.includes('directory failed'))).toHaveLength(1)
    await stop(broker)
  })

  test('is back with all that was acknowledged after a restart', async () => {
    const { broker, bad, disks } = await failing()
    breakDown(bad)
    await produce(broker, 'a', 'lost', -1, 1)
    await broker.runtime.settle()
    await stop(broker)
    for (const files of [disks.files, bad]) files.crash(() => 0)
    const again = await testBroker({ ...disks, seed: 2 })
    for (const index of [0, 1, 2, 3]) expect((await read(again, 'a', index))[0]).toBe(`v${index}`)
    expect(await leaderOf(again, 'a')).toMatchObject({ leaderId: 1, offlineReplicas: [] })
    expect(await produce(again, 'a', 'new', -1, 1)).toBe(NONE)
  })

  test('one file that fails takes one partition offline, the directory is looked at and stays', async () => {
    const { broker, bad } = await failing()
    bad.failAt(1, { code: 'EIO' })
    expect(await produce(broker, 'a', 'lost', 1, 1)).toBe(KAFKA_STORAGE_ERROR)
    await broker.runtime.settle()
    expect(await produce(broker, 'a', 'fine', -1, 3)).toBe(NONE)
    expect(broker.opened.broker.dirs.hasOffline).toBe(false)
  })

  test('a full disk is no failed directory', async () => {
    const { broker, bad } = await failing()
    bad.failAt(1, { code: 'ENOSPC', sticky: true })
    expect(await produce(broker, 'a', 'lost', 1, 1)).toBe(KAFKA_STORAGE_ERROR)
    await broker.runtime.settle()
    expect(broker.opened.broker.dirs.hasOffline).toBe(false)
    expect(await read(broker, 'a', 3)).toEqual(['v3'])
  })

  test('is found out by checkpoints that cannot be written', async () => {
    const { broker, bad } = await failing()
    await produce(broker, 'a', 'more', -1, 1)
    breakDown(bad)
    await broker.runtime.advanceAsync(120_000)
    expect(broker.opened.broker.dirs.online.map(({ path }) => path)).toEqual(['test'])
    expect(await read(broker, 'a', 1)).toEqual([`error ${KAFKA_STORAGE_ERROR}`])
  })

  test('a new partition goes to the next one where the best cannot make it', async () => {
    const { broker, bad } = await failing()
    await broker.createTopic('pad')
    await broker.createTopic('b')
    expect(await layout(broker)).toEqual(['test: a-0 a-2 pad-0', 'other: a-1 a-3 b-0'])
    await produce(broker, 'b', 'old')
    await broker.runtime.advanceAsync(120_000)
    await broker.ask(DeleteTopics, { topics: [{ name: 'b', topicId: ZERO_UUID }], topicNames: [], timeoutMs: 1000 })
    // What the checkpoints say of the old one has to go first.
    breakDown(bad)
    await broker.createTopic('b')
    await broker.runtime.settle()
    expect(await layout(broker)).toEqual(['test: a-0 a-2 pad-0 b-0', `other error ${KAFKA_STORAGE_ERROR}:`])
    expect(recorded(broker, 'b')).toBe('test')
    expect(await produce(broker, 'b', 'fine')).toBe(NONE)
  })

  test('DeleteRecords is refused where its start cannot be kept, and there alone', async () => {
    const { broker, bad } = await failing()
    breakDown(bad)
    const partitions = [0, 1].map(partitionIndex => ({ partitionIndex, offset: 1 }))
    const reply = await broker.ask(DeleteRecords, { topics: [{ name: 'a', partitions }], timeoutMs: 1000 })
    expect(reply!.topics[0]!.partitions.map(({ errorCode }) => errorCode)).toEqual([NONE, KAFKA_STORAGE_ERROR])
  })
})
