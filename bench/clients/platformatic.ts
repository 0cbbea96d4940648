// @platformatic/kafka in this process: sends and a consumer as fast as they go, and the first round trip of a new client.
import { randomUUID } from 'node:crypto'
import { Admin, Consumer, Producer, ProduceAcks, type Message } from '@platformatic/kafka'
import { timeSends } from './sends.ts'

const base = (address: string) => ({ clientId: 'bench', bootstrapBrokers: [address] })

/** `sends` of `perSend` messages, so many at a time; how long that took, in seconds. */
export async function produce(
  address: string,
  topic: string,
  o: { size: number; perSend: number; sends: number; inFlight: number },
): Promise<number> {
  const producer = new Producer(base(address))
  const value = Buffer.alloc(o.size, 'odradek ')
  const messages = Array.from({ length: o.perSend }, () => ({ topic, value, partition: 0 }))
  try {
    return await timeSends(o, () => producer.send({ messages, acks: ProduceAcks.LEADER }))
  } finally {
    await producer.close()
  }
}

/** Reads so many messages from the beginning with a new group; how long that took from the first one on, in seconds. */
export async function consume(address: string, topic: string, count: number): Promise<number> {
  const consumer = new Consumer({ ...base(address), groupId: `bench-${randomUUID()}`, maxBytes: 10 << 20 })
  try {
    const stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: false })
    let [seen, from] = [0, 0]
    await new Promise<void>((resolve, reject) => {
      stream.on('error', reject)
      stream.on('data', () => {
        if (seen++ === 0) from = performance.now()
        if (seen === count) resolve()
      })
    })
    const seconds = (performance.now() - from) / 1000
    await stream.close()
    return seconds
  } finally {
    await (consumer.close(true) as unknown as Promise<void>)
  }
}

/** Connects, makes a topic, produces one message and consumes it with a new group; how long that took, in ms. */
export async function roundTrip(address: string): Promise<{ tookMs: number; topic: string }> {
  const topic = `round-${randomUUID()}`
  const from = performance.now()
  const admin = new Admin(base(address))
  const producer = new Producer(base(address))
  const consumer = new Consumer({ ...base(address), groupId: topic, maxWaitTime: 500 })
  try {
    await admin.createTopics({ topics: [topic], partitions: 1, replicas: 1 })
    await producer.send({ messages: [{ topic, value: Buffer.from('hello') }], acks: ProduceAcks.ALL })
    const stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: false })
    const message = await new Promise<Message<Buffer, Buffer, Buffer, Buffer>>((resolve, reject) => {
      stream.once('error', reject)
      stream.once('data', resolve)
    })
    const tookMs = performance.now() - from
    if (String(message.value) !== 'hello') throw new Error('@platformatic/kafka: another message')
    await stream.close()
    return { tookMs, topic }
  } finally {
    await (consumer.close(true) as unknown as Promise<void>)
    await producer.close()
    await admin.close()
  }
}
