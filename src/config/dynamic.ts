// Settings of brokers that are made while they run: of this broker, and the default of all. They lie over the static
// ones, key by key (KIP-226). Kafka: DynamicBrokerConfig.java and .scala.

import { checkValues, connectionLimits } from './checks.ts'
import { defaultOf } from './defaults.ts'
import { familyOf } from './families.ts'
import { listenerKey, listenerLimits, listenerValue, readableListenerSettings } from './listener-limits.ts'
import type { Key } from './key.ts'
import type { BrokerKeyName, BrokerValues } from './keys.ts'
import { brokerKeys, findBrokerKey, namesOf } from './keys.ts'
import type { BrokerConfig } from './parse.ts'
import { ConfigError, checkServed, formatValue, parseValue } from './values.ts'

/** As they stand in the metadata, by name. */
export interface DynamicSettings {
  readonly broker: ReadonlyMap<string, string>
  readonly cluster: ReadonlyMap<string, string>
}

/** Keys of the sockets: Kafka opens and closes listeners while it runs, here they stay as they were started. */
const untilRestart: ReadonlySet<string> = new Set(['listeners', 'listener.security.protocol.map'])

const CORDONED = 'cordoned.log.dirs'
const OVERRIDES = 'max.connections.per.ip.overrides'

/** Every key that a dynamic setting can touch: the dynamic ones, and those of the same family. */
const touched = [
  ...new Set(namesOf(brokerKeys).flatMap(name => (brokerKeys[name].update === 'restart' ? [] : familyOf(name)))),
]

/**
 * A configuration of its own that dynamic settings can be laid over by `applyDynamic`, while everybody who was given it
 * goes on reading.
 */
export const liveConfig = (config: BrokerConfig): BrokerConfig => ({ ...config })

/** What a key is without anything that was set while the broker runs. */
export function startedWith<K extends BrokerKeyName>(config: BrokerConfig, name: K): BrokerValues[K] {
  const text = config.settings.get(name)?.text
  // Both are values of this key.
  return (text === undefined ? defaultOf(name) : parseValue(name, brokerKeys[name], text)) as BrokerValues[K]
}

/**
 * Lays settings over the static ones, in place of those laid before. What cannot be (from a log that another broker
 * wrote) is left out, as Kafka does.
 */
export function applyDynamic(config: BrokerConfig, settings: DynamicSettings): void {
  const listeners = {
    broker: readableListenerSettings(settings.broker),
    cluster: readableListenerSettings(settings.cluster),
  }
  const dynamic = { broker: usable(settings.broker), cluster: usable(settings.cluster), listeners }
  const values = layered(config, dynamic)
  Object.assign(config, values, {
    dynamic,
    connectionsPerIp: connectionLimits(values[OVERRIDES]),
    listenerLimits: listenerLimits([
      ...[...config.listenerSettings].map(([name, { text }]) => [name, text] as const),
      ...listeners.cluster,
      ...listeners.broker,
    ]),
  })
}

/**
 * Why the changed ones of a broker's settings, or of the default of all brokers, are refused; undefined: they are not.
 * `next` are all settings of that kind afterwards.
 */
export function dynamicFault(
  config: BrokerConfig,
  kind: 'broker' | 'cluster',
  changed: readonly { readonly name: string; readonly value: string }[],
  next: ReadonlyMap<string, string>,
): string | undefined {
  for (const { name, value } of changed) {
    const reason = keyFault(config, kind, name, value)
    if (reason !== undefined) return reason
  }
  const dynamic = { ...config.dynamic, [kind]: usable(next) }
  try {
    checkValues(layered(config, dynamic), config.settings)
    return undefined
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
}

function keyFault(config: BrokerConfig, kind: 'broker' | 'cluster', name: string, text: string): string | undefined {
  const ofListener = listenerKey(name)
  if (ofListener !== undefined) return reasonOf(() => listenerValue(name, ofListener.base, text))
  const key = findBrokerKey(name)
  if (key === undefined) return `There is no broker configuration named ${name}.`
  if (key.update === 'restart') return `${name} cannot be changed while the broker runs.`
  if (kind === 'cluster' && key.update === 'broker') return `${name} can only be set for one broker, by its id.`
  try {
    const value = parseValue(name, key, text)
    checkServed(name, key, value)
    if (name === OVERRIDES) connectionLimits(text)
    // Each listener judges them again, as its own.
    const ofAll = listenerKey(`listener.name.any.${name}`)
    if (ofAll !== undefined) listenerValue(name, ofAll.base, text)
    if (key.effect === 'works' && !untilRestart.has(name)) return undefined
    const wanted = formatValue(key, value)
    const same = wanted === formatValue(key, key.default) || wanted === formatValue(key, config[name as BrokerKeyName])
    if (same && key.update === 'cluster') return undefined
    return key.effect === 'works'
      ? `${name} cannot be changed while this version of Odradek runs.`
      : `${name} has no effect in this version of Odradek yet.`
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
}

/** Why a value is refused, if it is. */
function reasonOf(read: () => unknown): string | undefined {
  try {
    read()
    return undefined
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
}

/** Of settings in the metadata those that count: known, dynamic, of the right type, and not of the sockets. */
function usable(settings: ReadonlyMap<string, string>): Map<BrokerKeyName, string> {
  const found = new Map<BrokerKeyName, string>()
  for (const [name, text] of settings) {
    const key = findBrokerKey(name)
    // What else a single broker sets are its listeners and their security, which take effect with a restart alone.
    if (key === undefined || (key.update !== 'cluster' && name !== CORDONED) || untilRestart.has(name)) continue
    if (isReadable(name, key, text)) found.set(name as BrokerKeyName, text)
  }
  return found
}

function isReadable(name: string, key: Key<unknown>, text: string): boolean {
  try {
    parseValue(name, key, text)
    if (name === OVERRIDES) connectionLimits(text)
    return true
  } catch (error) {
    if (error instanceof ConfigError) return false
    throw error
  }
}

/** The values of all keys; a setting takes the place of its whole family in the layers below. */
function layered(config: BrokerConfig, { cluster, broker }: BrokerConfig['dynamic']): BrokerValues {
  const texts = new Map([...config.settings].map(([name, { text }]) => [name, text]))
  for (const [name, text] of [...cluster, ...broker]) {
    for (const synonym of familyOf(name)) texts.delete(synonym)
    texts.set(name, text)
  }
  const values: Record<string, unknown> = {}
  for (const name of namesOf(brokerKeys)) values[name] = config[name]
  for (const name of touched) {
    const text = texts.get(name)
    values[name] = text === undefined ? defaultOf(name) : parseValue(name, brokerKeys[name], text)
  }
  // Every name of brokerKeys was given the value that its key parses to.
  return values as unknown as BrokerValues
}
