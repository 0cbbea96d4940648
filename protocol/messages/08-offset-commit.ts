// OffsetCommit stores a group's positions.
// v1: generation and member, and a commit timestamp in that version alone; v2: retention time (until v4, KIP-211),
// v3: throttle time, v6: leader epoch (KIP-320), v7: static members (KIP-345), v9: also for the consumer protocol,
// where the generation is the member epoch (KIP-848), v10: topic ids instead of names. v0-1 are gone in Kafka 4.0.
import { api } from '../api.ts'
import { array, int16, int32, int64, nullable, since, string, until } from '../schema.ts'

export const OffsetCommit = api(8, 'OffsetCommit', {
  versions: [0, 10],
  flexible: 8,
  request: {
    groupId: string,
    /** -1 with an empty member id: a commit from outside the group. */
    generationIdOrMemberEpoch: since(1).ignorable.int32.or(-1),
    memberId: since(1).ignorable.string,
    groupInstanceId: since(7).nullable.string.or(null),
    retentionTimeMs: since(2).until(4).ignorable.int64.or(-1),
    topics: array({
      name: until(9).ignorable.string,
      topicId: since(10).ignorable.uuid,
      partitions: array({
        partitionIndex: int32,
        committedOffset: int64,
        committedLeaderEpoch: since(6).ignorable.int32.or(-1),
        commitTimestamp: since(1).until(1).int64.or(-1),
        committedMetadata: nullable.string,
      }),
    }),
  },
  response: {
    throttleTimeMs: since(3).ignorable.int32.or(0),
    topics: array({
      name: until(9).ignorable.string,
      topicId: since(10).ignorable.uuid,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
      }),
    }),
  },
})
