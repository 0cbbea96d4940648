// AlterConfigs replaces whole configurations: what is not named goes back to its default (KIP-133).
// Deprecated by IncrementalAlterConfigs. All versions carry the same fields.
import { api } from '../api.ts'
import { array, bool, int16, int32, int8, nullable, string } from '../schema.ts'

export const AlterConfigs = api(33, 'AlterConfigs', {
  versions: [0, 2],
  flexible: 2,
  request: {
    resources: array({
      resourceType: int8,
      resourceName: string,
      configs: array({
        name: string,
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
