// CreateAcls adds access control entries (KIP-140).
// v1: pattern types (KIP-290), v3: resources of type user (KIP-373). v0 is gone in Kafka 4.0.
import { api } from '../api.ts'
import { array, int16, int32, int8, nullable, since, string } from '../schema.ts'

export const CreateAcls = api(30, 'CreateAcls', {
  versions: [0, 3],
  flexible: 2,
  request: {
    creations: array({
      resourceType: int8,
      resourceName: string,
      resourcePatternType: since(1).int8.or(3),
      principal: string,
      host: string,
      operation: int8,
      permissionType: int8,
    }),
  },
  response: {
    throttleTimeMs: int32.or(0),
    results: array({
      errorCode: int16,
      errorMessage: nullable.string,
    }),
  },
})
