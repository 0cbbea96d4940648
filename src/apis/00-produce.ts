// Produce appends one batch per partition and answers when it is as durable as `acks` asks. Kafka: KafkaApis.scala
// (handleProduceRequest), ReplicaManager.scala (appendRecords), ProduceRequest.java (validateRecords).
import type { ReplyOf, RequestOf } from '../../protocol/api.ts'
import type { Records } from '../../protocol/schema.ts'
import type { Partition } from '../broker/partition.ts'
import type { Answer, RequestContext } from './handler.ts'
import * as batch from '../../protocol/records/batch.ts'
import { codecReady, ZSTD } from '../../protocol/records/compression.ts'
import {
  CORRUPT_MESSAGE,
  INVALID_RECORD,
  INVALID_REQUIRED_ACKS,
  INVALID_TOPIC_EXCEPTION,
  INVALID_TXN_STATE,
  KAFKA_STORAGE_ERROR,
  KafkaError,
  NONE,
  NOT_LEADER_OR_FOLLOWER,
  MESSAGE_TOO_LARGE,
  RECORD_LIST_TOO_LARGE,
  REQUEST_TIMED_OUT,
  UNKNOWN_TOPIC_ID,
  UNKNOWN_TOPIC_OR_PARTITION,
} from '../../protocol/errors.ts'
import { Produce } from '../../protocol/messages/00-produce.ts'
import { RecordBatchError } from '../broker/partition.ts'
import type { Admission } from '../broker/transactions.ts'
import { asServerError } from './errors.ts'
import { handler } from './handler.ts'
import { LEGACY_PRODUCE, modernBatch } from '../broker/message-set.ts'
import { admissionsOf, type Admissions } from './produce-admission.ts'

type Request = RequestOf<typeof Produce>
type Reply = ReplyOf<typeof Produce>
type Mutable<T> = { -readonly [K in keyof T]: T[K] }
type PartitionReply = Mutable<ReplyOf<typeof Produce>['responses'][number]['partitionResponses'][number]>

/** The only client that may write to internal topics, by Kafka's own convention. */
const ADMIN_CLIENT_ID = '__admin_client'

const NOTHING = Buffer.alloc(0)

/** Errors for which Kafka says nothing of the log; for every other it tells the log start offset. */
const WITHOUT_LOG_START = new Set<number>([
  UNKNOWN_TOPIC_OR_PARTITION,
  NOT_LEADER_OR_FOLLOWER,
  MESSAGE_TOO_LARGE,
  RECORD_LIST_TOO_LARGE,
  CORRUPT_MESSAGE,
  KAFKA_STORAGE_ERROR,
  UNKNOWN_TOPIC_ID,
])

export const produce = handler(
  Produce,
  {
    onError: (request, error) => ({ responses: topicsOf(request, () => refusal(error)) }),
  },
  (request, context) => {
    const loading = codecReady(ZSTD)
    if (loading === null || !needsZstd(request, context)) return admitAndProduce(request, context)
    // Only in the first moments of a process. What arrived is kept, since its memory is lent until the first await.
    const kept = keep(request)
    context.holdNext()
    const go = (): Answer<Reply> => admitAndProduce(kept, context)
    return loading.then(go, go)
  },
)

/** The first batch of a transaction in a partition waits until the coordinator has agreed to it; all others do not. */
function admitAndProduce(request: Request, context: RequestContext): Answer<Reply> {
  const admissions = admissionsOf(request, context)
  if (!(admissions instanceof Promise)) return produceNow(request, context, admissions)
  const kept = keep(request)
  context.holdNext()
  return admissions.then(found => produceNow(kept, context, found))
}

function produceNow(request: Request, context: RequestContext, admissions: Admissions | null): Answer<Reply> {
  const { acks } = request
  let position = 0
  const waiting: { partition: Partition; reply: PartitionReply }[] = []
  let failed = false
  const responses = topicsOf(request, (index, topic, records) => {
    let partition: Partition | undefined
    const admission = admissions?.[position++] ?? null
    try {
      if (admission instanceof KafkaError) throw admission
      if (acks < -1 || acks > 1) throw new KafkaError(INVALID_REQUIRED_ACKS)
      partition = partitionFor(context, topic.name, topic.topicId, index)
      const reply = append(partition, records, acks, admission, context)
      if (acks !== 0 && reply.baseOffset >= 0) waiting.push({ partition, reply })
      return reply
    } catch (error) {
      failed = true
      return refusal(asServerError(error, context), partition)
    }
  })
  if (acks === 0) {
    if (failed) context.closeConnection()
    return null
  }
  if (waiting.length === 0) return { responses }
  return acknowledge(waiting, request, context).then(() => ({ responses }))
}

/** Whether a batch may have to be opened or made that is compressed with zstd. */
function needsZstd(request: Request, { broker }: RequestContext): boolean {
  const anyTopicWants = [...broker.partitions.all()].some(({ log }) => log.config.compressionType === 'zstd')
  return (
    anyTopicWants || request.topicData.some(({ partitionData }) => partitionData.some(({ records }) => isZstd(records)))
  )
}

const isZstd = (records: Records | null): boolean => {
  const bytes = records?.parts[0]
  return bytes !== undefined && bytes.length >= batch.HEADER_SIZE && batch.codec(bytes, 0) === ZSTD
}

const keep = (request: Request): Request => ({
  ...request,
  topicData: request.topicData.map(topic => ({
    ...topic,
    partitionData: topic.partitionData.map(({ index, records }) => ({
      index,
      records: records && { byteLength: records.byteLength, parts: records.parts.map(part => Buffer.from(part)) },
    })),
  })),
})

function topicsOf(
  request: Request,
  partitionReply: (
    index: number,
    topic: Request['topicData'][number],
    records: Records | null,
  ) => Omit<PartitionReply, 'index'>,
): ReplyOf<typeof Produce>['responses'] {
  // A topic without partitions is not answered.
  const asked = request.topicData.filter(({ partitionData }) => partitionData.length > 0)
  return asked.map(topic => ({
    name: topic.name,
    topicId: topic.topicId,
    partitionResponses: topic.partitionData.map(({ index, records }) =>
      Object.assign(partitionReply(index, topic, records), { index }),
    ),
  }))
}

function partitionFor(context: RequestContext, name: string, topicId: string, index: number): Partition {
  const { broker, apiVersion, clientId } = context
  const byId = apiVersion >= 13
  const topic = byId ? broker.metadata.image.topicById(topicId)?.name : name
  if (topic === undefined) throw new KafkaError(UNKNOWN_TOPIC_ID)
  const partition = broker.partitions.require(topic, index)
  if (broker.isInternalTopic(topic) && clientId !== ADMIN_CLIENT_ID) {
    throw new KafkaError(INVALID_TOPIC_EXCEPTION, `Cannot append to internal topic ${topic}.`)
  }
  return partition
}

function append(
  partition: Partition,
  records: Records | null,
  acks: number,
  admission: Admission,
  context: RequestContext,
): PartitionReply {
  const sent = records?.parts[0]
  const isLegacy = context.apiVersion <= LEGACY_PRODUCE
  // An empty set of an old producer is taken, and nothing comes of it.
  const bytes = isLegacy && records !== null ? modernBatch(sent ?? NOTHING, partition.log.config) : sent
  if (bytes === null) return { index: partition.partition, errorCode: NONE, baseOffset: -1, logAppendTimeMs: -1 }
  if (!bytes) throw new KafkaError(INVALID_RECORD, 'There must be one whole record batch.')
  // Kafka checks nothing by version below 3, not even for zstd.
  const apiVersion = isLegacy ? undefined : context.apiVersion
  const verification = admission ?? undefined
  const info = partition.append(bytes, { acks, now: context.now, origin: 'client', apiVersion, verification })
  return {
    index: partition.partition,
    errorCode: NONE,
    baseOffset: info.firstOffset,
    logAppendTimeMs: info.logAppendTime,
    logStartOffset: info.logStartOffset,
    recordErrors: [],
  }
}

/** Resolves when every append is as durable as asked; an append that is not within the request's time-out says so. */
function acknowledge(
  waiting: { partition: Partition; reply: PartitionReply }[],
  request: Request,
  context: RequestContext,
): Promise<void> {
  const { broker } = context
  const durability = request.acks === -1 ? broker.acksAllDurability : 'written'
  return new Promise(resolve => {
    let open = waiting.length
    const pending = new Set(waiting)
    // Only acks=all waits for anything that may take long.
    const timer =
      request.acks === -1
        ? broker.runtime.timers.after(Math.max(0, request.timeoutMs), () => {
            for (const { reply } of pending) fail(reply, REQUEST_TIMED_OUT)
            resolve()
          })
        : null
    for (const entry of waiting) {
      entry.partition.whenDurable(durability, error => {
        if (error) fail(entry.reply, error.code)
        pending.delete(entry)
        if (--open > 0) return
        timer?.cancel()
        resolve()
      })
    }
  })
}

function fail(reply: PartitionReply, errorCode: number): void {
  reply.errorCode = errorCode
  reply.baseOffset = -1
  reply.logAppendTimeMs = -1
}

function refusal(error: KafkaError, partition?: Partition): Omit<PartitionReply, 'index'> {
  // KIP-467: which records were at fault; only then, or when we have more to say than the code, is there a text.
  const recordErrors =
    error instanceof RecordBatchError
      ? error.recordErrors.map(({ batchIndex, message }) => ({ batchIndex, batchIndexErrorMessage: message }))
      : []
  const beforeLog = error instanceof RecordBatchError && error.beforeLog
  // What the coordinator did not agree to is explained, what the log refuses is not.
  const isUnadmitted = error.code === INVALID_TXN_STATE && !partition
  const isBroken = beforeLog && error.code === CORRUPT_MESSAGE
  return {
    errorCode: error.code,
    baseOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: partition && !beforeLog && !WITHOUT_LOG_START.has(error.code) ? partition.log.logStartOffset : -1,
    recordErrors,
    errorMessage: recordErrors.length > 0 || isUnadmitted || isBroken ? error.message : null,
  }
}
