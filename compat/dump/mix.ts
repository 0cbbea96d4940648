// A bit of everything that this broker writes: codecs, idempotent producers, keys and tombstones, segments that rolled,
// a log that was started again after kill -9, topics made, widened and deleted, groups with commits.
import { CompressionTypes, admin, collect, messageOf, producer } from '../kafkajs/client.ts'
import { noise, range, samples, type Context } from '../harness/index.ts'

export interface Mix {
  readonly topic: string
  readonly deleted: string
  readonly group: string
  /** Records in each partition of the topic. */
  readonly records: number
}

const PARTITIONS = 3
const ROUNDS = 40
const codecs = [
  CompressionTypes.None,
  CompressionTypes.GZIP,
  CompressionTypes.Snappy,
  CompressionTypes.LZ4,
  CompressionTypes.ZSTD,
]

/** The tool's output is lines, so no value may hold bytes that are none of text. */
const printable = samples(Date.now()).filter(({ key }) => key !== 'binary')

async function produce(context: Context, topic: string): Promise<number> {
  let records = 0
  for (const idempotent of [false, true]) {
    const client = await producer(context, { idempotent, maxInFlightRequests: 1 })
    for (const round of range(0, ROUNDS)) {
      const compression = codecs[round % codecs.length]!
      const plain = range(0, 10).map(i => ({ key: `k${i}`, value: noise(1500, round * 10 + i + 1).toString('base64') }))
      const batch = round % 8 === 0 ? printable.map(messageOf) : plain
      const messages = range(0, PARTITIONS).flatMap(partition => batch.map(message => ({ ...message, partition })))
      await client.send({ topic, acks: -1, compression, messages })
      records += batch.length
    }
    await client.disconnect()
  }
  return records
}

export async function writeMix(context: Context): Promise<Mix> {
  const [topic, deleted, group] = [context.name('mix'), context.name('deleted'), context.name('mix-group')]
  const operator = await admin(context)
  const configEntries = Object.entries({ 'segment.bytes': '1048576', 'index.interval.bytes': '1000' }).map(
    ([name, value]) => ({ name, value }),
  )
  await operator.createTopics({ topics: [{ topic, numPartitions: 2, configEntries }, { topic: deleted }] })
  await operator.createPartitions({ topicPartitions: [{ topic, count: PARTITIONS }] })
  let records = await produce(context, topic)
  await context.broker.kill9()
  await context.broker.start()
  records += await produce(context, topic)
  const reader = await collect(context, [topic], { group })
  await reader.count(records * PARTITIONS)
  await reader.stop()
  await operator.deleteTopics({ topics: [deleted] })
  return { topic, deleted, group, records }
}
