// OffsetCommit stores how far a group has read. Kafka: KafkaApis.scala (handleOffsetCommitRequest),
// OffsetMetadataManager.java. Topics by id since version 10; version 0 (offsets in ZooKeeper) is not served.
import { OffsetCommit } from '../../protocol/messages/08-offset-commit.ts'
import { groupContext } from './group-context.ts'
import { handler } from './handler.ts'

export const offsetCommit = handler(
  OffsetCommit,
  {
    versions: [1, 10],
    onError: (request, error) => ({
      topics: request.topics.map(({ name, topicId, partitions }) => ({
        name,
        topicId,
        partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: error.code })),
      })),
    }),
  },
  (request, context) => context.broker.groups.offsetCommit(request, groupContext(context)),
)
