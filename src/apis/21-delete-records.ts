// DeleteRecords moves the start of partitions' logs forward (KIP-107). The new starts are on disk before the answer leaves,
// so that no crash brings deleted records back. Kafka: KafkaApis.scala (handleDeleteRecordsRequest), ReplicaManager.scala
// (deleteRecordsOnLocalLog), Partition.scala (deleteRecordsOnLeader).
import type { ReplyOf, RequestOf } from '../../protocol/api.ts'
import type { OnlineDirectory } from '../broker/log-dirs.ts'
import type { RequestContext } from './handler.ts'
import { INVALID_TOPIC_EXCEPTION, KAFKA_STORAGE_ERROR, KafkaError, NONE } from '../../protocol/errors.ts'
import { DeleteRecords } from '../../protocol/messages/21-delete-records.ts'
import { asServerError } from './errors.ts'
import { handler } from './handler.ts'

type Topics = RequestOf<typeof DeleteRecords>['topics']
type PartitionReply = ReplyOf<typeof DeleteRecords>['topics'][number]['partitions'][number]

const refusal = (partitionIndex: number, errorCode: number): PartitionReply => ({
  partitionIndex,
  lowWatermark: -1,
  errorCode,
})

export const deleteRecords = handler(
  DeleteRecords,
  {
    onError: (request, error) => ({
      topics: request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => refusal(partitionIndex, error.code)),
      })),
    }),
  },
  (request, context) => {
    const topics = [...lastNamed(request.topics)].map(([name, partitions]) => ({
      name,
      partitions: [...partitions].map(([index, offset]) => deleteBefore(name, index, offset, context)),
    }))
    const deleted = topics.flatMap(({ partitions }) => partitions).filter(({ errorCode }) => errorCode === NONE)
    const failed = deleted.length === 0 ? [] : notKept(context)
    if (failed.length === 0) return { topics }
    const isLost = (topic: string, index: number): boolean => failed.some(({ dir }) => dir.has(topic, index))
    return {
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(partition =>
          partition.errorCode === NONE && isLost(name, partition.partitionIndex)
            ? refusal(partition.partitionIndex, KAFKA_STORAGE_ERROR)
            : partition,
        ),
      })),
    }
  },
)

/** Of a partition that is named again, the last offset counts. */
function lastNamed(topics: Topics): Map<string, Map<number, number>> {
  const found = new Map<string, Map<number, number>>()
  for (const { name, partitions } of topics) {
    const known = found.get(name) ?? new Map<number, number>()
    for (const { partitionIndex, offset } of partitions) known.set(partitionIndex, offset)
    if (known.size > 0) found.set(name, known)
  }
  return found
}

function deleteBefore(topic: string, index: number, offset: number, context: RequestContext): PartitionReply {
  const { broker } = context
  try {
    const partition = broker.partitions.require(topic, index)
    if (broker.isInternalTopic(topic)) throw new KafkaError(INVALID_TOPIC_EXCEPTION)
    return { partitionIndex: index, lowWatermark: partition.deleteRecords(offset), errorCode: NONE }
  } catch (error) {
    return refusal(index, asServerError(error, context).code)
  }
}

/** The log directories in which the new starts did not reach the disk. */
function notKept({ broker }: RequestContext): OnlineDirectory[] {
  const { dirs, logs, runtime } = broker
  const failed: OnlineDirectory[] = []
  dirs.each(
    dir => dir.writeCheckpoints(),
    (directory, error) => {
      const message = 'The starts of logs could not be written: a crash may undo DeleteRecords'
      runtime.log.error({ path: directory.path, err: error }, message)
      failed.push(directory)
      logs.suspect(directory)
    },
  )
  return failed
}
