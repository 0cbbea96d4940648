// ElectLeaders has the controller elect preferred leaders (KIP-183); null asks for all partitions.
// v1: unclean elections too, and an error of the whole answer (KIP-460).
import { api } from '../api.ts'
import { array, int16, int32, nullable, since, string } from '../schema.ts'

export const ElectLeaders = api(43, 'ElectLeaders', {
  versions: [0, 2],
  flexible: 2,
  request: {
    electionType: since(1).int8,
    topicPartitions: nullable.array({
      topic: string,
      partitions: array(int32),
    }),
    timeoutMs: int32.or(60000),
  },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode: since(1).int16,
    replicaElectionResults: array({
      topic: string,
      partitionResult: array({
        partitionId: int32,
        errorCode: int16,
        errorMessage: nullable.string,
      }),
    }),
  },
})
