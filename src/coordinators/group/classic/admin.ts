// DescribeGroups, ListGroups, DeleteGroups.
import type { DeleteCommand, DescribeCommand, ListCommand } from '../commands.ts'
import type { Turn } from '../turn.ts'
import type { GroupView, Member } from './group.ts'
import { GROUP_ID_NOT_FOUND, NONE, NON_EMPTY_GROUP } from '../../../../protocol/errors.ts'
import { metadataOf, NO_BYTES } from './group.ts'

/** First version of DescribeGroups that says so if there is no such group; before, it is "Dead" and no error. */
const NOT_FOUND_VERSION = 6

export function describe(turn: Turn, { groupIds, apiVersion }: DescribeCommand): void {
  turn.reply(groupIds.map(groupId => describeOne(groupId, turn.view(groupId), apiVersion)))
}

function describeOne(groupId: string, group: GroupView | undefined, apiVersion: number) {
  if (!group) {
    const isError = apiVersion >= NOT_FOUND_VERSION
    return {
      errorCode: isError ? GROUP_ID_NOT_FOUND : NONE,
      errorMessage: isError ? `Group ${groupId} not found.` : null,
      groupId,
      groupState: 'Dead',
      protocolType: '',
      protocolData: '',
      members: [],
    }
  }
  // Metadata and protocol are only meaningful once all agree.
  const protocol = group.state === 'Stable' ? group.protocolName : null
  return {
    errorCode: NONE,
    groupId,
    groupState: group.state,
    protocolType: group.protocolType ?? '',
    protocolData: protocol ?? '',
    members: [...group.members.values()].map(member => describeMember(member, protocol)),
  }
}

const describeMember = (member: Member, protocol: string | null) => ({
  memberId: member.memberId,
  groupInstanceId: member.groupInstanceId,
  clientId: member.clientId,
  clientHost: member.clientHost,
  memberMetadata: protocol === null ? NO_BYTES : metadataOf(member, protocol),
  memberAssignment: member.assignment,
})

/** Filters are case-insensitive; empty ones let everything through, unknown words nothing. */
export function list(turn: Turn, { statesFilter, typesFilter }: ListCommand): void {
  const states = new Set(statesFilter.map(state => state.toLowerCase().trim()))
  const types = new Set(typesFilter.map(type => type.toLowerCase()))
  if (types.size > 0 && !types.has('classic')) return turn.reply([])
  const groups = [...turn.state.groups.values()].filter(
    ({ state }) => states.size === 0 || states.has(state.toLowerCase()),
  )
  turn.reply(
    groups.map(group => ({
      groupId: group.groupId,
      protocolType: group.protocolType ?? '',
      groupState: group.state,
      groupType: 'classic',
    })),
  )
}

/** Each group on its own: GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP, or tombstones for its offsets and itself. */
export function deleteGroups(turn: Turn, { groupIds }: DeleteCommand): void {
  turn.reply(groupIds.map(groupId => ({ groupId, errorCode: deleteOne(turn, groupId) })))
}

function deleteOne(turn: Turn, groupId: string): number {
  const group = turn.state.groups.get(groupId)
  if (!group) return GROUP_ID_NOT_FOUND
  if (group.state !== 'Empty') return NON_EMPTY_GROUP
  for (const [topic, partition] of turn.offsets.partitionsOf(groupId)) {
    turn.log({ kind: 'offset', groupId, topic, partition, value: null, producerId: -1 })
  }
  turn.log({ kind: 'group', groupId, value: null })
  return NONE
}
