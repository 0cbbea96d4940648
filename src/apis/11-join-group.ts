// JoinGroup brings a member into a classic group and answers once the group is complete: the leader learns of everybody.
// Kafka: KafkaApis.scala (handleJoinGroupRequest), GroupMetadataManager.java (classicGroupJoin); KIP-345, KIP-394, KIP-814.
import { JoinGroup } from '../../protocol/messages/11-join-group.ts'
import { groupContext } from './group-context.ts'
import { handler } from './handler.ts'

export const joinGroup = handler(
  JoinGroup,
  {
    onError: (request, error) => ({
      errorCode: error.code,
      generationId: -1,
      protocolName: '',
      leader: '',
      memberId: request.memberId,
      members: [],
    }),
  },
  (request, context) => context.broker.groups.joinGroup(request, groupContext(context)),
)
