// DescribeLogDirs tells the size of partitions in the one log directory (KIP-113), and how much room is left (KIP-827).
// Kafka: KafkaApis.scala (handleDescribeLogDirsRequest), ReplicaManager.scala (describeLogDirs).
import type { Partition } from '../broker/partition.ts'
import type { RequestContext } from './handler.ts'
import { KAFKA_STORAGE_ERROR, NONE } from '../../protocol/errors.ts'
import { DescribeLogDirs } from '../../protocol/messages/35-describe-log-dirs.ts'
import { byTopic } from './by-topic.ts'
import { handler } from './handler.ts'

export const describeLogDirs = handler(
  DescribeLogDirs,
  { onError: (_request, error) => ({ errorCode: error.code, results: [] }) },
  ({ topics }, { broker }) => {
    const asked =
      topics === null
        ? [...broker.partitions.all()]
        : topics.flatMap(({ topic, partitions }) => partitions.map(index => broker.partitions.get(topic, index)))
    // A partition that is named twice has one place.
    const found = new Set(asked.filter(partition => partition !== undefined))
    const space = spaceOf(broker)
    if (space === 'failed') {
      return { errorCode: NONE, results: [{ errorCode: KAFKA_STORAGE_ERROR, logDir: broker.dataDir.path, topics: [] }] }
    }
    return {
      errorCode: NONE,
      results: [
        {
          errorCode: NONE,
          logDir: broker.dataDir.path,
          topics: Array.from(byTopic([...found]), ([name, partitions]) => ({
            name,
            partitions: partitions.map(sizeOf),
          })),
          ...space,
        },
      ],
    }
  },
)

const sizeOf = ({ partition, log }: Partition) => ({
  partitionIndex: partition,
  partitionSize: log.sizeInBytes,
  offsetLag: 0,
  isFutureKey: false,
})

/** -1 and -1 where nobody can tell: in memory. */
function spaceOf({ dataDir, runtime }: RequestContext['broker']) {
  try {
    return dataDir.space() ?? { totalBytes: -1, usableBytes: -1 }
  } catch (error) {
    runtime.log.error({ err: error }, 'The log directory could not be asked for its size')
    return 'failed'
  }
}
