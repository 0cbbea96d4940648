// @platformatic/kafka against createBroker on a real socket: the flexible versions, topic ids, several members of a group.
import { Admin, Consumer, Producer, type Message } from '@platformatic/kafka'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually, range } from '../../compat/harness/index.ts'
import { broker, folder, places } from './support.ts'

const base = (bootstrap: string) => ({ clientId: 'e2e', bootstrapBrokers: [bootstrap], retries: 1, retryDelay: 20 })

function admin(bootstrap: string): Admin {
  const made = new Admin(base(bootstrap))
  onTestFinished(() => made.close())
  return made
}

async function send(bootstrap: string, topic: string, values: number[], acks = -1, idempotent = false): Promise<void> {
  const made = new Producer({ ...base(bootstrap), idempotent })
  onTestFinished(() => made.close())
  const messages = values.map(value => ({ topic, value: Buffer.from(String(value)), partition: value % 3 }))
  await made.send({ messages, acks, compression: 'gzip' })
}

/** The client's declarations have only the variant with a callback; it gives a promise all the same. */
const leave = async (member: Consumer): Promise<void> => {
  await (member.close(true) as unknown as Promise<void>)
}

async function join(bootstrap: string, topic: string, groupId: string): Promise<{ member: Consumer; seen: Message[] }> {
  const member = new Consumer({ ...base(bootstrap), groupId, heartbeatInterval: 50, maxWaitTime: 50 })
  onTestFinished(() => leave(member))
  const stream = await member.consume({
    topics: [topic],
    mode: 'committed',
    fallbackMode: 'earliest',
    autocommit: true,
  })
  const seen: Message[] = []
  stream.on('data', message => void seen.push(message))
  return { member, seen }
}

const numbers = (messages: Message[]): number[] => messages.map(({ value }) => Number(value)).toSorted((a, b) => a - b)

describe.each(places)('%s', (_, options) => {
  it('creates, produces with every acks, shares a topic among members of a group', async () => {
    const { bootstrap } = await broker(options())
    await admin(bootstrap).createTopics({ topics: ['t'], partitions: 3, replicas: 1 })
    for (const [i, acks] of [0, 1, -1].entries()) await send(bootstrap, 't', range(i * 10, i * 10 + 10), acks)
    const first = await join(bootstrap, 't', 'g')
    await eventually('all records', () => first.seen.length === 30)
    const second = await join(bootstrap, 't', 'g')
    await eventually('both members hold partitions', () =>
      [first, second].every(({ member }) => member.assignments?.some(({ partitions }) => partitions.length > 0)),
    )
    await send(bootstrap, 't', range(30, 60), -1, true)
    await eventually(
      'the rest',
      () => new Set([...first.seen, ...second.seen].map(({ value }) => Number(value))).size === 60,
    )
    expect(second.seen.length).toBeGreaterThan(0)
  })
})

it('keeps topic ids, records and committed offsets through a restart', async () => {
  const dataDir = folder()
  const first = await broker({ dataDir })
  const [created] = await admin(first.bootstrap).createTopics({ topics: ['t'], partitions: 3, replicas: 1 })
  await send(first.bootstrap, 't', range(0, 30))
  const reader = await join(first.bootstrap, 't', 'g')
  const offsets = async (bootstrap: string) =>
    (await admin(bootstrap).listConsumerGroupOffsets({ groups: ['g'] }))[0]?.topics[0]?.partitions
      .map(({ committedOffset }) => Number(committedOffset))
      .reduce((sum, offset) => sum + offset, 0)
  await eventually('every commit', async () => (await offsets(first.bootstrap)) === 30)
  await leave(reader.member)
  await first.close()
  const second = await broker({ dataDir })
  const { topics, id } = await admin(second.bootstrap).metadata({ topics: ['t'] })
  expect([topics.get('t')?.id, id]).toEqual([created?.id, expect.any(String)])
  expect(await offsets(second.bootstrap)).toBe(30)
  const again = await join(second.bootstrap, 't', 'another')
  await eventually('every record', () => again.seen.length === 30)
  expect(numbers(again.seen)).toEqual(range(0, 30))
})

it('a topic made again has another id and none of the old records', async () => {
  const { bootstrap } = await broker()
  const operator = admin(bootstrap)
  const make = async () => (await operator.createTopics({ topics: ['t'], partitions: 3, replicas: 1 }))[0]?.id
  const before = await make()
  await send(bootstrap, 't', range(0, 9))
  await operator.deleteTopics({ topics: ['t'] })
  expect(await make()).not.toBe(before)
  await send(bootstrap, 't', [99])
  const { seen } = await join(bootstrap, 't', 'g')
  await eventually('the new record', () => seen.length > 0)
  expect(numbers(seen)).toEqual([99])
})
