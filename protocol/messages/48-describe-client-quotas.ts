// DescribeClientQuotas lists the quotas of users, client ids and addresses that match a filter (KIP-546).
// Both versions carry the same fields.
import { api } from '../api.ts'
import { array, bool, float64, int16, int32, int8, nullable, string } from '../schema.ts'

export const DescribeClientQuotas = api(48, 'DescribeClientQuotas', {
  versions: [0, 1],
  flexible: 1,
  request: {
    components: array({
      entityType: string,
      matchType: int8,
      match: nullable.string,
    }),
    strict: bool,
  },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: nullable.string,
    entries: nullable.array({
      entity: array({
        entityType: string,
        entityName: nullable.string,
      }),
      values: array({
        key: string,
        value: float64,
      }),
    }),
  },
})
