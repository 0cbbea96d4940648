// OffsetDelete takes back committed offsets of a group (KIP-496). Kafka: KafkaApis.scala (handleOffsetDeleteRequest).
import { OffsetDelete } from '../../protocol/messages/47-offset-delete.ts'
import { groupContext } from './group-context.ts'
import { handler } from './handler.ts'

export const offsetDelete = handler(
  OffsetDelete,
  { onError: (_request, error) => ({ errorCode: error.code, topics: [] }) },
  (request, context) => context.broker.groups.deleteOffsets(request, groupContext(context)),
)
