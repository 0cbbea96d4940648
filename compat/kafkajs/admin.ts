// What KafkaJS's admin client offers and this broker serves; the addresses that clients are told.
import { deepEqual, equal, ok } from 'node:assert/strict'
import { connect } from 'node:net'
import kafkajs, { type ISocketFactory } from 'kafkajs'
import { eventually, range, type Suite } from '../harness/index.ts'
import { admin, collect, errorOf, kafka, producer, topic } from './client.ts'

const { ConfigResourceTypes } = kafkajs
type ConfigResourceType = import('kafkajs').ConfigResourceTypes

export function adminScenarios(suite: Suite): void {
  suite.scenario('create, describe and list topics, add partitions, delete', async context => {
    const name = context.name('made')
    const operator = await admin(context)
    equal(await operator.createTopics({ topics: [{ topic: name, numPartitions: 2 }] }), true)
    equal(await operator.createTopics({ topics: [{ topic: name, numPartitions: 2 }] }), false)
    const partitionsOf = async () => (await operator.fetchTopicMetadata({ topics: [name] })).topics[0]?.partitions
    deepEqual(
      (await partitionsOf())
        ?.map(({ partitionId, leader, replicas, isr, partitionErrorCode }) => [
          partitionId,
          replicas.includes(leader),
          isr,
          partitionErrorCode,
        ])
        .toSorted(),
      [0, 1].map(id => [id, true, [1], 0]).map(row => row),
    )
    await operator.createPartitions({ topicPartitions: [{ topic: name, count: 5 }] })
    equal((await partitionsOf())?.length, 5)
    equal(
      (await errorOf(operator.createPartitions({ topicPartitions: [{ topic: name, count: 3 }] }))).type,
      'INVALID_PARTITIONS',
    )
    ok((await operator.listTopics()).includes(name))
    await operator.deleteTopics({ topics: [name] })
    equal((await operator.listTopics()).includes(name), false)
  })

  suite.scenario('validateOnly creates nothing', async context => {
    const name = context.name('only-asked')
    const operator = await admin(context)
    equal(await operator.createTopics({ validateOnly: true, waitForLeaders: false, topics: [{ topic: name }] }), true)
    equal((await operator.listTopics()).includes(name), false)
  })

  suite.scenario('replica assignments by hand', async context => {
    const name = context.name('assigned')
    const operator = await admin(context)
    const { controller } = await operator.describeCluster()
    const replicas = [controller ?? 1]
    const replicaAssignment = range(0, 3).map(partition => ({ partition, replicas }))
    await operator.createTopics({
      topics: [{ topic: name, numPartitions: -1, replicationFactor: -1, replicaAssignment }],
    })
    equal((await operator.fetchTopicMetadata({ topics: [name] })).topics[0]?.partitions.length, 3)
  })

  suite.scenario('errors of createTopics and deleteTopics', async context => {
    const operator = await admin(context, kafka(context, context.broker.bootstrap, 1))
    const create = (topicName: string, more: object) =>
      errorOf(operator.createTopics({ topics: [{ topic: topicName, ...more }] }))
    const name = context.name('never')
    equal((await create(name, { replicationFactor: 3 })).type, 'INVALID_REPLICATION_FACTOR')
    equal((await create(name, { numPartitions: 0 })).type, 'INVALID_PARTITIONS')
    equal((await create('a b', {})).type, 'INVALID_TOPIC_EXCEPTION')
    equal((await create('..', {})).type, 'INVALID_TOPIC_EXCEPTION')
    equal((await create('x'.repeat(250), {})).type, 'INVALID_TOPIC_EXCEPTION')
    const config = (entry: string, value: string) => ({ configEntries: [{ name: entry, value }] })
    equal((await create(name, config('no.such.key', '1'))).type, 'INVALID_CONFIG')
    equal((await create(name, config('retention.ms', 'soon'))).type, 'INVALID_CONFIG')
    equal((await errorOf(operator.deleteTopics({ topics: [name] }))).type, 'UNKNOWN_TOPIC_OR_PARTITION')
  })

  suite.scenario('a topic deleted and made again is another one', async context => {
    const name = await topic(context, 'phoenix', 2)
    const client = await producer(context)
    const operator = await admin(context)
    await client.send({ topic: name, messages: range(0, 10).map(i => ({ value: `old ${i}` })) })
    await operator.deleteTopics({ topics: [name] })
    await operator.createTopics({ topics: [{ topic: name, numPartitions: 1 }] })
    deepEqual(
      (await operator.fetchTopicOffsets(name)).map(({ partition, high }) => [partition, high]),
      [[0, '0']],
    )
    const fresh = await producer(context)
    await fresh.send({ topic: name, messages: [{ value: 'new' }] })
    const [only] = await (await collect(context, [name])).count(1)
    deepEqual([only?.offset, only?.value?.toString()], ['0', 'new'])
  })

  suite.scenario('describeConfigs of topics and the broker', async context => {
    const name = await topic(context, 'configured', 1, { 'retention.ms': '123456', 'segment.bytes': '1048576' })
    const operator = await admin(context)
    const describe = async (type: ConfigResourceType, resource: string, configNames?: string[]) =>
      (
        await operator.describeConfigs({
          includeSynonyms: true,
          resources: [{ type, name: resource, ...(configNames && { configNames }) }],
        })
      ).resources[0]
    const all = await describe(ConfigResourceTypes.TOPIC, name)
    const entry = (key: string) => all?.configEntries.find(({ configName }) => configName === key)
    equal(entry('retention.ms')?.configValue, '123456')
    equal(entry('retention.ms')?.isDefault, false)
    equal(entry('cleanup.policy')?.configValue, 'delete')
    equal(entry('cleanup.policy')?.isDefault, true)
    ok((all?.configEntries.length ?? 0) > 20)
    const one = await describe(ConfigResourceTypes.TOPIC, name, ['segment.bytes'])
    deepEqual(
      one?.configEntries.map(({ configName, configValue }) => [configName, configValue]),
      [['segment.bytes', '1048576']],
    )
    const { brokers } = await operator.describeCluster()
    const broker = await describe(ConfigResourceTypes.BROKER, String(brokers[0]?.nodeId))
    ok(broker?.configEntries.some(({ configName }) => configName === 'log.retention.ms'))
  })

  suite.scenario('alterConfigs of a topic works at once', async context => {
    const name = await topic(context, 'altered', 1, { 'retention.ms': '123456' })
    const operator = await admin(context)
    const alter = (configEntries: { name: string; value: string }[]) =>
      operator.alterConfigs({
        validateOnly: false,
        resources: [{ type: ConfigResourceTypes.TOPIC, name, configEntries }],
      })
    await alter([{ name: 'max.message.bytes', value: '1000' }])
    const { resources } = await operator.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name, configNames: ['max.message.bytes', 'retention.ms'] }],
    })
    // What is not named goes back to its default.
    deepEqual(resources[0]?.configEntries.map(({ configName, isDefault }) => [configName, isDefault]).toSorted(), [
      ['max.message.bytes', false],
      ['retention.ms', true],
    ])
    const writer = await producer(context)
    const large = { topic: name, messages: [{ value: 'x'.repeat(2000) }] }
    equal((await errorOf(writer.send(large))).type, 'MESSAGE_TOO_LARGE')
    equal((await errorOf(alter([{ name: 'segment.bytes', value: 'large' }]))).type, 'INVALID_CONFIG')
    await alter([])
    await writer.send(large)
  })

  suite.scenario(
    'every way to this machine works, and clients are told the one they took',
    async context => {
      const { port } = context.broker
      // KafkaJS cannot read an address with colons, so that one is dialled under another name.
      const dial: ISocketFactory = ({ host, port: at, onConnect }) =>
        connect({ host: host === 'six' ? '::1' : host, port: at }, onConnect)
      const via = (host: string) => kafka(context, `${host}:${port}`, 8, { socketFactory: dial })
      for (const host of ['127.0.0.1', 'localhost', 'six']) {
        const { brokers, controller, clusterId } = await (await admin(context, via(host))).describeCluster()
        deepEqual([brokers.length, brokers[0]?.port, controller], [1, port, brokers[0]?.nodeId])
        ok(clusterId)
        const expected = { '127.0.0.1': ['127.0.0.1'], six: ['::1'] }[host] ?? ['127.0.0.1', '::1']
        ok(expected.includes(brokers[0]?.host ?? ''), brokers[0]?.host)
      }
      const name = await topic(context, 'six')
      await (await producer(context, {}, via('six'))).send({ topic: name, messages: [{ value: '6' }] })
      await (await collect(context, [name], { client: via('six') })).count(1)
    },
    { ours: true },
  )

  suite.scenario('twenty clients at once', async context => {
    const name = await topic(context, 'crowd', 4)
    await Promise.all(
      range(0, 20).map(async i => {
        const client = await producer(context)
        for (const j of range(0, 10)) await client.send({ topic: name, messages: [{ value: `${i}-${j}` }] })
      }),
    )
    const reader = await collect(context, [name])
    await eventually('200 different records', () => new Set(reader.seen.map(({ value }) => String(value))).size === 200)
    equal(reader.seen.length, 200)
  })
}
