// The broker goes away under a running producer and consumer and comes back: nothing acknowledged is lost, and what an
// idempotent producer sent stands in the log once.
import { deepEqual, ok } from 'node:assert/strict'
import { eventually, range, type BrokerUnderTest, type Context, type Suite } from '../harness/index.ts'
import { admin, collect, producer, text, topic } from './client.ts'

type Interrupt = (broker: BrokerUnderTest) => Promise<void>

const orderly: Interrupt = broker => broker.restart()
const killed: Interrupt = async broker => {
  await broker.kill9()
  await broker.start()
}
const patient = { retries: 1000, retryDelay: 50 }

async function throughRestarts(context: Context, interrupt: Interrupt, acks: number): Promise<void> {
  const { broker } = context
  const name = await topic(context, 'running', 3)
  const group = context.name('running')
  const client = producer(context, { ...patient, idempotent: acks === -1 })
  const reader = await collect(context, [name], { group, client: patient })
  const acknowledged: number[] = []
  let unanswered = 0
  const flow = { on: true }
  const producing = (async () => {
    for (let i = 0; flow.on; i++) {
      unanswered++
      await client.send({ acks, messages: [text(name, String(i), i % 3)] })
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
  flow.on = false
  await producing
  await eventually(
    'the consumer has seen them all',
    () => {
      if (reader.failure()) throw reader.failure()!
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
}

export function restartScenarios(suite: Suite): void {
  const options = { own: {}, timeoutMs: 90_000 }
  suite.scenario('orderly restarts under load: idempotent, acks=-1', c => throughRestarts(c, orderly, -1), options)
  suite.scenario('kill -9 under load: idempotent, acks=-1', c => throughRestarts(c, killed, -1), options)
  suite.scenario('kill -9 under load: acks=1', c => throughRestarts(c, killed, 1), options)

  suite.scenario(
    'after kill -9 topic ids and committed offsets are as they were',
    async context => {
      const name = await topic(context, 'kept', 3)
      const group = context.name('kept')
      await producer(context).send({ messages: range(0, 30).map(i => text(name, String(i), i % 3)) })
      const reader = await collect(context, [name], { group })
      await reader.count(30)
      const state = async () => {
        const operator = admin(context)
        const [offsets] = await operator.listConsumerGroupOffsets({ groups: [group] })
        const metadata = await operator.metadata({ topics: [name] })
        return {
          cluster: metadata.id,
          id: metadata.topics.get(name)?.id,
          offsets: offsets?.topics[0]?.partitions.map(({ partitionIndex, committedOffset }) => [
            partitionIndex,
            committedOffset,
          ]),
        }
      }
      await eventually('the automatic commits', async () =>
        (await state()).offsets?.every(([, offset]) => offset === 10n),
      )
      await reader.stop()
      const before = await state()
      await killed(context.broker)
      deepEqual(await state(), before)
      await context.broker.restart()
      deepEqual(await state(), before)
    },
    options,
  )
}
