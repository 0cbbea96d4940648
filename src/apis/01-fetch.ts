// Fetch reads whole batches from many partitions, within byte limits and a session (KIP-227), and waits until there is
// enough to read. Kafka: KafkaApis.scala (handleFetchRequest), ReplicaManager.scala (fetchMessages, readFromLog).
import type { ReplyOf, RequestOf } from '../../protocol/api.ts'
import type { Records } from '../../protocol/schema.ts'
import type { FetchContext, SessionPartition } from '../broker/fetch-sessions.ts'
import type { Partition } from '../broker/partition.ts'
import type { RequestContext } from './handler.ts'
import {
  INCONSISTENT_TOPIC_ID,
  INVALID_FETCH_SESSION_EPOCH,
  KAFKA_STORAGE_ERROR,
  KafkaError,
  NONE,
  NOT_LEADER_OR_FOLLOWER,
  OFFSET_OUT_OF_RANGE,
  UNKNOWN_TOPIC_ID,
  UNKNOWN_TOPIC_OR_PARTITION,
} from '../../protocol/errors.ts'
import { Fetch } from '../../protocol/messages/01-fetch.ts'
import { ZERO_UUID } from '../../protocol/schema.ts'
import { hasNews, NO_SESSION, remember } from '../broker/fetch-sessions.ts'
import {
  OLD_FETCH,
  OLD_FETCH_MAX_BYTES,
  readerFor,
  UNBOUNDED_FETCH,
  type Read,
  type ReadLimits,
} from '../broker/old-reader.ts'
import { Wait, type WaitSet } from '../broker/wait.ts'
import { asServerError } from './errors.ts'
import { handler } from './handler.ts'

type Request = RequestOf<typeof Fetch>
type Reply = ReplyOf<typeof Fetch>
type PartitionReply = Reply['responses'][number]['partitions'][number]
type TopicReply = Omit<Reply['responses'][number], 'partitions'> & { partitions: PartitionReply[] }

/** "No records" is an empty field, never null (KAFKA-18646). */
const NO_RECORDS: Records = { byteLength: 0, parts: [] }

const BEFORE_READING = new Set<number>([UNKNOWN_TOPIC_ID, UNKNOWN_TOPIC_OR_PARTITION])

interface Reading {
  readonly results: { asked: SessionPartition; reply: PartitionReply }[]
  /** Record bytes in all results. */
  bytes: number
  /** An error or a diverging epoch: the answer leaves at once. */
  urgent: boolean
}

export const fetch = handler(
  Fetch,
  { onError: (_request, error) => ({ errorCode: error.code, responses: [] }) },
  (request, context) => {
    const session = context.broker.sessions.open(
      {
        sessionId: request.sessionId,
        sessionEpoch: request.sessionEpoch,
        usesTopicIds: context.apiVersion >= 13,
        partitions: partitionsOf(request, context),
        forgotten: request.forgottenTopicsData.flatMap(({ topic, topicId, partitions }) =>
          partitions.map(partition => ({ topic, topicId, partition })),
        ),
      },
      context.now,
    )
    if (session.kind === 'error') return { errorCode: session.errorCode, responses: [] }
    const first = readAll(session.partitions, request, context)
    const minBytes = Math.min(request.minBytes, Math.max(1, maxBytesOf(request, context)))
    if (request.maxWaitMs <= 0 || first.results.length === 0 || first.bytes >= minBytes || first.urgent) {
      return answer(session, first, context)
    }
    return longPoll(session, first, minBytes, request, context)
  },
)

function longPoll(
  session: Exclude<FetchContext, { kind: 'error' }>,
  first: Reading,
  minBytes: number,
  request: Request,
  context: RequestContext,
): Promise<Reply> {
  release(first)
  const { broker, connection } = context
  const committed = request.isolationLevel === 1
  const sets: WaitSet[] = []
  for (const { topic, partition: index } of session.partitions) {
    const partition = topic === null ? undefined : broker.partitions.get(topic, index)
    if (partition) sets.push(committed ? partition.committedWaits : partition.waits)
  }
  return new Promise((resolve, reject) => {
    let isClosed = false
    const done = (): void => {
      if (isClosed) return
      offClose()
      try {
        resolve(answer(session, readAll(session.partitions, request, context), context))
      } catch (error) {
        reject(error)
      }
    }
    const wait = new Wait(broker.runtime.timers, sets, minBytes - first.bytes, request.maxWaitMs, done)
    const offClose = connection.onClose(() => {
      isClosed = true
      wait.cancel()
      // Nobody reads this answer; it only ends the request.
      resolve({ responses: [] })
    })
  })
}

function partitionsOf(request: Request, context: RequestContext): SessionPartition[] {
  const { image } = context.broker.metadata
  const partitions: SessionPartition[] = []
  for (const { topic, topicId, partitions: asked } of request.topics) {
    const name = context.apiVersion >= 13 ? (image.topicById(topicId)?.name ?? null) : topic
    for (const p of asked) {
      partitions.push({
        topic: name,
        topicId,
        partition: p.partition,
        fetchOffset: p.fetchOffset,
        maxBytes: p.partitionMaxBytes,
        currentLeaderEpoch: p.currentLeaderEpoch,
        lastFetchedEpoch: p.lastFetchedEpoch,
        highWatermark: -1,
        logStartOffset: -1,
      })
    }
  }
  return partitions
}

/** A client that has not taken what it was given gets less. */
function maxBytesOf(request: Request, { broker, apiVersion, connection }: RequestContext): number {
  const maxBytes = Math.min(request.maxBytes, broker.config['fetch.max.bytes'], connection.answerRoom)
  return apiVersion <= OLD_FETCH ? Math.min(maxBytes, OLD_FETCH_MAX_BYTES) : maxBytes
}

function readAll(partitions: readonly SessionPartition[], request: Request, context: RequestContext): Reading {
  const reading: Reading = { results: [], bytes: 0, urgent: false }
  let left = maxBytesOf(request, context)
  const read = readerFor(context.apiVersion)
  // Old consumers count on every partition, and those that get nothing while more is there would wait for ever.
  const eachGetsOne = context.apiVersion <= UNBOUNDED_FETCH
  for (const asked of partitions) {
    const maxBytes = Math.min(asked.maxBytes, left)
    const minOneBatch = reading.bytes === 0 || (eachGetsOne && left > 0)
    const reply = readOne(
      asked,
      { maxBytes, minOneBatch, committed: request.isolationLevel === 1 },
      read,
      request,
      context,
    )
    const size = reply.records?.byteLength ?? 0
    left = Math.max(0, left - size)
    reading.bytes += size
    reading.urgent ||= reply.errorCode !== NONE || reply.divergingEpoch !== undefined
    reading.results.push({ asked, reply })
  }
  return reading
}

function readOne(
  asked: SessionPartition,
  limits: ReadLimits,
  read: Read,
  request: Request,
  context: RequestContext,
): PartitionReply {
  let records: ReturnType<Read> | null = null
  try {
    const partition = partitionFor(asked, request, context)
    partition.checkLeaderEpoch(asked.currentLeaderEpoch)
    partition.catchUp()
    const diverging = divergence(partition, asked)
    if (!diverging) records = read(partition, asked.fetchOffset, limits)
    return {
      partitionIndex: asked.partition,
      errorCode: NONE,
      highWatermark: partition.highWatermark,
      lastStableOffset: partition.lastStableOffset,
      logStartOffset: partition.log.logStartOffset,
      abortedTransactions: limits.committed
        ? partition.abortedTransactions(asked.fetchOffset, records?.nextOffset ?? asked.fetchOffset)
        : null,
      ...(diverging && { divergingEpoch: diverging }),
      records: records ?? NO_RECORDS,
    }
  } catch (error) {
    records?.release?.()
    return refusal(asked, storageErrorFor(context.apiVersion, asServerError(error, context)), context)
  }
}

function partitionFor(asked: SessionPartition, request: Request, { broker, apiVersion }: RequestContext): Partition {
  // A session may hold a topic id that was unknown when it was named; the topic may exist by now.
  asked.topic ??= broker.metadata.image.topicById(asked.topicId)?.name ?? null
  if (asked.topic === null) throw new KafkaError(UNKNOWN_TOPIC_ID)
  const partition = broker.partitions.require(asked.topic, asked.partition)
  if (apiVersion >= 13 && asked.topicId !== ZERO_UUID && partition.log.topicId !== asked.topicId) {
    throw new KafkaError(INCONSISTENT_TOPIC_ID)
  }
  const replicaId = apiVersion >= 15 ? request.replicaState.replicaId : request.replicaId
  // Only consumers (-1) and the debugging consumer (-2) read here: this broker is every partition's only replica.
  if (replicaId >= 0) throw new KafkaError(NOT_LEADER_OR_FOLLOWER)
  return partition
}

/** KIP-595: where the fetcher's log leaves ours, if it does. Throws OFFSET_OUT_OF_RANGE if we know nothing of its epoch. */
function divergence(partition: Partition, asked: SessionPartition): { epoch: number; endOffset: number } | undefined {
  if (asked.lastFetchedEpoch < 0) return undefined
  const end = partition.log.endOffsetForEpoch(asked.lastFetchedEpoch)
  if (end.epoch < 0 || end.endOffset < 0) throw new KafkaError(OFFSET_OUT_OF_RANGE)
  return end.epoch < asked.lastFetchedEpoch || end.endOffset < asked.fetchOffset ? end : undefined
}

/** Before Fetch 6 clients do not know KAFKA_STORAGE_ERROR; this one makes them look for a new leader. */
const storageErrorFor = (version: number, error: KafkaError): KafkaError =>
  error.code === KAFKA_STORAGE_ERROR && version <= 5 ? new KafkaError(NOT_LEADER_OR_FOLLOWER) : error

function refusal(asked: SessionPartition, error: KafkaError, { broker }: RequestContext): PartitionReply {
  return {
    partitionIndex: asked.partition,
    errorCode: error.code,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    // Null where the log was asked, as without transactions; an error before that leaves Kafka's default.
    abortedTransactions: BEFORE_READING.has(error.code) ? [] : null,
    ...broker.currentLeader(error.code, asked.topic, asked.partition),
    records: NO_RECORDS,
  }
}

function answer(session: Exclude<FetchContext, { kind: 'error' }>, reading: Reading, context: RequestContext): Reply {
  const { sessions } = context.broker
  if (session.kind === 'incremental' && !sessions.isCurrent(session)) {
    release(reading)
    return { errorCode: INVALID_FETCH_SESSION_EPOCH, sessionId: session.session.id, responses: [] }
  }
  const told = reading.results.filter(({ asked, reply }) => {
    const news = {
      errorCode: reply.errorCode,
      highWatermark: reply.highWatermark,
      logStartOffset: reply.logStartOffset ?? -1,
      recordBytes: reply.records?.byteLength ?? 0,
      diverging: reply.divergingEpoch !== undefined,
    }
    if (session.kind === 'incremental') return hasNews(session, asked, news)
    remember(asked, news)
    return true
  })
  const sessionId =
    session.kind === 'incremental'
      ? session.session.id
      : session.kind === 'full'
        ? sessions.create(session, context.now)
        : NO_SESSION
  // Partitions that were not even looked for come last, as in Kafka.
  const isMissing = ({ reply }: (typeof told)[number]): boolean => BEFORE_READING.has(reply.errorCode)
  const ordered = told.some(isMissing) ? [...told.filter(of => !isMissing(of)), ...told.filter(isMissing)] : told
  return { errorCode: NONE, sessionId, responses: byTopic(ordered) }
}

/** Neighbours of one topic share an entry; the order of the partitions stays. */
function byTopic(results: Reading['results']): TopicReply[] {
  const topics: TopicReply[] = []
  let last: SessionPartition | undefined
  for (const { asked, reply } of results) {
    if (last === undefined || last.topic !== asked.topic || last.topicId !== asked.topicId) {
      topics.push({ topic: asked.topic ?? '', topicId: asked.topicId, partitions: [] })
    }
    topics.at(-1)?.partitions.push(reply)
    last = asked
  }
  return topics
}

function release(reading: Reading): void {
  for (const { reply } of reading.results) reply.records?.release?.()
}
