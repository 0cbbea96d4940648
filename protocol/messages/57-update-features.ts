// UpdateFeatures raises or lowers finalized feature levels (KIP-584).
// v1: dry run, and the kind of downgrade instead of a flag (KIP-778); v2: one error instead of one for each
// feature.
import { api } from '../api.ts'
import { array, int16, int32, nullable, since, string, until } from '../schema.ts'

export const UpdateFeatures = api(57, 'UpdateFeatures', {
  versions: [0, 2],
  flexible: 0,
  request: {
    timeoutMs: int32.or(60000),
    featureUpdates: array({
      feature: string,
      maxVersionLevel: int16,
      allowDowngrade: until(0).bool,
      upgradeType: since(1).int8.or(1),
    }),
    validateOnly: since(1).bool.or(false),
  },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: nullable.string,
    results: until(1).ignorable.array({
      feature: string,
      errorCode: int16,
      errorMessage: nullable.string,
    }),
  },
})
