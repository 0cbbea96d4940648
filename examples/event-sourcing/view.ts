// A view: the balance of every account, and nothing that the events do not say. It can be thrown away and built again from
// offset 0; a snapshot only spares the way. Each partition of the events has its own part of the view, so its own snapshot.
import { randomUUID } from 'node:crypto'
import type { Consumer, Kafka, Producer } from 'kafkajs'
import { evolve, type Account, type Accounts, type Event } from './accounts.ts'
import { EVENTS, fromValue, PARTITIONS, SNAPSHOTS, toValue } from './topics.ts'

interface Snapshot {
  /** The first offset that is not in it. */
  readonly next: string
  readonly accounts: readonly (readonly [string, Account])[]
}

interface Part {
  next: string
  readonly accounts: Accounts
}

export interface View {
  account(id: string): Account | undefined
  all(): ReadonlyMap<string, Account>
  /** How many events this view has read itself: those in the snapshots it began with do not count. */
  readonly eventsRead: number
  /** Keeps the view as it is now. */
  snapshot(): Promise<void>
  close(): Promise<void>
}

export interface ViewOptions {
  /** False: from offset 0, whatever snapshots there are. */
  readonly fromSnapshot: boolean
  readonly onEnd: (error: Error) => void
}

export async function startView(kafka: Kafka, { fromSnapshot, onEnd }: ViewOptions): Promise<View> {
  const snapshots = fromSnapshot ? await readSnapshots(kafka) : new Map<number, Snapshot>()
  const parts = Array.from({ length: PARTITIONS }, (_, partition): Part => {
    const { next, accounts } = snapshots.get(partition) ?? { next: '0', accounts: [] }
    return { next, accounts: new Map(accounts) }
  })
  let eventsRead = 0
  const consumer = kafka.consumer({ groupId: `view-${randomUUID()}`, readUncommitted: false, maxWaitTimeInMs: 50 })
  await consumer.connect()
  await consumer.subscribe({ topics: [EVENTS], fromBeginning: true })
  consumer.on('consumer.crash', ({ payload }) => onEnd(payload.error))
  await consumer.run({
    autoCommit: false,
    async eachMessage({ partition, message }) {
      const part = parts[partition]!
      // A seek takes effect after the first fetch at the latest: what the snapshot has is passed over.
      if (BigInt(message.offset) < BigInt(part.next)) return
      if (message.value !== null) {
        evolve(part.accounts, fromValue<Event>(message.value))
        eventsRead++
      }
      part.next = String(BigInt(message.offset) + 1n)
    },
  })
  for (const [partition, { next }] of parts.entries()) consumer.seek({ topic: EVENTS, partition, offset: next })
  const producer = kafka.producer()
  await producer.connect()
  return {
    account: id => parts.find(({ accounts }) => accounts.has(id))?.accounts.get(id),
    all: () => new Map(parts.flatMap(({ accounts }) => [...accounts])),
    get eventsRead() {
      return eventsRead
    },
    snapshot: () => writeSnapshots(producer, parts),
    close: () => close(consumer, producer),
  }
}

async function writeSnapshots(producer: Producer, parts: readonly Part[]): Promise<void> {
  const messages = parts.map(({ next, accounts }, partition) => {
    const snapshot: Snapshot = { next, accounts: [...accounts] }
    return { key: String(partition), value: toValue(snapshot) }
  })
  await producer.send({ topic: SNAPSHOTS, messages })
}

async function close(consumer: Consumer, producer: Producer): Promise<void> {
  await consumer.disconnect()
  await producer.disconnect()
}

/** The newest snapshot of each partition. The last record of a compacted topic always stays, so its offset says when all is read. */
async function readSnapshots(kafka: Kafka): Promise<Map<number, Snapshot>> {
  const newest = new Map<number, Snapshot>()
  const admin = kafka.admin()
  await admin.connect()
  const [end] = await admin.fetchTopicOffsets(SNAPSHOTS)
  await admin.disconnect()
  if (!end || end.high === end.low) return newest

  const consumer = kafka.consumer({ groupId: `snapshots-${randomUUID()}`, maxWaitTimeInMs: 50 })
  await consumer.connect()
  try {
    await consumer.subscribe({ topics: [SNAPSHOTS], fromBeginning: true })
    await new Promise<void>((resolve, reject) => {
      consumer.on('consumer.crash', ({ payload }) => reject(payload.error))
      const run = consumer.run({
        autoCommit: false,
        async eachMessage({ message }) {
          newest.set(Number(message.key), fromValue<Snapshot>(message.value))
          if (BigInt(message.offset) + 1n >= BigInt(end.high)) resolve()
        },
      })
      run.catch(reject)
    })
  } finally {
    await consumer.disconnect()
  }
  return newest
}
