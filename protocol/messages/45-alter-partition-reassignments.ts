// AlterPartitionReassignments starts or, with null, cancels moves of partitions to other brokers (KIP-455).
// v1: a change of the replication factor may be refused (KIP-860).
import { api } from '../api.ts'
import { array, int16, int32, nullable, since, string } from '../schema.ts'

export const AlterPartitionReassignments = api(45, 'AlterPartitionReassignments', {
  versions: [0, 1],
  flexible: 0,
  request: {
    timeoutMs: int32.or(60000),
    allowReplicationFactorChange: since(1).bool.or(true),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        replicas: nullable.array(int32).or(null),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32.or(0),
    allowReplicationFactorChange: since(1).ignorable.bool.or(true),
    errorCode: int16,
    errorMessage: nullable.string,
    responses: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        errorMessage: nullable.string,
      }),
    }),
  },
})
