// What AlterConfigs and IncrementalAlterConfigs share: what the broker refuses before it asks the controller, and how the
// controller is told which settings may be. Kafka: ConfigAdminManager.scala, ControllerConfigurationValidator.scala.
import type { AlterConfigsOptions, AlterResult, ConfigSetting, Resource } from '../cluster/alter-configs.ts'
import type { Decision, Refusal } from '../cluster/decision.ts'
import type { MetadataView } from '../cluster/image.ts'
import type { Key } from '../config/key.ts'
import type { RequestContext } from './handler.ts'
import {
  INVALID_CONFIG,
  INVALID_REQUEST,
  INVALID_TOPIC_EXCEPTION,
  type KafkaError,
  UNKNOWN_TOPIC_OR_PARTITION,
} from '../../protocol/errors.ts'
import { duplicates, refuse } from '../cluster/decision.ts'
import { ConfigResource } from '../cluster/records.ts'
import { topicNameError } from '../cluster/topic-names.ts'
import {
  brokerKeys,
  clientMetricsFault,
  dynamicFault,
  groupFault,
  topicKeys,
  validateTopicConfigs,
} from '../config/index.ts'

/** The error of the whole request, for each of its resources. */
export const refuseAll = (resources: readonly Resource[], { code, message }: KafkaError): AlterResult[] =>
  resources.map(resource => answer(resource, { errorCode: code, errorMessage: message }))

/** Answers what can be refused at once, decides the rest in one go, and puts both in the order of the request. */
export async function change<R extends Resource>(
  { broker }: RequestContext,
  resources: readonly R[],
  early: (resource: R) => Refusal | null,
  decide: (image: MetadataView, resources: readonly R[]) => Decision<AlterResult[]>,
): Promise<AlterResult[]> {
  const repeated = duplicates(resources.map(idOf))
  const refused = new Map<R, Refusal>()
  for (const resource of resources) {
    const refusal = repeated.has(idOf(resource))
      ? refuse(INVALID_REQUEST, 'Each resource must appear at most once.')
      : (early(resource) ?? refuseResource(resource, broker.nodeId))
    if (refusal !== null) refused.set(resource, refusal)
  }
  const left = resources.filter(resource => !refused.has(resource))
  const decided = left.length === 0 ? [] : await broker.metadata.submit(image => decide(image, left))
  const results = new Map(left.map((resource, i) => [resource, decided[i]!]))
  return resources.map(resource => results.get(resource) ?? answer(resource, refused.get(resource)!))
}

/** A name twice, or a value that must be there and is not. */
export function refuseEntries(names: readonly string[], missing: readonly string[]): Refusal | null {
  if (duplicates(names).size > 0) return refuse(INVALID_REQUEST, 'A configuration key is named more than once.')
  if (missing.length > 0) return refuse(INVALID_REQUEST, `There must be a value for: ${missing.join(', ')}.`)
  return null
}

const types: readonly number[] = Object.values(ConfigResource)

/** Those with lists that can be appended to: Kafka's controller does not know the types of the keys of groups and client metrics. */
const listsOf = new Map<number, Readonly<Record<string, Key<unknown>>>>([
  [ConfigResource.TOPIC, topicKeys],
  [ConfigResource.BROKER, brokerKeys],
])

function refuseResource({ resourceType, resourceName }: Resource, nodeId: number): Refusal | null {
  if (resourceType !== ConfigResource.BROKER && types.includes(resourceType)) return null
  if (resourceType !== ConfigResource.BROKER)
    return refuse(INVALID_REQUEST, `The configuration of resource type ${resourceType} cannot be changed.`)
  if (resourceName === '') return null
  if (!/^[+-]?\d+$/.test(resourceName)) return refuse(INVALID_REQUEST, `A broker id must be a number: ${resourceName}.`)
  if (Number(resourceName) === nodeId) return null
  return refuse(INVALID_REQUEST, `Unexpected broker id, expected ${nodeId}, but received ${resourceName}`)
}

export function alterOptions({ broker }: RequestContext, validateOnly: boolean): AlterConfigsOptions {
  return {
    validateOnly,
    listDefault(resourceType, name) {
      const keys = listsOf.get(resourceType)
      const key = keys !== undefined && Object.hasOwn(keys, name) ? keys[name] : undefined
      if (key?.type !== 'list') return undefined
      return (key.default as readonly string[] | null)?.join(',') ?? null
    },
    validate({ resourceType, resourceName }, changed, next, image) {
      if (resourceType === ConfigResource.TOPIC) return refuseTopic(resourceName, changed, image)
      if (resourceType === ConfigResource.GROUP) return refuseGroup(resourceName, next)
      if (resourceType === ConfigResource.CLIENT_METRICS) return refuseClientMetrics(resourceName, next)
      const fault = dynamicFault(broker.config, resourceName === '' ? 'cluster' : 'broker', changed, next)
      return fault === undefined ? null : refuse(INVALID_REQUEST, fault)
    },
  }

  function refuseGroup(group: string, settings: ReadonlyMap<string, string>): Refusal | null {
    if (group === '') return refuse(INVALID_REQUEST, 'There are no settings for all groups.')
    const fault = groupFault(broker.config, settings)
    return fault === undefined ? null : refuse(INVALID_CONFIG, fault)
  }

  function refuseTopic(topic: string, changed: readonly ConfigSetting[], image: MetadataView): Refusal | null {
    if (topic === '') return refuse(INVALID_REQUEST, 'There are no settings for all topics.')
    const reason = topicNameError(topic)
    if (reason !== null) return refuse(INVALID_TOPIC_EXCEPTION, `This is no legal topic name: ${reason}.`)
    const verdict = validateTopicConfigs(changed, broker.config)
    if (!verdict.ok) return refuse(verdict.errorCode, verdict.message)
    return image.topicByName(topic) ? null : refuse(UNKNOWN_TOPIC_OR_PARTITION, `There is no topic '${topic}'.`)
  }
}

function refuseClientMetrics(subscription: string, settings: ReadonlyMap<string, string>): Refusal | null {
  if (subscription === '') return refuse(INVALID_REQUEST, 'A subscription of client metrics must have a name.')
  const fault = clientMetricsFault(settings)
  return fault === undefined ? null : refuse(fault.errorCode, fault.message)
}

const idOf = ({ resourceType, resourceName }: Resource): string => `${resourceType}:${resourceName}`

const answer = ({ resourceType, resourceName }: Resource, refusal: Refusal): AlterResult => ({
  ...refusal,
  resourceType,
  resourceName,
})
