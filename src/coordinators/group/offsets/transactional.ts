// TxnOffsetCommit: offsets that count once their transaction commits. KIP-447 fences by generation, member and instance;
// clients before it give none of them and are let in (ClassicGroup.validateOffsetCommit, OffsetMetadataManager.java).
import type { EndTransactionCommand, TxnOffsetCommitCommand } from '../commands.ts'
import type { Turn } from '../turn.ts'
import {
  GROUP_ID_NOT_FOUND,
  ILLEGAL_GENERATION,
  INVALID_PRODUCER_ID_MAPPING,
  KafkaError,
  NONE,
} from '../../../../protocol/errors.ts'
import { checkMember } from '../classic/sync.ts'
import { recordCommits } from './commit.ts'

/** First version whose clients know GROUP_ID_NOT_FOUND here (KIP-1319). */
const GROUP_NOT_FOUND_VERSION = 6

/** Refuses the whole request by KafkaError; a single partition only for its metadata. */
export function commitInTransaction(turn: Turn, command: TxnOffsetCommitCommand): void {
  const { request, verification } = command
  const { producerId, producerEpoch } = request
  // Where nobody verifies; such offsets would count at once.
  if (producerId < 0 || producerEpoch < 0) throw new KafkaError(INVALID_PRODUCER_ID_MAPPING)
  const error = checkCommit(turn, command)
  if (error) throw new KafkaError(error)
  turn.producer = { producerId, producerEpoch, isMarker: false, verification }
  turn.reply({ topics: recordCommits(turn, request, { expireTimestamp: -1, producerId }) })
}

function checkCommit(turn: Turn, { request, apiVersion }: TxnOffsetCommitCommand): number {
  const { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch: generationId } = request
  const group = turn.view(groupId)
  if (!group) {
    if (generationId < 0) return NONE
    return apiVersion >= GROUP_NOT_FOUND_VERSION ? GROUP_ID_NOT_FOUND : ILLEGAL_GENERATION
  }
  if (generationId < 0 && group.state === 'Empty') return NONE
  if (generationId < 0 && memberId === '' && groupInstanceId === null) return NONE
  const error = checkMember(group, memberId, groupInstanceId)
  if (error) return error
  return generationId === group.generationId ? NONE : ILLEGAL_GENERATION
}

/** The marker: what was pending is committed, or forgotten. */
export function endTransaction(turn: Turn, command: EndTransactionCommand): void {
  const { producerId, producerEpoch, commit, coordinatorEpoch, transactionVersion } = command
  turn.log({ kind: 'endTransaction', producerId, committed: commit, coordinatorEpoch })
  turn.producer = { producerId, producerEpoch, isMarker: true, transactionVersion }
  turn.reply(null)
}
