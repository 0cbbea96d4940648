// TxnOffsetCommit stores how far a group has read as part of a transaction. Topics by id since version 6. Kafka:
// KafkaApis.scala (handleTxnOffsetCommitRequest), GroupCoordinatorService.java (commitTransactionalOffsets).
import { COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE } from '../../protocol/errors.ts'
import { TxnOffsetCommit } from '../../protocol/messages/28-txn-offset-commit.ts'
import { groupContext } from './group-context.ts'
import { handler } from './handler.ts'

/** First version whose clients know COORDINATOR_LOAD_IN_PROGRESS (KAFKA-7296). */
const LOADING_VERSION = 2

export const txnOffsetCommit = handler(
  TxnOffsetCommit,
  {
    onError: (request, error) => ({
      topics: request.topics.map(({ name, topicId, partitions }) => ({
        name,
        topicId,
        partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: error.code })),
      })),
    }),
  },
  async (request, context) => {
    const reply = await context.broker.groups.txnOffsetCommit(request, groupContext(context))
    if (context.apiVersion >= LOADING_VERSION) return reply
    return {
      topics: reply.topics.map(topic => ({
        ...topic,
        partitions: topic.partitions.map(({ partitionIndex, errorCode }) => ({
          partitionIndex,
          errorCode: errorCode === COORDINATOR_LOAD_IN_PROGRESS ? COORDINATOR_NOT_AVAILABLE : errorCode,
        })),
      })),
    }
  },
)
