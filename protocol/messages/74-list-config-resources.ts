// ListConfigResources lists the resources that have a configuration.
// v0 was ListClientMetricsResources: client metrics alone (KIP-714); v1: any type (KIP-1142).
import { api } from '../api.ts'
import { array, int16, int32, int8, since, string } from '../schema.ts'

export const ListConfigResources = api(74, 'ListConfigResources', {
  versions: [0, 1],
  flexible: 0,
  request: {
    resourceTypes: since(1).array(int8),
  },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    configResources: array({
      resourceName: string,
      resourceType: since(1).ignorable.int8.or(16),
    }),
  },
})
