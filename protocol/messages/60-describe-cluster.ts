// DescribeCluster tells cluster id, controller and brokers (KIP-700).
// v1: which kind of endpoint is asked, brokers or controllers (KIP-919); v2: fenced brokers too (KIP-1073).
import { api } from '../api.ts'
import { array, bool, int16, int32, nullable, since, string } from '../schema.ts'

export const DescribeCluster = api(60, 'DescribeCluster', {
  versions: [0, 2],
  flexible: 0,
  request: {
    includeClusterAuthorizedOperations: bool,
    endpointType: since(1).int8.or(1),
    includeFencedBrokers: since(2).bool,
  },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: nullable.string.or(null),
    endpointType: since(1).int8.or(1),
    clusterId: string,
    controllerId: int32.or(-1),
    brokers: array({
      brokerId: int32,
      host: string,
      port: int32,
      rack: nullable.string.or(null),
      isFenced: since(2).bool,
    }),
    clusterAuthorizedOperations: int32.or(-0x80000000),
  },
})
