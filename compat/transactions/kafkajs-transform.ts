// Reads `in`, writes each record to `out` and the group's offsets in one transaction; aborts one in four. Arguments:
// bootstrap, transactional id, group, in, out. Runs until it is killed; ends with 3 when it is fenced.
// What was not resolved is fetched again, so there is no seek here; nor may there be one: KafkaJS keeps the seek of a partition
// that a rebalance takes away (seekOffsets.js) and jumps back to it when the partition returns, whatever was committed since.
import kafkajs from 'kafkajs'

const [bootstrap = '', transactionalId = '', groupId = '', source = '', target = ''] = process.argv.slice(2)
const kafka = new kafkajs.Kafka({
  brokers: [bootstrap],
  clientId: transactionalId,
  logLevel: kafkajs.logLevel.NOTHING,
  retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 30 },
})
const consumer = kafka.consumer({ groupId, sessionTimeout: 6000, heartbeatInterval: 1000, readUncommitted: false })
const producer = kafka.producer({
  transactionalId,
  maxInFlightRequests: 1,
  idempotent: true,
  transactionTimeout: 20_000,
})
const fail = (error: unknown): never => {
  console.log('end', String(error))
  process.exit(3)
}

await producer.connect()
await consumer.connect()
await consumer.subscribe({ topics: [source], fromBeginning: true })
consumer.on('consumer.crash', ({ payload }) => fail(payload.error))
await consumer.run({
  autoCommit: false,
  eachBatchAutoResolve: false,
  async eachBatch(payload) {
    const { batch } = payload
    const messages = batch.messages.slice(0, 40)
    const last = messages.at(-1)
    if (!last || !payload.isRunning() || payload.isStale()) return
    const abort = Math.random() < 0.25
    const transaction = await producer.transaction()
    try {
      await transaction.send({
        topic: target,
        messages: messages.map(({ key, value }) => ({ key, value: `${String(value)}${abort ? ' aborted' : ''}` })),
      })
      const partitions = [{ partition: batch.partition, offset: String(BigInt(last.offset) + 1n) }]
      await transaction.sendOffsets({ consumerGroupId: groupId, topics: [{ topic: source, partitions }] })
      if (!abort) await transaction.commit()
    } catch (error) {
      console.log('retry', String(error))
      await transaction.abort().catch(fail)
      return
    }
    if (!abort) {
      payload.resolveOffset(last.offset)
      console.log('commit', messages.length)
      return
    }
    await transaction.abort()
    console.log('abort', messages.length)
  },
})
