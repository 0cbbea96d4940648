// AlterReplicaLogDirs moves replicas between the log directories of a broker (KIP-113). The answer says that a move has
// begun; DescribeLogDirs tells how far it is. Kafka: ReplicaManager.scala (alterReplicaLogDirs).
import type { OnlineDirectory } from '../broker/log-dirs.ts'
import type { RequestContext } from './handler.ts'
import {
  INVALID_REPLICA_ASSIGNMENT,
  INVALID_TOPIC_EXCEPTION,
  KAFKA_STORAGE_ERROR,
  KafkaError,
  LOG_DIR_NOT_FOUND,
  NONE,
} from '../../protocol/errors.ts'
import { AlterReplicaLogDirs } from '../../protocol/messages/34-alter-replica-log-dirs.ts'
import { isSystemError } from '../broker/log-dirs.ts'
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
  try {
    if (topic.length + `-${index}`.length + SUFFIX_LENGTH > MAX_NAME) throw new KafkaError(INVALID_TOPIC_EXCEPTION)
    move(topic, index, destination(path, context), context)
    return NONE
  } catch (error) {
    return asServerError(error, context).code
  }
}

function destination(path: string, { broker }: RequestContext): OnlineDirectory {
  const directory = broker.dirs.byPath(path)
  if (!directory) throw new KafkaError(LOG_DIR_NOT_FOUND)
  const online = broker.dirs.online.find(other => other === directory)
  if (!online) throw new KafkaError(KAFKA_STORAGE_ERROR)
  if (broker.logs.isCordoned(online)) throw new KafkaError(INVALID_REPLICA_ASSIGNMENT)
  return online
}

function move(topic: string, index: number, to: OnlineDirectory, { broker }: RequestContext): void {
  const { dirs, partitions } = broker
  const { moves } = broker.logs
  // One that does not exist is made there, if it ever is.
  if (!partitions.get(topic, index) && !partitions.isOffline(topic, index)) moves.wish(topic, index, to.path)
  const partition = partitions.require(topic, index)
  if (partition.log.offline) throw new KafkaError(KAFKA_STORAGE_ERROR)
  const underWay = moves.of(topic, index)
  if (underWay?.to === to) return
  if (underWay) moves.cancel(topic, index)
  if (dirs.of(topic, index) === to) return
  // While one is missing, a copy of the partition might be in it already.
  if (dirs.hasOffline) throw new KafkaError(KAFKA_STORAGE_ERROR)
  try {
    moves.start(partition, to)
  } catch (error) {
    if (!isSystemError(error)) throw error
    broker.logs.suspect(to)
    throw new KafkaError(KAFKA_STORAGE_ERROR)
  }
}
