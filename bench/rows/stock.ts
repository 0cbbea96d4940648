// Stock clients as users have them: Kafka's own Java producer at its defaults, @platformatic/kafka and KafkaJS.
import { randomUUID } from 'node:crypto'
import type { Broker } from '../brokers.ts'
import { JAVA, produceByJava, whyNoJava } from '../clients/java.ts'
import * as kafkajs from '../clients/kafkajs.ts'
import * as platformatic from '../clients/platformatic.ts'
import { cpuPerGb, loopDelays, rate, type Row, type Sample, type Scale } from '../row.ts'
import { createTopic, deleteTopic, verifyCount } from '../topics.ts'
import { watched, type Watched } from '../watched.ts'

const SIZE = 1024
const PER_SEND = 200
const measures = [rate, cpuPerGb, ...loopDelays]

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
  return [javaProduce(less, atDefaults), { ...javaProduce(less, zstd), fullOnly: true }, ...nodes]
}

interface JavaProducer {
  readonly name: string
  readonly settings?: readonly string[]
  readonly told: string
}

const atDefaults: JavaProducer = { name: 'small batches, 1 KiB', told: 'linger and batch size at the defaults' }
/** librdkafka is built without it: zstd is no part of its source. */
const zstd: JavaProducer = {
  name: 'produce 1 KiB, zstd',
  settings: ['compression.type=zstd', 'linger.ms=5', 'batch.size=131072'],
  told: 'random letters, linger 5 ms, batches of 128 KiB before they are compressed',
}

function javaProduce(less: number, { name, settings, told }: JavaProducer): Row {
  return {
    name,
    promise: `acks=all (its default), no fsync (at our defaults fsynced), 1 partition, ${told}`,
    client: JAVA,
    measures,
    defaultsDiffer: true,
    warmUps: 1,
    why: whyNoJava,
    async run(_side, start) {
      const broker = await start()
      const topic = await fresh(broker)
      const o = { size: SIZE, count: 400_000 / less, warm: 200_000 / less, ...(settings && { settings }) }
      const run = await watched(broker, () => produceByJava(broker.address, topic, o))
      const { messages, seconds, cpuS } = run.value
      const sample = sampleOf(run, { messages, seconds, clientCores: cpuS / run.wallS })
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
      const sample = sampleOf(run, { ...run.value, messages })
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
      const run = await inThisProcess(broker, () => client.consume(broker.address, topic, messages))
      const sample = sampleOf(run, { ...run.value, messages })
      await deleteTopic(broker, topic)
      return sample
    },
  }
}

async function fresh(broker: Broker): Promise<string> {
  const topic = `stock-${randomUUID()}`
  await createTopic(broker.address, topic)
  return topic
}

/** The client is this process, whose own time is known to `watched` already. */
function inThisProcess(broker: Broker, run: () => Promise<number>) {
  return watched(broker, async () => {
    const [before, from] = [process.cpuUsage(), performance.now()]
    const seconds = await run()
    const { user, system } = process.cpuUsage(before)
    return { seconds, clientCores: (user + system) / 1000 / (performance.now() - from) }
  })
}

function sampleOf(
  run: Watched<object>,
  { messages, seconds, clientCores }: { messages: number; seconds: number; clientCores: number },
): Sample {
  return {
    values: {
      rate: messages / seconds,
      cpuPerGb: run.brokerCpuS / ((messages * SIZE) / 1e9),
      ...run.loop,
    },
    client: { cores: clientCores },
    othersCores: run.othersCores,
  }
}
