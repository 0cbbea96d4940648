// ListConfigResources names what has a configuration (KIP-1142); version 0 asks for client metrics alone (KIP-714). Kafka:
// KafkaApis.scala (handleListConfigResources).
import type { MetadataView } from '../cluster/image.ts'
import { NONE, UNSUPPORTED_VERSION } from '../../protocol/errors.ts'
import { ListConfigResources } from '../../protocol/messages/74-list-config-resources.ts'
import { ConfigResource } from '../cluster/records.ts'
import { BROKER_LOGGER } from './broker-loggers.ts'
import { handler } from './handler.ts'

const { TOPIC, BROKER, CLIENT_METRICS, GROUP } = ConfigResource
const types: readonly number[] = [TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP]

export const listConfigResources = handler(
  ListConfigResources,
  { onError: (_request, error) => ({ errorCode: error.code, configResources: [] }) },
  ({ resourceTypes }, { broker, apiVersion }) => {
    const wanted = apiVersion === 0 ? [CLIENT_METRICS] : resourceTypes.length === 0 ? types : resourceTypes
    if (wanted.some(type => !types.includes(type))) return { errorCode: UNSUPPORTED_VERSION, configResources: [] }
    const { image } = broker.metadata
    return {
      errorCode: NONE,
      configResources: [...new Set(wanted)].flatMap(resourceType =>
        [...namesOf(image, resourceType)].map(resourceName => ({ resourceName, resourceType })),
      ),
    }
  },
)

function namesOf(image: MetadataView, resourceType: number): Iterable<string> {
  switch (resourceType) {
    case TOPIC:
      return Array.from(image.topics(), ({ name }) => name)
    case BROKER:
    case BROKER_LOGGER:
      return Array.from(image.brokers(), ({ brokerId }) => String(brokerId))
    default:
      // Groups and client metrics are named where something was set for them.
      return image.configuredResources(resourceType)
  }
}
