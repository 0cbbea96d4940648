// AlterReplicaLogDirs moves replicas between the log directories of a broker (KIP-113). There is one: a replica is where it
// is asked to be, or the directory does not exist. Kafka: ReplicaManager.scala (alterReplicaLogDirs).
import type { RequestContext } from './handler.ts'
import {
  INVALID_TOPIC_EXCEPTION,
  KAFKA_STORAGE_ERROR,
  KafkaError,
  LOG_DIR_NOT_FOUND,
  NONE,
} from '../../protocol/errors.ts'
import { AlterReplicaLogDirs } from '../../protocol/messages/34-alter-replica-log-dirs.ts'
import { byTopic } from './by-topic.ts'
import { asServerError } from './errors.ts'
import { handler } from './handler.ts'

/** `<topic>-<partition>.<32 digits>-future` has to fit into a file name. */
const MAX_NAME = 255
const SUFFIX_LENGTH = '.'.length + 32 + '-future'.length

export const alterReplicaLogDirs = handler(
  AlterReplicaLogDirs,
  {
    onError: (request, error) => ({
      results: request.dirs.flatMap(({ topics }) =>
        topics.map(({ name, partitions }) => ({
          topicName: name,
          partitions: partitions.map(partitionIndex => ({ partitionIndex, errorCode: error.code })),
        })),
      ),
    }),
  },
  (request, context) => {
    // Of a partition that is named again, the last directory counts.
    const moves = new Map<string, { topic: string; partition: number; path: string }>()
    for (const { path, topics } of request.dirs) {
      for (const { name: topic, partitions } of topics) {
        for (const partition of partitions) moves.set(`${topic}/${partition}`, { topic, partition, path })
      }
    }
    return {
      results: Array.from(byTopic([...moves.values()]), ([topicName, partitions]) => ({
        topicName,
        partitions: partitions.map(({ partition, path }) => ({
          partitionIndex: partition,
          errorCode: moveError(topicName, partition, path, context),
        })),
      })),
    }
  },
)

function moveError(topic: string, index: number, path: string, context: RequestContext): number {
  const { broker } = context
  try {
    if (topic.length + `-${index}`.length + SUFFIX_LENGTH > MAX_NAME) throw new KafkaError(INVALID_TOPIC_EXCEPTION)
    if (path !== broker.dataDir.path) throw new KafkaError(LOG_DIR_NOT_FOUND)
    return broker.partitions.require(topic, index).log.offline ? KAFKA_STORAGE_ERROR : NONE
  } catch (error) {
    return asServerError(error, context).code
  }
}
