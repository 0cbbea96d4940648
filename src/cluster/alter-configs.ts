/**
 * AlterConfigs (KIP-133) and IncrementalAlterConfigs (KIP-339) as ConfigurationControlManager decides them. A resource
 * whose change is refused keeps what it has; the others of the request change all the same.
 */
import { INVALID_CONFIG, NONE, POLICY_VIOLATION, UNKNOWN_SERVER_ERROR } from '../../protocol/errors.ts'
import { MAX_RECORDS_PER_DECISION, refuse, type Decision, type Refusal } from './decision.ts'
import type { MetadataView } from './image.ts'
import { ConfigResource, type MetadataRecord } from './records.ts'

/** AlterConfigOp.OpType. */
export const ConfigOperation = { SET: 0, DELETE: 1, APPEND: 2, SUBTRACT: 3 } as const

const operations: ReadonlySet<number> = new Set(Object.values(ConfigOperation))
export const isConfigOperation = (id: number): boolean => operations.has(id)

export interface Resource {
  readonly resourceType: number
  readonly resourceName: string
}

/** SET, APPEND and SUBTRACT have a value. */
export interface ConfigEdit {
  readonly name: string
  readonly configOperation: number
  readonly value: string | null
}

export interface ConfigSetting {
  readonly name: string
  readonly value: string
}

export interface AlterConfigsOptions {
  readonly validateOnly: boolean
  /** The default of a list key, null for none; undefined: there is no such key or it is no list. */
  listDefault(resourceType: number, name: string): string | null | undefined
  /** Why a resource may not have the settings `next`, of which `changed` are new or different; null: it may. */
  validate(
    resource: Resource,
    changed: readonly ConfigSetting[],
    next: ReadonlyMap<string, string>,
    image: MetadataView,
  ): Refusal | null
}

/** In the order of the request, one for each resource. */
export type AlterResult = Refusal & Resource

/** Kafka's bound on a single value (Short.MAX_VALUE). */
const MAX_VALUE_LENGTH = 32_767
const ELR_FEATURE = 'eligible.leader.replicas.version'
const MIN_INSYNC = 'min.insync.replicas'

/** A name and its new value, null to remove it. */
type Change = readonly [name: string, value: string | null]

/** Changes single keys; an unknown operation refuses the whole request, as in Kafka. Resources and, within one, names are distinct. */
export function incrementalAlterConfigs(
  image: MetadataView,
  resources: readonly (Resource & { readonly configs: readonly ConfigEdit[] })[],
  options: AlterConfigsOptions,
): Decision<AlterResult[]> {
  if (resources.some(({ configs }) => configs.some(({ configOperation }) => !isConfigOperation(configOperation))))
    return { records: [], reply: resources.map(resource => resultOf(resource, refuse(UNKNOWN_SERVER_ERROR, null))) }
  return alter(image, resources, options, ({ resourceType, configs }, current) => {
    const changes: Change[] = []
    for (const edit of configs) {
      const value = edited(resourceType, edit, current.get(edit.name) ?? null, options)
      if (typeof value === 'object' && value !== null) return value
      changes.push([edit.name, value])
    }
    return changes
  })
}

/** Replaces whole configurations: what is not named goes. Resources and, within one, names are distinct. */
export function alterConfigs(
  image: MetadataView,
  resources: readonly (Resource & { readonly configs: readonly ConfigSetting[] })[],
  options: AlterConfigsOptions,
): Decision<AlterResult[]> {
  return alter(image, resources, options, ({ configs }, current) => {
    const named = new Set(configs.map(({ name }) => name))
    return [
      ...configs.map(({ name, value }): Change => [name, value]),
      ...[...current.keys()].filter(name => !named.has(name)).map((name): Change => [name, null]),
    ]
  })
}

function alter<R extends Resource>(
  image: MetadataView,
  resources: readonly R[],
  options: AlterConfigsOptions,
  changesOf: (resource: R, current: ReadonlyMap<string, string>) => readonly Change[] | Refusal,
): Decision<AlterResult[]> {
  const records: MetadataRecord[] = []
  const results = resources.map(resource => {
    const changes = changesOf(resource, image.configs(resource.resourceType, resource.resourceName))
    const outcome = 'errorCode' in changes ? changes : decide(image, resource, changes, options)
    if (!('errorCode' in outcome)) records.push(...outcome)
    return resultOf(resource, 'errorCode' in outcome ? outcome : { errorCode: NONE, errorMessage: null })
  })
  records.push(...clearLeaderCandidates(image, records))
  if (records.length > MAX_RECORDS_PER_DECISION) {
    const refusal = refuse(POLICY_VIOLATION, `More than ${MAX_RECORDS_PER_DECISION} changes in one request.`)
    return { records: [], reply: resources.map(resource => resultOf(resource, refusal)) }
  }
  return { records: options.validateOnly ? [] : records, reply: results }
}

const resultOf = ({ resourceType, resourceName }: Resource, refusal: Refusal): AlterResult => ({
  ...refusal,
  resourceType,
  resourceName,
})

/** The value after one operation; null: none. */
function edited(
  resourceType: number,
  { name, configOperation, value }: ConfigEdit,
  current: string | null,
  options: AlterConfigsOptions,
): string | null | Refusal {
  if (configOperation === ConfigOperation.DELETE) return null
  if (configOperation === ConfigOperation.SET) return value
  const byDefault = options.listDefault(resourceType, name)
  if (byDefault === undefined) return refuse(INVALID_CONFIG, `${name} is no list: nothing can be added or taken away.`)
  const list = (current ?? byDefault ?? '').split(',').filter(part => part !== '')
  const parts = partsOf(value ?? '')
  if (configOperation === ConfigOperation.SUBTRACT) return list.filter(part => !parts.includes(part)).join(',')
  return [...new Set([...list, ...parts])].join(',')
}

/** As String.split of Java cuts: a text that is empty is one part, empty parts at the end are none. */
function partsOf(text: string): string[] {
  if (text === '') return ['']
  const parts = text.split(',')
  return parts.slice(0, parts.findLastIndex(part => part !== '') + 1)
}

function decide(
  image: MetadataView,
  resource: Resource,
  changes: readonly Change[],
  options: AlterConfigsOptions,
): MetadataRecord[] | Refusal {
  const { resourceType, resourceName } = resource
  const current = image.configs(resourceType, resourceName)
  const next = new Map(current)
  const changed: ConfigSetting[] = []
  // A broker's values are recorded even when they stay the same: that makes brokers read them again (KAFKA-14136).
  const different = changes.filter(
    ([name, value]) => resourceType === ConfigResource.BROKER || (current.get(name) ?? null) !== value,
  )
  for (const [name, value] of different) {
    const refusal = refuseMinInsync(image, resource, name, value)
    if (refusal !== null) return refusal
    if (value === null) {
      next.delete(name)
      continue
    }
    if (value.length > MAX_VALUE_LENGTH)
      return refuse(INVALID_CONFIG, `A value may have ${MAX_VALUE_LENGTH} characters, that of ${name} has more.`)
    next.set(name, value)
    changed.push({ name, value })
  }
  const refusal = options.validate(resource, changed, next, image)
  if (refusal !== null) return refusal
  return different.map(([name, value]) => ({
    type: 'ConfigRecord',
    value: { resourceType, resourceName, name, value },
  }))
}

/** KIP-966: with eligible leader replicas the cluster's value must stand and no broker has one of its own. */
function refuseMinInsync(image: MetadataView, resource: Resource, name: string, value: string | null): Refusal | null {
  if (resource.resourceType !== ConfigResource.BROKER || name !== MIN_INSYNC) return null
  if (image.featureLevel(ELR_FEATURE) === 0 || (resource.resourceName === '' && value !== null)) return null
  return refuse(INVALID_CONFIG, `With eligible leader replicas, ${MIN_INSYNC} is set for the cluster and stays set.`)
}

/** Leader candidates were chosen under the old min.insync.replicas. */
function clearLeaderCandidates(image: MetadataView, records: readonly MetadataRecord[]): MetadataRecord[] {
  if (image.featureLevel(ELR_FEATURE) === 0) return []
  return records.flatMap((record): MetadataRecord[] => {
    if (record.type !== 'ConfigRecord' || record.value.name !== MIN_INSYNC) return []
    const { resourceType, resourceName } = record.value
    return [{ type: 'ClearElrRecord', value: { topicName: resourceType === ConfigResource.TOPIC ? resourceName : '' } }]
  })
}
