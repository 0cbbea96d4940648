// KafkaJS against createBroker on a real socket: produce with every acks, groups that commit and resume.
import kafkajs, { type KafkaMessage } from 'kafkajs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually, range } from '../../compat/harness/index.ts'
import { broker, folder, places } from './support.ts'

const client = (bootstrap: string) =>
  new kafkajs.Kafka({ brokers: [bootstrap], clientId: 'e2e', logLevel: kafkajs.logLevel.NOTHING })

async function admin(bootstrap: string) {
  const made = client(bootstrap).admin()
  onTestFinished(() => made.disconnect())
  await made.connect()
  return made
}

async function send(bootstrap: string, topic: string, values: number[], acks = -1, idempotent = false): Promise<void> {
  const made = client(bootstrap).producer({ idempotent, maxInFlightRequests: 1 })
  await made.connect()
  await made.send({ topic, acks, messages: values.map(value => ({ value: String(value), key: `k${value}` })) })
  await made.disconnect()
}

/** Reads in a group until it has seen that many, commits, leaves, and returns what it saw. */
async function consume(bootstrap: string, topic: string, groupId: string, count: number): Promise<KafkaMessage[]> {
  const made = client(bootstrap).consumer({ groupId, maxWaitTimeInMs: 50 })
  const seen: KafkaMessage[] = []
  await made.connect()
  await made.subscribe({ topic, fromBeginning: true })
  await made.run({ eachMessage: async ({ message }) => void seen.push(message) })
  await eventually(`${count} records`, () => seen.length >= count, { ms: 8000 })
  await made.disconnect()
  return seen
}

const numbers = (messages: KafkaMessage[]): number[] =>
  messages.map(({ value }) => Number(value)).toSorted((a, b) => a - b)

describe.each(places)('%s', (_, options) => {
  it('creates, produces with every acks, consumes in a group, resumes where it left', async () => {
    const { bootstrap } = await broker(options())
    const operator = await admin(bootstrap)
    await operator.createTopics({ topics: [{ topic: 't', numPartitions: 3 }] })
    for (const [i, acks] of [0, 1, -1].entries()) await send(bootstrap, 't', range(i * 10, i * 10 + 10), acks)
    expect(numbers(await consume(bootstrap, 't', 'g', 30))).toEqual(range(0, 30))
    await send(bootstrap, 't', range(30, 40), -1, true)
    expect(numbers(await consume(bootstrap, 't', 'g', 10))).toEqual(range(30, 40))
    const [offsets] = await operator.fetchOffsets({ groupId: 'g', topics: ['t'] })
    expect(offsets?.partitions.reduce((sum, { offset }) => sum + Number(offset), 0)).toBe(40)
  })
})

it('makes a topic when a producer asks for it', async () => {
  const { bootstrap } = await broker()
  await send(bootstrap, 'made', [1])
  expect(await (await admin(bootstrap)).listTopics()).toContain('made')
})

it('keeps records, committed offsets, configuration and topic ids through a restart', async () => {
  const dataDir = folder()
  const first = await broker({ dataDir })
  await (
    await admin(first.bootstrap)
  ).createTopics({
    topics: [{ topic: 't', numPartitions: 2, configEntries: [{ name: 'retention.ms', value: '777777' }] }],
  })
  await send(first.bootstrap, 't', range(0, 20))
  await consume(first.bootstrap, 't', 'g', 20)
  await send(first.bootstrap, 't', range(20, 25))
  await first.close()
  const second = await broker({ dataDir })
  expect(numbers(await consume(second.bootstrap, 't', 'g', 5))).toEqual(range(20, 25))
  expect(numbers(await consume(second.bootstrap, 't', 'another', 25))).toEqual(range(0, 25))
  const { resources } = await (
    await admin(second.bootstrap)
  ).describeConfigs({
    includeSynonyms: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: 't', configNames: ['retention.ms'] }],
  })
  expect(resources[0]?.configEntries[0]?.configValue).toBe('777777')
})
