// @platformatic/kafka as the scenarios use it: clients that end with their scenario, and consumers that collect.
import {
  Admin,
  Consumer,
  GenericError,
  MultipleErrors,
  Producer,
  compressionsAlgorithms,
  type BaseOptions,
  type ConsumeOptions,
  type ConsumerOptions,
  type Message,
  type ProducerOptions,
} from '@platformatic/kafka'
import { codecReady, compress, decompress, ZSTD } from '../../protocol/records/compression.ts'
import { eventually, within, type Context, type Sample } from '../harness/index.ts'

export type Seen = Message

const MAX_BYTES = 64 << 20

/** A buffer, or the client's own kind of it. */
type Compressible = Buffer | { readonly buffer: Buffer }

/** Before Node 22.15 the client has no zstd; it gets the broker's own. */
export async function plugInZstd(): Promise<void> {
  await codecReady(ZSTD)
  const zstd = compressionsAlgorithms.zstd as {
    available: boolean
    compressSync: (data: Compressible) => Buffer
    decompressSync: (data: Compressible) => Buffer
  }
  if (zstd.available) return
  const whole = (data: Compressible): Buffer => (Buffer.isBuffer(data) ? data : data.buffer)
  zstd.available = true
  zstd.compressSync = data => compress(ZSTD, whole(data))
  zstd.decompressSync = data => decompress(ZSTD, whole(data), MAX_BYTES)
}

const base = ({ broker }: Context, more: Partial<BaseOptions> = {}): BaseOptions => ({
  clientId: 'compat',
  bootstrapBrokers: [broker.bootstrap],
  retries: 3,
  retryDelay: 50,
  ...more,
})

export function admin(context: Context, more: Partial<BaseOptions> = {}): Admin {
  const made = new Admin(base(context, more))
  context.after(() => made.close())
  return made
}

export function producer(
  context: Context,
  more: Partial<ProducerOptions<Buffer, Buffer, Buffer, Buffer>> = {},
): Producer {
  const made = new Producer({ ...base(context), ...more })
  context.after(() => made.close())
  return made
}

export async function topic(context: Context, hint: string, partitions = 1, configs: Record<string, string> = {}) {
  const made = context.name(hint)
  const entries = Object.entries(configs).map(([name, value]) => ({ name, value }))
  await admin(context).createTopics({ topics: [made], partitions, replicas: 1, configs: entries })
  return made
}

export function consumer(
  context: Context,
  groupId: string,
  more: Partial<ConsumerOptions<Buffer, Buffer, Buffer, Buffer>> = {},
): Consumer {
  const made = new Consumer({
    ...base(context),
    groupId,
    sessionTimeout: 10_000,
    rebalanceTimeout: 10_000,
    heartbeatInterval: 200,
    maxWaitTime: 100,
    ...more,
  })
  // Failed heartbeats while a broker is away are reported here; what they mean for records is what scenarios look at.
  made.on('error', () => {})
  context.after(() => made.close(true))
  return made
}

export interface Collector {
  readonly consumer: Consumer
  readonly seen: Seen[]
  /** The partitions it holds, of all topics; null while it holds none. */
  partitions(): number[] | null
  /** What ended its stream, if anything did. */
  failure(): Error | null
  count(n: number, ms?: number): Promise<Seen[]>
  /** Leaves the group. */
  stop(): Promise<void>
}

interface CollectOptions extends Partial<ConsumeOptions<Buffer, Buffer, Buffer, Buffer>> {
  readonly group?: string
  readonly client?: Partial<ConsumerOptions<Buffer, Buffer, Buffer, Buffer>>
}

/** Starts a consumer in a group; resolves when it has joined and has looked up its offsets. */
export async function collect(context: Context, topics: string[], options: CollectOptions = {}): Promise<Collector> {
  const { group = context.name('group'), client = {}, ...consume } = options
  const member = consumer(context, group, client)
  const seen: Seen[] = []
  let failure: Error | null = null
  const mode = { mode: 'committed', fallbackMode: 'earliest' } as const
  const stream = await member.consume({ autocommit: true, ...mode, ...consume, topics })
  stream.on('data', message => void seen.push(message))
  stream.on('error', error => {
    failure = error
  })
  return {
    consumer: member,
    seen,
    failure: () => failure,
    partitions: () => member.assignments?.flatMap(({ partitions }) => partitions) ?? null,
    async count(n, ms = 15_000) {
      await eventually(
        `${n} records seen`,
        () => {
          if (failure !== null) throw failure
          return seen.length >= n
        },
        { ms },
      ).catch((error: Error) => {
        throw new Error(`${error.message} (${seen.length} seen)`)
      })
      return seen
    },
    stop: () => leave(member),
  }
}

/** The client's declarations have only the variant with a callback for some of its methods; all give a promise. */
export const leave = async (member: Consumer): Promise<void> => {
  await (member.close(true) as unknown as Promise<void>)
}

/** What the client sends for a sample. */
export const messageOf = (name: string, { key, value, headers, timestamp }: Sample) => ({
  topic: name,
  ...(key !== null && { key: Buffer.from(key) }),
  ...(value !== null && { value }),
  headers: new Map(Object.entries(headers).map(([header, content]) => [Buffer.from(header), Buffer.from(content)])),
  timestamp: BigInt(timestamp),
})

export const text = (name: string, value: string, partition = 0) => ({
  topic: name,
  value: Buffer.from(value),
  partition,
})

/** What came back, as a sample. */
export const sampleOf = ({ key, value, headers, timestamp }: Seen): Sample => ({
  key: (key as Buffer | undefined)?.toString() ?? null,
  value: value ?? null,
  headers: Object.fromEntries([...headers].map(([name, header]) => [name.toString(), header.toString()])),
  timestamp: Number(timestamp),
})

/** Kafka's name of the error that the promise rejects with, at whatever depth; fails when it does not reject. */
export async function errorOf(promise: Promise<unknown>): Promise<string> {
  const error = await within(
    20_000,
    'the expected error',
    promise.then(
      () => null,
      (reason: Error) => reason,
    ),
  )
  if (error === null) throw new Error('there was no error')
  return nameOf(error) ?? `${error.name}: ${error.message}`
}

function nameOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { apiId } = error as GenericError
  if (typeof apiId === 'string') return apiId
  const deeper: unknown[] = error instanceof MultipleErrors || error instanceof AggregateError ? error.errors : []
  return [...deeper, error.cause].map(nameOf).find(name => name !== undefined)
}
