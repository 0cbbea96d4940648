/** The embedded store: order, durability before answers, failing disks, restarts, what a start records. */
import { describe, expect, test } from 'vitest'
import * as batch from '../../../protocol/records/batch.ts'
import { KAFKA_STORAGE_ERROR, KafkaError } from '../../../protocol/errors.ts'
import { createTopics, deleteTopics, registerBroker } from '../../../src/cluster/controller.ts'
import { MetadataImage, type MetadataDelta, type MetadataView } from '../../../src/cluster/image.ts'
import { quorumRecords } from '../../../src/cluster/quorum.ts'
import type { SnapshotToWrite } from '../../../src/cluster/snapshot.ts'
import { decode } from '../../../protocol/compile.ts'
import { Reader } from '../../../protocol/reader.ts'
import { encodeControlBatch } from '../../../protocol/records/control.ts'
import { decodeRecords } from '../../../protocol/records/record.ts'
import { LeaderChangeMessage } from '../../../protocol/state/control-records.ts'
import { loadBatches } from '../../../src/cluster/metadata-log.ts'
import type { Metadata } from '../../../src/cluster/metadata.ts'
import { partitionChange, type PartitionChange } from '../../../src/cluster/partition-image.ts'
import { MemoryLog, MemoryQuorumState } from './memory-log.ts'
import { contents, createRequest, DIRECTORY, idsFrom, kafkaLog, open, options, registration } from './support.ts'

const newTopicId = idsFrom()
const create = (metadata: Metadata, ...topics: Parameters<typeof createRequest>[0]) =>
  metadata.submit(image => createTopics(image, createRequest(topics), options({ newTopicId })))
const remove = (metadata: Metadata, ...topicNames: string[]) =>
  metadata.submit(image =>
    deleteTopics(image, { topicNames, topics: [], timeoutMs: 0 }, { enabled: true, apiVersion: 5 }),
  )
const names = (image: MetadataView) => [...image.topics()].map(({ name }) => name)
const codes = (reply: { topics: readonly { errorCode: number }[] }) => reply.topics.map(({ errorCode }) => errorCode)
const settled = (promise: Promise<unknown>) =>
  Promise.race([promise.then(() => true).catch(() => true), Promise.resolve().then(() => false)])

describe('a start', () => {
  test('in an empty log records what a formatted Kafka cluster has, then the broker', async () => {
    const { metadata, log, quorumState } = await open()
    const loaded = [...loadBatches(log)]
    expect(loaded.map(({ records }) => records.map(({ type }) => type))).toEqual([
      [],
      [
        'BeginTransactionRecord',
        'FeatureLevelRecord',
        'FeatureLevelRecord',
        'FeatureLevelRecord',
        'FeatureLevelRecord',
        'FeatureLevelRecord',
        'FeatureLevelRecord',
        'ConfigRecord',
        'EndTransactionRecord',
      ],
      ['RegisterBrokerRecord'],
    ])
    expect(loaded.map(({ leaderEpoch }) => leaderEpoch)).toEqual([1, 1, 1])
    const [first] = log.read()
    expect(first?.subarray(batch.HEADER_SIZE).toString('hex')).toContain('00000002')
    expect(first === undefined ? 0 : batch.sizeInBytes(first, 0)).toBe(91) // as Kafka's first batch
    expect(quorumState.data?.toString()).toBe(
      '{"clusterId":"","leaderId":1,"leaderEpoch":1,"votedId":-1,"appliedOffset":0,"currentVoters":[{"voterId":1}],"data_version":0}',
    )
    expect(metadata.isNew).toBe(true)
    expect(metadata.image.metadataVersion).toBe(30)
    expect(Object.fromEntries(metadata.image.features)).toEqual({
      'metadata.version': 30,
      'eligible.leader.replicas.version': 1,
      'group.version': 1,
      'share.version': 1,
      'streams.version': 1,
      'transaction.version': 2,
    })
    expect(metadata.image.configs(4, '').get('min.insync.replicas')).toBe('1')
    expect(metadata.image.broker(1)).toMatchObject({ brokerEpoch: 10, fenced: false, ...pick(registration) })
  })

  test('again records the next epoch and the registration alone', async () => {
    const first = await open()
    await create(first.metadata, 'a')
    const { metadata, log, quorumState } = await open({ log: first.log.crashed(), quorumState: first.quorumState })
    const later = [...loadBatches(log)].slice(first.log.batchCount)
    expect(later.map(({ records }) => records.map(({ type }) => type))).toEqual([[], ['RegisterBrokerRecord']])
    expect(metadata.leaderEpoch).toBe(2)
    expect(metadata.isNew).toBe(false)
    expect(quorumState.data).toBeNull()
    expect(first.quorumState.data?.toString()).toContain('"leaderEpoch":2')
    expect(metadata.image.partition('a', 0)?.leaderEpoch).toBe(0)
    expect(metadata.image.broker(1)?.brokerEpoch).toBeGreaterThan(10)
  })

  test('the epoch grows even where quorum-state was lost, or is ahead of the log', async () => {
    const first = await open()
    const lost = await open({ log: first.log.crashed() })
    expect(lost.metadata.leaderEpoch).toBe(2)
    const quorumState = new MemoryQuorumState()
    quorumState.data = Buffer.from(
      '{"leaderId":1,"leaderEpoch":7,"votedId":-1,"currentVoters":[{"voterId":1}],"data_version":0}',
    )
    expect((await open({ quorumState })).metadata.leaderEpoch).toBe(8)
    quorumState.data = Buffer.from('{"data_version":2}')
    await expect(open({ quorumState })).rejects.toThrow('quorum-state')
  })

  test('is refused where voters were recorded, and the records are gone', async () => {
    const quorumState = new MemoryQuorumState()
    const data = '{"leaderId":1,"leaderEpoch":7,"votedId":-1,"votedDirectoryId":"x","data_version":1}'
    quorumState.data = Buffer.from(data)
    await expect(open({ quorumState })).rejects.toThrow('the voters of its quorum are recorded (kraft.version 1)')
    expect(String(quorumState.data)).toBe(data)
  })

  test('after an unclean stop begins a leader epoch in every partition', async () => {
    const first = await open()
    await create(first.metadata, { name: 'a', numPartitions: 2 })
    const again = await open({ log: first.log.crashed(), registration: { ...registration, cleanShutdown: false } })
    expect(
      again.metadata.image.topicByName('a')?.partitions.map(({ leader, leaderEpoch }) => [leader, leaderEpoch]),
    ).toEqual([
      [1, 1],
      [1, 1],
    ])
  })

  test('ends a transaction that a crash left open', async () => {
    const first = await open({ maxBatchBytes: 300 })
    const before = contents(first.metadata.image)
    const { batchCount } = first.log
    await create(first.metadata, { name: 'big', numPartitions: 20 })
    expect(first.log.batchCount).toBeGreaterThan(batchCount + 3)
    for (let count = batchCount; count < first.log.batchCount; count++) {
      const { metadata } = await open({ log: first.log.first(count) })
      expect({ ...contents(metadata.image), brokers: before.brokers }).toEqual(before)
      expect(metadata.image.inTransaction).toBe(false)
      expect(codes(await create(metadata, 'big'))).toEqual([0])
    }
    const whole = await open({ log: first.log.first(first.log.batchCount) })
    expect(whole.metadata.image.topicByName('big')?.partitions.length).toBe(20)
  })

  test('refuses logs that it cannot continue, before it writes anything', async () => {
    const { metadata, log } = await open()
    const feature = { name: 'metadata.version', featureLevel: 33 }
    await metadata.submit(() => ({ records: [{ type: 'FeatureLevelRecord', value: feature }], reply: 0 }))
    const newer = log.crashed()
    const quorumState = new MemoryQuorumState()
    await expect(open({ log: newer, quorumState })).rejects.toThrow(/metadata.version 33/)
    expect(newer.batchCount).toBe(log.batchCount)
    expect(quorumState.data).toBeNull()

    const cut = Object.assign(new MemoryLog(), { read: () => [...log.read()].slice(1) })
    await expect(open({ log: cut })).rejects.toThrow(/no record at offset 0/)
    const rubbish = new MemoryLog()
    rubbish.append(Buffer.from([...log.read()].at(-1) ?? []), 1)
    const [bytes] = rubbish.read()
    bytes?.fill(0xff, batch.HEADER_SIZE + 6, batch.HEADER_SIZE + 10)
    await expect(open({ log: rubbish })).rejects.toThrow(/damaged at offset 0/)
  })
})

describe('a quorum whose voters are records (kraft.version 1)', () => {
  const voter = (voterId: number) => ({
    voterId,
    voterDirectoryId: DIRECTORY,
    endpoints: [{ name: 'CONTROLLER', host: 'localhost', port: 9093 }],
    kRaftVersionFeature: { minSupportedVersion: 0, maxSupportedVersion: 1 },
  })
  /** As `kafka-storage format --standalone` leaves a directory: voters in the snapshot at offset 0. */
  const formatted = (...voters: number[]): MemoryLog => {
    const quorum = { kraftVersion: 1, voters: voters.map(voter) }
    const snapshot = { id: { offset: 0, epoch: 0 }, image: new MetadataImage(), quorum, lastContainedTimestamp: 0 }
    return Object.assign(new MemoryLog(), { snapshot })
  }

  test('is led in its own words, and snapshots tell of it', async () => {
    const log = formatted(1)
    let written: SnapshotToWrite | null = null
    const writeSnapshot = (snapshot: SnapshotToWrite) => Promise.resolve(void (written = snapshot))
    const { metadata, quorumState } = await open({
      log: Object.assign(log, { writeSnapshot }),
      snapshots: { maxBytes: 1 << 30, intervalMs: 0 },
    })
    expect(JSON.parse(quorumState.data!.toString())).toEqual({
      leaderId: 1,
      leaderEpoch: 1,
      votedId: -1,
      votedDirectoryId: 'AAAAAAAAAAAAAAAAAAAAAA',
      data_version: 1,
    })
    const [first] = log.read()
    const [change] = decodeRecords(first!, 0)
    const reader = new Reader(change!.value!)
    expect(decode(LeaderChangeMessage, 1, reader)).toMatchObject({
      version: 1,
      leaderId: 1,
      voters: [{ voterId: 1, voterDirectoryId: DIRECTORY }],
    })
    reader.expectEnd()
    await metadata.writeSnapshot()
    expect(written).toMatchObject({ id: { offset: log.endOffset, epoch: 1 }, quorum: log.snapshot!.quorum })
  })

  test('of others is refused', async () => {
    await expect(open({ log: formatted(1, 2) })).rejects.toThrow(
      /a quorum of the nodes 1, 2, and only one of node 1 alone/,
    )
    await expect(open({ log: formatted(2) })).rejects.toThrow(/a quorum of the nodes 2, /)
  })

  test('stands in the log, too', async () => {
    const log = new MemoryLog()
    log.append(encodeControlBatch(quorumRecords({ kraftVersion: 1, voters: [voter(1)] }), { timestamp: 1 }), 1)
    expect([...loadBatches(log)].at(-1)?.quorum).toEqual({ kraftVersion: 1, voters: [voter(1)] })
  })
})

const pick = ({ incarnationId, endPoints, rack, logDirs }: typeof registration) => ({
  incarnationId,
  endPoints,
  rack,
  logDirs,
})

describe('submit', () => {
  test('decides at once on everything before it; nothing shows and nobody is answered before the commit', async () => {
    const { metadata, log } = await open()
    const told: string[] = []
    metadata.onChange(({ topicsCreated }, image) => {
      told.push(...topicsCreated.map(({ name }) => `${name} of ${names(image).length}`))
    })
    log.hold = true
    const first = create(metadata, 'a')
    await Promise.resolve()
    const again = create(metadata, 'a')
    const other = create(metadata, 'b')
    const reading = metadata.submit(image => ({ records: [], reply: names(image) }))
    await new Promise(setImmediate)
    expect([await settled(first), await settled(again), await settled(reading)]).toEqual([false, false, false])
    expect(names(metadata.image)).toEqual([])
    expect(told).toEqual([])
    log.release()
    expect(codes(await first)).toEqual([0])
    expect(told[0]).toBe('a of 1')
    expect(codes(await again)).toEqual([36])
    expect(codes(await other)).toEqual([0])
    expect(await reading).toEqual(['a', 'b'])
    expect(told).toEqual(['a of 1', 'b of 2'])
  })

  test('what is decided in one turn, or while a commit is under way, shares a commit', async () => {
    const { metadata, log } = await open()
    const before = log.commits
    await Promise.all(Array.from({ length: 10 }, (_, i) => create(metadata, `t${i}`)))
    expect(log.commits).toBe(before + 1)
  })

  test('an answer without changes waits for nothing when nothing is pending', async () => {
    const { metadata, log } = await open()
    const before = log.commits
    expect(await metadata.submit(image => ({ records: [], reply: names(image) }))).toEqual([])
    expect(log.commits).toBe(before)
  })

  test('a decision that throws changes nothing', async () => {
    const { metadata, log } = await open()
    const { endOffset } = log
    await expect(
      metadata.submit(() => {
        throw new KafkaError(1)
      }),
    ).rejects.toThrow(KafkaError)
    expect(log.endOffset).toBe(endOffset)
    expect(metadata.offline).toBeNull()
    await expect(create(metadata, 'a')).resolves.toBeDefined()
  })

  test.each(['append', 'commit'] as const)('a failed %s takes the store offline', async when => {
    const { metadata, log, errors } = await open()
    await create(metadata, 'kept')
    const deltas: MetadataDelta[] = []
    metadata.onChange(delta => deltas.push(delta))
    log.fault = call => {
      if (call === when) throw new Error('ENOSPC')
    }
    const failed = [create(metadata, 'a'), create(metadata, 'b')]
    for (const promise of failed) await expect(promise).rejects.toMatchObject({ code: KAFKA_STORAGE_ERROR })
    log.fault = () => {}
    await expect(create(metadata, 'c')).rejects.toMatchObject({ code: KAFKA_STORAGE_ERROR })
    await expect(metadata.submit(() => ({ records: [], reply: 0 }))).rejects.toMatchObject({
      code: KAFKA_STORAGE_ERROR,
    })
    expect(names(metadata.image)).toEqual(['kept'])
    expect(deltas).toEqual([])
    expect(errors.map(({ message }) => message)).toEqual(['ENOSPC'])
    expect(metadata.offline?.message).toBe('ENOSPC')
    await metadata.idle()
    expect(names((await open({ log: log.crashed() })).metadata.image)).toEqual(['kept'])
  })

  test('a failure in the middle of a large decision leaves none of it', async () => {
    const { metadata, log } = await open({ maxBatchBytes: 300 })
    let left = 3
    log.fault = call => {
      if (call === 'append' && left-- === 0) throw new Error('EIO')
    }
    await expect(create(metadata, { name: 'big', numPartitions: 20 })).rejects.toMatchObject({
      code: KAFKA_STORAGE_ERROR,
    })
    log.fault = () => {}
    const again = await open({ log: log.crashed(3) })
    expect(names(again.metadata.image)).toEqual([])
  })

  test('a listener that throws fails the request it broke, and no other', async () => {
    const { metadata, errors } = await open()
    const told: string[] = []
    const stop = metadata.onChange(({ topicsCreated }) => {
      if (topicsCreated.some(({ name }) => name === 'bad')) throw new Error('listener')
    })
    metadata.onChange(({ topicsCreated }) => told.push(...topicsCreated.map(({ name }) => name)))
    const results = await Promise.allSettled([create(metadata, 'bad'), create(metadata, 'good')])
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
    expect(told).toEqual(['bad', 'good'])
    expect(errors.map(({ message }) => message)).toEqual(['listener'])
    stop()
    await remove(metadata, 'bad')
    await create(metadata, 'bad')
    expect(errors.length).toBe(1)
  })

  test('listeners may submit', async () => {
    const { metadata } = await open()
    const followed: Promise<unknown>[] = []
    metadata.onChange(({ topicsCreated }) => {
      if (topicsCreated.some(({ name }) => name === 'a')) followed.push(create(metadata, 'b'))
    })
    await create(metadata, 'a')
    await Promise.all(followed)
    expect(names(metadata.image)).toEqual(['a', 'b'])
  })
})

describe('over restarts', () => {
  test('ids stay, deletions are known', async () => {
    const first = await open()
    await create(first.metadata, 'a', 'b')
    const ids = [...first.metadata.image.topics()].map(({ topicId }) => topicId)
    await remove(first.metadata, 'a')
    await create(first.metadata, 'a')
    const { metadata } = await open({ log: first.log.crashed() })
    expect(metadata.image.topicByName('b')?.topicId).toBe(ids[1])
    expect(metadata.image.topicByName('a')?.topicId).not.toBe(ids[0])
    expect([...metadata.deletedTopicIds]).toEqual([ids[0]])
  })

  test('an older metadata.version is kept to, in the versions of the records too', async () => {
    const { metadata, log } = await open()
    const feature = { name: 'metadata.version', featureLevel: 21 }
    await metadata.submit(() => ({ records: [{ type: 'FeatureLevelRecord', value: feature }], reply: 0 }))
    const again = await open({ log: log.crashed() })
    await create(again.metadata, 'a')
    const [bytes] = [...again.log.read()].slice(-1)
    // Frame 1, PartitionRecord (3), version 1.
    expect(bytes?.includes(Buffer.from([1, 3, 1]))).toBe(true)
    expect(names((await open({ log: again.log.crashed() })).metadata.image)).toEqual(['a'])
  })

  test.each(['4.3.1-clean', '4.3.1-killed', '3.9.1-clean'])("continues Apache Kafka's own log, %s", async name => {
    const broker = [...loadBatches(kafkaLog(name))]
      .flatMap(({ records }) => records)
      .find(record => record.type === 'RegisterBrokerRecord')!
    const { logDirs } = broker.value
    const { metadata, log } = await open({
      log: kafkaLog(name),
      registration: { ...registration, logDirs, cleanShutdown: name.endsWith('clean') },
    })
    expect(metadata.isNew).toBe(false)
    const partitions = [...metadata.image.topics()].flatMap(topic => topic.partitions)
    expect(partitions.length).toBe(25)
    expect(partitions.every(({ leader, isr }) => leader === 1 && isr.includes(1))).toBe(true)
    expect(codes(await create(metadata, 'a', 'plain'))).toEqual([0, 36])
    const again = await open({ log: log.crashed() })
    expect(again.metadata.image.topicByName('a')?.partitions.length).toBe(1)
    expect(again.metadata.image.others).toEqual(metadata.image.others)
  })

  test.each<[string, Partial<PartitionChange>, Partial<PartitionChange>]>([
    ['it is in sync with', { isr: [2, 1] }, { isr: [2, 1], leader: 1 }],
    ['others are in sync with', { isr: [2], eligibleLeaderReplicas: [1] }, { isr: [2], leader: -1 }],
    [
      'it is eligible for when the ISR is empty',
      { isr: [], eligibleLeaderReplicas: [2, 1], lastKnownElr: [1] },
      { isr: [1], leader: 1, eligibleLeaderReplicas: [2], lastKnownElr: [] },
    ],
    ['others are eligible for', { isr: [], eligibleLeaderReplicas: [2], lastKnownElr: [1] }, { isr: [], leader: -1 }],
    [
      'it led last when nobody is eligible',
      { isr: [], lastKnownElr: [1], leaderRecoveryState: 1 },
      { isr: [1], leader: 1, lastKnownElr: [], leaderRecoveryState: 0 },
    ],
    ['nobody knows who led last', { isr: [], lastKnownElr: [1, 2] }, { isr: [], leader: -1 }],
  ])('what has no leader and %s', async (_, before, after) => {
    const { metadata } = await open()
    await create(metadata, 'a')
    const topicId = metadata.image.topicByName('a')?.topicId ?? ''
    const change = partitionChange(topicId, 0, {
      leader: -1,
      replicas: [2, 1],
      directories: [DIRECTORY, DIRECTORY],
      ...before,
    })
    await metadata.submit(() => ({ records: [change], reply: 0 }))
    expect(metadata.image.partition('a', 0)?.leader).toBe(-1)
    await metadata.submit(image => registerBroker(image, { ...registration, brokerId: 1 }))
    expect(metadata.image.partition('a', 0)).toMatchObject(after)
    expect(metadata.image.partition('a', 0)?.leaderEpoch).toBe(after.leader === 1 ? 2 : 1)
  })
})
