// JoinGroup. New members get an id (and from version 4 on must come back with it, KIP-394); static members (KIP-345)
// replace their former selves. Rules: GroupMetadataManager.classicGroupJoin and what it calls, Kafka 4.4.
import type { JoinCommand } from '../commands.ts'
import type { Turn } from '../turn.ts'
import type { Group, GroupView } from './group.ts'
import {
  FENCED_INSTANCE_ID,
  GROUP_MAX_SIZE_REACHED,
  INCONSISTENT_GROUP_PROTOCOL,
  MEMBER_ID_REQUIRED,
  UNKNOWN_MEMBER_ID,
} from '../../../../protocol/errors.ts'
import { emptyGroupRecord, groupRecord } from '../records.ts'
import {
  addMember,
  awaitingJoinCount,
  computeSubscribedTopics,
  isAwaitingJoin,
  NO_BYTES,
  removeMember,
  sameProtocols,
  selectProtocol,
  supportsProtocols,
  updateMember,
} from './group.ts'
import {
  dismiss,
  maybeCompleteJoin,
  parkJoin,
  prepareRebalance,
  prepareRebalanceOrCompleteJoin,
  startSession,
} from './rebalance.ts'
import { joinError, joinReply, syncError } from './replies.ts'
import { checkMember } from './sync.ts'

/** First version whose clients come back with the id they are given, instead of joining at once. */
const MEMBER_ID_VERSION = 4
/** First version that lets a returned static leader know that the assignment stands (KIP-814). */
const SKIP_ASSIGNMENT_VERSION = 9
/**
 * A new member cannot send heartbeats before its join is answered, and its disconnection is not seen: a join that is
 * not answered within this time is given up (classic new member join timeout).
 */
export const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60 * 1000

export function join(turn: Turn, command: JoinCommand): void {
  const { groupId, memberId, protocolType, protocols } = command.request
  let group = turn.edit(groupId)
  if (!group) {
    // A member id of a group that does not exist can only be an old one.
    if (memberId !== '') return turn.reply(joinError(memberId, UNKNOWN_MEMBER_ID))
    group = turn.create(groupId)
    turn.log(emptyGroupRecord(group))
  }
  if (!hasRoom(group, memberId, turn.config['group.max.size'])) {
    dismiss(turn, group, memberId)
    turn.reply(joinError('', GROUP_MAX_SIZE_REACHED))
    // The others need not wait for the one that was sent away.
    return maybeCompleteJoin(turn, group)
  }
  if (!supportsProtocols(group, protocolType, protocols)) {
    return turn.reply(joinError(memberId, INCONSISTENT_GROUP_PROTOCOL))
  }
  if (memberId === '') joinNew(turn, command, group)
  else joinKnown(turn, command, group)
}

/** While a group rebalances, those that have rejoined count; otherwise its members. */
function hasRoom(group: GroupView, memberId: string, maxSize: number): boolean {
  const member = group.members.get(memberId)
  if (group.state === 'Empty') return true
  if (group.state === 'PreparingRebalance') {
    return (member !== undefined && isAwaitingJoin(member)) || awaitingJoinCount(group) < maxSize
  }
  return member !== undefined || group.members.size < maxSize
}

function joinNew(turn: Turn, command: JoinCommand, group: Group): void {
  const { groupInstanceId, sessionTimeoutMs } = command.request
  const newMemberId = `${groupInstanceId ?? command.clientId}-${command.memberIdSuffix}`
  if (groupInstanceId === null && command.apiVersion >= MEMBER_ID_VERSION) {
    group.pendingJoin.add(newMemberId)
    startSession(turn, group.groupId, newMemberId, sessionTimeoutMs)
    return turn.reply(joinError(newMemberId, MEMBER_ID_REQUIRED))
  }
  const formerId = groupInstanceId === null ? undefined : group.staticMembers.get(groupInstanceId)
  if (formerId === undefined) addNewMember(turn, command, group, newMemberId)
  else replaceStaticMember(turn, command, group, formerId, newMemberId)
}

function joinKnown(turn: Turn, command: JoinCommand, group: Group): void {
  const { memberId, groupInstanceId, protocols } = command.request
  // Only dynamic members are ever pending: with an instance id the check below refuses it.
  if (group.pendingJoin.has(memberId) && groupInstanceId === null) {
    return addNewMember(turn, command, group, memberId)
  }
  const error = checkMember(group, memberId, groupInstanceId)
  if (error) return turn.reply(joinError(memberId, error))
  const isUnchanged = sameProtocols(group.members.get(memberId)!.protocols, protocols)
  // Nothing new from a follower, or from a member that missed the answer to its join: it learns the generation again.
  // The leader of a stable group rebalances it on purpose: something that only it sees (a topic's partitions) changed.
  const learnsAgain =
    isUnchanged && (group.state === 'CompletingRebalance' || (group.state === 'Stable' && group.leaderId !== memberId))
  if (learnsAgain) return turn.reply(joinReply(group, memberId))
  parkJoin(turn, group, memberId, fromRequest(command))
  prepareRebalanceOrCompleteJoin(turn, group)
}

function fromRequest({ request, clientId, clientHost }: JoinCommand) {
  const { sessionTimeoutMs, rebalanceTimeoutMs } = request
  const protocols = request.protocols.map(({ name, metadata }) => ({ name, metadata }))
  return { clientId, clientHost, sessionTimeoutMs, rebalanceTimeoutMs, protocols }
}

function addNewMember(turn: Turn, command: JoinCommand, group: Group, memberId: string): void {
  const { groupInstanceId, protocolType } = command.request
  if (group.state === 'PreparingRebalance' && group.previousState === 'Empty') group.newMemberAdded = true
  addMember(group, {
    memberId,
    groupInstanceId,
    ...fromRequest(command),
    protocolType,
    assignment: NO_BYTES,
    joinTicket: turn.ticket,
    syncTicket: null,
    isNew: true,
  })
  startSession(turn, group.groupId, memberId, NEW_MEMBER_JOIN_TIMEOUT_MS)
  prepareRebalanceOrCompleteJoin(turn, group)
}

/** A static member came back without its id (a restarted process): the old id is fenced, the place stays its own. */
function replaceStaticMember(turn: Turn, command: JoinCommand, group: Group, formerId: string, memberId: string): void {
  const formerLeader = group.leaderId
  takePlace(turn, group, formerId, memberId)
  const member = updateMember(group, memberId, fromRequest(command))
  startSession(turn, group.groupId, memberId, member.sessionTimeoutMs)
  if (group.state === 'Stable' && selectProtocol(group) === group.protocolName) {
    // No rebalance: what the member brought is written down, and that is all.
    group.subscribedTopics = computeSubscribedTopics(group)
    turn.log(groupRecord(group))
    if (command.apiVersion >= SKIP_ASSIGNMENT_VERSION) {
      return turn.reply(joinReply(group, memberId, { skipAssignment: group.leaderId === memberId }))
    }
    // Older clients would compute an assignment if they were told that they lead; so they are given the old id.
    return turn.reply(joinReply(group, memberId, { leader: formerLeader, withMembers: false }))
  }
  parkJoin(turn, group, memberId, {})
  if (group.state === 'PreparingRebalance') maybeCompleteJoin(turn, group)
  // In CompletingRebalance the leader may be assigning partitions to the old id.
  else prepareRebalance(turn, group)
}

function takePlace(turn: Turn, group: Group, formerId: string, memberId: string): void {
  const wasLeader = group.leaderId === formerId
  const wasPendingSync = group.pendingSync.has(formerId)
  const former = removeMember(group, formerId)
  if (!former) throw new Error(`group ${group.groupId} has no member ${formerId}`)
  turn.answer(former.joinTicket, joinError(formerId, FENCED_INSTANCE_ID))
  turn.answer(former.syncTicket, syncError(FENCED_INSTANCE_ID))
  addMember(group, { ...former, memberId, joinTicket: null, syncTicket: null, isNew: false })
  if (wasLeader) group.leaderId = memberId
  if (wasPendingSync) group.pendingSync.add(memberId)
}
