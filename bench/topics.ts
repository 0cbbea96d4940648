// Topics of the benchmark: made, counted and removed over the wire.
import { eventually } from '../compat/harness/wait.ts'
import { open, type Wire } from '../compat/harness/wire.ts'
import { NONE, NOT_LEADER_OR_FOLLOWER, UNKNOWN_TOPIC_OR_PARTITION } from '../protocol/errors.ts'
import { CreateTopics, DeleteTopics, ListOffsets, Metadata, Produce, ZERO_UUID } from '../protocol/index.ts'
import { encodeBatch } from '../protocol/records/record.ts'
import type { Records } from '../protocol/schema.ts'
import type { Broker } from './brokers.ts'

const TIMEOUT_MS = 60_000
const VALUE_BYTES = 10_000
const VALUES_PER_BATCH = 10
const TOPICS_PER_REQUEST = 100

async function on<T>(address: string, use: (wire: Wire) => Promise<T>): Promise<T> {
  const wire = await open(address)
  try {
    return await use(wire)
  } finally {
    wire.close()
  }
}

const asked = (name: string, partitions: number, configs: Readonly<Record<string, string>> = {}) => ({
  name,
  numPartitions: partitions,
  replicationFactor: 1,
  assignments: [],
  configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
})

/** Makes a topic and waits until it can be written to. */
export function createTopic(
  address: string,
  name: string,
  partitions = 1,
  configs: Readonly<Record<string, string>> = {},
): Promise<void> {
  return on(address, async wire => {
    const { topics } = await wire.request(CreateTopics, 7, {
      topics: [asked(name, partitions, configs)],
      timeoutMs: TIMEOUT_MS,
    })
    if (topics[0]?.errorCode !== 0) throw new Error(`CreateTopics ${name}: ${topics[0]?.errorCode}`)
    await eventually(
      `a leader of ${name}`,
      async () => {
        const found = await wire.request(Metadata, 12, {
          topics: [{ name, topicId: ZERO_UUID }],
          allowAutoTopicCreation: false,
        })
        const led = found.topics[0]?.partitions.filter(p => p.errorCode === 0 && p.leaderId >= 0).length
        return led === partitions && (await offsetOf(wire, name, partitions - 1)) !== null
      },
      { everyMs: 5 },
    )
  })
}

/** Makes them with one request; resolves with how long that took, in ms. */
export function createTopics(address: string, names: readonly string[]): Promise<number> {
  return on(address, async wire => {
    const from = performance.now()
    const { topics } = await wire.request(CreateTopics, 7, {
      topics: names.map(name => asked(name, 1)),
      timeoutMs: TIMEOUT_MS,
    })
    const tookMs = performance.now() - from
    const bad = topics.find(({ errorCode }) => errorCode !== 0)
    if (bad !== undefined || topics.length !== names.length) {
      throw new Error(`CreateTopics: ${topics.length} answers, ${bad?.name}: ${bad?.errorCode}`)
    }
    return tookMs
  })
}

/** Writes about so many bytes in all to partition 0 of the topics, acks=1, in batches of up to a tenth of a megabyte. */
export function fill(address: string, names: readonly string[], bytes: number): Promise<void> {
  const perTopic = Math.max(1, Math.floor(bytes / names.length))
  const count = Math.max(1, Math.min(VALUES_PER_BATCH, Math.round(perTopic / VALUE_BYTES)))
  const value = Buffer.alloc(Math.min(VALUE_BYTES, perTopic), 'v')
  const batch = encodeBatch({
    timestamp: Date.now(),
    records: Array.from({ length: count }, () => ({ key: null, value })),
  })
  const records = { byteLength: batch.length, parts: [batch] }
  return on(address, async wire => {
    for (let round = 0; round * batch.length < perTopic; round++) {
      for (let from = 0; from < names.length; from += TOPICS_PER_REQUEST) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await produceTo(wire, names.slice(from, from + TOPICS_PER_REQUEST), records)
      }
    }
  })
}

/** Those whose leader is not ready yet are asked again. */
async function produceTo(wire: Wire, names: readonly string[], records: Records): Promise<void> {
  let left = names
  await eventually('leaders that take records', async () => {
    const topicData = left.map(name => ({ name, partitionData: [{ index: 0, records }] }))
    const request = { transactionalId: null, acks: 1, timeoutMs: TIMEOUT_MS, topicData }
    const { responses } = await wire.request(Produce, 9, request)
    left = responses.flatMap(({ name, partitionResponses }) => {
      const code = partitionResponses[0]?.errorCode
      if (code === NONE) return []
      if (code === NOT_LEADER_OR_FOLLOWER || code === UNKNOWN_TOPIC_OR_PARTITION) return [name]
      throw new Error(`Produce to ${name}: ${code}`)
    })
    return left.length === 0
  })
}

/** Resolves when all topics are there, and each partition has a leader that tells its end. */
export function allLed(address: string, names: readonly string[]): Promise<void> {
  return on(address, async wire => {
    const isLed = async (): Promise<boolean> => {
      const { topics } = await wire.request(Metadata, 12, { topics: null, allowAutoTopicCreation: false })
      const led = topics.filter(({ partitions }) => partitions.every(p => p.errorCode === 0 && p.leaderId >= 0))
      if (led.length < names.length) return false
      const partitions = [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: -1 }]
      const wanted = { replicaId: -1, isolationLevel: 0, topics: names.map(name => ({ name, partitions })) }
      const ends = await wire.request(ListOffsets, 7, wanted)
      return ends.topics.every(topic => topic.partitions[0]?.errorCode === NONE)
    }
    await eventually('a leader of every partition', isLed, { ms: TIMEOUT_MS, everyMs: 5 })
  })
}

/** Once the logs were verified. */
export async function deleteTopic(broker: Broker, name: string): Promise<void> {
  await broker.verify()
  await on(broker.address, async wire => {
    const { responses } = await wire.request(DeleteTopics, 6, {
      topics: [{ name, topicId: ZERO_UUID }],
      timeoutMs: TIMEOUT_MS,
    })
    if (responses[0]?.errorCode !== 0) throw new Error(`DeleteTopics ${name}: ${responses[0]?.errorCode}`)
  })
  broker.sweep()
}

/** Throws unless the partitions hold exactly this many records. */
export function verifyCount(address: string, name: string, count: number, partitions = 1): Promise<void> {
  return on(address, async wire => {
    let held = 0
    for (let partition = 0; partition < partitions; partition++) {
      // oxlint-disable-next-line no-await-in-loop -- few
      held += (await offsetOf(wire, name, partition)) ?? NaN
    }
    if (held !== count) throw new Error(`${name} at ${address} holds ${held} records, ${count} were acknowledged`)
  })
}

async function offsetOf(wire: Wire, name: string, partitionIndex: number): Promise<number | null> {
  const { topics } = await wire.request(ListOffsets, 7, {
    replicaId: -1,
    isolationLevel: 0,
    topics: [{ name, partitions: [{ partitionIndex, currentLeaderEpoch: -1, timestamp: -1 }] }],
  })
  const found = topics[0]?.partitions[0]
  return found?.errorCode === 0 ? found.offset : null
}
