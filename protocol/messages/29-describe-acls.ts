// DescribeAcls lists the access control entries that match a filter (KIP-140).
// v1: pattern types (KIP-290), v3: resources of type user (KIP-373). v0 is gone in Kafka 4.0.
import { api } from '../api.ts'
import { array, int16, int32, int8, nullable, since, string } from '../schema.ts'

export const DescribeAcls = api(29, 'DescribeAcls', {
  versions: [0, 3],
  flexible: 2,
  request: {
    resourceTypeFilter: int8,
    resourceNameFilter: nullable.string,
    patternTypeFilter: since(1).int8.or(3),
    principalFilter: nullable.string,
    hostFilter: nullable.string,
    operation: int8,
    permissionType: int8,
  },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: nullable.string,
    resources: array({
      resourceType: int8,
      resourceName: string,
      patternType: since(1).int8.or(3),
      acls: array({
        principal: string,
        host: string,
        operation: int8,
        permissionType: int8,
      }),
    }),
  },
})
