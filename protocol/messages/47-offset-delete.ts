// OffsetDelete deletes a group's committed offsets of topics that it is not subscribed to (KIP-496).
import { api } from '../api.ts'
import { array, ignorable, int16, int32, string } from '../schema.ts'

export const OffsetDelete = api(47, 'OffsetDelete', {
  versions: [0, 0],
  request: {
    groupId: string,
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
      }),
    }),
  },
  response: {
    errorCode: int16,
    throttleTimeMs: ignorable.int32.or(0),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
      }),
    }),
  },
})
