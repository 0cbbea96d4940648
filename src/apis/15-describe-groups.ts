// DescribeGroups shows the members of classic groups. Kafka: KafkaApis.scala (handleDescribeGroupsRequest).
import { NONE } from '../../protocol/errors.ts'
import { DescribeGroups } from '../../protocol/messages/15-describe-groups.ts'
import { GROUP_OPERATIONS } from './authorized-operations.ts'
import { groupContext } from './group-context.ts'
import { handler } from './handler.ts'

export const describeGroups = handler(
  DescribeGroups,
  {
    onError: (request, error) => ({
      groups: request.groups.map(groupId => ({
        errorCode: error.code,
        errorMessage: error.message,
        groupId,
        groupState: '',
        protocolType: '',
        protocolData: '',
        members: [],
      })),
    }),
  },
  async (request, context) => {
    const groups = [...new Set(request.groups)]
    const reply = await context.broker.groups.describeGroups({ ...request, groups }, groupContext(context))
    if (!request.includeAuthorizedOperations) return reply
    return {
      ...reply,
      groups: reply.groups.map(group =>
        group.errorCode === NONE ? { ...group, authorizedOperations: GROUP_OPERATIONS } : group,
      ),
    }
  },
)
