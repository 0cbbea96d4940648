// What the admin client offers and this broker serves; the addresses that clients are told.
import { ConfigResourceTypes } from '@platformatic/kafka'
import { deepEqual, equal, notEqual, ok } from 'node:assert/strict'
import { range, type Suite } from '../harness/index.ts'
import { admin, collect, errorOf, producer, text, topic } from './client.ts'

export function adminScenarios(suite: Suite): void {
  suite.scenario('create, describe and list topics, add partitions, delete', async context => {
    const name = context.name('made')
    const operator = admin(context)
    const [created] = await operator.createTopics({ topics: [name], partitions: 2, replicas: 1 })
    deepEqual([created?.name, created?.partitions, created?.replicas], [name, 2, 1])
    ok(created?.configuration['retention.ms'])
    equal(await errorOf(operator.createTopics({ topics: [name] })), 'TOPIC_ALREADY_EXISTS')
    const metadata = async () => (await operator.metadata({ topics: [name], forceUpdate: true })).topics.get(name)
    equal((await metadata())?.id, created?.id)
    deepEqual(
      (await metadata())?.partitions.map(({ leader, replicas, isr }) => [replicas.includes(leader), isr]),
      [
        [true, [1]],
        [true, [1]],
      ],
    )
    await operator.createPartitions({ topics: [{ name, count: 5, assignments: null }] })
    equal((await metadata())?.partitionsCount, 5)
    ok((await operator.listTopics()).includes(name))
    await operator.deleteTopics({ topics: [name] })
    equal((await operator.listTopics()).includes(name), false)
  })

  suite.scenario('errors of createTopics, createPartitions and deleteTopics', async context => {
    const operator = admin(context, { retries: 0 })
    const name = context.name('never')
    const create = (topicName: string, more: object = {}) =>
      errorOf(operator.createTopics({ topics: [topicName], partitions: 1, replicas: 1, ...more }))
    equal(await create(name, { replicas: 3 }), 'INVALID_REPLICATION_FACTOR')
    equal(await create(name, { partitions: 0 }), 'INVALID_PARTITIONS')
    equal(await create('a b'), 'INVALID_TOPIC_EXCEPTION')
    equal(await create('..'), 'INVALID_TOPIC_EXCEPTION')
    equal(await create('x'.repeat(250)), 'INVALID_TOPIC_EXCEPTION')
    equal(await create(name, { configs: [{ name: 'no.such.key', value: '1' }] }), 'INVALID_CONFIG')
    equal(await create(name, { configs: [{ name: 'retention.ms', value: 'soon' }] }), 'INVALID_CONFIG')
    equal(
      await create(name, { assignments: [{ partition: 0, brokers: [99] }], partitions: -1, replicas: -1 }),
      'INVALID_REPLICA_ASSIGNMENT',
    )
    await topic(context, 'dots.and_lines')
    equal(await errorOf(operator.deleteTopics({ topics: [name] })), 'UNKNOWN_TOPIC_OR_PARTITION')
    equal(
      await errorOf(operator.createPartitions({ topics: [{ name, count: 2, assignments: null }] })),
      'UNKNOWN_TOPIC_OR_PARTITION',
    )
  })

  suite.scenario('a topic deleted and made again has another id and no old records', async context => {
    const name = context.name('phoenix')
    const operator = admin(context)
    const make = async () => (await operator.createTopics({ topics: [name], partitions: 1, replicas: 1 }))[0]?.id
    const before = await make()
    const client = producer(context, { idempotent: true })
    await client.send({ messages: range(0, 10).map(i => text(name, `old ${i}`)) })
    const reader = await collect(context, [name])
    await reader.count(10)
    await reader.stop()
    await operator.deleteTopics({ topics: [name] })
    notEqual(await make(), before)
    await producer(context).send({ messages: [text(name, 'new')] })
    const [only] = await (await collect(context, [name])).count(1)
    deepEqual([only?.offset, String(only?.value)], [0n, 'new'])
  })

  suite.scenario('describeConfigs of topics and the broker', async context => {
    const name = await topic(context, 'configured', 1, { 'retention.ms': '123456' })
    const operator = admin(context)
    const [all] = await operator.describeConfigs({
      resources: [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: name, configurationKeys: null }],
      includeSynonyms: true,
      includeDocumentation: true,
    })
    const entry = all?.configs.find(config => config.name === 'retention.ms')
    deepEqual([entry?.value, entry?.configSource], ['123456', 1])
    ok(entry?.documentation)
    const segment = all?.configs.find(config => config.name === 'segment.bytes')
    deepEqual(segment?.synonyms, [{ name: 'log.segment.bytes', value: '1073741824', source: 5 }])
    const { brokers } = await operator.metadata({ topics: [] })
    const [broker] = await operator.describeConfigs({
      resources: [
        {
          resourceType: ConfigResourceTypes.BROKER,
          resourceName: String([...brokers.keys()][0]),
          configurationKeys: ['num.partitions'],
        },
      ],
    })
    deepEqual(
      broker?.configs.map(config => [config.name, config.value]),
      [['num.partitions', '1']],
    )
    equal(
      await errorOf(
        operator.describeConfigs({
          resources: [
            { resourceType: ConfigResourceTypes.TOPIC, resourceName: context.name('no'), configurationKeys: null },
          ],
        }),
      ),
      'UNKNOWN_TOPIC_OR_PARTITION',
    )
  })

  suite.scenario('group coordinators', async context => {
    const operator = admin(context)
    const found = await operator.findCoordinator({ keyType: 0, keys: ['a', 'b', 'c'] })
    deepEqual(
      found.map(({ key, port }) => [key, port]),
      ['a', 'b', 'c'].map(key => [key, context.broker.port]),
    )
  })

  suite.scenario(
    'every way to this machine works, and clients are told the one they took',
    async context => {
      const { port } = context.broker
      for (const host of ['127.0.0.1', 'localhost', '::1']) {
        const operator = admin(context, { bootstrapBrokers: [{ host, port }] })
        const { brokers, controllerId, id } = await operator.metadata({ topics: [] })
        ok(id)
        equal(brokers.get(controllerId)?.port, port)
        const told = brokers.get(controllerId)?.host ?? ''
        ok(host === 'localhost' ? ['127.0.0.1', '::1'].includes(told) : host === told, told)
        const [coordinator] = await operator.findCoordinator({ keyType: 0, keys: ['x'] })
        equal(coordinator?.host, told)
      }
    },
    { ours: true },
  )

  suite.scenario('twenty clients at once', async context => {
    const name = await topic(context, 'crowd', 4)
    await Promise.all(
      range(0, 20).map(async i => {
        const client = producer(context)
        for (const j of range(0, 10)) await client.send({ messages: [text(name, `${i}-${j}`, j % 4)] })
      }),
    )
    const reader = await collect(context, [name])
    equal(new Set((await reader.count(200)).map(({ value }) => String(value))).size, 200)
  })

  suite.scenario('records deleted, log directories', async context => {
    const name = await topic(context, 'cut')
    const client = producer(context)
    await client.send({ messages: [text(name, 'a', 0), text(name, 'b', 0)] })
    const operator = admin(context)
    const size = async () =>
      (await operator.describeLogDirs({ topics: [{ name, partitions: [0] }] }))[0]?.results[0]?.topics[0]?.partitions[0]
    ok(Number((await size())?.partitionSize) > 0)
    const deleted = await operator.deleteRecords({ topics: [{ name, partitions: [{ partition: 0, offset: 1n }] }] })
    equal(Number(deleted[0]?.partitions[0]?.lowWatermark), 1)
  })
}
