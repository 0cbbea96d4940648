// How a generation ends and the next begins: PreparingRebalance until everybody joined or the time is up, then
// CompletingRebalance until the leader's assignment arrives. Rules: GroupMetadataManager.java of Kafka 4.4.
import type { Turn } from '../turn.ts'
import type { Group, Member } from './group.ts'
import { REBALANCE_IN_PROGRESS, UNKNOWN_MEMBER_ID } from '../../../../protocol/errors.ts'
import { groupRecord } from '../records.ts'
import {
  canRebalance,
  computeSubscribedTopics,
  electJoinedLeader,
  hasAllJoined,
  isAwaitingJoin,
  needsNoHeartbeat,
  NO_BYTES,
  rebalanceTimeoutMs,
  removeMember,
  selectProtocol,
  transitionTo,
  updateMember,
} from './group.ts'
import { joinError, joinReply, syncError } from './replies.ts'

const sessionKey = (groupId: string, memberId: string) => `session\0${groupId}\0${memberId}`
const joinKey = (groupId: string) => `join\0${groupId}`
const syncKey = (groupId: string) => `sync\0${groupId}`

/** (Re)starts the time in which the member must be heard of. */
export function startSession(turn: Turn, groupId: string, memberId: string, timeoutMs: number): void {
  turn.timer(sessionKey(groupId, memberId), timeoutMs, { type: 'expireMember', groupId, memberId })
}

/** Takes a member (or pending member) out; whatever it waits for is answered with UNKNOWN_MEMBER_ID, so it may retry. */
export function dismiss(turn: Turn, group: Group, memberId: string): void {
  const member = removeMember(group, memberId)
  turn.cancelTimer(sessionKey(group.groupId, memberId))
  if (!member) return
  turn.answer(member.joinTicket, joinError('', UNKNOWN_MEMBER_ID))
  turn.answer(member.syncTicket, syncError(UNKNOWN_MEMBER_ID))
}

/** The member waits for the rebalance. A join of its own that is still waiting, on a connection long gone, ends. */
export function parkJoin(turn: Turn, group: Group, memberId: string, change: Partial<Member>): void {
  const earlier = group.members.get(memberId)?.joinTicket ?? null
  turn.answer(earlier, joinError(memberId, REBALANCE_IN_PROGRESS))
  updateMember(group, memberId, { ...change, joinTicket: turn.ticket })
}

export function prepareRebalanceOrCompleteJoin(turn: Turn, group: Group): void {
  if (canRebalance(group)) prepareRebalance(turn, group)
  else maybeCompleteJoin(turn, group)
}

export function prepareRebalance(turn: Turn, group: Group): void {
  if (group.state === 'CompletingRebalance') cancelSyncs(turn, group)
  group.pendingSync.clear()
  turn.cancelTimer(syncKey(group.groupId))
  const isInitial = group.state === 'Empty'
  transitionTo(group, 'PreparingRebalance', turn.now)
  // A group that starts waits a while for more members (group.initial.rebalance.delay.ms).
  if (isInitial) return startInitialDelay(turn, group)
  if (hasAllJoined(group)) return completeJoin(turn, group)
  scheduleCompleteJoin(turn, group)
}

function scheduleCompleteJoin(turn: Turn, group: Group): void {
  const { groupId } = group
  turn.timer(joinKey(groupId), rebalanceTimeoutMs(group), { type: 'completeJoin', groupId })
}

/** Everybody who waits for an assignment must rejoin. */
function cancelSyncs(turn: Turn, group: Group): void {
  for (const member of group.members.values()) {
    if (member.syncTicket !== null) {
      turn.answer(member.syncTicket, syncError(REBALANCE_IN_PROGRESS))
      // Its session may have run out unnoticed while it waited.
      startSession(turn, group.groupId, member.memberId, member.sessionTimeoutMs)
    }
    updateMember(group, member.memberId, { assignment: NO_BYTES, syncTicket: null })
  }
}

function startInitialDelay(turn: Turn, group: Group): void {
  const delayMs = turn.config['group.initial.rebalance.delay.ms']
  const remainingMs = Math.max(rebalanceTimeoutMs(group) - delayMs, 0)
  const { groupId } = group
  turn.timer(joinKey(groupId), delayMs, { type: 'initialDelay', groupId, delayMs, remainingMs })
}

/** Timer: the initial delay is over; more members in the meantime extend it, up to the rebalance timeout. */
export function onInitialDelay(turn: Turn, groupId: string, delayMs: number, remainingMs: number): void {
  const group = turn.edit(groupId)
  if (group?.state !== 'PreparingRebalance') return
  if (!group.newMemberAdded || remainingMs === 0) return completeJoin(turn, group)
  group.newMemberAdded = false
  const nextDelayMs = Math.min(turn.config['group.initial.rebalance.delay.ms'], remainingMs)
  const nextRemainingMs = Math.max(remainingMs - delayMs, 0)
  turn.timer(joinKey(groupId), nextDelayMs, {
    type: 'initialDelay',
    groupId,
    delayMs: nextDelayMs,
    remainingMs: nextRemainingMs,
  })
}

/** Ends the join phase if nobody is missing; the initial rebalance ends by its timer alone. */
export function maybeCompleteJoin(turn: Turn, group: Group): void {
  if (group.state !== 'PreparingRebalance' || group.previousState === 'Empty') return
  if (hasAllJoined(group)) completeJoin(turn, group)
}

/** Timer: the rebalance timeout is over. */
export function onCompleteJoin(turn: Turn, groupId: string): void {
  const group = turn.edit(groupId)
  if (group?.state === 'PreparingRebalance') completeJoin(turn, group)
}

/** Dynamic members that have not rejoined are out, static ones stay; all joins are answered with the new generation. */
export function completeJoin(turn: Turn, group: Group): void {
  turn.cancelTimer(joinKey(group.groupId))
  for (const member of group.members.values()) {
    if (member.groupInstanceId === null && !isAwaitingJoin(member)) dismiss(turn, group, member.memberId)
  }
  // Only static members are left and none came back: wait for them until their sessions end.
  if (!electJoinedLeader(group) && group.members.size > 0) return scheduleCompleteJoin(turn, group)
  startGeneration(turn, group)
  if (group.state === 'Empty') return turn.log(groupRecord(group))
  for (const member of group.members.values()) {
    turn.answer(member.joinTicket, joinReply(group, member.memberId))
    startSession(turn, group.groupId, member.memberId, member.sessionTimeoutMs)
    updateMember(group, member.memberId, { joinTicket: null, isNew: false })
    group.pendingSync.add(member.memberId)
  }
  const { groupId, generationId } = group
  turn.timer(syncKey(groupId), rebalanceTimeoutMs(group), { type: 'expireSync', groupId, generationId })
}

function startGeneration(turn: Turn, group: Group): void {
  const isEmpty = group.members.size === 0
  // Kafka's int32 wraps as well.
  group.generationId = (group.generationId + 1) | 0
  group.protocolName = isEmpty ? null : selectProtocol(group)
  group.subscribedTopics = computeSubscribedTopics(group)
  group.newMemberAdded = false
  group.pendingSync.clear()
  transitionTo(group, isEmpty ? 'Empty' : 'CompletingRebalance', turn.now)
}

/** This member has sent its SyncGroup. */
export function noteSync(turn: Turn, group: Group, memberId: string): void {
  group.pendingSync.delete(memberId)
  if (group.pendingSync.size === 0) turn.cancelTimer(syncKey(group.groupId))
}

/** Timer: members that joined but never synced are out, and the others rebalance. */
export function onExpireSync(turn: Turn, groupId: string, generationId: number): void {
  const view = turn.view(groupId)
  if (!view || view.generationId !== generationId || view.pendingSync.size === 0) return
  if (view.state !== 'CompletingRebalance' && view.state !== 'Stable') return
  const group = turn.edit(groupId)!
  for (const memberId of group.pendingSync) dismiss(turn, group, memberId)
  prepareRebalance(turn, group)
}

/** Timer: a member's session is over. One that waits for a rebalance stays; its session starts anew with the answer. */
export function onExpireMember(turn: Turn, groupId: string, memberId: string): void {
  const view = turn.view(groupId)
  if (!view) return
  const member = view.members.get(memberId)
  if (!view.pendingJoin.has(memberId) && (!member || needsNoHeartbeat(member))) return
  const group = turn.edit(groupId)!
  dismiss(turn, group, memberId)
  if (member && (group.state === 'Stable' || group.state === 'CompletingRebalance')) {
    prepareRebalance(turn, group)
  } else if (group.state === 'PreparingRebalance' && hasAllJoined(group)) {
    completeJoin(turn, group)
  }
}
