// Configuration of groups: entries of DescribeConfigs, and which settings may be. They are kept for the group protocols
// that they configure, and have no effect until those are served. Kafka: ConfigHelper.scala, GroupConfig.java.

import type { DescribedConfig, DescribeOptions, Synonym } from './describe.ts'
import { brokerSynonyms, ConfigSource, entry, wanted } from './describe.ts'
import type { Key } from './key.ts'
import type { BrokerKeyName } from './keys.ts'
import { findBrokerKey, groupKeys } from './keys.ts'
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

/** Why a group may not have these settings, all that it would have; undefined: it may. */
export function groupFault(broker: BrokerConfig, settings: Settings): string | undefined {
  const values = new Map<string, unknown>()
  for (const [name, text] of settings) {
    if (!isGroupKey(name)) return `There is no group configuration named ${name}.`
    try {
      values.set(name, parseValue(name, groupKeys[name], text))
    } catch (error) {
      if (error instanceof ConfigError) return error.message
      throw error
    }
  }
  for (const [name, value] of values) {
    const fault = boundFault(broker, name, value)
    if (fault !== undefined) return fault
  }
  return sessionFault(broker, values) ?? textFault(broker, values)
}

const isGroupKey = (name: string): name is keyof typeof groupKeys => Object.hasOwn(groupKeys, name)

/** The broker keys whose names do not follow from the group's. */
const bounds: Readonly<Record<string, string>> = {
  'streams.num.standby.replicas': 'group.streams.max.standby.replicas',
  'streams.num.warmup.replicas': 'group.streams.max.warmup.replicas',
}

/** The broker bounds what a group may set. */
function boundFault(broker: BrokerConfig, name: string, value: unknown): string | undefined {
  if (typeof value !== 'number') return undefined
  const [kind, ...rest] = name.split('.')
  const bound = (side: 'min' | 'max'): unknown => valueOf(broker, `group.${kind}.${side}.${rest.join('.')}`)
  const min = bound('min')
  const max = bounds[name] === undefined ? bound('max') : valueOf(broker, bounds[name])
  if (typeof min === 'number' && value < min) return `${name} must be at least ${min}, which is the broker's minimum.`
  if (typeof max === 'number' && value > max) return `${name} must be at most ${max}, which is the broker's maximum.`
  return undefined
}

const valueOf = (broker: BrokerConfig, name: string): unknown =>
  findBrokerKey(name) === undefined ? undefined : broker[name as BrokerKeyName]

/** A session must be longer than the heartbeats in it. */
function sessionFault(broker: BrokerConfig, values: ReadonlyMap<string, unknown>): string | undefined {
  for (const kind of ['consumer', 'share', 'streams']) {
    const names = [`${kind}.session.timeout.ms`, `${kind}.heartbeat.interval.ms`] as const
    if (!names.some(name => values.has(name))) continue
    const [session, heartbeat] = names.map(name => (values.get(name) ?? valueOf(broker, `group.${name}`)) as number)
    if (session! <= heartbeat!)
      return `${names[0]} must be greater than ${names[1]}: ${session} is not above ${heartbeat}.`
  }
  return undefined
}

function textFault(broker: BrokerConfig, values: ReadonlyMap<string, unknown>): string | undefined {
  const assignor = values.get('streams.assignor.name') as string | undefined
  const assignors = valueOf(broker, 'group.streams.assignors') as readonly string[]
  if (assignor !== undefined && !assignors.includes(assignor))
    return `streams.assignor.name must be one of ${assignors.join(', ')}.`
  const deadLetters = values.get('errors.deadletterqueue.topic.name') as string | undefined
  return deadLetters?.startsWith('__') === true
    ? 'errors.deadletterqueue.topic.name must not be an internal topic.'
    : undefined
}
