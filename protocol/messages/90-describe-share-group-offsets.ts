// DescribeShareGroupOffsets shows where share groups start in each partition (KIP-932); null asks for all topics.
// v1: lag (KIP-1226).
import { api } from '../api.ts'
import { array, int16, int32, int64, nullable, since, string, uuid } from '../schema.ts'

export const DescribeShareGroupOffsets = api(90, 'DescribeShareGroupOffsets', {
  versions: [0, 1],
  flexible: 0,
  request: {
    groups: array({
      groupId: string,
      topics: nullable.array({
        topicName: string,
        partitions: array(int32),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32.or(0),
    groups: array({
      groupId: string,
      topics: array({
        topicName: string,
        topicId: uuid,
        partitions: array({
          partitionIndex: int32,
          startOffset: int64,
          leaderEpoch: int32,
          lag: since(1).ignorable.int64.or(-1),
          errorCode: int16,
          errorMessage: nullable.string.or(null),
        }),
      }),
      errorCode: int16,
      errorMessage: nullable.string.or(null),
    }),
  },
})
