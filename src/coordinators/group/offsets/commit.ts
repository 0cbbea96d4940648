// OffsetCommit. Who may commit depends on the group's state (ClassicGroup.validateOffsetCommit); a commit without a
// generation to a group without members needs no membership, and makes a simple group of a new one.
import type { OffsetCommitCommand } from '../commands.ts'
import type { Turn } from '../turn.ts'
import {
  GROUP_ID_NOT_FOUND,
  ILLEGAL_GENERATION,
  KafkaError,
  NONE,
  OFFSET_METADATA_TOO_LARGE,
  REBALANCE_IN_PROGRESS,
  UNKNOWN_MEMBER_ID,
} from '../../../../protocol/errors.ts'
import { startSession } from '../classic/rebalance.ts'
import { checkMember } from '../classic/sync.ts'

/** First version whose clients know GROUP_ID_NOT_FOUND here (KIP-848). */
const GROUP_NOT_FOUND_VERSION = 9

/** Refuses the whole request by KafkaError; a single partition only for its metadata. */
export function commitOffsets(turn: Turn, command: OffsetCommitCommand): void {
  const { request } = command
  const error = checkCommit(turn, command)
  if (error) throw new KafkaError(error)
  keepAlive(turn, command)
  const expireTimestamp = request.retentionTimeMs === -1 ? -1 : turn.now + request.retentionTimeMs
  turn.reply({ topics: recordCommits(turn, request, { expireTimestamp, producerId: -1 }) })
}

interface Commits {
  readonly groupId: string
  readonly topics: readonly {
    readonly name: string
    readonly topicId: string
    readonly partitions: readonly {
      readonly partitionIndex: number
      readonly committedOffset: number
      readonly committedLeaderEpoch: number
      readonly committedMetadata: string | null
    }[]
  }[]
}

/** Logs what may be committed and returns the answer for each partition. */
export function recordCommits(turn: Turn, request: Commits, o: { expireTimestamp: number; producerId: number }) {
  const maxMetadata = turn.config['offset.metadata.max.bytes']
  return request.topics.map(({ name, topicId, partitions }) => ({
    name,
    topicId,
    partitions: partitions.map(({ partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata }) => {
      const metadata = committedMetadata ?? ''
      if (metadata.length > maxMetadata) return { partitionIndex, errorCode: OFFSET_METADATA_TOO_LARGE }
      turn.log({
        kind: 'offset',
        groupId: request.groupId,
        topic: name,
        partition: partitionIndex,
        value: {
          offset: committedOffset,
          leaderEpoch: committedLeaderEpoch,
          metadata,
          commitTimestamp: turn.now,
          expireTimestamp: o.expireTimestamp,
          topicId,
        },
        producerId: o.producerId,
      })
      return { partitionIndex, errorCode: NONE }
    }),
  }))
}

function checkCommit(turn: Turn, { request, apiVersion }: OffsetCommitCommand): number {
  const { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch: generationId } = request
  const group = turn.view(groupId)
  if (!group) {
    if (generationId < 0) return NONE
    return apiVersion >= GROUP_NOT_FOUND_VERSION ? GROUP_ID_NOT_FOUND : ILLEGAL_GENERATION
  }
  if (generationId < 0 && group.state === 'Empty') return NONE
  const isMember = generationId >= 0 || memberId !== '' || groupInstanceId !== null
  if (!isMember) return group.state === 'Empty' ? NONE : UNKNOWN_MEMBER_ID
  const error = checkMember(group, memberId, groupInstanceId)
  if (error) return error
  if (generationId !== group.generationId) return ILLEGAL_GENERATION
  // Partitions are being given to others at this moment.
  return group.state === 'CompletingRebalance' ? REBALANCE_IN_PROGRESS : NONE
}

/** A commit is a sign of life as good as a heartbeat. */
function keepAlive(turn: Turn, { request }: OffsetCommitCommand): void {
  const group = turn.view(request.groupId)
  const member = group?.members.get(request.memberId)
  if (!group || !member) return
  if (group.state !== 'Stable' && group.state !== 'PreparingRebalance') return
  startSession(turn, request.groupId, member.memberId, member.sessionTimeoutMs)
}
