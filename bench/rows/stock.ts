// Stock clients as users have them: Kafka's own Java producer at its defaults, @platformatic/kafka and KafkaJS.
import { randomUUID } from 'node:crypto'
import type { Broker } from '../brokers.ts'
import { JAVA, produceByJava, whyNoJava } from '../clients/java.ts'
import * as kafkajs from '../clients/kafkajs.ts'
import * as platformatic from '../clients/platformatic.ts'
import { measured } from '../measure.ts'
import { cpuPerGb, loopMax, rate, type Row, type Sample, type Scale } from '../row.ts'
import { createTopic, deleteTopic, verifyCount } from '../topics.ts'

const SIZE = 1024
const PER_SEND = 200
const measures = [rate, cpuPerGb, loopMax]

interface NodeClient {
  readonly name: string
  readonly client: typeof platformatic | typeof kafkajs
  readonly sends: number
}

const nodeClients: readonly NodeClient[] = [
  { name: '@platformatic/kafka', client: platformatic, sends: 3000 },
  { name: 'KafkaJS', client: kafkajs, sends: 1000 },
]

export function stockRows({ quick }: Scale): Row[] {
  const less = quick ? 20 : 1
  const nodes = nodeClients.flatMap(of => [nodeProduce(of, 1, less), nodeProduce(of, 5, less), nodeConsume(of, less)])
  return [javaProduce(less), ...nodes]
}

function javaProduce(less: number): Row {
  return {
    name: 'small batches, 1 KiB',
    promise:
      'acks=all (its default), no fsync (at our defaults fsynced), 1 partition, linger and batch size at the defaults',
    client: JAVA,
    measures,
    defaultsDiffer: true,
    warmUps: 1,
    why: whyNoJava,
    async run(_side, start) {
      const broker = await start()
      const topic = await fresh(broker)
      const o = { size: SIZE, count: 400_000 / less, warm: 200_000 / less }
      const run = await measured(
        broker.pid,
        ({ cpuS }) => cpuS,
        () => produceByJava(broker.address, topic, o),
      )
      const { messages, seconds, cpuS } = run.value
      const sample = await sampleOf(broker, { ...run, messages, seconds, clientCores: cpuS / run.wallS })
      await verifyCount(broker.address, topic, messages)
      await deleteTopic(broker, topic)
      return sample
    },
  }
}

function nodeProduce({ name, client, sends }: NodeClient, inFlight: number, less: number): Row {
  return {
    name: `${name} produce, ${inFlight} in flight`,
    promise: `acks=1, no fsync, 1 partition, ${PER_SEND} messages of 1 KiB in each send`,
    client: `${name}, in the benchmark itself`,
    measures,
    defaultsDiffer: false,
    warmUps: 1,
    async run(_side, start) {
      const broker = await start()
      const topic = await fresh(broker)
      const o = { size: SIZE, perSend: PER_SEND, sends: sends / less, inFlight }
      const run = await inThisProcess(broker, () => client.produce(broker.address, topic, o))
      const messages = PER_SEND * o.sends
      const sample = await sampleOf(broker, { ...run, messages, seconds: run.value })
      await verifyCount(broker.address, topic, messages)
      await deleteTopic(broker, topic)
      return sample
    },
  }
}

function nodeConsume({ name, client, sends }: NodeClient, less: number): Row {
  return {
    name: `${name} consume`,
    promise: '1 partition, 1 KiB, from the page cache, a new group',
    client: `${name}, in the benchmark itself`,
    measures,
    defaultsDiffer: false,
    warmUps: 1,
    async run(_side, start) {
      const broker = await start()
      const topic = await fresh(broker)
      const messages = (PER_SEND * sends) / less
      const o = { size: SIZE, perSend: PER_SEND, sends: sends / less, inFlight: 5 }
      await platformatic.produce(broker.address, topic, o)
      await broker.eventLoop()
      const run = await inThisProcess(broker, () => client.consume(broker.address, topic, messages))
      const sample = await sampleOf(broker, { ...run, messages, seconds: run.value })
      await deleteTopic(broker, topic)
      return sample
    },
  }
}

async function fresh(broker: Broker): Promise<string> {
  const topic = `stock-${randomUUID()}`
  await createTopic(broker.address, topic)
  await broker.eventLoop()
  return topic
}

/** The client is this process, whose own time is known to `measured` already. */
async function inThisProcess(broker: Broker, run: () => Promise<number>) {
  const before = process.cpuUsage()
  const done = await measured(broker.pid, () => 0, run)
  const { user, system } = process.cpuUsage(before)
  return { ...done, clientCores: (user + system) / 1e6 / done.wallS }
}

async function sampleOf(
  broker: Broker,
  o: { messages: number; seconds: number; brokerCpuS: number; clientCores: number; othersCores: number },
): Promise<Sample> {
  const loop = await broker.eventLoop()
  return {
    values: {
      rate: o.messages / o.seconds,
      cpuPerGb: o.brokerCpuS / ((o.messages * SIZE) / 1e9),
      ...(loop && { loopMaxMs: loop.maxMs }),
    },
    client: { cores: o.clientCores },
    othersCores: o.othersCores,
  }
}
