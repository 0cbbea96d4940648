// Topics of the benchmark: made, counted and removed over the wire.
import { eventually } from '../compat/harness/wait.ts'
import { open, type Wire } from '../compat/harness/wire.ts'
import { CreateTopics, DeleteTopics, ListOffsets, Metadata, ZERO_UUID } from '../protocol/index.ts'
import type { Broker } from './brokers.ts'

const TIMEOUT_MS = 60_000

async function on<T>(address: string, use: (wire: Wire) => Promise<T>): Promise<T> {
  const wire = await open(address)
  try {
    return await use(wire)
  } finally {
    wire.close()
  }
}

const asked = (name: string, partitions: number) => ({
  name,
  numPartitions: partitions,
  replicationFactor: 1,
  assignments: [],
  configs: [],
})

/** Makes a topic and waits until it can be written to. */
export function createTopic(address: string, name: string, partitions = 1): Promise<void> {
  return on(address, async wire => {
    const { topics } = await wire.request(CreateTopics, 7, {
      topics: [asked(name, partitions)],
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

export async function deleteTopic(broker: Broker, name: string): Promise<void> {
  await on(broker.address, async wire => {
    const { responses } = await wire.request(DeleteTopics, 6, {
      topics: [{ name, topicId: ZERO_UUID }],
      timeoutMs: TIMEOUT_MS,
    })
    if (responses[0]?.errorCode !== 0) throw new Error(`DeleteTopics ${name}: ${responses[0]?.errorCode}`)
  })
  broker.sweep()
}

/** Throws unless partition 0 holds exactly this many records. */
export function verifyCount(address: string, name: string, count: number): Promise<void> {
  return on(address, async wire => {
    const end = await offsetOf(wire, name, 0)
    if (end !== count) throw new Error(`${name} at ${address} holds ${end} records, ${count} were acknowledged`)
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
