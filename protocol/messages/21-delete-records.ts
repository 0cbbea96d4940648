// DeleteRecords moves the start of partitions' logs forward; -1 is the high watermark (KIP-107).
// All versions carry the same fields.
import { api } from '../api.ts'
import { array, int16, int32, int64, string } from '../schema.ts'

export const DeleteRecords = api(21, 'DeleteRecords', {
  versions: [0, 2],
  flexible: 2,
  request: {
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        /** The new start; -1: the high watermark. */
        offset: int64,
      }),
    }),
    timeoutMs: int32,
  },
  response: {
    throttleTimeMs: int32.or(0),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        lowWatermark: int64,
        errorCode: int16,
      }),
    }),
  },
})
