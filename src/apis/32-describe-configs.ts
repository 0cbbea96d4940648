// DescribeConfigs tells what configures a topic, a group, client metrics or this broker, with sources and synonyms (KIP-133, KIP-226, KIP-569).
// Kafka: ConfigHelper.scala.
import type { ReplyOf, RequestOf } from '../../protocol/api.ts'
import type { DescribedConfig } from '../config/index.ts'
import type { RequestContext } from './handler.ts'
import { INVALID_REQUEST, KafkaError, NONE, UNKNOWN_TOPIC_OR_PARTITION } from '../../protocol/errors.ts'
import { DescribeConfigs } from '../../protocol/messages/32-describe-configs.ts'
import { ConfigResource } from '../cluster/records.ts'
import { INVALID_TOPIC_EXCEPTION } from '../../protocol/errors.ts'
import { topicNameError } from '../cluster/topic-names.ts'
import {
  describeBroker,
  describeBrokerDefaults,
  describeClientMetrics,
  describeGroup,
  describeTopic,
} from '../config/index.ts'
import { BROKER_LOGGER, describeLoggers } from './broker-loggers.ts'
import { asServerError } from './errors.ts'
import { handler } from './handler.ts'

type Request = RequestOf<typeof DescribeConfigs>
type Resource = Request['resources'][number]
type Result = ReplyOf<typeof DescribeConfigs>['results'][number]

export const describeConfigs = handler(
  DescribeConfigs,
  {
    versions: [0, 4],
    onError: (request, error) => ({
      results: request.resources.map(resource => refusal(resource, error)),
    }),
  },
  (request, context) => ({
    results: distinct(request.resources).map(resource => describe(resource, request, context)),
  }),
)

/** A resource that is named again in the same words is answered once: the answer is much longer than its name. */
function distinct(resources: readonly Resource[]): Resource[] {
  const seen = new Map(resources.map(resource => [JSON.stringify(resource), resource]))
  return [...seen.values()]
}

function describe(resource: Resource, request: Request, context: RequestContext): Result {
  try {
    return {
      errorCode: NONE,
      errorMessage: '',
      resourceType: resource.resourceType,
      resourceName: resource.resourceName,
      configs: configsOf(resource, request, context),
    }
  } catch (error) {
    return refusal(resource, asServerError(error, context))
  }
}

function configsOf(resource: Resource, request: Request, { broker }: RequestContext): DescribedConfig[] {
  const options = {
    names: resource.configurationKeys,
    includeSynonyms: request.includeSynonyms,
    includeDocumentation: request.includeDocumentation,
  }
  const name = resource.resourceName
  switch (resource.resourceType) {
    case ConfigResource.TOPIC: {
      const reason = topicNameError(name)
      if (reason !== null) throw new KafkaError(INVALID_TOPIC_EXCEPTION, reason)
      if (!broker.metadata.image.topicByName(name)) throw new KafkaError(UNKNOWN_TOPIC_OR_PARTITION, '')
      return describeTopic(broker.config, broker.metadata.image.topicConfigs(name), options)
    }
    case ConfigResource.BROKER:
      // The empty name stands for the defaults of all brokers.
      if (name === '') return describeBrokerDefaults(broker.config, options)
      if (name !== String(broker.nodeId)) {
        throw new KafkaError(
          INVALID_REQUEST,
          `Unexpected broker id, expected ${broker.nodeId} or empty string, but received ${name}`,
        )
      }
      return describeBroker(broker.config, options)
    case BROKER_LOGGER:
      return describeLoggers(broker.levels, broker.nodeId, name, options.names)
    case ConfigResource.CLIENT_METRICS:
      if (name === '') throw new KafkaError(INVALID_REQUEST, 'A subscription of client metrics must have a name.')
      return describeClientMetrics(broker.metadata.image.configs(ConfigResource.CLIENT_METRICS, name), options)
    case ConfigResource.GROUP:
      if (name === '') throw new KafkaError(INVALID_REQUEST, 'A group must have a name.')
      return describeGroup(broker.config, broker.metadata.image.configs(ConfigResource.GROUP, name), options)
    default:
      throw new KafkaError(INVALID_REQUEST, `Unsupported resource type: ${resource.resourceType}`)
  }
}

const refusal = ({ resourceType, resourceName }: Resource, error: KafkaError): Result => ({
  errorCode: error.code,
  errorMessage: error.message,
  resourceType,
  resourceName,
  configs: [],
})
