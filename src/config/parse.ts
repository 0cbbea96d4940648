// From flags, environment and file to one typed configuration. Precedence: flag, environment, file, default.

import type { BrokerKeyName, BrokerValues } from './keys.ts'
import { brokerKeys, findBrokerKey, namesOf } from './keys.ts'
import { defaultOf } from './defaults.ts'
import { fromEnvironment } from './environment.ts'
import { checkValues, connectionLimits } from './checks.ts'
import type { ListenerLimits } from './listener-limits.ts'
import { listenerKey, listenerLimits } from './listener-limits.ts'
import type { Endpoint } from './listeners.ts'
import { endpoints } from './listeners.ts'
import { memoryShares, type MemoryShares } from './memory.ts'
import { parseProperties } from './properties.ts'
import { nearest } from './nearest.ts'
import { ConfigError, checkServed, formatValue, parseValue } from './values.ts'

export interface Sources {
  /** `--set key=value` and the keys of an embedding program: an unknown one is refused. */
  readonly flags?: Readonly<Record<string, string | number | boolean>>
  /** `--listen`, in place of the key listeners. */
  readonly listen?: readonly string[]
  /** `--advertise`, for the listeners in order. */
  readonly advertise?: readonly string[]
  /** `--data-dir`, in place of the key log.dirs. */
  readonly dataDir?: string
  /** `--as-version`, in place of the key odradek.as.version. */
  readonly asVersion?: string
  /** Variables such as KAFKA_LOG_RETENTION_MS. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** A server.properties. */
  readonly file?: { readonly path: string; readonly text: string }
}

/** A key that was set, with the text that set it. */
export interface Setting {
  readonly text: string
  /** The flag, variable or file and line, for messages. */
  readonly where: string
}

/** Every broker key with its value, and what follows from several of them. */
export type BrokerConfig = BrokerValues & {
  /** Names of the keys that were set, whatever their value. */
  readonly explicit: ReadonlySet<string>
  readonly settings: ReadonlyMap<BrokerKeyName, Setting>
  /** What was set while the broker runs, over `settings`; only usable values are in here. */
  readonly dynamic: {
    readonly broker: ReadonlyMap<BrokerKeyName, string>
    readonly cluster: ReadonlyMap<BrokerKeyName, string>
    /** The limits of listeners among them, by the names of their keys. */
    readonly listeners: { readonly broker: ReadonlyMap<string, string>; readonly cluster: ReadonlyMap<string, string> }
  }
  /** What to open for clients; controller listeners are not among them. */
  readonly endpoints: readonly Endpoint[]
  /** Name of the listener that stands for this broker where only one can be told. */
  readonly interBrokerListener: string
  /** log.dirs, or log.dir where it is not set. */
  readonly logDirs: readonly string[]
  /** max.connections.per.ip.overrides by address. */
  readonly connectionsPerIp: ReadonlyMap<string, number>
  /** Limits on connections that a listener has of its own, as they were set at the start; by the names of their keys. */
  readonly listenerSettings: ReadonlyMap<string, Setting>
  /** The same as they are now, by listener. */
  readonly listenerLimits: ReadonlyMap<string, ListenerLimits>
  /** How much memory each pool may take. */
  readonly memory: MemoryShares
  /** One sentence for each thing that should be said when the broker starts. */
  readonly warnings: readonly string[]
}

/** @throws ConfigError with one sentence that says what to do */
export function parse(sources: Sources = {}): BrokerConfig {
  const warnings: string[] = []
  const { settings, listenerSettings } = collect(sources, warnings)
  const values = valuesOf(settings)
  sameNodeId(values, settings)
  checkValues(values, settings)
  warnings.push(...withoutEffect(values, settings))
  const explicit = new Set<string>(settings.keys())
  const sockets = endpoints({
    values,
    explicit,
    listen: sources.listen ?? [],
    advertise: sources.advertise ?? [],
  })
  return {
    ...values,
    explicit,
    settings,
    dynamic: { broker: new Map(), cluster: new Map(), listeners: { broker: new Map(), cluster: new Map() } },
    endpoints: sockets.endpoints,
    interBrokerListener: sockets.interBroker,
    logDirs: values['log.dirs'] ?? values['log.dir'],
    connectionsPerIp: connectionLimits(values['max.connections.per.ip.overrides']),
    listenerSettings,
    listenerLimits: listenerLimits([...listenerSettings].map(([name, { text }]) => [name, text])),
    memory: memoryShares(values, explicit),
    warnings,
  }
}

/** The settings that win, each from the source of highest precedence. */
function collect(
  sources: Sources,
  warnings: string[],
): { settings: Map<BrokerKeyName, Setting>; listenerSettings: Map<string, Setting> } {
  const settings = new Map<BrokerKeyName, Setting>()
  const listenerSettings = new Map<string, Setting>()
  // The later one wins: within a file the last line, among sources the higher one.
  const put = (name: string, text: string, where: string): void => {
    if (listenerKey(name) !== undefined) return void listenerSettings.set(name, { text, where })
    if (isUnused(name)) return
    const key = findBrokerKey(name)
    if (key === undefined || key.dynamicOnly === true) warnings.push(unknown(name, where))
    else settings.set(name as BrokerKeyName, { text, where })
  }
  const { file } = sources
  for (const { key, value, line } of file === undefined ? [] : properties(file))
    put(key, value, `${file!.path}:${line}`)
  const environment = fromEnvironment(sources.environment ?? {})
  for (const { variable, key, value } of environment) put(key, value, variable)
  listenWhereAdvertised(settings)
  for (const [name, value] of Object.entries(sources.flags ?? {})) {
    if (listenerKey(name) !== undefined) {
      listenerSettings.set(name, { text: String(value), where: '--set' })
      continue
    }
    const key = findBrokerKey(name)
    if (key === undefined) throw new ConfigError(unknown(name, '--set'))
    if (key.dynamicOnly === true)
      throw new ConfigError(`${name} can only be set while the broker runs, by AlterConfigs.`)
    settings.set(name as BrokerKeyName, { text: String(value), where: '--set' })
  }
  return { settings: withShortcuts(settings, sources), listenerSettings }
}

function properties(file: { path: string; text: string }): ReturnType<typeof parseProperties> {
  try {
    return parseProperties(file.text)
  } catch (error) {
    if (error instanceof ConfigError) throw new ConfigError(`${file.path}, ${error.message}`)
    throw error
  }
}

/** --listen, --data-dir and --as-version are shortcuts for keys; both at once leave no way to know which is meant. */
function withShortcuts(settings: Map<BrokerKeyName, Setting>, sources: Sources): Map<BrokerKeyName, Setting> {
  const { listen = [], dataDir, asVersion, flags = {} } = sources
  if (listen.length > 0 && Object.hasOwn(flags, 'listeners')) {
    throw new ConfigError('Give either --listen or --set listeners=…, not both.')
  }
  if (listen.length > 0) settings.delete('listeners')
  if (dataDir !== undefined) {
    if (Object.hasOwn(flags, 'log.dirs') || Object.hasOwn(flags, 'log.dir')) {
      throw new ConfigError('Give either --data-dir or --set log.dirs=…, not both.')
    }
    if (dataDir.trim() === '') throw new ConfigError('--data-dir must name a directory.')
    if (dataDir.includes(','))
      throw new ConfigError(`--data-dir must be a path without a comma, but it is '${dataDir}'.`)
    settings.set('log.dirs', { text: dataDir, where: '--data-dir' })
  }
  if (asVersion !== undefined) {
    if (Object.hasOwn(flags, 'odradek.as.version')) {
      throw new ConfigError('Give either --as-version or --set odradek.as.version=…, not both.')
    }
    settings.set('odradek.as.version', { text: asVersion, where: '--as-version' })
  }
  return settings
}

/** As the container image does: with addresses to advertise and nothing to listen on, every interface is opened. */
function listenWhereAdvertised(settings: Map<BrokerKeyName, Setting>): void {
  const advertised = settings.get('advertised.listeners')
  if (advertised === undefined || !advertised.where.startsWith('KAFKA_') || settings.has('listeners')) return
  const text = advertised.text.replaceAll(/:\/\/(?:\[[^\]]*\]|[^:,]*):/g, '://0.0.0.0:')
  if (text.trim() !== '') settings.set('listeners', { text, where: advertised.where })
}

function unknown(name: string, where: string): string {
  const similar = nearest(name, Object.keys(brokerKeys))
  const hint = similar === undefined ? '' : ` Did you mean ${similar}?`
  return where === '--set'
    ? `--set ${name}: there is no such key.${hint || ' docs/config.md lists every key.'}`
    : `${where}: the key ${name} is unknown and has no effect.${hint}`
}

// Settings of a single listener and of plug-ins: known to Kafka by prefix, without anything here to act on.
const isUnused = (name: string): boolean => /^(?:listener\.name\.[^.]+\.|rlmm\.config\.|rsm\.config\.)./.test(name)

function valuesOf(settings: ReadonlyMap<BrokerKeyName, Setting>): BrokerValues {
  const values: Record<string, unknown> = {}
  for (const name of namesOf(brokerKeys)) {
    const setting = settings.get(name)
    values[name] = setting === undefined ? defaultOf(name) : valueOf(name, setting)
  }
  // Every name of brokerKeys was given the value that its key parses to.
  return values as unknown as BrokerValues
}

function valueOf(name: BrokerKeyName, { text, where }: Setting): unknown {
  try {
    const value = parseValue(name, brokerKeys[name], text)
    checkServed(name, brokerKeys[name], value)
    return value
  } catch (error) {
    if (error instanceof ConfigError) throw new ConfigError(`${where === '--set' ? '' : `${where}: `}${error.message}`)
    throw error
  }
}

/** broker.id is the older name of node.id (AbstractKafkaConfig.populateSynonyms). */
function sameNodeId(values: BrokerValues, settings: ReadonlyMap<BrokerKeyName, Setting>): void {
  const [node, broker] = [settings.has('node.id'), settings.has('broker.id')]
  if (node && broker && values['node.id'] !== values['broker.id']) {
    throw new ConfigError('node.id and broker.id must be equal; remove broker.id, its older name.')
  }
  const id = !node && broker ? values['broker.id'] : values['node.id']
  if (id < 0) throw new ConfigError(`broker.id must be at least 0, but it is '${id}'.`)
  Object.assign(values, { 'node.id': id, 'broker.id': id })
}

/** One sentence that names every key that was set to something else than its default and does nothing here. */
function withoutEffect(values: BrokerValues, settings: ReadonlyMap<BrokerKeyName, Setting>): string[] {
  const names = [...settings.keys()].filter(name => {
    const key = brokerKeys[name]
    // A combined node's file must set the quorum; the controller inside the broker needs none.
    if (key.effect === 'works' || name.startsWith('controller.quorum.')) return false
    const text = formatValue(key, values[name])
    return text !== formatValue(key, key.default) && text !== formatValue(key, defaultOf(name))
  })
  return names.length === 0 ? [] : [`These keys have no effect in this version of Odradek: ${names.join(', ')}.`]
}
