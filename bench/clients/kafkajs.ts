// The first round trip of a KafkaJS client, in this process.
import { randomUUID } from 'node:crypto'
import { Kafka, logLevel, Partitioners } from 'kafkajs'

/** Connects, makes a topic, produces one message and consumes it with a new group; how long that took, in ms. */
export async function roundTrip(address: string): Promise<{ tookMs: number; topic: string }> {
  const kafka = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING })
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
