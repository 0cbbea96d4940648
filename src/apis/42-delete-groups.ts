// DeleteGroups removes empty groups with their offsets (KIP-229). Kafka: KafkaApis.scala (handleDeleteGroupsRequest).
import { DeleteGroups } from '../../protocol/messages/42-delete-groups.ts'
import { groupContext } from './group-context.ts'
import { handler } from './handler.ts'

export const deleteGroups = handler(
  DeleteGroups,
  {
    onError: (request, error) => ({
      results: request.groupsNames.map(groupId => ({ groupId, errorCode: error.code, errorMessage: error.message })),
    }),
  },
  (request, context) => context.broker.groups.deleteGroups(request, groupContext(context)),
)
