// The event-sourcing example: exactly one event per command, though its writer is replaced while it works, and views that agree
// however they were built.
import kafkajs from 'kafkajs'
import { expect, it, onTestFinished } from 'vitest'
import { eventually, range } from '../../compat/harness/index.ts'
import type { Command } from '../../examples/event-sourcing/accounts.ts'
import { COMMANDS, createTopics, toValue } from '../../examples/event-sourcing/topics.ts'
import { startView, type View } from '../../examples/event-sourcing/view.ts'
import { startWriter } from '../../examples/event-sourcing/writer.ts'
import { broker, folder } from './support.ts'

const ACCOUNTS = 10
const ROUNDS = 20
const ids = range(0, ACCOUNTS).map(n => `account ${n}`)

async function setUp() {
  const { bootstrap } = await broker({ dataDir: folder() })
  const kafka = new kafkajs.Kafka({
    brokers: [bootstrap],
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { initialRetryTime: 20, maxRetryTime: 100, retries: 20 },
  })
  await createTopics(kafka)
  const producer = kafka.producer()
  await producer.connect()
  onTestFinished(() => producer.disconnect())
  const ask = (commands: Command[]) =>
    producer.send({ topic: COMMANDS, messages: commands.map(c => ({ key: c.account, value: toValue(c) })) })
  const view = async (fromSnapshot: boolean): Promise<View> => {
    const made = await startView(kafka, { fromSnapshot, onEnd: fail })
    onTestFinished(() => made.close())
    return made
  }
  return { kafka, ask, view }
}

function fail(error: Error): never {
  throw error
}

const total = (view: View): number => [...view.all().values()].reduce((sum, { balance }) => sum + balance, 0)

it('takes each command once, though a writer is replaced', async () => {
  const { kafka, ask, view } = await setUp()
  const ended: Error[] = []
  const first = await startWriter(kafka, error => ended.push(error))
  onTestFinished(() => first.close())
  await ask(ids.map(account => ({ type: 'open', account, owner: 'o' })))
  const deposits = () => ids.map((account): Command => ({ type: 'deposit', account, amount: 1 }))
  const live = await view(false)
  for (let round = 0; round < ROUNDS / 2; round++) await ask(deposits())
  await eventually('the first half', () => total(live) === (ACCOUNTS * ROUNDS) / 2, { ms: 20_000 })

  const second = await startWriter(kafka, fail)
  onTestFinished(() => second.close())
  for (let round = 0; round < ROUNDS / 2; round++) await ask(deposits())
  await ask([{ type: 'withdraw', account: ids[0]!, amount: ROUNDS + 1 }])
  await eventually('the second half', () => total(live) >= ACCOUNTS * ROUNDS, { ms: 20_000 })
  expect(String(ended[0])).toMatch(/old epoch/)

  // What is refused changes nothing, so the withdrawal that comes after it shows that it was looked at.
  await ask([{ type: 'withdraw', account: ids[0]!, amount: ROUNDS }])
  await eventually('the withdrawal', () => live.account(ids[0]!)?.balance === 0, { ms: 20_000 })
  expect(total(live)).toBe(ACCOUNTS * ROUNDS - ROUNDS)
})

it('builds the same view from offset 0, and from a snapshot with what came after it', async () => {
  const { kafka, ask, view } = await setUp()
  const writer = await startWriter(kafka, fail)
  onTestFinished(() => writer.close())
  await ask(
    ids.flatMap((account): Command[] => [
      { type: 'open', account, owner: 'o' },
      { type: 'deposit', account, amount: 5 },
    ]),
  )
  const live = await view(true)
  await eventually('the view', () => total(live) === ACCOUNTS * 5, { ms: 20_000 })
  await live.snapshot()
  await ask([{ type: 'deposit', account: ids[3]!, amount: 50 }])
  await eventually('the deposit', () => total(live) === ACCOUNTS * 5 + 50, { ms: 20_000 })

  for (const [fromSnapshot, eventsRead] of [
    [true, 1],
    [false, ACCOUNTS * 2 + 1],
  ] as const) {
    const again = await view(fromSnapshot)
    await eventually('the same view', () => total(again) === total(live), { ms: 20_000 })
    expect(again.all()).toEqual(live.all())
    expect(again.eventsRead).toBe(eventsRead)
  }
})
