// Requests that many scenarios send, with every field that does not matter filled in.
import type { AskOf } from '../../../protocol/api.ts'
import type { Case, Topic } from '../scenario.ts'
import type { Wire } from '../../harness/wire.ts'
import * as batchFields from '../../../protocol/records/batch.ts'
import { encodeBatch, type BatchToEncode } from '../../../protocol/records/encode.ts'
import { Fetch, InitProducerId, JoinGroup, Produce, SyncGroup } from '../../../protocol/index.ts'

/** A moment long past, so that records have the same times in every run. */
export const T0 = 1_700_000_000_000

/** An id that no topic has. */
export const NO_SUCH_ID = 'bm8tc3VjaC10b3BpYy1pZA'

export const utf8 = (text: string): Buffer => Buffer.from(text)

/** A batch of these values, one record each, a millisecond apart. */
export const batch = (values: readonly (string | null)[], o: Partial<BatchToEncode> = {}): Buffer =>
  encodeBatch({
    records: values.map((value, i) => ({
      key: utf8(`k${i}`),
      value: value === null ? null : utf8(value),
      timestamp: T0 + i,
    })),
    ...o,
  })

/** A copy with some bytes changed, and the CRC made right again unless told not to. */
export function patched(bytes: Buffer, change: (copy: Buffer) => void, o: { crc?: boolean } = {}): Buffer {
  const copy = Buffer.from(bytes)
  change(copy)
  if (o.crc !== false) copy.writeUInt32BE(batchFields.computeCrc(copy, 0, copy.length), 17)
  return copy
}

const recordsOf = (bytes: Buffer | null) => (bytes === null ? null : { byteLength: bytes.length, parts: [bytes] })

export interface ProduceOptions {
  readonly acks?: number
  readonly partition?: number
  readonly timeoutMs?: number
  readonly transactionalId?: string
}

/** One batch to one partition, named as the version names topics. */
export const produceTo = (
  version: number,
  topic: Pick<Topic, 'name' | 'id'>,
  bytes: Buffer | null,
  o: ProduceOptions = {},
): AskOf<typeof Produce> => ({
  ...(o.transactionalId !== undefined && { transactionalId: o.transactionalId }),
  acks: o.acks ?? -1,
  timeoutMs: o.timeoutMs ?? 10_000,
  topicData: [
    {
      ...(version >= 13 ? { topicId: topic.id } : { name: topic.name }),
      partitionData: [{ index: o.partition ?? 0, records: recordsOf(bytes) }],
    },
  ],
})

export const produce = (
  on: Case,
  label: string,
  version: number,
  topic: Pick<Topic, 'name' | 'id'>,
  bytes: Buffer | null,
  o: ProduceOptions = {},
) => on.ask(label, Produce, version, produceTo(version, topic, bytes, o))

/** Records put in place for others to look at. */
export async function fill(on: Case, topic: Topic, bytes: Buffer, partition = 0): Promise<void> {
  const { responses } = await on.useVersion(Produce, 9, produceTo(9, topic, bytes, { partition }))
  const code = responses[0]?.partitionResponses[0]?.errorCode
  if (code !== 0) throw new Error(`Produce to ${topic.name}: error ${code}`)
}

/** A producer id, as the broker gives it. */
export async function producer(on: Case): Promise<number> {
  const { producerId } = await on.use(InitProducerId, { transactionalId: null, transactionTimeoutMs: 60_000 })
  return producerId
}

export interface FetchOptions {
  readonly offset?: number
  readonly partition?: number
  readonly partitionMaxBytes?: number
  readonly maxBytes?: number
  readonly maxWaitMs?: number
  readonly minBytes?: number
  readonly isolationLevel?: number
  readonly sessionId?: number
  readonly sessionEpoch?: number
  readonly currentLeaderEpoch?: number
  readonly lastFetchedEpoch?: number
  readonly replicaId?: number
}

/** One partition, at once. */
export const fetchFrom = (
  version: number,
  topic: Pick<Topic, 'name' | 'id'>,
  o: FetchOptions = {},
): AskOf<typeof Fetch> => ({
  ...fetchLimits(version, o),
  topics: [fetchTopic(version, topic, [o])],
})

/** Everything of a fetch but its topics. */
export const fetchLimits = (version: number, o: FetchOptions = {}): Omit<AskOf<typeof Fetch>, 'topics'> => ({
  maxWaitMs: o.maxWaitMs ?? 0,
  minBytes: o.minBytes ?? 0,
  maxBytes: o.maxBytes ?? 1 << 20,
  isolationLevel: o.isolationLevel ?? 0,
  ...(version < 15 && { replicaId: o.replicaId ?? -1 }),
  ...(version >= 7 && { sessionId: o.sessionId ?? 0, sessionEpoch: o.sessionEpoch ?? -1 }),
  forgottenTopicsData: [],
})

export const fetchTopic = (
  version: number,
  topic: Pick<Topic, 'name' | 'id'>,
  partitions: readonly FetchOptions[],
): AskOf<typeof Fetch>['topics'][number] => ({
  ...(version >= 13 ? { topicId: topic.id } : { topic: topic.name }),
  partitions: partitions.map(o => ({
    partition: o.partition ?? 0,
    fetchOffset: o.offset ?? 0,
    partitionMaxBytes: o.partitionMaxBytes ?? 1 << 20,
    ...(version >= 9 && { currentLeaderEpoch: o.currentLeaderEpoch ?? -1 }),
    ...(version >= 12 && { lastFetchedEpoch: o.lastFetchedEpoch ?? -1 }),
  })),
})

/** ConsumerProtocolSubscription 0 of one topic: Kafka 4 stops answering a group whose members send other bytes. */
function subscription(topic: string): Buffer {
  const length = Buffer.alloc(2)
  length.writeInt16BE(topic.length)
  return Buffer.concat([Buffer.from('0000' + '00000001', 'hex'), length, utf8(topic), Buffer.from('ffffffff', 'hex')])
}

export interface JoinOptions {
  /** To tell members apart in answers; ASCII. */
  readonly topic?: string
  readonly memberId?: string
  readonly instance?: string
  readonly protocolType?: string
  readonly protocols?: readonly string[]
  readonly sessionTimeoutMs?: number
  readonly rebalanceTimeoutMs?: number
}

export const joinOf = (version: number, groupId: string, o: JoinOptions = {}): AskOf<typeof JoinGroup> => ({
  groupId,
  sessionTimeoutMs: o.sessionTimeoutMs ?? 30_000,
  rebalanceTimeoutMs: o.rebalanceTimeoutMs ?? 30_000,
  memberId: o.memberId ?? '',
  ...(version >= 5 && { groupInstanceId: o.instance ?? null }),
  protocolType: o.protocolType ?? 'consumer',
  protocols: (o.protocols ?? ['range']).map(name => ({ name, metadata: subscription(o.topic ?? 't') })),
})

/** A member that has joined an empty group and synced it: the group is Stable. */
export interface Member {
  readonly groupId: string
  readonly memberId: string
  readonly generationId: number
}

/** The id that a new member is to join with: since version 4 the broker gives it first. */
export async function memberId(on: Case, groupId: string, o: JoinOptions = {}, wire?: Wire): Promise<string> {
  const answer = await on.useVersion(JoinGroup, 5, joinOf(5, groupId, { ...o, memberId: '' }), wire)
  return answer.memberId
}

/** Joins as the only member and syncs. */
export async function settle(on: Case, groupId: string, o: JoinOptions = {}): Promise<Member> {
  const asked = o.instance === undefined ? await memberId(on, groupId, o) : ''
  const joined = await on.useVersion(JoinGroup, 5, joinOf(5, groupId, { ...o, memberId: asked }))
  if (joined.errorCode !== 0) throw new Error(`JoinGroup ${groupId}: error ${joined.errorCode}`)
  const synced = await on.useVersion(SyncGroup, 3, {
    groupId,
    generationId: joined.generationId,
    memberId: joined.memberId,
    ...(o.instance !== undefined && { groupInstanceId: o.instance }),
    assignments: [{ memberId: joined.memberId, assignment: utf8('assignment') }],
  })
  if (synced.errorCode !== 0) throw new Error(`SyncGroup ${groupId}: error ${synced.errorCode}`)
  return { groupId, memberId: joined.memberId, generationId: joined.generationId }
}
