// LeaveGroup takes members out of a classic group at once; several since version 3 (KIP-345), with a reason since 5
// (KIP-800). Kafka: KafkaApis.scala (handleLeaveGroupRequest), GroupMetadataManager.java (classicGroupLeave).
import { LeaveGroup } from '../../protocol/messages/13-leave-group.ts'
import { groupContext } from './group-context.ts'
import { handler } from './handler.ts'

export const leaveGroup = handler(
  LeaveGroup,
  { onError: (_request, error) => ({ errorCode: error.code, members: [] }) },
  (request, context) => context.broker.groups.leaveGroup(request, groupContext(context)),
)
