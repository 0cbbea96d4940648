// ListPartitionReassignments lists the moves of partitions that are under way (KIP-455). With one broker there is nowhere to
// move to: none ever is. Kafka: ReplicationControlManager.java (listPartitionReassignments).
import { NONE } from '../../protocol/errors.ts'
import { ListPartitionReassignments } from '../../protocol/messages/46-list-partition-reassignments.ts'
import { handler } from './handler.ts'

export const listPartitionReassignments = handler(
  ListPartitionReassignments,
  { onError: (_request, error) => ({ errorCode: error.code, errorMessage: error.message, topics: [] }) },
  () => ({ errorCode: NONE, errorMessage: null, topics: [] }),
)
