// The broker goes away under a running producer and consumer and comes back: nothing acknowledged is lost, and what an
// idempotent producer sent stands in the log once.
import { deepEqual, equal, ok } from 'node:assert/strict'
import kafkajs from 'kafkajs'
import { eventually, range, type BrokerUnderTest, type Context, type Suite } from '../harness/index.ts'
import { admin, collect, kafka, producer, topic } from './client.ts'

const { ConfigResourceTypes } = kafkajs

type Interrupt = (broker: BrokerUnderTest) => Promise<void>

const orderly: Interrupt = broker => broker.restart()
const killed: Interrupt = async broker => {
  await broker.kill9()
  await broker.start()
}

async function throughRestarts(context: Context, interrupt: Interrupt, acks: number): Promise<void> {
  const { broker } = context
  const name = await topic(context, 'running', 3)
  const group = context.name('running')
  const patient = kafka(context, broker.bootstrap, 1000)
  const client = await producer(context, { idempotent: acks === -1, maxInFlightRequests: 1 }, patient)
  const reader = await collect(context, [name], { group, client: patient, config: { sessionTimeout: 10_000 } })
  const acknowledged: number[] = []
  let unanswered = 0
  const run = { on: true }
  const producing = (async () => {
    for (let i = 0; run.on; i++) {
      unanswered++
      await client.send({ topic: name, acks, messages: [{ value: String(i), partition: i % 3 }] })
      unanswered--
      acknowledged.push(i)
    }
  })()
  for (const round of [1, 2, 3]) {
    const before = acknowledged.length
    await eventually(`records flow (${round})`, () => acknowledged.length >= before + 50 && unanswered > 0)
    await interrupt(broker)
  }
  const before = acknowledged.length
  await eventually('records flow at the end', () => acknowledged.length >= before + 50, { ms: 20_000 })
  run.on = false
  await producing
  await eventually(
    'the consumer has seen them all',
    () => {
      const seen = new Set(reader.seen.map(({ value }) => Number(value)))
      return acknowledged.every(i => seen.has(i))
    },
    { ms: 30_000 },
  )
  await reader.stop()
  const again = await collect(context, [name])
  await again.count(acknowledged.length)
  for (const partition of [0, 1, 2]) {
    const stored = again.seen.filter(record => record.partition === partition)
    deepEqual(
      stored.map(({ offset }) => Number(offset)),
      range(0, stored.length),
    )
    const values = stored.map(({ value }) => Number(value))
    const expected = acknowledged.filter(i => i % 3 === partition)
    if (acks === -1) deepEqual(values, expected)
    else ok(expected.every(i => values.includes(i)))
  }
  // Committed offsets came along: the group goes on at the end.
  const [offsets] = await (await admin(context)).fetchOffsets({ groupId: group, topics: [name] })
  equal(
    offsets?.partitions.reduce((sum, { offset }) => sum + Number(offset), 0),
    again.seen.length,
  )
}

export function restartScenarios(suite: Suite): void {
  const options = { own: {}, timeoutMs: 90_000 }
  suite.scenario('orderly restarts under load: idempotent, acks=-1', c => throughRestarts(c, orderly, -1), options)
  suite.scenario('kill -9 under load: idempotent, acks=-1', c => throughRestarts(c, killed, -1), options)
  suite.scenario('kill -9 under load: acks=1', c => throughRestarts(c, killed, 1), options)

  suite.scenario(
    'after kill -9 topics, their configuration, records and committed offsets are there',
    async context => {
      const { broker } = context
      const name = await topic(context, 'kept', 4, { 'retention.ms': '987654' })
      const gone = await topic(context, 'gone')
      const group = context.name('kept')
      await (
        await producer(context)
      ).send({ topic: name, messages: range(0, 80).map(i => ({ value: `${i}`, partition: i % 4 })) })
      const reader = await collect(context, [name], { group })
      await reader.count(80)
      await reader.stop()
      await (await admin(context)).deleteTopics({ topics: [gone] })
      await killed(broker)
      const operator = await admin(context)
      const topics = await operator.listTopics()
      deepEqual([topics.includes(name), topics.includes(gone)], [true, false])
      deepEqual(
        (await operator.fetchTopicOffsets(name)).map(({ high }) => high),
        ['20', '20', '20', '20'],
      )
      const { resources } = await operator.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: ConfigResourceTypes.TOPIC, name, configNames: ['retention.ms'] }],
      })
      equal(resources[0]?.configEntries[0]?.configValue, '987654')
      const [offsets] = await operator.fetchOffsets({ groupId: group, topics: [name] })
      deepEqual(
        offsets?.partitions.map(({ offset }) => offset),
        ['20', '20', '20', '20'],
      )
      equal((await (await collect(context, [name])).count(80)).length, 80)
    },
    options,
  )
}
