// Between requests, which name topics or give their ids, and the machine, which is given both and only what exists.
import type { ReplyOf, RequestOf } from '../../../../protocol/api.ts'
import type { OffsetCommit, OffsetFetch, TxnOffsetCommit } from '../../../../protocol/messages/index.ts'
import type { FetchedGroup, OffsetFetchCommand, Replies } from '../commands.ts'
import { NONE, UNKNOWN_TOPIC_ID, UNKNOWN_TOPIC_OR_PARTITION } from '../../../../protocol/errors.ts'
import { ZERO_UUID } from '../../../../protocol/schema.ts'
import { noOffset } from './fetch.ts'

/** What the coordinator must know of the cluster's topics. */
export interface TopicLookup {
  topicId(name: string): string | undefined
  topicName(topicId: string): string | undefined
  exists(name: string, partition: number): boolean
}

/** First version of OffsetCommit and OffsetFetch that gives topics by id. */
export const TOPIC_ID_VERSION = 10
/** The same for TxnOffsetCommit. */
export const TXN_TOPIC_ID_VERSION = 6
/** First version of OffsetFetch that asks for several groups. */
const GROUPS_VERSION = 8
/** First version of OffsetFetch with an error for the group as a whole. */
const GROUP_ERROR_VERSION = 2

type CommitRequest = RequestOf<typeof OffsetCommit> | RequestOf<typeof TxnOffsetCommit>
type CommitTopic = CommitRequest['topics'][number]

export interface ResolvedCommit<R extends CommitRequest> {
  /** The request with names, ids and existing partitions only. */
  readonly request: R
  /** The whole answer: the machine's for what was committed, an error for the rest, in the order of the request. */
  answer(committed: Replies['offsetCommit']): ReplyOf<typeof OffsetCommit>
  /** The same error for all that exists. */
  refuse(errorCode: number): ReplyOf<typeof OffsetCommit>
}

/** `byId`: the version of the request gives topics by their id. */
export function resolveCommit<R extends CommitRequest>(
  request: R,
  byId: boolean,
  lookup: TopicLookup,
): ResolvedCommit<R> {
  const topics = request.topics.map(topic => resolveCommitTopic(topic, byId, lookup))
  const known = topics.filter(({ exists }) => exists.length > 0)
  const codesOf = (topic: (typeof topics)[number], codes: (partition: number) => number) => ({
    name: topic.name,
    topicId: topic.topicId,
    partitions: topic.partitions.map(({ partitionIndex }) => {
      const isKnown = topic.exists.some(partition => partition.partitionIndex === partitionIndex)
      return { partitionIndex, errorCode: isKnown ? codes(partitionIndex) : topic.errorCode }
    }),
  })
  return {
    request: { ...request, topics: known.map(topic => ({ ...topic, partitions: topic.exists })) },
    answer: committed => ({
      topics: topics.map(topic => {
        const answers = committed.topics[known.indexOf(topic)]?.partitions ?? []
        const codes = new Map(answers.map(({ partitionIndex, errorCode }) => [partitionIndex, errorCode]))
        return codesOf(topic, partition => codes.get(partition) ?? NONE)
      }),
    }),
    refuse: errorCode => ({ topics: topics.map(topic => codesOf(topic, () => errorCode)) }),
  }
}

function resolveCommitTopic(topic: CommitTopic, byId: boolean, lookup: TopicLookup) {
  const name = byId ? lookup.topicName(topic.topicId) : topic.name
  const topicId = byId ? topic.topicId : lookup.topicId(topic.name)
  const exists =
    name === undefined || topicId === undefined
      ? []
      : topic.partitions.filter(({ partitionIndex }) => lookup.exists(name, partitionIndex))
  return {
    name: name ?? '',
    topicId: topicId ?? ZERO_UUID,
    partitions: topic.partitions,
    exists,
    /** Of the partitions that do not exist. */
    errorCode: byId && name === undefined ? UNKNOWN_TOPIC_ID : UNKNOWN_TOPIC_OR_PARTITION,
  }
}

type FetchRequest = RequestOf<typeof OffsetFetch>

interface AskedGroup {
  readonly groupId: string
  readonly topics:
    | readonly { readonly name: string; readonly topicId?: string; readonly partitionIndexes: readonly number[] }[]
    | null
}

export interface ResolvedFetch {
  readonly command: OffsetFetchCommand
  answer(fetched: FetchedGroup): FetchedGroup
  refuse(errorCode: number): FetchedGroup
}

export function resolveFetch(request: FetchRequest, apiVersion: number, lookup: TopicLookup): ResolvedFetch[] {
  const groups: readonly AskedGroup[] = apiVersion >= GROUPS_VERSION ? request.groups : [request]
  return groups.map(group => resolveGroup(group, request.requireStable, apiVersion, lookup))
}

function resolveGroup(
  group: AskedGroup,
  requireStable: boolean,
  apiVersion: number,
  lookup: TopicLookup,
): ResolvedFetch {
  const byId = apiVersion >= TOPIC_ID_VERSION
  const asked = group.topics?.map(({ name, topicId = ZERO_UUID, partitionIndexes }) => ({
    name: byId ? lookup.topicName(topicId) : name,
    topicId: byId ? topicId : ZERO_UUID,
    partitionIndexes,
  }))
  const known = asked?.filter(isNamed)
  const unknown = asked?.filter(topic => !isNamed(topic)) ?? []
  const { groupId } = group
  return {
    command: { type: 'offsetFetch', groupId, topics: known ?? null, requireStable },
    answer: ({ topics }) => ({
      groupId,
      topics: [
        ...(asked ? topics : topics.flatMap(topic => withId(topic, byId, lookup))),
        ...unknown.map(({ topicId, partitionIndexes }) => failed('', topicId, partitionIndexes, UNKNOWN_TOPIC_ID)),
      ],
      errorCode: NONE,
    }),
    refuse: errorCode => {
      if (apiVersion >= GROUP_ERROR_VERSION) return { groupId, topics: [], errorCode }
      const topics = asked ?? []
      return {
        groupId,
        topics: topics.map(topic => failed(topic.name ?? '', ZERO_UUID, topic.partitionIndexes, errorCode)),
        errorCode,
      }
    },
  }
}

const isNamed = <T extends { name: string | undefined }>(topic: T): topic is T & { name: string } =>
  topic.name !== undefined

const failed = (name: string, topicId: string, partitions: readonly number[], errorCode: number) => ({
  name,
  topicId,
  partitions: partitions.map(partition => noOffset(partition, errorCode)),
})

/** "All topics" by id leaves out those that no longer exist: they could not be told. */
function withId(topic: FetchedGroup['topics'][number], byId: boolean, lookup: TopicLookup) {
  if (!byId) return [topic]
  const topicId = lookup.topicId(topic.name ?? '')
  return topicId === undefined ? [] : [{ ...topic, topicId }]
}

/** One group below version 8 is spread over the answer itself. */
export function fetchReply(groups: readonly FetchedGroup[], apiVersion: number): ReplyOf<typeof OffsetFetch> {
  if (apiVersion >= GROUPS_VERSION) return { groups }
  const [group] = groups
  const topics = group?.topics.map(topic => ({ ...topic, name: topic.name ?? '' })) ?? []
  return { topics, errorCode: group?.errorCode ?? NONE }
}
