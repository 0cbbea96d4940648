/** The smaller decisions: auto-creation, internal topics, producer ids, what to do with folders found at a start. */
import { describe, expect, test } from 'vitest'
import { errorOf, STALE_BROKER_EPOCH, UNKNOWN_SERVER_ERROR } from '../../../protocol/errors.ts'
import {
  autoCreateTopics,
  createTopics,
  deleteTopics,
  internalTopicsOf,
  offsetsTopic,
} from '../../../src/cluster/controller.ts'
import { fenceBroker } from '../../../src/cluster/broker-registration.ts'
import { allocateProducerIds, ProducerIds, type ProducerIdBlock } from '../../../src/cluster/producer-ids.ts'
import { reconcile, type PartitionFolder } from '../../../src/cluster/reconcile.ts'
import { parse, topicConfig } from '../../../src/config/index.ts'
import { isInternalTopic } from '../../../src/cluster/topic-names.ts'
import { createRequest, idsFrom, imageWithBrokers, options, take } from './support.ts'

describe('auto-creation', () => {
  const internalTopics = internalTopicsOf({
    'transaction.state.log.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.segment.bytes': 1 << 20,
    'offsets.topic.num.partitions': 50,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.segment.bytes': 104_857_600,
  })
  const auto = (...names: string[]) => {
    const image = imageWithBrokers(1)
    take(image, createTopics(image, createRequest(['here', 'x.y']), options({ newTopicId: idsFrom(50) })))
    const settings = { numPartitions: 3, replicationFactor: 1, newTopicId: idsFrom(), internalTopics }
    const decision = autoCreateTopics(image, names, settings)
    take(image, decision)
    return { image, results: decision.reply.map(({ name, errorCode }) => `${name} ${errorOf(errorCode).name}`) }
  }

  test('one result per name; what exists is no error; a leader at once', () => {
    const { image, results } = auto('new', 'here', 'new', 'a/b', 'x_y', '__cluster_metadata')
    expect(results).toEqual([
      'new NONE',
      'here NONE',
      'a/b INVALID_TOPIC_EXCEPTION',
      'x_y INVALID_TOPIC_EXCEPTION',
      '__cluster_metadata INVALID_REQUEST',
    ])
    expect(image.topicByName('new')?.partitions.map(({ leader }) => leader)).toEqual([1, 1, 1])
    expect(image.topicByName('here')?.partitions.length).toBe(1)
  })

  test('the offsets topic has its own layout and settings, which nothing refuses', () => {
    const { image, results } = auto('__consumer_offsets')
    expect(results).toEqual(['__consumer_offsets NONE'])
    expect(image.topicByName('__consumer_offsets')?.partitions.length).toBe(50)
    expect(Object.fromEntries(image.topicConfigs('__consumer_offsets'))).toEqual({
      'compression.type': 'producer',
      'cleanup.policy': 'compact',
      'segment.bytes': '104857600',
    })
  })

  test('an offsets topic with segments below what topics may ask for has settings that can be read back', () => {
    const { configs } = offsetsTopic({
      'offsets.topic.num.partitions': 1,
      'offsets.topic.replication.factor': 1,
      'offsets.topic.segment.bytes': 30_000,
    })
    expect(configs['internal.segment.bytes']).toBe('30000')
    expect(topicConfig(parse({}), configs)['internal.segment.bytes']).toBe(30_000)
  })

  test('a replication factor that is out of reach', () => {
    const settings = { numPartitions: 1, replicationFactor: 3, newTopicId: idsFrom(), internalTopics }
    const { records, reply } = autoCreateTopics(imageWithBrokers(1), ['a'], settings)
    expect(records).toEqual([])
    expect(errorOf(reply[0]?.errorCode ?? 0).name).toBe('INVALID_REPLICATION_FACTOR')
  })

  test('internal topics', () => {
    const names = ['__consumer_offsets', '__transaction_state', '__share_group_state', '__cluster_metadata', 'a']
    expect(names.map(isInternalTopic)).toEqual([true, true, true, false, false])
  })
})

describe('producer ids', () => {
  test('blocks of 1000, one behind the other, for the registered epoch alone', () => {
    const image = imageWithBrokers(1)
    const epoch = image.broker(1)?.brokerEpoch ?? -1
    expect(take(image, allocateProducerIds(image, 1, epoch))).toEqual({ firstProducerId: 0, size: 1000 })
    expect(take(image, allocateProducerIds(image, 1, epoch))).toEqual({ firstProducerId: 1000, size: 1000 })
    expect(image.producerIdNext).toBe(2000)
    for (const [brokerId, brokerEpoch] of [
      [1, epoch + 1],
      [2, epoch],
    ] as const)
      expect(() => allocateProducerIds(image, brokerId, brokerEpoch)).toThrow(
        expect.objectContaining({ code: STALE_BROKER_EPOCH }),
      )
  })

  test('end with the integers we can hold', () => {
    const image = imageWithBrokers(1)
    const epoch = image.broker(1)?.brokerEpoch ?? -1
    const nextProducerId = Number.MAX_SAFE_INTEGER - 500
    image.apply([{ type: 'ProducerIdsRecord', value: { brokerId: 1, brokerEpoch: epoch, nextProducerId } }], 99)
    expect(() => allocateProducerIds(image, 1, epoch)).toThrow(expect.objectContaining({ code: UNKNOWN_SERVER_ERROR }))
  })

  test('are given in order, with one request for a block at a time, and a failed one is tried again', async () => {
    const asked: { resolve: (block: ProducerIdBlock) => void; reject: (error: Error) => void }[] = []
    const ids = new ProducerIds(() => new Promise((resolve, reject) => asked.push({ resolve, reject })))
    const first = [ids.next(), ids.next(), ids.next()]
    expect(asked.length).toBe(1)
    asked[0]?.resolve({ firstProducerId: 10, size: 2 })
    expect(await Promise.all(first.slice(0, 2))).toEqual([10, 11])
    await new Promise(setImmediate)
    expect(asked.length).toBe(2)
    asked[1]?.reject(new Error('no disk'))
    await expect(first[2]).rejects.toThrow('no disk')
    const again = ids.next()
    asked[2]?.resolve({ firstProducerId: 2000, size: 1000 })
    expect(await again).toBe(2000)
    expect(await ids.next()).toBe(2001)
    expect(asked.length).toBe(3)
  })
})

test('an orderly stop fences the broker once, and takes nothing else from it', () => {
  const image = imageWithBrokers(1)
  take(image, createTopics(image, createRequest(['a']), options()))
  const epoch = image.broker(1)?.brokerEpoch
  take(image, fenceBroker(image, 1))
  expect(image.broker(1)).toMatchObject({ fenced: true, brokerEpoch: epoch })
  expect(image.partition('a', 0)).toMatchObject({ leader: 1, leaderEpoch: 0 })
  expect(fenceBroker(image, 1).records).toEqual([])
  expect(fenceBroker(image, 2).records).toEqual([])
})

describe('folders found at a start', () => {
  const image = imageWithBrokers(1, 2)
  const newTopicId = idsFrom(1)
  const topics = [{ name: 'kept', numPartitions: 2 }, 'again', { name: 'both', replicationFactor: 2 }]
  take(image, createTopics(image, createRequest(topics), options({ newTopicId })))
  const idOf = (name: string) => image.topicByName(name)?.topicId ?? ''
  const old = idOf('again')
  const removal = { topicNames: ['again'], topics: [], timeoutMs: 0 }
  take(image, deleteTopics(image, removal, { enabled: true, apiVersion: 5 }))
  take(image, createTopics(image, createRequest(['again']), options({ newTopicId })))
  const ours = [...image.topics()].flatMap(({ name, partitions }) =>
    partitions.filter(({ replicas }) => replicas.includes(1)).map(({ partition }) => `${name}-${partition}`),
  )
  const plan = (...folders: PartitionFolder[]) => {
    const { open, create, remove, stray } = reconcile(image, 1, folders, new Set([old]))
    const placed = (list: typeof open) => list.map(({ topic, partition }) => `${topic.name}-${partition}`)
    const named = (list: typeof remove) =>
      list.map(({ topic, partition, topicId }) => `${topic}-${partition} ${topicId}`)
    return { open: placed(open), create: placed(create), remove: named(remove), stray: named(stray) }
  }
  const folder = (topic: string, partition: number, topicId: string | null): PartitionFolder => ({
    topic,
    partition,
    topicId,
  })

  test('none: all partitions of this broker are to be made', () => {
    expect(ours.length).toBeGreaterThan(1)
    expect(plan()).toEqual({ open: [], create: ours, remove: [], stray: [] })
  })

  test('opened when topic id and partition are recorded', () => {
    const [first = ''] = ours.filter(name => name.startsWith('kept'))
    const partition = Number(first.slice('kept-'.length))
    const { open, create } = plan(folder('kept', partition, idOf('kept')))
    expect(open).toEqual([first])
    expect(create).toEqual(ours.filter(name => name !== first))
  })

  test('removed when the topic was deleted, though one of the same name is there', () => {
    const result = plan(folder('again', 0, old))
    expect(result.remove).toEqual([`again-0 ${old}`])
    expect(result.open).toEqual([])
    expect(result.create).toEqual(ours)
  })

  test('removed when it never got its id', () => {
    expect(plan(folder('kept', 0, null)).remove).toEqual(['kept-0 null'])
  })

  test('set aside when the log does not know it, or has it elsewhere or under another name', () => {
    const elsewhere =
      image.topicByName('kept')?.partitions.find(({ replicas }) => !replicas.includes(1))?.partition ?? -1
    const found = [
      folder('foreign', 0, 'foreign'),
      folder('kept', 7, idOf('kept')),
      folder('kept', elsewhere, idOf('kept')),
      folder('other', 0, idOf('kept')),
    ]
    expect(plan(...found)).toEqual({
      open: [],
      create: ours,
      remove: [],
      stray: found.map(({ topic, partition, topicId }) => `${topic}-${partition} ${topicId}`),
    })
  })
})
