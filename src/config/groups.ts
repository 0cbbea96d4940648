// Configuration of groups and of client metrics subscriptions, which exist by name alone: entries of DescribeConfigs, and
// which settings may be. Kafka: ConfigHelper.scala, GroupConfig.java, ClientMetricsConfigs.java.

import type { DescribedConfig, DescribeOptions, Synonym } from './describe.ts'
import { brokerSynonyms, ConfigSource, entry, wanted } from './describe.ts'
import type { Key } from './key.ts'
import type { BrokerKeyName } from './keys.ts'
import { clientMetricsKeys, findBrokerKey, groupKeys } from './keys.ts'
import type { BrokerConfig } from './parse.ts'
import { ConfigError, formatValue, parseValue } from './values.ts'

type Settings = ReadonlyMap<string, string>

export function describeGroup(broker: BrokerConfig, own: Settings, options: DescribeOptions): DescribedConfig[] {
  const isSet = (name: string): boolean => own.has(name) || broker.explicit.has(`group.${name}`)
  return wanted(groupKeys, options, isSet).map(name => {
    const key: Key<unknown> = groupKeys[name]
    const of = brokerKeyOf(name)
    const text = own.get(name)
    const value = text === undefined ? inherited(broker, name) : formatValue(key, parseValue(name, key, text))
    const synonyms = of === undefined ? defaultOnly(name, key) : brokerSynonyms(broker, of)
    if (text !== undefined) synonyms.unshift({ name, value, source: ConfigSource.GROUP })
    return entry(name, key, value, synonyms, false, options)
  })
}

/** The broker's key of a group's key, where it has one: it gives the default. */
function brokerKeyOf(name: keyof typeof groupKeys): BrokerKeyName | undefined {
  const key: Key<unknown> = groupKeys[name]
  const of = key.broker?.[0]?.key ?? `group.${name}`
  return findBrokerKey(of) === undefined ? undefined : (of as BrokerKeyName)
}

/** What a group has that sets nothing. It has one assignor, the broker a list: the first is the default. */
function inherited(broker: BrokerConfig, name: keyof typeof groupKeys): string | null {
  const key: Key<unknown> = groupKeys[name]
  const of = brokerKeyOf(name)
  const value: unknown = of === undefined ? key.default : broker[of]
  return formatValue(key, key.type === 'string' && Array.isArray(value) ? value[0] : value)
}

function defaultOnly(name: string, key: Key<unknown>): Synonym[] {
  const value = formatValue(key, key.default)
  return value === null ? [] : [{ name, value, source: ConfigSource.DEFAULT }]
}

export function describeClientMetrics(own: Settings, options: DescribeOptions): DescribedConfig[] {
  return wanted(clientMetricsKeys, options, name => own.has(name)).map(name => {
    const key: Key<unknown> = clientMetricsKeys[name]
    const text = own.get(name)
    const value = formatValue(key, text === undefined ? key.default : parseValue(name, key, text))
    const synonyms = text === undefined ? [] : [{ name, value, source: ConfigSource.CLIENT_METRICS }]
    return entry(name, key, value, synonyms, false, options)
  })
}

/** Why a setting of a group is refused: unknown, not of its type, or without effect and not what it is anyway. */
export function groupFault(broker: BrokerConfig, name: string, text: string): string | undefined {
  if (!isGroupKey(name)) return `There is no group configuration named ${name}.`
  return valueFault(name, groupKeys[name], text, inherited(broker, name))
}

/** The same for client metrics. */
export function clientMetricsFault(name: string, text: string): string | undefined {
  if (!isClientMetricsKey(name)) return `There is no client metrics configuration named ${name}.`
  const key: Key<unknown> = clientMetricsKeys[name]
  return valueFault(name, key, text, formatValue(key, key.default))
}

export const isGroupKey = (name: string): name is keyof typeof groupKeys => Object.hasOwn(groupKeys, name)
export const isClientMetricsKey = (name: string): name is keyof typeof clientMetricsKeys =>
  Object.hasOwn(clientMetricsKeys, name)

function valueFault(name: string, key: Key<unknown>, text: string, anyway: string | null): string | undefined {
  try {
    const asked = formatValue(key, parseValue(name, key, text))
    if (key.effect === 'works' || asked === anyway || asked === formatValue(key, key.default)) return undefined
    return `${name} has no effect in this version of Odradek yet; leave it at ${anyway ?? 'its default'}.`
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
}
