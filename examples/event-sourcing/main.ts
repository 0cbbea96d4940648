// `npx tsx examples/event-sourcing/main.ts [host:port]`: sends some commands, shows the view, throws it away, and shows it
// again, built once from a snapshot and once from the beginning of time.
import kafkajs from 'kafkajs'
import type { Account, Command } from './accounts.ts'
import { COMMANDS, createTopics, toValue } from './topics.ts'
import { startView } from './view.ts'
import { startWriter } from './writer.ts'

const kafka = new kafkajs.Kafka({
  brokers: [process.argv[2] ?? 'localhost:9092'],
  clientId: 'event-sourcing',
  logLevel: kafkajs.logLevel.ERROR,
})
const end = (error: Error): never => {
  console.error(error)
  process.exit(1)
}
const run = Date.now().toString(36)
const [anna, ben] = [`anna-${run}`, `ben-${run}`]
const commands: Command[] = [
  { type: 'open', account: anna, owner: 'Anna' },
  { type: 'deposit', account: anna, amount: 100 },
  { type: 'withdraw', account: anna, amount: 30 },
  { type: 'withdraw', account: anna, amount: 500 },
  { type: 'open', account: ben, owner: 'Ben' },
  { type: 'deposit', account: ben, amount: 10 },
]
const show = (title: string, accounts: ReadonlyMap<string, Account>): void => {
  const mine = [...accounts].filter(([id]) => id === anna || id === ben)
  console.log(title, Object.fromEntries(mine.map(([id, { balance }]) => [id, balance])))
}
const until = async (true_: () => boolean): Promise<void> => {
  while (!true_()) {
    // oxlint-disable-next-line no-await-in-loop -- looks again until it is so
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

await createTopics(kafka)
const writer = await startWriter(kafka, end)
const view = await startView(kafka, { fromSnapshot: true, onEnd: end })
const producer = kafka.producer()
await producer.connect()
await producer.send({
  topic: COMMANDS,
  messages: commands.map(command => ({ key: command.account, value: toValue(command) })),
})
await until(() => view.account(anna)?.balance === 70 && view.account(ben)?.balance === 10)
show('the view:', view.all())
await view.snapshot()
await view.close()
for (const fromSnapshot of [true, false]) {
  // oxlint-disable-next-line no-await-in-loop -- one after the other
  const again = await startView(kafka, { fromSnapshot, onEnd: end })
  // oxlint-disable-next-line no-await-in-loop
  await until(() => again.account(anna)?.balance === 70 && again.account(ben)?.balance === 10)
  show(fromSnapshot ? 'from its snapshot:' : 'from offset 0:', again.all())
  // oxlint-disable-next-line no-await-in-loop
  await again.close()
}
await producer.disconnect()
await writer.close()
