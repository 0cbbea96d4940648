// CreatePartitions adds partitions to topics (KIP-195).
// v3: THROTTLING_QUOTA_EXCEEDED (KIP-599).
import { api } from '../api.ts'
import { array, bool, int16, int32, nullable, string } from '../schema.ts'

export const CreatePartitions = api(37, 'CreatePartitions', {
  versions: [0, 3],
  flexible: 2,
  request: {
    topics: array({
      name: string,
      /** How many there shall be in all. */
      count: int32,
      assignments: nullable.array({
        brokerIds: array(int32),
      }),
    }),
    timeoutMs: int32,
    validateOnly: bool,
  },
  response: {
    throttleTimeMs: int32.or(0),
    results: array({
      name: string,
      errorCode: int16,
      errorMessage: nullable.string.or(null),
    }),
  },
})
