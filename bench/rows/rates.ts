// How many messages a second: produced with acks=1 and acks=all, and consumed, by librdkafka, one partition.
import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import type { Broker } from '../brokers.ts'
import { consume, produce, RDKAFKA, whyNoRdkafka, type Transfer } from '../clients/rdkafka.ts'
import { measured, touchMemory, type Measured } from '../measure.ts'
import { cpuPerGb, loopMax, rate, type Row, type Sample, type Scale } from '../row.ts'
import { createTopic, deleteTopic, verifyCount } from '../topics.ts'

/** Bytes of a message, and how many make a run of about two seconds. */
const sizes = [
  { size: 100, label: '100 B', produced: 4_000_000, consumed: 6_000_000 },
  { size: 1024, label: '1 KiB', produced: 800_000, consumed: 1_500_000 },
  { size: 10_240, label: '10 KiB', produced: 120_000, consumed: 200_000 },
] as const
const QUICK = 20

const measures = [rate, cpuPerGb, loopMax]

export function rateRows({ quick }: Scale): Row[] {
  const scaled = (count: number): number => (quick ? count / QUICK : count)
  const common = { client: RDKAFKA, measures, warmUps: 1, why: whyNoRdkafka }
  const produced = (['1', '-1'] as const).flatMap(acks =>
    sizes.map(({ size, label, produced: count }): Row => {
      const name = acks === '1' ? 'acks=1' : 'acks=all'
      return {
        ...common,
        name: `produce ${label}, ${name}`,
        promise: `${name}, no fsync${acks === '-1' ? ' (at our defaults fsynced)' : ''}, 1 partition, linger 5 ms`,
        defaultsDiffer: acks === '-1',
        run: async (_side, broker) => produceOnce(await broker(), { size, count: scaled(count), acks }),
      }
    }),
  )
  return [...produced, ...sizes.map(({ size, label, consumed }) => consumeRow(size, label, scaled(consumed), common))]
}

async function produceOnce(broker: Broker, o: { size: number; count: number; acks: '1' | '-1' }): Promise<Sample> {
  const topic = `produce-${randomUUID()}`
  await createTopic(broker.address, topic)
  touchMemory(o.size * o.count * 1.3)
  await broker.eventLoop()
  const run = await measured(broker.pid, cpuOf, () => produce(broker.address, topic, o))
  const sample = await sampleOf(broker, run, o.size)
  await verifyCount(broker.address, topic, o.count)
  await deleteTopic(broker, topic)
  return sample
}

function consumeRow(
  size: number,
  label: string,
  count: number,
  common: Pick<Row, 'client' | 'measures' | 'warmUps' | 'why'>,
): Row {
  /** The topic of each broker, filled when it is first asked for. */
  const topics = new Map<Broker, string>()
  async function filled(broker: Broker): Promise<string> {
    const known = topics.get(broker)
    if (known !== undefined) return known
    const topic = `consume-${randomUUID()}`
    await createTopic(broker.address, topic)
    await produce(broker.address, topic, { size, count, acks: '1' })
    await verifyCount(broker.address, topic, count)
    // What the system would write to the disk during the runs.
    spawnSync('sync')
    topics.set(broker, topic)
    return topic
  }
  return {
    ...common,
    name: `consume ${label}`,
    promise: '1 partition, from the page cache',
    defaultsDiffer: false,
    async run(_side, start) {
      const broker = await start()
      const topic = await filled(broker)
      // The client's queue is what grows.
      touchMemory(size * count)
      await broker.eventLoop()
      const run = await measured(broker.pid, cpuOf, () => consume(broker.address, topic, count))
      return sampleOf(broker, run, size)
    },
    async finish(broker) {
      const topic = topics.get(broker)
      if (topic !== undefined) await deleteTopic(broker, topic)
    },
  }
}

const cpuOf = (run: Transfer): number => run.cpuS

async function sampleOf(broker: Broker, run: Measured<Transfer>, size: number): Promise<Sample> {
  const { messages, seconds, cpuS } = run.value
  const loop = await broker.eventLoop()
  return {
    values: {
      rate: messages / seconds,
      cpuPerGb: run.brokerCpuS / ((messages * size) / 1e9),
      ...(loop && { loopMaxMs: loop.maxMs }),
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
  await consume(broker.address, topic, count)
  await deleteTopic(broker, topic)
}
