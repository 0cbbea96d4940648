// SyncGroup carries the leader's assignment to the coordinator and each member's share back. Kafka: KafkaApis.scala
// (handleSyncGroupRequest), GroupMetadataManager.java (classicGroupSync).
import { SyncGroup } from '../../protocol/messages/14-sync-group.ts'
import { groupContext } from './group-context.ts'
import { handler } from './handler.ts'

export const syncGroup = handler(
  SyncGroup,
  { onError: (_request, error) => ({ errorCode: error.code, assignment: Buffer.alloc(0) }) },
  (request, context) => context.broker.groups.syncGroup(request, groupContext(context)),
)
