// How many messages a second librdkafka produces and consumes: by size, acks, partitions, codec, number of clients.
import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { eventually } from '../../compat/harness/wait.ts'
import type { Broker, Side } from '../brokers.ts'
import {
  consume,
  produce,
  RDKAFKA,
  whyNoRdkafka,
  type Consuming,
  type Producing,
  type Transfer,
} from '../clients/rdkafka.ts'
import { touchMemory } from '../measure.ts'
import { cpuPerGb, loopDelays, rate, type Row, type Sample, type Scale } from '../row.ts'
import { createTopic, deleteTopic, verifyCount } from '../topics.ts'
import { watched, type Watched } from '../watched.ts'

/** Bytes of a message, and how many make a run of two to five seconds. */
const sizes = [
  { size: 100, label: '100 B', produced: 8_000_000, consumed: 12_000_000 },
  { size: 1024, label: '1 KiB', produced: 1_600_000, consumed: 3_000_000 },
  { size: 10_240, label: '10 KiB', produced: 200_000, consumed: 400_000 },
] as const
const QUICK = 20

export const common = {
  client: RDKAFKA,
  measures: [rate, cpuPerGb, ...loopDelays],
  warmUps: 1,
  why: whyNoRdkafka,
} as const

interface Produced extends Producing {
  readonly name: string
  /** Every batch on the disk before its answer: Kafka's flush.messages=1, ours at its defaults with acks=all. */
  readonly isFsynced?: boolean
}

const [small, kib, large] = sizes

const many = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

/** One client tells its own time; many are timed together. */
const timedBy = (clients: number): string => (clients === 1 ? '' : ', timed from the start of the first client')

/** Those that the goals name. */
const main: readonly Produced[] = [
  ...sizes.map(({ label, size, produced }): Produced => ({
    name: `${label}, acks=1`,
    size,
    count: produced,
    acks: '1',
  })),
  ...sizes.map(({ label, size, produced }): Produced => ({
    name: `${label}, acks=all`,
    size,
    count: produced,
    acks: '-1',
  })),
  ...sizes.map(({ label, size, produced }): Produced => ({
    name: `${label}, acks=1, 12 partitions`,
    size,
    count: produced,
    acks: '1',
    partitions: 12,
  })),
  { name: '1 KiB, every batch fsynced', size: kib.size, count: kib.produced, acks: '-1', isFsynced: true },
]

const codecs = ['gzip', 'snappy', 'lz4'] as const

const others: readonly Produced[] = [
  { name: '1 KiB, acks=0', size: kib.size, count: kib.produced, acks: '0' },
  { name: '100 KiB, acks=1', size: 102_400, count: 20_000, acks: '1' },
  { name: '1 KiB, acks=1, 100 partitions', size: kib.size, count: kib.produced, acks: '1', partitions: 100 },
  { name: '1 KiB, idempotent', size: kib.size, count: kib.produced, acks: '-1', idempotent: true },
  ...[5, 20].map((clients): Produced => ({
    name: `1 KiB, acks=1, ${clients} clients, 12 partitions`,
    size: kib.size,
    count: kib.produced,
    acks: '1',
    partitions: 12,
    clients,
  })),
  ...codecs.map((codec): Produced => ({
    name: `1 KiB, acks=1, ${codec}`,
    size: kib.size,
    count: kib.produced,
    acks: '1',
    codec,
  })),
]

/** Of messages of 1 KiB. */
const otherConsumes: readonly Omit<Consuming, 'count'>[] = [1, 4, 12].map(clients => ({ partitions: 12, clients }))

export function rateRows({ quick }: Scale): Row[] {
  const scaled = (count: number): number => (quick ? count / QUICK : count)
  const produced = [...main, ...others].map((o): Row => {
    const { name, acks, partitions = 1, isFsynced = false } = o
    const flush = isFsynced ? 'flush.messages=1 at Kafka, ours at its defaults' : 'no fsync'
    return {
      ...common,
      name: `produce ${name}`,
      promise: `acks=${acks === '-1' ? 'all' : acks}, ${flush}, ${many(partitions, 'partition')}, linger 5 ms${timedBy(o.clients ?? 1)}`,
      defaultsDiffer: acks === '-1',
      fullOnly: others.includes(o),
      run: async (side, broker) => produceOnce(side, await broker(), { ...o, count: scaled(o.count) }),
    }
  })
  const consumed = [small, kib, large].map(({ size, label, consumed: count }) =>
    consumeRow(size, label, { count: scaled(count) }),
  )
  const more = otherConsumes.map(o => ({
    ...consumeRow(kib.size, kib.label, { ...o, count: Math.floor(scaled(kib.consumed) / 12) * 12 }),
    fullOnly: true,
  }))
  return [...produced, ...consumed, ...more]
}

async function produceOnce(side: Side, broker: Broker, o: Produced): Promise<Sample> {
  const topic = `produce-${randomUUID()}`
  const { partitions = 1 } = o
  await createTopic(
    broker.address,
    topic,
    partitions,
    o.isFsynced && side.id === 'kafka' ? { 'flush.messages': '1' } : {},
  )
  touchMemory(o.size * o.count * 1.3)
  const run = await watched(broker, () => produce(broker.address, topic, o))
  const isCounted = async (): Promise<true> => {
    await verifyCount(broker.address, topic, run.value.messages, partitions)
    return true
  }
  // With acks=0 the client is done before the broker.
  await (o.acks === '0' ? eventually('all records', isCounted) : isCounted())
  await deleteTopic(broker, topic)
  return sampleOf(run, o.size)
}

export function consumeRow(
  size: number,
  label: string,
  o: Consuming,
  around: (broker: Broker, topic: string, run: () => Promise<Sample>) => Promise<Sample> = (_broker, _topic, run) =>
    run(),
): Row {
  const { count, partitions = 1, clients = 1 } = o
  const spreadOver = partitions === 1 ? '' : `, ${many(partitions, 'partition')}, ${many(clients, 'client')}`
  /** The topic of each broker, filled when it is first asked for. */
  const topics = new Map<Broker, string>()
  async function filled(broker: Broker): Promise<string> {
    const known = topics.get(broker)
    if (known !== undefined) return known
    const topic = `consume-${randomUUID()}`
    await createTopic(broker.address, topic, partitions)
    for (let partition = 0; partition < partitions; partition++) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await produce(broker.address, topic, { size, count: count / partitions, acks: '1', partition })
    }
    await verifyCount(broker.address, topic, count, partitions)
    // What the system would write to the disk during the runs.
    spawnSync('sync')
    topics.set(broker, topic)
    return topic
  }
  return {
    ...common,
    name: `consume ${label}${spreadOver}`,
    promise: `${many(partitions, 'partition')}, from the page cache${timedBy(clients)}`,
    defaultsDiffer: false,
    async run(_side, start) {
      const broker = await start()
      const topic = await filled(broker)
      // The client's queue is what grows.
      touchMemory(size * count)
      return around(broker, topic, async () =>
        sampleOf(await watched(broker, () => consume(broker.address, topic, o)), size),
      )
    },
    async finish(broker) {
      const topic = topics.get(broker)
      if (topic !== undefined) await deleteTopic(broker, topic)
    },
  }
}

function sampleOf(run: Watched<Transfer>, size: number): Sample {
  const { messages, seconds, cpuS } = run.value
  return {
    values: {
      rate: messages / seconds,
      cpuPerGb: run.brokerCpuS / ((messages * size) / 1e9),
      ...run.loop,
    },
    client: { cores: cpuS / seconds, perCore: messages / cpuS },
    othersCores: run.othersCores,
  }
}

/** Some of everything, so that a virtual machine has compiled what it will. */
export async function settle(broker: Broker, { quick }: Scale): Promise<void> {
  const topic = `settle-${randomUUID()}`
  const count = quick ? 20_000 : 150_000
  await createTopic(broker.address, topic)
  await produce(broker.address, topic, { size: 1024, count, acks: '1' })
  await consume(broker.address, topic, { count })
  await deleteTopic(broker, topic)
}
