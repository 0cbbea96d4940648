// Turns commands into events: reads a command, decides on the state that the events so far add up to, and writes the event and
// "this command is done" in one transaction. Killed at any moment, it or its successor goes on exactly there.
import { randomUUID } from 'node:crypto'
import kafkajs, { type Consumer, type EachBatchPayload, type Kafka, type Producer } from 'kafkajs'
import { decide, evolve, type Accounts, type Command, type Event } from './accounts.ts'
import { COMMANDS, EVENTS, fromValue, PARTITIONS, toValue } from './topics.ts'

const GROUP = 'account-writer'

export interface Writer {
  close(): Promise<void>
}

/** Resolves when the state is rebuilt and commands are being handled. `onEnd` hears why it ended by itself, if it does. */
export async function startWriter(kafka: Kafka, onEnd: (error: Error) => void): Promise<Writer> {
  const producer = kafka.producer({ transactionalId: GROUP, idempotent: true, maxInFlightRequests: 1 })
  // From here on a writer that was there before is fenced: whatever it still has in hand can no longer be written.
  await producer.connect()
  const accounts = await rebuild(kafka, producer)
  const consumer = kafka.consumer({ groupId: GROUP, readUncommitted: false, maxWaitTimeInMs: 50 })
  await consumer.connect()
  await consumer.subscribe({ topics: [COMMANDS], fromBeginning: true })
  consumer.on('consumer.crash', ({ payload }) => onEnd(payload.error))
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    async eachBatch(payload) {
      try {
        await handle(accounts, producer, payload)
      } catch (error) {
        // The state is ahead of the events now: only a new writer, which reads them again, may go on.
        throw new kafkajs.KafkaJSNonRetriableError(error as Error)
      }
    },
  })
  return {
    async close() {
      await consumer.disconnect()
      await producer.disconnect()
    },
  }
}

/** One transaction for all commands of a batch. */
async function handle(accounts: Accounts, producer: Producer, payload: EachBatchPayload): Promise<void> {
  const { batch } = payload
  const last = batch.messages.at(-1)
  if (!last || payload.isStale() || !payload.isRunning()) return
  const events = batch.messages.map(({ value }) => {
    const event = decide(accounts, fromValue<Command>(value))
    evolve(accounts, event)
    return event
  })
  const transaction = await producer.transaction()
  const messages = events.map(event => ({ key: event.account, value: toValue(event) }))
  await transaction.send({ topic: EVENTS, messages })
  const done = { partition: batch.partition, offset: String(BigInt(last.offset) + 1n) }
  await transaction.sendOffsets({ consumerGroupId: GROUP, topics: [{ topic: COMMANDS, partitions: [done] }] })
  await transaction.commit()
  payload.resolveOffset(last.offset)
}

/**
 * The state that all events add up to. Where "all" ends is known by a mark that this writer writes into every partition
 * first: nobody else may write after it, and what comes before it is all there is.
 */
async function rebuild(kafka: Kafka, producer: Producer): Promise<Accounts> {
  const mark = randomUUID()
  const transaction = await producer.transaction()
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition)
  const marks = partitions.map(partition => ({ partition, value: null, headers: { mark } }))
  await transaction.send({ topic: EVENTS, messages: marks })
  await transaction.commit()

  const accounts: Accounts = new Map()
  const consumer = kafka.consumer({ groupId: `${GROUP}-${mark}`, readUncommitted: false, maxWaitTimeInMs: 50 })
  await consumer.connect()
  try {
    await consumer.subscribe({ topics: [EVENTS], fromBeginning: true })
    await readUntilMarked(consumer, mark, event => evolve(accounts, event))
  } finally {
    await consumer.disconnect()
  }
  return accounts
}

async function readUntilMarked(consumer: Consumer, mark: string, onEvent: (event: Event) => void): Promise<void> {
  const open = new Set(Array.from({ length: PARTITIONS }, (_, partition) => partition))
  await new Promise<void>((resolve, reject) => {
    consumer.on('consumer.crash', ({ payload }) => reject(payload.error))
    const run = consumer.run({
      autoCommit: false,
      async eachMessage({ partition, message }) {
        if (message.value !== null) onEvent(fromValue<Event>(message.value))
        else if (String(message.headers?.['mark']) === mark) open.delete(partition)
        if (open.size === 0) resolve()
      },
    })
    run.catch(reject)
  })
}
