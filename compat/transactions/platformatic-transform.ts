// Reads `in`, writes each record to `out` and the group's offsets in one transaction; aborts one in four. Arguments:
// bootstrap, transactional id, group, in, out. Runs until it is killed; ends with 3 when anything goes wrong.
//
// It fetches partition by partition instead of using the client's stream: a stream cannot be set back after an abort, and
// begins at committed offsets that it asks for without waiting for transactions that are being decided.
import { Admin, Consumer, Producer, type Message } from '@platformatic/kafka'

const [bootstrap = '', transactionalId = '', groupId = '', source = '', target = ''] = process.argv.slice(2)
const base = { clientId: transactionalId, bootstrapBrokers: [bootstrap], retries: 100, retryDelay: 100 }
const MAX_RECORDS = 40

type FetchResponse = Awaited<ReturnType<Consumer['fetch']>>

const admin = new Admin(base)
const consumer = new Consumer({
  ...base,
  groupId,
  sessionTimeout: 6000,
  rebalanceTimeout: 60_000,
  heartbeatInterval: 1000,
  maxWaitTime: 100,
})
const producer = new Producer({
  ...base,
  idempotent: true,
  transactionalId,
  // What it uses as the time-out of transactions.
  timeout: 20_000,
  // Without these it asks to go on as producer 0, which a broker that knows the transactional id refuses.
  producerId: -1n,
  producerEpoch: -1,
})
const fail = (error: unknown): never => {
  const causes = error instanceof AggregateError ? error.errors.slice(-1) : []
  console.log('end', String(error), ...causes.map(String))
  process.exit(3)
}
// Failed heartbeats while the broker is away.
consumer.on('error', () => {})
process.on('unhandledRejection', fail)

interface Input {
  readonly key: Buffer | null
  readonly value: string
}

interface Membership {
  readonly generationId: number
  readonly memberId: string
  /** By partition of the source. */
  readonly positions: Map<number, bigint>
}

/** What the member was last given; its generation alone is known earlier, while it still has what it held before. */
let joined: { generationId: number; memberId: string; partitions: number[] } | null = null
consumer.on('consumer:group:join', ({ generationId, memberId, assignments }) => {
  const partitions = assignments?.flatMap(assignment => assignment.partitions) ?? []
  joined = { generationId: generationId!, memberId, partitions }
})

/** Where this member's partitions go on; waits until no transaction holds offsets of the group open. */
async function membership(): Promise<Membership> {
  const { generationId, memberId, partitions } = joined!
  const positions = new Map(partitions.map(partition => [partition, 0n]))
  if (partitions.length > 0) {
    const groups = [{ groupId, topics: [{ name: source, partitionIndexes: partitions }] }]
    const [found] = await admin.listConsumerGroupOffsets({ groups, requireStable: true })
    for (const { partitionIndex, committedOffset } of found?.topics[0]?.partitions ?? []) {
      if (committedOffset >= 0n) positions.set(partitionIndex, committedOffset)
    }
  }
  return { generationId, memberId, positions }
}

/** Up to MAX_RECORDS from this position on, and where the next are. */
function inputsFrom(response: FetchResponse, position: bigint): { inputs: Input[]; next: bigint } {
  const inputs: Input[] = []
  let next = position
  for (const batch of response.responses[0]?.partitions[0]?.records ?? []) {
    for (const { offsetDelta, key, value } of batch.records) {
      const offset = batch.firstOffset + BigInt(offsetDelta)
      if (offset < position || inputs.length === MAX_RECORDS) continue
      inputs.push({ key, value: String(value) })
      next = offset + 1n
    }
  }
  return { inputs, next }
}

async function transform(member: Membership, partition: number, inputs: readonly Input[], next: bigint): Promise<void> {
  const abort = Math.random() < 0.25
  const transaction = await producer.beginTransaction()
  await transaction.send({
    messages: inputs.map(({ key, value }) => ({
      topic: target,
      ...(key !== null && { key }),
      value: Buffer.from(`${value}${abort ? ' aborted' : ''}`),
    })),
  })
  await transaction.addConsumer(consumer)
  const { generationId, memberId } = member
  const { coordinatorId } = consumer
  // The client takes an offset with the membership it was read under from a message, and commits the one after it.
  const read = {
    topic: source,
    partition,
    offset: next - 1n,
    metadata: { consumer: { groupId, memberId, generationId, coordinatorId } },
  }
  await transaction.addOffset(read as unknown as Message)
  if (abort) {
    await transaction.abort()
    console.log('abort', inputs.length)
    return
  }
  await transaction.commit()
  member.positions.set(partition, next)
  console.log('commit', inputs.length)
}

async function round(member: Membership): Promise<void> {
  const metadata = await consumer.metadata({ topics: [source] })
  const { id: topicId, partitions } = metadata.topics.get(source)!
  for (const [partition, position] of member.positions) {
    const asked = { partition, currentLeaderEpoch: -1, fetchOffset: position, lastFetchedEpoch: -1 }
    // oxlint-disable-next-line no-await-in-loop -- one partition after the other
    const response = await consumer.fetch({
      node: partitions[partition]!.leader,
      topics: [{ topicId, partitions: [{ ...asked, partitionMaxBytes: 1 << 20 }] }],
    })
    const { inputs, next } = inputsFrom(response, position)
    if (joined!.generationId !== member.generationId) return
    // oxlint-disable-next-line no-await-in-loop -- one transaction at a time
    if (inputs.length > 0) await transform(member, partition, inputs, next)
  }
}

try {
  consumer.topics.track(source)
  await consumer.joinGroup()
  let member = await membership()
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    if (joined!.generationId !== member.generationId) member = await membership()
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    if (member.positions.size === 0) await new Promise(resolve => setTimeout(resolve, 100))
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    else await round(member)
  }
} catch (error) {
  fail(error)
}
