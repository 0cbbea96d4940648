// ListPartitionReassignments lists the moves under way (KIP-455); null asks for all.
import { api } from '../api.ts'
import { array, int16, int32, nullable, string } from '../schema.ts'

export const ListPartitionReassignments = api(46, 'ListPartitionReassignments', {
  versions: [0, 0],
  flexible: 0,
  request: {
    timeoutMs: int32.or(60000),
    topics: nullable
      .array({
        name: string,
        partitionIndexes: array(int32),
      })
      .or(null),
  },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: nullable.string,
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        replicas: array(int32),
        addingReplicas: array(int32),
        removingReplicas: array(int32),
      }),
    }),
  },
})
