// ListGroups names the groups, filtered by state (KIP-518) and by type (KIP-848). Kafka: KafkaApis.scala
// (handleListGroupsRequest), GroupCoordinatorService.java (listGroups).
import { ListGroups } from '../../protocol/messages/16-list-groups.ts'
import { groupContext } from './group-context.ts'
import { handler } from './handler.ts'

export const listGroups = handler(
  ListGroups,
  { onError: (_request, error) => ({ errorCode: error.code, groups: [] }) },
  (request, context) => context.broker.groups.listGroups(request, groupContext(context)),
)
