// Heartbeat keeps a member of a classic group alive and tells it of rebalances. Kafka: KafkaApis.scala
// (handleHeartbeatRequest), GroupMetadataManager.java (classicGroupHeartbeat); static members: KIP-345.
import { Heartbeat } from '../../protocol/messages/12-heartbeat.ts'
import { groupContext } from './group-context.ts'
import { handler } from './handler.ts'

export const heartbeat = handler(
  Heartbeat,
  { onError: (_request, error) => ({ errorCode: error.code }) },
  (request, context) => context.broker.groups.heartbeat(request, groupContext(context)),
)
