// AlterReplicaLogDirs moves replicas between the log directories of one broker (KIP-113).
// All versions carry the same fields. v0 is gone in Kafka 4.0.
import { api } from '../api.ts'
import { array, int16, int32, string } from '../schema.ts'

export const AlterReplicaLogDirs = api(34, 'AlterReplicaLogDirs', {
  versions: [0, 2],
  flexible: 2,
  request: {
    dirs: array({
      path: string,
      topics: array({
        name: string,
        partitions: array(int32),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32.or(0),
    results: array({
      topicName: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
      }),
    }),
  },
})
