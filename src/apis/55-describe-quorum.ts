// DescribeQuorum shows the quorum of the metadata log (KIP-595): this node, which leads it and is its only voter. Kafka:
// KafkaRaftClient.java (handleDescribeQuorumRequest), RaftUtil.java (singletonDescribeQuorumResponse).
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
    const voter = {
      replicaId: broker.nodeId,
      // The set of voters is fixed (kraft.version 0), and known without directories.
      replicaDirectoryId: ZERO_UUID,
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
      // The controller has no listener of its own.
      nodes: broker.nodes(connection).map(({ nodeId, host, port }) => ({
        nodeId,
        listeners: [{ name: connection.listenerName, host, port }],
      })),
    }
  },
)
