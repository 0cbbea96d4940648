// CreateTopics asks the controller for topics (KIP-4); results carry the configuration since version 5 (KIP-525). Kafka:
// ControllerApis.scala (createTopics), ReplicationControlManager.java.
import type { TopicConfigEntry } from '../cluster/create-topics.ts'
import type { RequestContext } from './handler.ts'
import { CreateTopics } from '../../protocol/messages/19-create-topics.ts'
import { createTopics as decide } from '../cluster/controller.ts'
import { describeTopic, validateTopicConfigs } from '../config/index.ts'
import { handler } from './handler.ts'

export const createTopics = handler(
  CreateTopics,
  {
    barrier: true,
    onError: (request, error) => ({
      topics: request.topics.map(({ name }) => ({
        name,
        errorCode: error.code,
        errorMessage: error.message,
        configs: [],
      })),
    }),
  },
  (request, context) => {
    // Most topics have no settings of their own.
    const defaults = once(() => describe(new Map(), context))
    return context.broker.metadata.submit(image =>
      decide(image, request, {
        numPartitions: context.broker.config['num.partitions'],
        replicationFactor: context.broker.config['default.replication.factor'],
        newTopicId: () => context.broker.runtime.random.uuid(),
        validateConfigs: configs => refusalOf(configs, context),
        describeConfigs: configs => (configs.size === 0 ? defaults() : describe(configs, context)),
      }),
    )
  },
)

function once<T>(make: () => T): () => T {
  let made: { value: T } | null = null
  return () => (made ??= { value: make() }).value
}

function refusalOf(configs: Parameters<typeof validateTopicConfigs>[0], { broker }: RequestContext) {
  const verdict = validateTopicConfigs(configs, broker.config)
  return verdict.ok ? null : { errorCode: verdict.errorCode, errorMessage: verdict.message }
}

/** A topic's own values as they were sent, TRUE for one, where DescribeConfigs shows what was understood (true). */
function describe(configs: ReadonlyMap<string, string>, { broker }: RequestContext): readonly TopicConfigEntry[] {
  return describeTopic(broker.config, configs, {
    names: null,
    includeSynonyms: false,
    includeDocumentation: false,
  }).map(entry => ({ ...entry, value: configs.get(entry.name) ?? entry.value }))
}
