// Everything that a broker says of its directory, as plain data that compares: what was there before a swap must be there
// after it. Read over the wire, in versions that all sides speak.
import { createHash } from 'node:crypto'
import type { Api, AskOf, ResponseOf } from '../../protocol/api.ts'
import {
  ApiVersions,
  DescribeConfigs,
  DescribeProducers,
  DescribeTransactions,
  Fetch,
  ListGroups,
  ListOffsets,
  ListTransactions,
  Metadata,
  OffsetFetch,
  UpdateFeatures,
} from '../../protocol/messages/index.ts'
import * as batch from '../../protocol/records/batch.ts'
import { decodeRecords } from '../../protocol/records/record.ts'
import { eventually } from '../harness/index.ts'
import { open, type Wire } from '../harness/wire.ts'

export interface PartitionState {
  readonly start: number
  readonly end: number
  /** The last stable offset. */
  readonly stable: number
  /** Control records apart. Null of a compacted topic, where it may shrink at any time. */
  readonly records: number | null
  /** Over offset, time, key, value and headers of each record and the producer, sequence and codec of its batch. */
  readonly digest: string
  /** Producer id and first offset of the aborted transactions. */
  readonly aborted: readonly string[]
  /** Id, epoch, last sequence and first offset of the open transaction of each producer. */
  readonly producers: readonly string[]
}

export interface State {
  readonly clusterId: string | null
  /** 0, or 1 where the voters are recorded. */
  readonly kraftVersion: number
  readonly topics: Readonly<Record<string, { id: string; partitions: number; configs: readonly string[] }>>
  readonly partitions: Readonly<Record<string, PartitionState>>
  readonly offsets: Readonly<Record<string, string>>
  readonly transactions: Readonly<Record<string, string>>
}

/** Codes that pass while coordinators load, leaders are elected and brokers learn of a new topic. */
const passing = new Set([3, 5, 6, 14, 15, 16, 51, 72, 75])

/** Asks until the answer has none of these codes anywhere. */
export async function ask<A extends Api>(wire: Wire, api: A, version: number, value: AskOf<A>): Promise<ResponseOf<A>> {
  let last: ResponseOf<A> | undefined
  return eventually(
    `${api.name} without a passing error`,
    async () => {
      last = await wire.request(api, version, value)
      const codes = [...JSON.stringify(last, plain).matchAll(/"(?:partitionE|e)rrorCode":(\d+)/g)].map(match =>
        Number(match[1]),
      )
      return codes.some(code => passing.has(code)) ? null : { answer: last }
    },
    { ms: 30_000, everyMs: 100 },
  ).then(
    found => found.answer,
    (error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify(last, plain)}`)
    },
  )
}

const plain = (_: string, value: unknown): unknown => (Buffer.isBuffer(value) ? value.toString('latin1') : value)

const sortedObject = <T>(entries: readonly (readonly [string, T])[]): Record<string, T> =>
  Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))

export async function readState(bootstrap: string): Promise<State> {
  const wire = await open(bootstrap)
  try {
    const { clusterId, topics } = await ask(wire, Metadata, 12, {
      topics: null,
      allowAutoTopicCreation: false,
      includeTopicAuthorizedOperations: false,
    })
    const names = topics.map(({ name }) => name!)
    const configs = await configsOf(wire, names)
    const partitions: [string, PartitionState][] = []
    for (const { name, partitions: all } of topics)
      for (const { partitionIndex } of all)
        if (!name!.startsWith('__'))
          partitions.push([`${name}-${partitionIndex}`, await partitionState(wire, name!, partitionIndex)])
    return {
      clusterId,
      kraftVersion: await kraftVersionOf(wire),
      topics: sortedObject(
        topics.map(({ name, topicId, partitions: all }) => [
          name!,
          { id: topicId, partitions: all.length, configs: configs.get(name!) ?? [] },
        ]),
      ),
      partitions: sortedObject(partitions),
      offsets: await offsetsOf(wire),
      transactions: await transactionsOf(wire),
    }
  } finally {
    wire.close()
  }
}

const KRAFT = 'kraft.version'

async function kraftVersionOf(wire: Wire): Promise<number> {
  const { finalizedFeatures } = await ask(wire, ApiVersions, 3, { clientSoftwareName: 'a', clientSoftwareVersion: '1' })
  return finalizedFeatures.find(({ name }) => name === KRAFT)?.maxVersionLevel ?? 0
}

/** Has the voters recorded from now on. */
export async function recordVoters(bootstrap: string): Promise<void> {
  const wire = await open(bootstrap)
  try {
    const featureUpdates = [{ feature: KRAFT, maxVersionLevel: 1, upgradeType: 1 }]
    const { errorCode, errorMessage } = await ask(wire, UpdateFeatures, 1, { timeoutMs: 10_000, featureUpdates })
    if (errorCode !== 0) throw new Error(`UpdateFeatures: error ${errorCode}, ${errorMessage}`)
  } finally {
    wire.close()
  }
}

/** Those set on the topic itself. */
async function configsOf(wire: Wire, names: readonly string[]): Promise<Map<string, string[]>> {
  const resources = names.map(resourceName => ({ resourceType: 2, resourceName, configurationKeys: null }))
  const request = { resources, includeSynonyms: false, includeDocumentation: false }
  const { results } = await ask(wire, DescribeConfigs, 4, request)
  return new Map(
    results.map(({ resourceName, configs }) => [
      resourceName,
      configs
        .filter(({ configSource }) => configSource === 1)
        .map(({ name, value }) => `${name}=${value}`)
        .toSorted(),
    ]),
  )
}

async function partitionState(wire: Wire, topic: string, partitionIndex: number): Promise<PartitionState> {
  const offsetAt = async (timestamp: number, isolationLevel: number) => {
    const topics = [{ name: topic, partitions: [{ partitionIndex, currentLeaderEpoch: -1, timestamp }] }]
    const reply = await ask(wire, ListOffsets, 7, { replicaId: -1, isolationLevel, topics })
    return reply.topics[0]!.partitions[0]!.offset
  }
  const [start, end, stable] = [await offsetAt(-2, 0), await offsetAt(-1, 0), await offsetAt(-1, 1)]
  const { records, digest } = await recordsOf(wire, topic, partitionIndex, start, end)
  return { start, end, stable, records, digest, ...(await producersOf(wire, topic, partitionIndex, start, stable)) }
}

async function fetch(wire: Wire, topic: string, partition: number, fetchOffset: number, isolationLevel: number) {
  const asked = { partition, currentLeaderEpoch: -1, fetchOffset, lastFetchedEpoch: -1, logStartOffset: -1 }
  const reply = await ask(wire, Fetch, 12, {
    replicaId: -1,
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 8 << 20,
    isolationLevel,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [{ topic, partitions: [{ ...asked, partitionMaxBytes: 1 << 20 }] }],
    forgottenTopicsData: [],
    rackId: '',
  })
  const found = reply.responses[0]!.partitions[0]!
  if (found.errorCode !== 0) throw new Error(`fetch of ${topic}-${partition} at ${fetchOffset}: ${found.errorCode}`)
  return { bytes: Buffer.concat(found.records?.parts ?? []), aborted: found.abortedTransactions ?? [] }
}

export interface RecordSeen {
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
}

/** Every record of a partition from `start` on, those that control transactions left out. */
export async function* recordsFrom(
  wire: Wire,
  topic: string,
  partition: number,
  start: number,
  end: number,
): AsyncGenerator<RecordSeen & { text: string; isControl: boolean }, void, undefined> {
  for (let offset = start; offset < end;) {
    const { bytes } = await fetch(wire, topic, partition, offset, 0)
    if (bytes.length === 0) throw new Error(`${topic}-${partition} gives nothing at ${offset}, and ends at ${end}`)
    for (const at of batch.batchesOf(bytes)) {
      const isControl = batch.isControl(bytes, at)
      const producer = [batch.producerId, batch.producerEpoch, batch.codec].map(read => read(bytes, at)).join(' ')
      const sequence = batch.baseSequence(bytes, at)
      const baseOffset = batch.baseOffset(bytes, at)
      for (const { offset: each, timestamp, key, value, headers } of decodeRecords(bytes, at)) {
        if (each < start) continue
        const [k, v] = [key?.toString('latin1') ?? null, value?.toString('latin1') ?? null]
        const more = headers.map(header => `${header.key}=${header.value?.toString('latin1') ?? null}`)
        const place = sequence < 0 ? -1 : sequence + each - baseOffset
        const text = JSON.stringify([each, timestamp, k, v, more, producer, place, isControl])
        yield { offset: each, key: k, value: v, text, isControl }
      }
      offset = Math.max(offset, batch.nextOffset(bytes, at))
    }
  }
}

async function recordsOf(wire: Wire, topic: string, partition: number, start: number, end: number) {
  const hash = createHash('sha256')
  let count = 0
  const latest = new Map<string | null, string | null>()
  for await (const { text, isControl, key, value } of recordsFrom(wire, topic, partition, start, end)) {
    if (!isControl) count++
    if (topic.startsWith('compacted')) latest.set(key, value)
    else hash.update(`${text}\n`)
  }
  if (!topic.startsWith('compacted')) return { records: count, digest: hash.digest('hex').slice(0, 16) }
  // What compaction may take is not compared; what it must leave is.
  const kept = [...latest]
    .filter(([, value]) => value !== null)
    .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1))
  return { records: null, digest: hash.update(JSON.stringify(kept)).digest('hex').slice(0, 16) }
}

async function producersOf(wire: Wire, topic: string, partition: number, start: number, stable: number) {
  const aborted = new Set<string>()
  for (let offset = start; offset < stable;) {
    const found = await fetch(wire, topic, partition, offset, 1)
    for (const { producerId, firstOffset } of found.aborted) aborted.add(`${producerId} from ${firstOffset}`)
    const last = [...batch.batchesOf(found.bytes)].at(-1)
    if (last === undefined) break
    offset = batch.nextOffset(found.bytes, last)
  }
  const reply = await ask(wire, DescribeProducers, 0, { topics: [{ name: topic, partitionIndexes: [partition] }] })
  const producers = reply.topics[0]!.partitions[0]!.activeProducers.map(
    ({ producerId, producerEpoch, lastSequence, currentTxnStartOffset }) =>
      `${producerId} epoch ${producerEpoch} sequence ${lastSequence} open from ${currentTxnStartOffset}`,
  )
  return { aborted: [...aborted].toSorted(), producers: producers.toSorted() }
}

async function offsetsOf(wire: Wire): Promise<Record<string, string>> {
  const { groups } = await ask(wire, ListGroups, 4, { statesFilter: [] })
  if (groups.length === 0) return {}
  // The group of the client that lives through the swaps commits while we look.
  const still = groups.filter(({ groupId }) => !groupId.startsWith('live'))
  const reply = await ask(wire, OffsetFetch, 8, {
    groupId: '',
    topics: [],
    groups: still.map(({ groupId }) => ({ groupId, topics: null })),
    requireStable: false,
  })
  return sortedObject(
    reply.groups.flatMap(({ groupId, topics }) =>
      topics.flatMap(({ name, partitions }) =>
        partitions.map(
          ({ partitionIndex, committedOffset, metadata }) =>
            [`${groupId} ${name}-${partitionIndex}`, `${committedOffset} ${metadata}`] as const,
        ),
      ),
    ),
  )
}

async function transactionsOf(wire: Wire): Promise<Record<string, string>> {
  const { transactionStates } = await ask(wire, ListTransactions, 0, { stateFilters: [], producerIdFilters: [] })
  if (transactionStates.length === 0) return {}
  const ids = transactionStates.map(({ transactionalId }) => transactionalId)
  const described = await ask(wire, DescribeTransactions, 0, { transactionalIds: ids })
  return sortedObject(
    described.transactionStates.map(({ transactionalId, transactionState, producerId, producerEpoch, topics }) => [
      transactionalId,
      `${transactionState} ${producerId} epoch ${producerEpoch} ${topics
        .map(({ topic, partitions }) => `${topic}-${partitions.toSorted((a, b) => a - b).join('+')}`)
        .toSorted()
        .join(' ')}`,
    ]),
  )
}
