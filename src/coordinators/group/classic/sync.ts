// SyncGroup and Heartbeat: the leader hands in the assignment, everybody gets theirs, and says that it is alive.
import type { HeartbeatCommand, SyncCommand } from '../commands.ts'
import type { Turn } from '../turn.ts'
import type { Group, GroupView } from './group.ts'
import {
  FENCED_INSTANCE_ID,
  ILLEGAL_GENERATION,
  INCONSISTENT_GROUP_PROTOCOL,
  NONE,
  REBALANCE_IN_PROGRESS,
  UNKNOWN_MEMBER_ID,
} from '../../../../protocol/errors.ts'
import { groupRecord } from '../records.ts'
import { NO_BYTES, transitionTo, updateMember } from './group.ts'
import { noteSync, startSession } from './rebalance.ts'
import { syncError, syncReply } from './replies.ts'

/** NONE, UNKNOWN_MEMBER_ID, or FENCED_INSTANCE_ID if another member id has the instance id now. */
export function checkMember(group: GroupView, memberId: string, groupInstanceId: string | null): number {
  if (groupInstanceId !== null) {
    const current = group.staticMembers.get(groupInstanceId)
    if (current === undefined) return UNKNOWN_MEMBER_ID
    if (current !== memberId) return FENCED_INSTANCE_ID
  }
  return group.members.has(memberId) ? NONE : UNKNOWN_MEMBER_ID
}

/** Versions below 5 name neither type nor protocol. */
const differs = (asked: string | null, actual: string | null) => asked !== null && actual !== null && asked !== actual

function checkSync(group: GroupView, { request }: SyncCommand): number {
  const error = checkMember(group, request.memberId, request.groupInstanceId)
  if (error) return error
  if (request.generationId !== group.generationId) return ILLEGAL_GENERATION
  const isInconsistent =
    differs(request.protocolType, group.protocolType) || differs(request.protocolName, group.protocolName)
  if (isInconsistent) return INCONSISTENT_GROUP_PROTOCOL
  return group.state === 'PreparingRebalance' ? REBALANCE_IN_PROGRESS : NONE
}

export function sync(turn: Turn, command: SyncCommand): void {
  const { groupId, memberId } = command.request
  const view = turn.view(groupId)
  if (!view || view.state === 'Empty') return turn.reply(syncError(UNKNOWN_MEMBER_ID))
  const error = checkSync(view, command)
  if (error) return turn.reply(syncError(error))
  const group = turn.edit(groupId)!
  noteSync(turn, group, memberId)
  const member = group.members.get(memberId)!
  if (group.state === 'Stable') return turn.reply(syncReply(group, member))
  // A sync of its own that is still waiting, on a connection long gone, ends.
  turn.answer(member.syncTicket, syncError(REBALANCE_IN_PROGRESS))
  updateMember(group, memberId, { syncTicket: turn.ticket })
  if (group.leaderId === memberId) assign(turn, command, group)
}

/** The leader's assignment: whom it leaves out gets zero bytes (G68), whom it invents is ignored. */
function assign(turn: Turn, { request }: SyncCommand, group: Group): void {
  const assignments = new Map(request.assignments.map(({ memberId, assignment }) => [memberId, assignment]))
  for (const { memberId, sessionTimeoutMs, syncTicket } of group.members.values()) {
    const assignment = assignments.get(memberId) ?? NO_BYTES
    const member = updateMember(group, memberId, { assignment, syncTicket: null })
    if (syncTicket === null) continue
    turn.answer(syncTicket, syncReply(group, member))
    startSession(turn, group.groupId, memberId, sessionTimeoutMs)
  }
  transitionTo(group, 'Stable', turn.now)
  turn.log(groupRecord(group))
}

export function heartbeat(turn: Turn, { request }: HeartbeatCommand): void {
  const { groupId, memberId, generationId, groupInstanceId } = request
  const group = turn.view(groupId)
  if (!group) return turn.reply({ errorCode: UNKNOWN_MEMBER_ID })
  const error = checkMember(group, memberId, groupInstanceId)
  if (error) return turn.reply({ errorCode: error })
  if (generationId !== group.generationId) return turn.reply({ errorCode: ILLEGAL_GENERATION })
  startSession(turn, groupId, memberId, group.members.get(memberId)!.sessionTimeoutMs)
  turn.reply({ errorCode: group.state === 'PreparingRebalance' ? REBALANCE_IN_PROGRESS : NONE })
}
