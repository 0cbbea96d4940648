// ApiVersions tells what is served, and learns who is asking (KIP-511). Kafka: KafkaApis.scala (handleApiVersionsRequest),
// ApiVersionsRequest.java (isValid), DefaultApiVersionManager.java. Too high a version never comes here: dispatch answers it.
import type { ReplyOf } from '../../protocol/api.ts'
import type { Handler, RequestContext } from './handler.ts'
import { INVALID_REQUEST, NONE, REBOOTSTRAP_REQUIRED } from '../../protocol/errors.ts'
import { ApiVersions } from '../../protocol/messages/18-api-versions.ts'
import { featuresAs } from './features.ts'
import { handler } from './handler.ts'

type Reply = ReplyOf<typeof ApiVersions>

const SOFTWARE = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

/** `handlers` is asked at each request, since the list holds this handler too. */
export const apiVersions = (handlers: () => readonly Handler[]): Handler =>
  handler(
    ApiVersions,
    { onError: (_request, error) => ({ errorCode: error.code, apiKeys: [] }) },
    (request, context) => {
      const { apiVersion, broker, connection } = context
      if (apiVersion >= 3) {
        const { clientSoftwareName, clientSoftwareVersion } = request
        if (!SOFTWARE.test(clientSoftwareName) || !SOFTWARE.test(clientSoftwareVersion)) {
          return { errorCode: INVALID_REQUEST, apiKeys: [] }
        }
        connection.softwareName = clientSoftwareName
        connection.softwareVersion = clientSoftwareVersion
      }
      // KIP-1242: a client that remembers another cluster or node has to start over.
      const wrongCluster =
        request.clusterId !== null && (request.clusterId !== broker.clusterId || request.nodeId !== broker.nodeId)
      if (apiVersion >= 5 && wrongCluster) return { errorCode: REBOOTSTRAP_REQUIRED, apiKeys: [] }
      return {
        errorCode: NONE,
        apiKeys: handlers().map(({ api, advertised: [minVersion, maxVersion] }) => ({
          apiKey: api.key,
          minVersion,
          maxVersion,
        })),
        ...features(context),
      }
    },
  )

function features({
  apiVersion,
  broker,
}: RequestContext): Pick<Reply, 'supportedFeatures' | 'finalizedFeatures' | 'finalizedFeaturesEpoch'> {
  const { supported, finalized, epoch } = featuresAs(broker.config['odradek.as.version'], broker.features())
  return {
    // Below version 4 a minimum of 0 could not be read (KAFKA-17011).
    supportedFeatures: supported.filter(({ minVersion }) => apiVersion >= 4 || minVersion > 0),
    finalizedFeatures: finalized.map(({ name, level }) => ({ name, maxVersionLevel: level, minVersionLevel: level })),
    finalizedFeaturesEpoch: epoch,
  }
}
