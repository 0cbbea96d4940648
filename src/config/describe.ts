// Entries of DescribeConfigs for a topic and for the broker, as Kafka's ConfigHelper gives them: value, source, type,
// synonyms in order of precedence, read-only and sensitive flags.

import type { Key, KeyType } from './key.ts'
import type { BrokerKeyName } from './keys.ts'
import { brokerKeys, namesOf, topicKeys } from './keys.ts'
import { defaultOf } from './defaults.ts'
import { familyOf } from './families.ts'
import { listenerKey } from './listener-limits.ts'
import type { BrokerConfig } from './parse.ts'
import type { Overrides } from './topic.ts'
import { asMap, brokerDefault } from './topic.ts'
import { formatValue, parseValue } from './values.ts'

/** DescribeConfigsResponse.ConfigSource. */
export const ConfigSource = {
  TOPIC: 1,
  DYNAMIC_BROKER: 2,
  DYNAMIC_DEFAULT_BROKER: 3,
  STATIC_BROKER: 4,
  DEFAULT: 5,
  DYNAMIC_BROKER_LOGGER: 6,
  CLIENT_METRICS: 7,
  GROUP: 8,
} as const

/** DescribeConfigsResponse.ConfigType. */
const configTypes = {
  boolean: 1,
  string: 2,
  int: 3,
  short: 4,
  long: 5,
  double: 6,
  list: 7,
  class: 8,
  password: 9,
} as const satisfies Record<KeyType, number>

export interface Synonym {
  name: string
  value: string | null
  source: number
}

/** One entry of DescribeConfigsResponse, every version's fields. */
export interface DescribedConfig {
  name: string
  /** null when unset or secret */
  value: string | null
  readOnly: boolean
  /** Version 0 only; later ones have the source. */
  isDefault: boolean
  configSource: number
  isSensitive: boolean
  synonyms: Synonym[]
  configType: number
  documentation: string | null
}

export interface DescribeOptions {
  /** Names asked for; null or none means all (KAFKA: configuration_keys). */
  readonly names: readonly string[] | null
  readonly includeSynonyms: boolean
  readonly includeDocumentation: boolean
}

export function describeTopic(broker: BrokerConfig, overrides: Overrides, options: DescribeOptions): DescribedConfig[] {
  const own = asMap(overrides)
  return wanted(topicKeys, options, name => own.has(name)).map(name => {
    const key: Key<unknown> = topicKeys[name]
    const text = own.get(name)
    const value = formatValue(key, text === undefined ? brokerDefault(broker, name) : parseValue(name, key, text))
    const inherited = topicSynonyms(broker, key)
    const synonyms = text === undefined ? inherited : [{ name, value, source: ConfigSource.TOPIC }, ...inherited]
    return entry(name, key, value, synonyms, false, options)
  })
}

export function describeBroker(broker: BrokerConfig, options: DescribeOptions): DescribedConfig[] {
  const { explicit, dynamic } = broker
  const isSet = (name: string): boolean =>
    explicit.has(name) || [dynamic.broker, dynamic.cluster].some(of => of.has(name as BrokerKeyName))
  const entries = wanted(brokerKeys, options, isSet).map(name => {
    const key: Key<unknown> = brokerKeys[name]
    const value = formatValue(key, broker[name])
    return entry(name, key, value, brokerSynonyms(broker, name), key.update === 'restart', options)
  })
  const { broker: own, cluster } = broker.dynamic.listeners
  const names = new Set([...broker.listenerSettings.keys(), ...cluster.keys(), ...own.keys()])
  return [...entries, ...listenerEntries(broker, names, options)]
}

/** Limits of listeners; the broker's own are their synonyms. Kafka calls them read-only, and lets them change. */
function listenerEntries(broker: BrokerConfig, names: Iterable<string>, options: DescribeOptions): DescribedConfig[] {
  const asked = options.names === null || options.names.length === 0 ? null : new Set(options.names)
  return [...names]
    .filter(name => asked === null || asked.has(name))
    .map(name => {
      const { base } = listenerKey(name)!
      const { broker: own, cluster } = broker.dynamic.listeners
      const ofBroker = brokerSynonyms(broker, base)
      const layers = [
        { source: ConfigSource.DYNAMIC_BROKER, value: own.get(name) },
        { source: ConfigSource.DYNAMIC_DEFAULT_BROKER, value: cluster.get(name) },
        { source: ConfigSource.STATIC_BROKER, value: broker.listenerSettings.get(name)?.text },
        { source: ConfigSource.DEFAULT, value: undefined },
      ]
      const all = layers.flatMap(({ source, value }) => [
        ...(value === undefined ? [] : [{ name, value, source }]),
        ...ofBroker.filter(synonym => synonym.source === source),
      ])
      const synonyms = all.slice(all.findIndex(synonym => synonym.name === name))
      return entry(name, brokerKeys[base], synonyms[0]!.value, synonyms, true, options)
    })
}

/** What is set for all brokers while they run (the resource with the empty name). */
export function describeBrokerDefaults(broker: BrokerConfig, options: DescribeOptions): DescribedConfig[] {
  const asked = options.names === null || options.names.length === 0 ? null : new Set(options.names)
  const ofAll = ({ source }: Synonym): boolean => source === ConfigSource.DYNAMIC_DEFAULT_BROKER
  const entries = [...broker.dynamic.cluster]
    .filter(([name]) => asked === null || asked.has(name))
    .map(([name, text]) =>
      entry(name, brokerKeys[name], text, brokerSynonyms(broker, name).filter(ofAll), false, options),
    )
  const listeners = listenerEntries(broker, broker.dynamic.listeners.cluster.keys(), options).map(of => ({
    ...of,
    value: broker.dynamic.listeners.cluster.get(of.name)!,
    configSource: ConfigSource.DYNAMIC_DEFAULT_BROKER,
    synonyms: of.synonyms.filter(ofAll),
  }))
  return [...entries, ...listeners]
}

/** The names that are asked for and may be told, in order. */
export function wanted<K extends Readonly<Record<string, Key<unknown>>>>(
  keys: K,
  { names }: DescribeOptions,
  isSet: (name: string) => boolean,
): (keyof K & string)[] {
  const all = namesOf(keys)
  const asked = names === null || names.length === 0 ? null : new Set(names)
  return all.filter(name => {
    const key = keys[name]!
    // Kafka lists internal keys, and those that no file can set, only where they are set.
    const isListed = key.internal !== true && key.dynamicOnly !== true
    return (asked === null || asked.has(name)) && (isListed || isSet(name))
  })
}

export function entry(
  name: string,
  key: Key<unknown>,
  value: string | null,
  synonyms: Synonym[],
  readOnly: boolean,
  options: DescribeOptions,
): DescribedConfig {
  const configSource = synonyms[0]?.source ?? ConfigSource.DEFAULT
  return {
    name,
    value: key.secret ? null : value,
    readOnly,
    isDefault: configSource === ConfigSource.DEFAULT,
    configSource,
    isSensitive: key.secret,
    synonyms: options.includeSynonyms ? synonyms : [],
    configType: configTypes[key.type],
    documentation: options.includeDocumentation ? documentation(key) : null,
  }
}

const documentation = (key: Key<unknown>): string =>
  key.effect === 'works' ? key.doc : `${key.doc} It has no effect in this version of Odradek.`

/** Kafka looks up the first broker key alone; the others count as its synonyms. */
function topicSynonyms(broker: BrokerConfig, key: Key<unknown>): Synonym[] {
  const first = key.broker?.[0]
  return first === undefined ? [] : brokerSynonyms(broker, first.key as BrokerKeyName)
}

/** What gives a broker key its value, highest precedence first; it starts with the key's own name or is empty. */
export function brokerSynonyms(broker: BrokerConfig, name: BrokerKeyName): Synonym[] {
  const found: Synonym[] = []
  const names = familyOf(name)
  const add = (of: BrokerKeyName, text: string | null | undefined, source: number): void => {
    if (text !== undefined && text !== null)
      found.push({ name: of, value: brokerKeys[of].secret ? null : text, source })
  }
  for (const of of names) add(of, broker.dynamic.broker.get(of), ConfigSource.DYNAMIC_BROKER)
  for (const of of names) add(of, broker.dynamic.cluster.get(of), ConfigSource.DYNAMIC_DEFAULT_BROKER)
  for (const of of names) add(of, broker.settings.get(of)?.text, ConfigSource.STATIC_BROKER)
  // Kafka knows no default of a key that no file can set.
  for (const of of names.filter(key => (brokerKeys[key] as Key<unknown>).dynamicOnly !== true))
    add(of, formatValue(brokerKeys[of], defaultOf(of)), ConfigSource.DEFAULT)
  const start = found.findIndex(synonym => synonym.name === name)
  return start === -1 ? [] : found.slice(start)
}
