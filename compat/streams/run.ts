// Kafka Streams on our broker: a word count and a windowed join with state stores, changelogs and repartition topics, through
// a second instance, kill -9 of an instance and of the broker, an orderly restart, and state rebuilt from changelogs.
// `npm run compat -- streams`
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import kafkajs, { type Kafka, type Producer } from 'kafkajs'
import { eventually, Suite, type Context } from '../harness/index.ts'
import { readCommitted } from '../transactions/reader.ts'
import { install, Instance, type Setting } from './application.ts'

const PARTITIONS = 3
const LINES = 200
const PAIRS = 60
const WORDS = ['alpha', 'beta', 'gamma', 'delta', 'epsilon', 'zeta', 'eta']

const kafkaOf = (bootstrap: string): Kafka =>
  new kafkajs.Kafka({
    brokers: [bootstrap],
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 30 },
  })

/** What goes in, and what must come out of it. */
class Feed {
  readonly counts = new Map<string, number>()
  readonly pairs: string[] = []
  readonly #producer: Producer
  readonly #setting: Setting
  #lines = 0

  constructor(producer: Producer, setting: Setting) {
    this.#producer = producer
    this.#setting = setting
  }

  async send(): Promise<void> {
    const { lines, left, right } = this.#setting.topics
    const texts = Array.from({ length: LINES }, () => {
      const n = this.#lines++
      return [n, n * 3, n * 5].map(word => WORDS[word % WORDS.length]!)
    })
    for (const word of texts.flat()) this.counts.set(word, (this.counts.get(word) ?? 0) + 1)
    const values = texts.map((words, n) => ({ key: `line ${n}`, value: words.join(' ') }))
    const from = this.pairs.length
    const keys = Array.from({ length: PAIRS }, (_, n) => `pair ${from + n}`)
    this.pairs.push(...keys.map(key => `${key} left+${key} right`))
    const timestamp = String(Date.now())
    const side = (name: string) => keys.map(key => ({ key, value: `${key} ${name}`, timestamp }))
    await this.#producer.sendBatch({
      topicMessages: [
        { topic: lines, messages: values },
        { topic: left, messages: side('left') },
        { topic: right, messages: side('right') },
      ],
    })
  }
}

/** Every count of a word in the order in which it was emitted would be 1, 2, 3, …: the numbers seen, per word. */
async function countsSeen(bootstrap: string, topic: string): Promise<Map<string, number[]>> {
  const seen = new Map<string, number[]>()
  for (const { key, value } of await readCommitted(bootstrap, topic, PARTITIONS)) {
    seen.set(key, [...(seen.get(key) ?? []), Number(value)])
  }
  return seen
}

const valuesOf = async (bootstrap: string, topic: string): Promise<string[]> =>
  (await readCommitted(bootstrap, topic, PARTITIONS)).map(({ value }) => value)

/** Waits until everything that went in has come out at least once. */
async function settled({ bootstrap, topics }: Setting, feed: Feed, instances: readonly Instance[]): Promise<void> {
  const counted = async (): Promise<boolean> => {
    const seen = await countsSeen(bootstrap, topics.counts)
    return [...feed.counts].every(([word, count]) => (seen.get(word)?.at(-1) ?? 0) >= count)
  }
  const joined = async (): Promise<boolean> => {
    const seen = new Set(await valuesOf(bootstrap, topics.joined))
    return feed.pairs.every(pair => seen.has(pair))
  }
  const both = async (): Promise<boolean> => (await counted()) && (await joined())
  await eventually('all counts and pairs', both, { ms: 90_000, everyMs: 200 }).catch((error: unknown) => {
    const output = instances.map((instance, n) => `instance ${n}: ${instance.output.slice(-8).join(' | ')}`)
    throw new Error(`${String(error)}\n${output.join('\n')}`)
  })
}

/** Every count of every word once and in order, every pair once. */
async function expectExactlyOnce({ bootstrap, topics }: Setting, feed: Feed): Promise<void> {
  const seen = await countsSeen(bootstrap, topics.counts)
  for (const [word, count] of feed.counts) {
    const numbers = seen.get(word) ?? []
    const wrong = numbers.findIndex((number, at) => number !== at + 1)
    if (numbers.length !== count || wrong >= 0) {
      throw new Error(`${word}: ${count} in, ${numbers.length} counts out, first wrong: ${numbers[wrong]} at ${wrong}`)
    }
  }
  const pairs = await valuesOf(bootstrap, topics.joined)
  if (pairs.length !== feed.pairs.length) throw new Error(`${feed.pairs.length} pairs in, ${pairs.length} out`)
  const words = [...feed.counts.values()].reduce((sum, count) => sum + count, 0)
  console.log(`     words ${words}, pairs ${pairs.length}: each exactly once`)
}

async function prepare(context: Context, guarantee: Setting['guarantee']) {
  await install()
  const { bootstrap } = context.broker
  const name = (hint: string): string => context.name(hint)
  const [lines, counts, left, right, joined] = ['lines', 'counts', 'left', 'right', 'joined'].map(name) as [
    string,
    string,
    string,
    string,
    string,
  ]
  const topics = { lines, counts, left, right, joined }
  const setting: Setting = { bootstrap, applicationId: name('app'), guarantee, topics }
  const admin = kafkaOf(bootstrap).admin()
  await admin.connect()
  await admin.createTopics({ topics: Object.values(topics).map(topic => ({ topic, numPartitions: PARTITIONS })) })
  await admin.disconnect()
  // Idempotent: what the broker's death makes it send again must not come twice.
  const producer = kafkaOf(bootstrap).producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  context.after(() => producer.disconnect())
  const folder = mkdtempSync(join(tmpdir(), 'odradek-streams-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  const instances: Instance[] = []
  const start = (state: string): Instance => {
    const instance = new Instance(setting, join(folder, state))
    instances.push(instance)
    context.after(() => instance.kill9())
    return instance
  }
  const feed = new Feed(producer, setting)
  const settle = (): Promise<void> => settled(setting, feed, instances)
  const round = async (): Promise<void> => {
    await feed.send()
    await settle()
  }
  return { setting, feed, start, settle, round }
}

const suite = new Suite()

suite.scenario(
  'at least once: two instances, an orderly restart of one and of the broker, state rebuilt from changelogs',
  async context => {
    const { start, round } = await prepare(context, 'at_least_once')
    const first = start('first')
    await first.running()
    await round()
    const second = start('second')
    await second.running()
    await round()
    await first.stop()
    await context.broker.restart()
    await round()
    await second.stop()
    // Nothing but the changelogs knows the counts now.
    const third = start('third')
    await third.running()
    await round()
    if (third.restored === 0) throw new Error('nothing was restored from the changelogs')
    await third.stop()
  },
  { own: { 'group.initial.rebalance.delay.ms': 0 }, timeoutMs: 240_000 },
)

suite.scenario(
  'exactly once: kill -9 of an instance and of the broker at work',
  async context => {
    const { setting, feed, start, settle, round } = await prepare(context, 'exactly_once_v2')
    const first = start('first')
    await first.running()
    await round()
    const second = start('second')
    await second.running()
    await feed.send()
    await first.kill9()
    await round()
    await feed.send()
    await context.broker.kill9()
    await context.broker.start()
    await round()
    // The folder of the instance that was killed: what it holds beyond its last commit must not count.
    const again = start('first')
    await again.running()
    await feed.send()
    await second.kill9()
    await settle()
    await expectExactlyOnce(setting, feed)
    await again.stop()
  },
  { own: { 'group.initial.rebalance.delay.ms': 0 }, timeoutMs: 240_000 },
)

await suite.run()
