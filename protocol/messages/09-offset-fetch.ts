// OffsetFetch reads a group's committed positions, -1 where there is none.
// v0 read ZooKeeper (gone); v2: null asks for all topics, error of the whole answer; v3: throttle time, v5: leader
// epoch (KIP-320), v7: only stable offsets (KIP-447), v8: several groups at once, in another layout (KIP-709), v9:
// member id and epoch (KIP-848), v10: topic ids instead of names.
import { api } from '../api.ts'
import { array, ignorable, int16, int32, int64, nullable, since, string, until } from '../schema.ts'

export const OffsetFetch = api(9, 'OffsetFetch', {
  versions: [0, 10],
  flexible: 6,
  request: {
    groupId: until(7).string,
    topics: until(7)
      .nullSince(2)
      .array({
        name: string,
        partitionIndexes: array(int32),
      }),
    groups: since(8).array({
      groupId: string,
      memberId: since(9).nullable.ignorable.string.or(null),
      memberEpoch: since(9).ignorable.int32.or(-1),
      topics: nullable.array({
        name: until(9).ignorable.string,
        topicId: since(10).ignorable.uuid,
        partitionIndexes: array(int32),
      }),
    }),
    requireStable: since(7).bool.or(false),
  },
  response: {
    throttleTimeMs: since(3).ignorable.int32.or(0),
    topics: until(7).array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        /** -1: nothing is committed. */
        committedOffset: int64,
        committedLeaderEpoch: since(5).ignorable.int32.or(-1),
        metadata: nullable.string,
        errorCode: int16,
      }),
    }),
    errorCode: since(2).until(7).ignorable.int16.or(0),
    groups: since(8).array({
      groupId: string,
      topics: array({
        name: until(9).ignorable.string,
        topicId: since(10).ignorable.uuid,
        partitions: array({
          partitionIndex: int32,
          committedOffset: int64,
          committedLeaderEpoch: ignorable.int32.or(-1),
          metadata: nullable.string,
          errorCode: int16,
        }),
      }),
      errorCode: int16.or(0),
    }),
  },
})
