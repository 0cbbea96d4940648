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
  clientMetricsKeys,
  dynamicFault,
  groupFault,
  groupKeys,
  isClientMetricsKey,
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

const keysOf = new Map<number, Readonly<Record<string, Key<unknown>>>>([
  [ConfigResource.TOPIC, topicKeys],
  [ConfigResource.BROKER, brokerKeys],
  [ConfigResource.CLIENT_METRICS, clientMetricsKeys],
  [ConfigResource.GROUP, groupKeys],
])

function refuseResource({ resourceType, resourceName }: Resource, nodeId: number): Refusal | null {
  if (resourceType !== ConfigResource.BROKER && keysOf.has(resourceType)) return null
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
      const keys = keysOf.get(resourceType)
      const key = keys !== undefined && Object.hasOwn(keys, name) ? keys[name] : undefined
      if (key?.type !== 'list') return undefined
      return (key.default as readonly string[] | null)?.join(',') ?? null
    },
    validate({ resourceType, resourceName }, changed, next, image) {
      if (resourceType === ConfigResource.TOPIC) return refuseTopic(resourceName, changed, image)
      if (resourceType === ConfigResource.GROUP) return refuseGroup(resourceName, changed)
      if (resourceType === ConfigResource.CLIENT_METRICS) return refuseClientMetrics(resourceName, changed)
      const fault = dynamicFault(broker.config, resourceName === '' ? 'cluster' : 'broker', changed, next)
      return fault === undefined ? null : refuse(INVALID_REQUEST, fault)
    },
  }

  function refuseGroup(group: string, changed: readonly ConfigSetting[]): Refusal | null {
    if (group === '') return refuse(INVALID_REQUEST, 'There are no settings for all groups.')
    return refuseFirst(changed, INVALID_CONFIG, ({ name, value }) => groupFault(broker.config, name, value))
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

function refuseClientMetrics(subscription: string, changed: readonly ConfigSetting[]): Refusal | null {
  if (subscription === '') return refuse(INVALID_REQUEST, 'A subscription of client metrics must have a name.')
  const code = changed.every(({ name }) => isClientMetricsKey(name)) ? INVALID_CONFIG : INVALID_REQUEST
  return refuseFirst(changed, code, ({ name, value }) => clientMetricsFault(name, value))
}

function refuseFirst(
  changed: readonly ConfigSetting[],
  code: number,
  faultOf: (setting: ConfigSetting) => string | undefined,
): Refusal | null {
  const reason = changed.map(faultOf).find(fault => fault !== undefined)
  return reason === undefined ? null : refuse(code, reason)
}

const idOf = ({ resourceType, resourceName }: Resource): string => `${resourceType}:${resourceName}`

const answer = ({ resourceType, resourceName }: Resource, refusal: Refusal): AlterResult => ({
  ...refusal,
  resourceType,
  resourceName,
})
