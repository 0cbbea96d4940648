// AlterClientQuotas sets or removes quotas (KIP-546). Both versions carry the same fields.
import { api } from '../api.ts'
import { array, bool, float64, int16, int32, nullable, string } from '../schema.ts'

const entityData = {
  entityType: string,
  entityName: nullable.string,
}

export const AlterClientQuotas = api(49, 'AlterClientQuotas', {
  versions: [0, 1],
  flexible: 1,
  request: {
    entries: array({
      entity: array(entityData),
      ops: array({
        key: string,
        value: float64,
        remove: bool,
      }),
    }),
    validateOnly: bool,
  },
  response: {
    throttleTimeMs: int32.or(0),
    entries: array({
      errorCode: int16,
      errorMessage: nullable.string,
      entity: array(entityData),
    }),
  },
})
