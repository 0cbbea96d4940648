/** The image against logs that Apache Kafka wrote, and the rules of replay. */
import { describe, expect, test } from 'vitest'
import { MetadataImage, MetadataReplayError } from '../../../src/cluster/image.ts'
import { loadBatches } from '../../../src/cluster/metadata-log.ts'
import { partitionChange } from '../../../src/cluster/partition-image.ts'
import type { MetadataRecord } from '../../../src/cluster/records.ts'
import { encodeRecord } from '../../../src/cluster/record-codec.ts'
import { forEachRecord } from '../../../protocol/records/record.ts'
import * as batch from '../../../protocol/records/batch.ts'
import type { MemoryLog } from './memory-log.ts'
import { contents, kafkaLog, partitionRecord as partition } from './support.ts'

function replay(log: MemoryLog): MetadataImage {
  const image = new MetadataImage()
  for (const { records, endOffset } of loadBatches(log)) image.apply(records, endOffset)
  return image
}

const topic = (name: string, topicId: string): MetadataRecord => ({ type: 'TopicRecord', value: { name, topicId } })
const remove = (topicId: string): MetadataRecord => ({ type: 'RemoveTopicRecord', value: { topicId } })
const config = (resourceName: string, name: string, value: string | null): MetadataRecord => ({
  type: 'ConfigRecord',
  value: { resourceType: 2, resourceName, name, value },
})
const begin: MetadataRecord = { type: 'BeginTransactionRecord', value: { name: null } }
const end: MetadataRecord = { type: 'EndTransactionRecord', value: {} }
const abort: MetadataRecord = { type: 'AbortTransactionRecord', value: { reason: null } }

describe('logs of Apache Kafka', () => {
  test.each(['4.3.1-clean', '4.3.1-killed', '3.9.1-clean'])('%s has the topics it was made with', name => {
    const image = replay(kafkaLog(name))
    const partitions = Object.fromEntries([...image.topics()].map(each => [each.name, each.partitions.length]))
    expect(partitions).toEqual({
      plain: 2,
      segments: 1,
      'truncated-head': 1,
      gzip: 1,
      'stored-lz4': 1,
      'stored-zstd': 1,
      'stored-snappy': 1,
      'append-time': 1,
      compacted: 1,
      transactions: 2,
      empty: 5,
      __consumer_offsets: 4,
      __transaction_state: 4,
    })
    expect(image.topicByName('gone')).toBeUndefined()
    expect(image.partitionCount).toBe(25)
    expect(Object.fromEntries(image.topicConfigs('compacted'))).toEqual({
      'cleanup.policy': 'compact',
      'segment.ms': '1000',
      'min.cleanable.dirty.ratio': '0.01',
      'delete.retention.ms': '60000',
    })
    expect(image.metadataVersion).toBe(name.startsWith('3') ? 21 : 30)
    expect(image.producerIdNext).toBe(1000)
    const [broker] = image.brokers()
    expect(broker?.endPoints[0]?.host).toBe('127.0.0.1')
    for (const { partitions: list } of image.topics())
      for (const { directories, replicas } of list) {
        expect(directories).toEqual(broker?.logDirs)
        expect(replicas).toEqual([1])
      }
    expect(image.inTransaction).toBe(false)
  })

  test('what was read is written back byte for byte', () => {
    for (const name of ['4.3.1-clean', '3.9.1-clean']) {
      const log = kafkaLog(name)
      const level = name.startsWith('3') ? 21 : 30
      const values: Buffer[] = []
      for (const run of log.read())
        for (const at of batch.batchesOf(run))
          if (!batch.isControl(run, at)) forEachRecord(run, at, ({ value }) => values.push(value ?? Buffer.alloc(0)))
      const records = [...loadBatches(log)].flatMap(loaded => loaded.records)
      expect(records.length).toBe(values.length)
      // Kafka writes a registration change in the lowest version that has its fields.
      const compared = records.map((record, i) => ({ record, value: values[i]?.toString('hex') }))
      for (const { record, value } of compared.filter(
        ({ record: { type } }) => type !== 'BrokerRegistrationChangeRecord',
      ))
        expect([record.type, encodeRecord(record, level).toString('hex')]).toEqual([record.type, value])
    }
  })
})

describe('replay', () => {
  test('topics are found by name and id, and an older reader keeps what it saw', () => {
    const image = new MetadataImage()
    image.apply([topic('a', 'A'), partition('A', 0)], 2)
    const before = image.topicByName('a')
    image.apply([partition('A', 1), partitionChange('A', 0, { leader: 1 })], 4)
    expect(before?.partitions.length).toBe(1)
    expect(before?.partitions[0]?.leaderEpoch).toBe(0)
    expect(image.topicById('A')).toBe(image.topicByName('a'))
    expect(image.partition('a', 1)?.partition).toBe(1)
    expect(image.partition('a', 2)).toBeUndefined()
    expect(image.endOffset).toBe(4)
  })

  test('naming a leader starts a leader epoch, even the same leader; other changes only count the partition epoch', () => {
    const image = new MetadataImage()
    image.apply([topic('a', 'A'), partition('A', 0)], 2)
    image.apply([partitionChange('A', 0, { leader: 1 })], 3)
    expect(image.partition('a', 0)).toMatchObject({ leader: 1, leaderEpoch: 1, partitionEpoch: 1 })
    image.apply([partitionChange('A', 0, { isr: [1, 2], replicas: [1, 2], directories: ['dir', 'other'] })], 4)
    expect(image.partition('a', 0)).toMatchObject({ isr: [1, 2], leaderEpoch: 1, partitionEpoch: 2 })
    image.apply([partitionChange('A', 0, { leader: -1, eligibleLeaderReplicas: [2] })], 5)
    expect(image.partition('a', 0)).toMatchObject({ leader: -1, leaderEpoch: 2, eligibleLeaderReplicas: [2] })
    image.apply([{ type: 'ClearElrRecord', value: { topicName: 'a' } }], 6)
    expect(image.partition('a', 0)).toMatchObject({ eligibleLeaderReplicas: [], partitionEpoch: 4 })
    image.apply([{ type: 'ClearElrRecord', value: { topicName: '' } }], 7)
    expect(image.partition('a', 0)).toMatchObject({ partitionEpoch: 4 })
  })

  test('a deleted topic takes its configs along', () => {
    const image = new MetadataImage()
    image.apply([topic('a.b', 'A'), config('a.b', 'retention.ms', '5'), partition('A', 0)], 3)
    expect([...image.configuredResources(2)]).toEqual(['a.b'])
    expect(image.collidingTopic('a_b')).toBe('a.b')
    const delta = image.apply([remove('A')], 4)
    expect(delta.topicsDeleted.map(({ name }) => name)).toEqual(['a.b'])
    expect(image.topicConfigs('a.b').size).toBe(0)
    expect([...image.configuredResources(2)]).toEqual([])
    expect(image.collidingTopic('a_b')).toBeUndefined()
    expect(image.partitionCount).toBe(0)
    image.apply([topic('a.b', 'B'), partition('B', 0)], 6)
    expect(image.topicConfigs('a.b').size).toBe(0)
  })

  test('a null value takes a config back; broker defaults have the empty name', () => {
    const image = new MetadataImage()
    const brokerDefault = (value: string | null): MetadataRecord => ({
      type: 'ConfigRecord',
      value: { resourceType: 4, resourceName: '', name: 'log.retention.ms', value },
    })
    image.apply([brokerDefault('1')], 1)
    expect(image.configs(4, '').get('log.retention.ms')).toBe('1')
    const kept = image.configs(4, '')
    image.apply([brokerDefault(null)], 2)
    expect(image.configs(4, '').size).toBe(0)
    expect(kept.size).toBe(1)
  })

  test('brokers are fenced, unfenced, changed and unregistered', () => {
    const image = new MetadataImage()
    const broker = { brokerId: 1, incarnationId: 'I', brokerEpoch: 5, endPoints: [], features: [], rack: null }
    image.apply(
      [
        {
          type: 'RegisterBrokerRecord',
          value: {
            ...broker,
            isMigratingZkBroker: false,
            fenced: true,
            inControlledShutdown: false,
            logDirs: ['d'],
            cordonedLogDirs: null,
          },
        },
      ],
      1,
    )
    expect(image.broker(1)?.fenced).toBe(true)
    image.apply([{ type: 'UnfenceBrokerRecord', value: { id: 1, epoch: 5 } }], 2)
    expect(image.broker(1)?.fenced).toBe(false)
    const change = {
      brokerId: 1,
      brokerEpoch: 5,
      fenced: 0,
      inControlledShutdown: 1,
      logDirs: [],
      cordonedLogDirs: null,
    }
    image.apply([{ type: 'BrokerRegistrationChangeRecord', value: change }], 3)
    expect(image.broker(1)).toMatchObject({ fenced: false, inControlledShutdown: true, logDirs: ['d'] })
    image.apply([{ type: 'FenceBrokerRecord', value: { id: 1, epoch: 5 } }], 4)
    expect(image.broker(1)?.fenced).toBe(true)
    const stale: MetadataRecord = { type: 'FenceBrokerRecord', value: { id: 1, epoch: 4 } }
    expect(() => image.clone().apply([stale], 5)).toThrow(MetadataReplayError)
    const delta = image.apply([{ type: 'UnregisterBrokerRecord', value: { brokerId: 1, brokerEpoch: 5 } }], 5)
    expect(delta.brokersChanged).toEqual([1])
    expect(image.broker(1)).toBeUndefined()
  })

  test('a transaction takes effect at its end, an aborted one never', () => {
    const image = new MetadataImage()
    expect(image.apply([begin, topic('a', 'A'), partition('A', 0)], 3).topicsCreated).toEqual([])
    expect(image.inTransaction).toBe(true)
    expect(image.topicByName('a')).toBeUndefined()
    expect(image.endOffset).toBe(3)
    const { topicsCreated } = image.apply([partition('A', 1), end], 5)
    expect(topicsCreated.map(({ name, partitions }) => [name, partitions.length])).toEqual([['a', 2]])
    image.apply([begin, topic('b', 'B')], 7)
    image.apply([abort, topic('c', 'C')], 9)
    expect([...image.topics()].map(({ name }) => name)).toEqual(['a', 'c'])
    expect(image.inTransaction).toBe(false)
  })

  test.each<[string, MetadataRecord[]]>([
    ['a topic twice', [topic('a', 'A'), topic('a', 'B')]],
    ['an id twice', [topic('a', 'A'), topic('b', 'A')]],
    ['a name that leaves the directory', [topic('../a', 'A')]],
    ['a partition of no topic', [partition('A', 0)]],
    ['a partition out of sequence', [topic('a', 'A'), partition('A', 1)]],
    ['a change of no partition', [topic('a', 'A'), partitionChange('A', 0, { leader: 1 })]],
    ['a change of no topic', [partitionChange('A', 0, { leader: 1 })]],
    ['removal of no topic', [remove('A')]],
    ['an end without a beginning', [end]],
    ['an abort without a beginning', [abort]],
    ['a beginning inside a transaction', [begin, begin]],
    ['leader candidates of no topic', [{ type: 'ClearElrRecord', value: { topicName: 'a' } }]],
    [
      'producer ids that go back',
      [2000, 1000].map(nextProducerId => ({
        type: 'ProducerIdsRecord',
        value: { brokerId: 1, brokerEpoch: 1, nextProducerId },
      })),
    ],
  ])('refuses %s', (_, records) => {
    expect(() => new MetadataImage().apply(records, records.length)).toThrow(MetadataReplayError)
  })

  test('the delta tells what changed', () => {
    const image = new MetadataImage()
    image.apply([topic('a', 'A'), partition('A', 0), topic('b', 'B'), partition('B', 0)], 4)
    const delta = image.apply(
      [
        partition('A', 1),
        partitionChange('A', 1, { leader: 1 }),
        partitionChange('A', 0, { leader: 1 }),
        config('a', 'retention.ms', '1'),
        remove('B'),
        topic('b', 'C'),
        partition('C', 0),
        topic('brief', 'D'),
        remove('D'),
        { type: 'FeatureLevelRecord', value: { name: 'group.version', featureLevel: 1 } },
      ],
      14,
    )
    expect(delta.topicsDeleted.map(({ topicId }) => topicId)).toEqual(['B'])
    expect(delta.topicsCreated.map(({ topicId }) => topicId)).toEqual(['C'])
    expect(delta.partitionsAdded.map(each => [each.topic.name, each.partitions])).toEqual([['a', [1]]])
    expect(delta.partitionsChanged.map(each => [each.topic.name, each.partitions])).toEqual([['a', [0]]])
    expect(delta.configsChanged).toEqual([{ resourceType: 2, resourceName: 'a' }])
    expect(delta.featuresChanged).toBe(true)
    expect(image.topicByName('b')?.topicId).toBe('C')
  })

  test('a clone moves on its own', () => {
    const image = new MetadataImage()
    image.apply([topic('a.b', 'A'), partition('A', 0), config('a.b', 'retention.ms', '1')], 3)
    const before = contents(image)
    const copy = image.clone()
    copy.apply([partition('A', 1), config('a.b', 'retention.ms', '2'), topic('a_b', 'B'), remove('A')], 7)
    expect(contents(image)).toEqual(before)
    expect(image.collidingTopic('a-b')).toBeUndefined()
    expect(image.collidingTopic('a_b')).toBe('a.b')
    expect(copy.collidingTopic('a.b')).toBe('a_b')
  })

  test('ten thousand partitions in one topic are quick, and so is finding them', () => {
    const image = new MetadataImage()
    const records = [topic('big', 'A'), ...Array.from({ length: 10_000 }, (_, i) => partition('A', i))]
    image.apply(records, records.length)
    expect(image.partitionCount).toBe(10_000)
    expect(image.partition('big', 9_999)?.leader).toBe(1)
  })
})
