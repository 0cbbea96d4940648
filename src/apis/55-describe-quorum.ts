// DescribeQuorum shows the quorum of the metadata log (KIP-595, KIP-853): this node, which leads it and is its only voter. Kafka:
// KafkaRaftClient.java (handleDescribeQuorumRequest), RaftUtil.java (singletonDescribeQuorumResponse).
import type { Broker, ReachedAt } from '../broker/broker.ts'
import type { NamedAddress } from './controller-listener.ts'
import { errorOf, NONE, UNKNOWN_TOPIC_OR_PARTITION } from '../../protocol/errors.ts'
import { DescribeQuorum } from '../../protocol/messages/55-describe-quorum.ts'
import { ZERO_UUID } from '../../protocol/schema.ts'
import { CLUSTER_METADATA_TOPIC } from '../cluster/topic-names.ts'
import { handler } from './handler.ts'

export const describeQuorum = handler(
  DescribeQuorum,
  { onError: (_request, error) => ({ errorCode: error.code, errorMessage: error.message, topics: [], nodes: [] }) },
  ({ topics }, { broker, connection, now }) => {
    const [topic, ...moreTopics] = topics
    const [partition, ...morePartitions] = topic?.partitions ?? []
    const isKnown = topic?.topicName === CLUSTER_METADATA_TOPIC && partition?.partitionIndex === 0
    if (!isKnown || moreTopics.length > 0 || morePartitions.length > 0) {
      const none = { leaderId: 0, leaderEpoch: 0, highWatermark: 0, currentVoters: [], observers: [] }
      const errorMessage = errorOf(UNKNOWN_TOPIC_OR_PARTITION).message
      const refused = { errorCode: UNKNOWN_TOPIC_OR_PARTITION, errorMessage, ...none }
      return {
        errorCode: NONE,
        errorMessage: '',
        topics: topics.map(({ topicName, partitions }) => ({
          topicName,
          partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, ...refused })),
        })),
        nodes: [],
      }
    }
    const { image, leaderEpoch } = broker.metadata
    const highWatermark = image.endOffset
    const { replicaDirectoryId, listeners } = voterOf(broker, connection)
    const voter = {
      replicaId: broker.nodeId,
      replicaDirectoryId,
      logEndOffset: highWatermark,
      lastFetchTimestamp: now,
      lastCaughtUpTimestamp: now,
    }
    const found = { leaderId: broker.nodeId, leaderEpoch, highWatermark, currentVoters: [voter], observers: [] }
    return {
      errorCode: NONE,
      errorMessage: '',
      topics: [
        {
          topicName: CLUSTER_METADATA_TOPIC,
          partitions: [{ partitionIndex: 0, errorCode: NONE, errorMessage: '', ...found }],
        },
      ],
      nodes: [{ nodeId: broker.nodeId, listeners }],
    }
  },
)

/** As it was recorded; a fixed voter (kraft.version 0) is known without a directory, and has no listener but the broker's. */
function voterOf(
  broker: Broker,
  connection: ReachedAt,
): { replicaDirectoryId: string; listeners: readonly NamedAddress[] } {
  const recorded = broker.metadata.quorum.voters?.find(({ voterId }) => voterId === broker.nodeId)
  if (recorded) return { replicaDirectoryId: recorded.voterDirectoryId, listeners: recorded.endpoints }
  const [{ host, port }] = broker.nodes(connection)
  return { replicaDirectoryId: ZERO_UUID, listeners: [{ name: connection.listenerName, host, port }] }
}
