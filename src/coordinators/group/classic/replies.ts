// Answers of the classic protocol with every field that Kafka sets.
import type { Replies } from '../commands.ts'
import type { GroupView, Member } from './group.ts'
import { NONE } from '../../../../protocol/errors.ts'
import { metadataOf, NO_BYTES } from './group.ts'

type JoinReply = Replies['join']
type SyncReply = Replies['sync']

export function joinError(memberId: string, errorCode: number): JoinReply {
  return {
    errorCode,
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leader: '',
    skipAssignment: false,
    memberId,
    members: [],
  }
}

/** The current generation as this member sees it; `leader` and `skipAssignment` may differ for a returned static member. */
export function joinReply(
  group: GroupView,
  memberId: string,
  { leader = group.leaderId, withMembers = group.leaderId === memberId, skipAssignment = false } = {},
): JoinReply {
  return {
    errorCode: NONE,
    generationId: group.generationId,
    protocolType: group.protocolType,
    protocolName: group.protocolName,
    leader: leader ?? '',
    skipAssignment,
    memberId,
    members: withMembers ? memberList(group) : [],
  }
}

const memberList = (group: GroupView) =>
  [...group.members.values()].map(member => ({
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    metadata: metadataOf(member, group.protocolName ?? ''),
  }))

export const syncError = (errorCode: number): SyncReply => ({
  errorCode,
  protocolType: null,
  protocolName: null,
  assignment: NO_BYTES,
})

export const syncReply = (group: GroupView, member: Member): SyncReply => ({
  errorCode: NONE,
  protocolType: group.protocolType,
  protocolName: group.protocolName,
  assignment: member.assignment,
})
