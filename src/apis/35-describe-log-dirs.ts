// DescribeLogDirs tells the size of partitions in each log directory (KIP-113), how far those are that move into it, how much
// room is left (KIP-827) and which take no new partitions. Kafka: KafkaApis.scala (handleDescribeLogDirsRequest),
// ReplicaManager.scala (describeLogDirs).
import type { ReplyOf } from '../../protocol/api.ts'
import type { LogDirectory, OnlineDirectory } from '../broker/log-dirs.ts'
import type { RequestContext } from './handler.ts'
import { KAFKA_STORAGE_ERROR, NONE } from '../../protocol/errors.ts'
import { DescribeLogDirs } from '../../protocol/messages/35-describe-log-dirs.ts'
import { byTopic } from './by-topic.ts'
import { handler } from './handler.ts'

type Broker = RequestContext['broker']
type Result = ReplyOf<typeof DescribeLogDirs>['results'][number]
type Size = Result['topics'][number]['partitions'][number] & { readonly topic: string }
/** Whether a partition is asked for. */
type Asked = (topic: string, index: number) => boolean

export const describeLogDirs = handler(
  DescribeLogDirs,
  { onError: (_request, error) => ({ errorCode: error.code, results: [] }) },
  ({ topics }, { broker }) => {
    const named = topics && new Set(topics.flatMap(({ topic, partitions }) => partitions.map(p => `${topic}/${p}`)))
    const asked: Asked = (topic, index) => named?.has(`${topic}/${index}`) ?? true
    return { errorCode: NONE, results: broker.dirs.all.map(directory => describe(directory, asked, broker)) }
  },
)

function describe(directory: LogDirectory, asked: Asked, broker: Broker): Result {
  const online = broker.dirs.online.find(other => other === directory)
  const space = online ? spaceOf(online, broker) : 'failed'
  if (!online || space === 'failed') return { errorCode: KAFKA_STORAGE_ERROR, logDir: directory.path, topics: [] }
  const sizes = [...currentSizes(online, asked, broker), ...futureSizes(online, asked, broker)]
  return {
    errorCode: NONE,
    logDir: directory.path,
    topics: Array.from(byTopic(sizes), ([name, partitions]) => ({ name, partitions })),
    ...space,
    isCordoned: broker.logs.isCordoned(directory),
  }
}

function* currentSizes({ dir }: OnlineDirectory, asked: Asked, { partitions }: Broker): Generator<Size> {
  for (const { topic, partition: index, log } of partitions.all()) {
    if (!asked(topic, index) || dir.log(topic, index) !== log) continue
    yield { topic, partitionIndex: index, partitionSize: log.sizeInBytes, offsetLag: 0, isFutureKey: false }
  }
}

function* futureSizes({ dir }: OnlineDirectory, asked: Asked, { partitions }: Broker): Generator<Size> {
  for (const { topic, partition: index, log } of dir.futures.all) {
    const current = partitions.get(topic, index)?.log
    if (!log || !asked(topic, index)) continue
    yield {
      topic,
      partitionIndex: index,
      partitionSize: log.sizeInBytes,
      offsetLag: current ? Math.max(0, current.logEndOffset - log.logEndOffset) : -1,
      isFutureKey: true,
    }
  }
}

/** -1 and -1 where nobody can tell: in memory. */
function spaceOf(directory: OnlineDirectory, { logs, runtime }: Broker) {
  try {
    return directory.dir.files.space?.() ?? { totalBytes: -1, usableBytes: -1 }
  } catch (error) {
    runtime.log.error({ path: directory.path, err: error }, 'The log directory could not be asked for its size')
    logs.suspect(directory)
    return 'failed'
  }
}
