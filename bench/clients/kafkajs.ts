// KafkaJS in this process: sends and a consumer as fast as they go, and the first round trip of a new client.
import { randomUUID } from 'node:crypto'
import { Kafka, logLevel, Partitioners } from 'kafkajs'
import { timeSends } from './sends.ts'

const clientOf = (address: string) => new Kafka({ brokers: [address], logLevel: logLevel.NOTHING })

/** Connects, makes a topic, produces one message and consumes it with a new group; how long that took, in ms. */
export async function roundTrip(address: string): Promise<{ tookMs: number; topic: string }> {
  const kafka = clientOf(address)
  const topic = `round-${randomUUID()}`
  const admin = kafka.admin()
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
  const consumer = kafka.consumer({ groupId: topic })
  const from = performance.now()
  try {
    await admin.connect()
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] })
    await producer.connect()
    await producer.send({ topic, messages: [{ value: 'hello' }] })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    const received = new Promise<string>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
      const eachMessage = ({ message }: { message: { value: Buffer | null } }): Promise<void> => {
        resolve(String(message.value))
        return Promise.resolve()
      }
      consumer.run({ eachMessage }).catch(reject)
    })
    if ((await received) !== 'hello') throw new Error('KafkaJS: another message')
    return { tookMs: performance.now() - from, topic }
  } finally {
    await Promise.all([consumer.disconnect(), producer.disconnect(), admin.disconnect()])
  }
}

/** `sends` of `perSend` messages, so many at a time; how long that took, in seconds. */
export async function produce(
  address: string,
  topic: string,
  o: { size: number; perSend: number; sends: number; inFlight: number },
): Promise<number> {
  const producer = clientOf(address).producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  const value = Buffer.alloc(o.size, 'odradek ')
  const messages = Array.from({ length: o.perSend }, () => ({ value, partition: 0 }))
  try {
    return await timeSends(o, () => producer.send({ topic, messages, acks: 1 }))
  } finally {
    await producer.disconnect()
  }
}

/** Reads so many messages from the beginning with a new group; how long that took once it was in the group, in seconds. */
export async function consume(address: string, topic: string, count: number): Promise<number> {
  const consumer = clientOf(address).consumer({ groupId: `bench-${randomUUID()}`, maxBytesPerPartition: 10 << 20 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  try {
    let [seen, from] = [0, 0]
    await new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
      consumer.on(consumer.events.GROUP_JOIN, () => (from = performance.now()))
      const eachBatch = ({ batch }: { batch: { messages: readonly unknown[] } }): Promise<void> => {
        seen += batch.messages.length
        if (seen >= count) resolve()
        return Promise.resolve()
      }
      consumer.run({ autoCommit: false, eachBatch }).catch(reject)
    })
    return (performance.now() - from) / 1000
  } finally {
    await consumer.disconnect()
  }
}
