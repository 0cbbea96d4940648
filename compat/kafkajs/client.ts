// KafkaJS as the scenarios use it: clients that end with their scenario, and consumers that collect.
import kafkajs, {
  type Admin,
  type Consumer,
  type ConsumerConfig,
  type EachMessagePayload,
  type Kafka,
  type KafkaConfig,
  type KafkaMessage,
  type Producer,
  type ProducerConfig,
} from 'kafkajs'
import { eventually, within, type Context, type Sample } from '../harness/index.ts'

export const { CompressionTypes, KafkaJSProtocolError, logLevel } = kafkajs

/** A record as a consumer saw it. */
export type Seen = KafkaMessage & { topic: string; partition: number }

export function kafka(
  { broker }: Context,
  bootstrap = broker.bootstrap,
  retries = 8,
  more: Partial<KafkaConfig> = {},
): Kafka {
  return new kafkajs.Kafka({
    ...more,
    clientId: 'compat',
    brokers: [bootstrap],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 50, maxRetryTime: 500, retries },
  })
}

export async function admin(context: Context, client = kafka(context)): Promise<Admin> {
  const made = client.admin()
  context.after(() => made.disconnect())
  await made.connect()
  return made
}

export async function producer(
  context: Context,
  config: ProducerConfig = {},
  client = kafka(context),
): Promise<Producer> {
  const made = client.producer({ allowAutoTopicCreation: false, ...config })
  context.after(() => made.disconnect())
  await made.connect()
  return made
}

export async function topic(context: Context, hint: string, numPartitions = 1, configs: Record<string, string> = {}) {
  const made = context.name(hint)
  const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
  await (await admin(context)).createTopics({ topics: [{ topic: made, numPartitions, configEntries }] })
  return made
}

export interface Collector {
  readonly consumer: Consumer
  readonly seen: Seen[]
  /** The partitions it holds, of all topics, after the latest rebalance; null before the first. */
  partitions(): number[] | null
  /** Resolves when it has seen that many records. */
  count(n: number, ms?: number): Promise<Seen[]>
  /** Leaves the group. */
  stop(): Promise<void>
}

interface CollectOptions {
  readonly group?: string
  readonly config?: Partial<ConsumerConfig>
  readonly fromBeginning?: boolean
  readonly client?: Kafka
  readonly autoCommit?: boolean
  readonly onMessage?: (payload: EachMessagePayload, consumer: Consumer) => void | Promise<void>
}

/** Starts a consumer in a group; resolves when it has joined. */
export async function collect(context: Context, topics: string[], options: CollectOptions = {}): Promise<Collector> {
  const { group = context.name('group'), config = {}, fromBeginning = true, client = kafka(context) } = options
  const consumer = client.consumer({ groupId: group, maxWaitTimeInMs: 100, heartbeatInterval: 500, ...config })
  const seen: Seen[] = []
  let held: number[] | null = null
  let stopped = false
  const stop = async (): Promise<void> => {
    if (stopped) return
    stopped = true
    await consumer.disconnect()
  }
  context.after(stop)
  consumer.on('consumer.group_join', ({ payload }) => {
    held = Object.values(payload.memberAssignment).flat()
  })
  consumer.on('consumer.rebalancing', () => {
    held = null
  })
  await consumer.connect()
  await consumer.subscribe({ topics, fromBeginning })
  await consumer.run({
    autoCommit: options.autoCommit ?? true,
    eachMessage: async payload => {
      seen.push({ ...payload.message, topic: payload.topic, partition: payload.partition })
      await options.onMessage?.(payload, consumer)
    },
  })
  await eventually('the consumer has joined its group', () => held !== null, { ms: 20_000 })
  return {
    consumer,
    seen,
    partitions: () => held,
    async count(n, ms = 15_000) {
      await eventually(`${n} records seen`, () => seen.length >= n || null, { ms }).catch((error: Error) => {
        throw new Error(`${error.message} (${seen.length} seen)`)
      })
      return seen
    },
    stop,
  }
}

/** What KafkaJS sends for a sample. */
export const messageOf = ({ key, value, headers, timestamp }: Sample) => ({
  key,
  value,
  headers: { ...headers },
  timestamp: String(timestamp),
})

/** What came back, as a sample. */
export const sampleOf = ({ key, value, headers = {}, timestamp }: KafkaMessage): Sample => ({
  key: key === null ? null : key.toString(),
  value: value === null ? null : Buffer.from(value),
  headers: Object.fromEntries(Object.entries(headers).map(([name, header]) => [name, String(header)])),
  timestamp: Number(timestamp),
})

/** The code or type of the protocol error that the promise rejects with, at whatever depth; fails when it does not. */
export async function errorOf(
  promise: Promise<unknown>,
): Promise<{ type: string; retriable: boolean; message: string }> {
  const error = await within(
    20_000,
    'the expected error',
    promise.then(
      () => null,
      (reason: unknown) => reason,
    ),
  )
  if (error === null) throw new Error('there was no error')
  type Link = Error & {
    type?: string
    retriable?: boolean
    cause?: unknown
    errors?: unknown[]
    originalError?: unknown
  }
  let at: Link = error as Error
  while (at.type === undefined) {
    const deeper = at.cause ?? at.originalError ?? at.errors?.[0]
    if (!(deeper instanceof Error)) break
    at = deeper
  }
  return { type: at.type ?? at.name, retriable: at.retriable ?? false, message: at.message }
}
