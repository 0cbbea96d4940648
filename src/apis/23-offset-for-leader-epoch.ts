// OffsetForLeaderEpoch tells where a leader epoch ended, by which consumers find out that offsets were given out twice
// (KIP-101, KIP-320). Kafka: ReplicaManager.scala (lastOffsetForLeaderEpoch), UnifiedLog.java (endOffsetForEpoch).
import type { ReplyOf, RequestOf } from '../../protocol/api.ts'
import type { RequestContext } from './handler.ts'
import { FENCED_LEADER_EPOCH, KAFKA_STORAGE_ERROR, KafkaError, NONE } from '../../protocol/errors.ts'
import { OffsetForLeaderEpoch } from '../../protocol/messages/23-offset-for-leader-epoch.ts'
import { asServerError } from './errors.ts'
import { handler } from './handler.ts'

type Asked = RequestOf<typeof OffsetForLeaderEpoch>['topics'][number]['partitions'][number]
type PartitionReply = ReplyOf<typeof OffsetForLeaderEpoch>['topics'][number]['partitions'][number]

export const offsetForLeaderEpoch = handler(
  OffsetForLeaderEpoch,
  {
    onError: (request, error) => ({
      topics: request.topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition }) => ({ partition, errorCode: error.code })),
      })),
    }),
  },
  (request, context) => ({
    topics: request.topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(asked => endOf(topic, asked, context)),
    })),
  }),
)

function endOf(topic: string, asked: Asked, context: RequestContext): PartitionReply {
  try {
    const partition = context.broker.partitions.require(topic, asked.partition)
    // Only -1 means "no check".
    if (asked.currentLeaderEpoch < -1) throw new KafkaError(FENCED_LEADER_EPOCH)
    partition.checkLeaderEpoch(asked.currentLeaderEpoch)
    partition.catchUp()
    const { log } = partition
    if (log.offline) throw new KafkaError(KAFKA_STORAGE_ERROR)
    const { epoch, endOffset } = log.endOffsetForEpoch(asked.leaderEpoch)
    // An epoch without an end is not told either.
    return { partition: asked.partition, errorCode: NONE, leaderEpoch: endOffset === -1 ? -1 : epoch, endOffset }
  } catch (error) {
    return { partition: asked.partition, errorCode: asServerError(error, context).code }
  }
}
