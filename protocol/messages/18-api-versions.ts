// ApiVersions tells which APIs and versions the broker speaks; a client's first request.
// Its response header is of version 0 in every version, and a version that is too high is answered in the layout
// of v0. v1: throttle time, v3: client software (KIP-511), features as tagged fields (KIP-584), v4: features may
// have minimum 0 (KIP-1022), v5: cluster and node id, so that a wrong broker can say so (KIP-1242).
import { api } from '../api.ts'
import { array, int16, since, string } from '../schema.ts'

export const ApiVersions = api(18, 'ApiVersions', {
  versions: [0, 5],
  flexible: 3,
  request: {
    clientSoftwareName: since(3).ignorable.string,
    clientSoftwareVersion: since(3).ignorable.string,
    clusterId: since(5).nullable.ignorable.string.or(null),
    nodeId: since(5).ignorable.int32.or(-1),
  },
  response: {
    errorCode: int16,
    apiKeys: array({
      apiKey: int16,
      minVersion: int16,
      maxVersion: int16,
    }),
    throttleTimeMs: since(1).ignorable.int32.or(0),
    supportedFeatures: since(3).tag(0).ignorable.array({
      name: string,
      minVersion: int16,
      maxVersion: int16,
    }),
    /** -1: unknown. */
    finalizedFeaturesEpoch: since(3).tag(1).ignorable.int64.or(-1),
    finalizedFeatures: since(3).tag(2).ignorable.array({
      name: string,
      maxVersionLevel: int16,
      minVersionLevel: int16,
    }),
    zkMigrationReady: since(3).tag(3).ignorable.bool.or(false),
  },
})
