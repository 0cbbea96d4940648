// IncrementalAlterConfigs changes single configuration keys: set, delete, append, subtract (KIP-339).
// Both versions carry the same fields.
import { api } from '../api.ts'
import { array, bool, int16, int32, int8, nullable, string } from '../schema.ts'

export const IncrementalAlterConfigs = api(44, 'IncrementalAlterConfigs', {
  versions: [0, 1],
  flexible: 1,
  request: {
    resources: array({
      resourceType: int8,
      resourceName: string,
      configs: array({
        name: string,
        configOperation: int8,
        value: nullable.string,
      }),
    }),
    validateOnly: bool,
  },
  response: {
    throttleTimeMs: int32.or(0),
    responses: array({
      errorCode: int16,
      errorMessage: nullable.string,
      resourceType: int8,
      resourceName: string,
    }),
  },
})
