// Records, replies and state as short lines, for transcripts.
import { errorOf } from '../../../../protocol/errors.ts'
import { ZERO_UUID } from '../../../../protocol/schema.ts'
import type { GroupCommand, GroupRecord, GroupReply, Replies } from '../../../../src/coordinators/group/commands.ts'
import type { GroupMachine } from '../../../../src/coordinators/group/machine.ts'

const errorName = (code: number | undefined) => errorOf(code ?? 0).name
const words = (...parts: (string | false | null | undefined)[]) => parts.filter(Boolean).join(' ')
const shortId = (id: string | undefined) => (id === undefined || id === ZERO_UUID ? '' : `#${id.replace(/A+$/, '')}`)
const at = (member: { memberId: string; groupInstanceId?: string | null | undefined }) =>
  member.groupInstanceId ? `${member.memberId}@${member.groupInstanceId}` : member.memberId

export function showRecord(record: GroupRecord): string {
  if (record.kind === 'offset') {
    const where = `offset ${record.groupId} ${record.topic}-${record.partition}`
    if (!record.value) return `${where} gone`
    const { offset, metadata, expireTimestamp, topicId } = record.value
    return words(
      `${where} = ${offset}${shortId(topicId)}`,
      metadata && `"${metadata}"`,
      expireTimestamp >= 0 && 'expires',
    )
  }
  if (record.kind !== 'group') return record.kind
  if (!record.value) return `group ${record.groupId} gone`
  const { generation, protocol, leader, members, protocolType } = record.value
  const list = members.map(member => `${at(member)}=${member.assignment.toString() || '-'}`)
  return words(
    `group ${record.groupId} generation ${generation}`,
    protocolType,
    protocol,
    leader && `leader ${leader}`,
    list.length > 0 && `[${list.join(' ')}]`,
  )
}

const show: { [T in keyof Replies]: (reply: Replies[T]) => string[] } = {
  join: reply => {
    if (reply.errorCode) return [words(errorName(reply.errorCode), reply.memberId && `id ${reply.memberId}`)]
    const members = (reply.members ?? []).map(at)
    return [
      words(
        `joined generation ${reply.generationId} as ${reply.memberId}`,
        `leader ${reply.leader}`,
        reply.protocolName,
        members.length > 0 && `[${members.join(' ')}]`,
        reply.skipAssignment && 'skip',
      ),
    ]
  },
  sync: reply => [reply.errorCode ? errorName(reply.errorCode) : `assigned ${reply.assignment.toString() || '-'}`],
  heartbeat: reply => [errorName(reply.errorCode)],
  leave: reply => (reply.members ?? []).map(member => `${at(member) || '?'} left ${errorName(member.errorCode)}`),
  offsetCommit: reply =>
    reply.topics.flatMap(topic =>
      topic.partitions.map(partition => `${topic.name}-${partition.partitionIndex} ${errorName(partition.errorCode)}`),
    ),
  txnOffsetCommit: reply =>
    reply.topics.flatMap(topic =>
      topic.partitions.map(partition => `${topic.name}-${partition.partitionIndex} ${errorName(partition.errorCode)}`),
    ),
  offsetDelete: reply =>
    reply.topics.flatMap(topic =>
      topic.partitions.map(partition => `${topic.name}-${partition.partitionIndex} ${errorName(partition.errorCode)}`),
    ),
  endTransaction: () => ['done'],
  offsetFetch: reply =>
    reply.topics.flatMap(topic =>
      topic.partitions.map(({ partitionIndex, committedOffset, committedLeaderEpoch = -1, metadata, errorCode }) =>
        words(
          `${topic.name}-${partitionIndex}`,
          errorCode ? errorName(errorCode) : `at ${committedOffset}`,
          committedLeaderEpoch >= 0 && `epoch ${committedLeaderEpoch}`,
          metadata && `"${metadata}"`,
        ),
      ),
    ),
  describe: reply =>
    reply.map(group => {
      const members = group.members.map(
        member => `${at(member)} ${member.clientId}${member.clientHost}=${member.memberAssignment.toString() || '-'}`,
      )
      return words(
        `${group.groupId} ${group.groupState} ${errorName(group.errorCode)}`,
        group.protocolType,
        group.protocolData,
        members.length > 0 && `[${members.join(', ')}]`,
      )
    }),
  list: reply => [
    reply.map(group => words(group.groupId, group.groupState, group.protocolType, group.groupType)).join(', ') ||
      'none',
  ],
  delete: reply => reply.map(({ groupId, errorCode }) => `${groupId} ${errorName(errorCode)}`),
  topicsDeleted: () => ['done'],
  committedTopics: reply => reply.map(topic => `${topic.name}${shortId(topic.topicId)}`),
}

/** The reply of a command is of its type. */
export const showReply = (type: GroupCommand['type'], reply: GroupReply): string[] =>
  (show[type as keyof Replies] as (of: GroupReply) => string[])(reply)

export function showState(machine: GroupMachine, _now: number): string[] {
  return [...machine.groups.values()].map(group => {
    const members = [...group.members.values()].map(member =>
      words(at(member), member.joinTicket !== null && 'joining', member.syncTicket !== null && 'syncing'),
    )
    return words(
      `${group.groupId} ${group.state} generation ${group.generationId}`,
      group.leaderId && `leader ${group.leaderId}`,
      members.length > 0 && `[${members.join(', ')}]`,
      group.pendingJoin.size > 0 && `pending ${[...group.pendingJoin].join(' ')}`,
    )
  })
}
