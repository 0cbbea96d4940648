// LeaveGroup: several members at once from version 3 on; an administrator may remove static members by instance id.
import type { LeaveCommand, LeavingMember } from '../commands.ts'
import type { Turn } from '../turn.ts'
import type { Group } from './group.ts'
import { NONE, UNKNOWN_MEMBER_ID } from '../../../../protocol/errors.ts'
import { dismiss, maybeCompleteJoin, prepareRebalance } from './rebalance.ts'
import { checkMember } from './sync.ts'

export function leave(turn: Turn, { groupId, members }: LeaveCommand): void {
  const group = turn.edit(groupId)
  const results = members.map(member => ({
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    errorCode: group ? leaveOne(turn, group, member) : UNKNOWN_MEMBER_ID,
  }))
  turn.reply({ errorCode: NONE, members: results })
  if (!group || results.every(({ errorCode }) => errorCode !== NONE)) return
  if (group.state === 'Stable' || group.state === 'CompletingRebalance') prepareRebalance(turn, group)
  else if (group.state === 'PreparingRebalance') maybeCompleteJoin(turn, group)
}

function leaveOne(turn: Turn, group: Group, { memberId, groupInstanceId }: LeavingMember): number {
  if (memberId === '') {
    const current = groupInstanceId === null ? undefined : group.staticMembers.get(groupInstanceId)
    if (current === undefined) return UNKNOWN_MEMBER_ID
    dismiss(turn, group, current)
    return NONE
  }
  if (!group.pendingJoin.has(memberId)) {
    const error = checkMember(group, memberId, groupInstanceId)
    if (error) return error
  }
  dismiss(turn, group, memberId)
  return NONE
}
