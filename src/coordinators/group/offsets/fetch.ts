// OffsetFetch of one group. Unknown is offset -1 without an error; a partition with an open transaction is
// UNSTABLE_OFFSET_COMMIT for those who ask for stable offsets (KIP-447).
import type { OffsetFetchCommand } from '../commands.ts'
import type { Turn } from '../turn.ts'
import type { CommittedOffset, TopicOffsets } from './store.ts'
import { NONE, UNSTABLE_OFFSET_COMMIT } from '../../../../protocol/errors.ts'
import { ZERO_UUID } from '../../../../protocol/schema.ts'

export const noOffset = (partitionIndex: number, errorCode: number) => ({
  partitionIndex,
  committedOffset: -1,
  committedLeaderEpoch: -1,
  metadata: '',
  errorCode,
})

const found = (partitionIndex: number, { offset, leaderEpoch, metadata }: CommittedOffset) => ({
  partitionIndex,
  committedOffset: offset,
  committedLeaderEpoch: leaderEpoch,
  metadata,
  errorCode: NONE,
})

/** A commit to an earlier topic of that name; records of before topic ids (zero) count for any. */
const isOfAnotherTopic = (committed: string, asked: string) =>
  committed !== ZERO_UUID && asked !== ZERO_UUID && committed !== asked

export function fetchOffsets(turn: Turn, { groupId, topics, requireStable }: OffsetFetchCommand): void {
  const committed = turn.offsets.of(groupId)
  const isUnstable = (topic: string, partition: number) =>
    requireStable && turn.offsets.isUnstable(groupId, topic, partition)
  const asked = topics ?? everything(committed)
  turn.reply({
    groupId,
    topics: asked.map(({ name, topicId, partitionIndexes }) => ({
      name,
      topicId,
      partitions: partitionIndexes.map(partition => {
        if (isUnstable(name, partition)) return noOffset(partition, UNSTABLE_OFFSET_COMMIT)
        const offset = committed.get(name)?.get(partition)
        if (!offset || isOfAnotherTopic(offset.topicId, topicId)) return noOffset(partition, NONE)
        return found(partition, offset)
      }),
    })),
  })
}

/** Offsets that were never committed outside an open transaction are not part of "all". */
const everything = (committed: TopicOffsets) =>
  [...committed].map(([name, partitions]) => ({
    name,
    topicId: ZERO_UUID,
    partitionIndexes: [...partitions.keys()],
  }))
