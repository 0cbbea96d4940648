// Configuration of client metrics subscriptions (KIP-714): what clients are asked for, by which interval, and which clients
// that are. Kafka: ClientMetricsConfigs.java.

import type { DescribedConfig, DescribeOptions } from './describe.ts'
import type { Key, Values } from './key.ts'
import { INVALID_CONFIG, INVALID_REQUEST } from '../../protocol/errors.ts'
import { compilePattern, PatternError } from '../../protocol/pattern.ts'
import { ConfigSource, entry, wanted } from './describe.ts'
import { clientMetricsKeys } from './keys.ts'
import { ConfigError, formatValue, parseValue } from './values.ts'

type Settings = ReadonlyMap<string, string>
type Matcher = (text: string) => boolean

/** What a selector may look at. */
export const selectors = [
  'client_instance_id',
  'client_id',
  'client_software_name',
  'client_software_version',
  'client_source_address',
  'client_source_port',
] as const
export type Selector = (typeof selectors)[number]

export interface ClientMetricsSubscription {
  /** Prefixes of names; `*` stands for all. */
  readonly metrics: readonly string[]
  readonly intervalMs: number
  /** All of these must match; none: every client. */
  readonly match: ReadonlyMap<Selector, Matcher>
}

const MIN_INTERVAL_MS = 100
const MAX_INTERVAL_MS = 3_600_000

/** @throws ConfigError for settings that `clientMetricsFault` refuses */
export function clientMetricsSubscription(settings: Settings): ClientMetricsSubscription {
  const values = valuesOf(settings)
  checkInterval(values['interval.ms'])
  return { metrics: values.metrics, intervalMs: values['interval.ms'], match: matchersOf(values.match) }
}

/** Why a subscription may not have these settings, with the error code; undefined: it may. */
export function clientMetricsFault(settings: Settings): { errorCode: number; message: string } | undefined {
  const unknown = [...settings.keys()].find(name => !isClientMetricsKey(name))
  if (unknown !== undefined)
    return { errorCode: INVALID_REQUEST, message: `There is no client metrics configuration named ${unknown}.` }
  let errorCode: number = INVALID_CONFIG
  try {
    const values = valuesOf(settings)
    errorCode = INVALID_REQUEST
    checkInterval(values['interval.ms'])
    errorCode = INVALID_CONFIG
    matchersOf(values.match)
    return undefined
  } catch (error) {
    if (error instanceof ConfigError) return { errorCode, message: error.message }
    throw error
  }
}

export function describeClientMetrics(own: Settings, options: DescribeOptions): DescribedConfig[] {
  return wanted(clientMetricsKeys, options, name => own.has(name)).map(name => {
    const key: Key<unknown> = clientMetricsKeys[name]
    const text = own.get(name)
    const value = formatValue(key, text === undefined ? key.default : parse(name, text))
    const synonyms = text === undefined ? [] : [{ name, value, source: ConfigSource.CLIENT_METRICS }]
    return entry(name, key, value, synonyms, false, options)
  })
}

/** Kafka takes a list whose entries repeat, each of them once. */
function parse(name: keyof typeof clientMetricsKeys, text: string): unknown {
  const key: Key<unknown> = clientMetricsKeys[name]
  const parts = key.type === 'list' ? text.trim().split(/\s*,\s*/) : ['']
  const distinct = parts.includes('') ? text : [...new Set(parts)].join(',')
  return parseValue(name, key, distinct)
}

const isClientMetricsKey = (name: string): name is keyof typeof clientMetricsKeys =>
  Object.hasOwn(clientMetricsKeys, name)

function valuesOf(settings: Settings): Values<typeof clientMetricsKeys> {
  const valueOf = <K extends keyof typeof clientMetricsKeys>(name: K): unknown => {
    const text = settings.get(name)
    return text === undefined ? clientMetricsKeys[name].default : parse(name, text)
  }
  // Each name was given the value that its key parses to.
  return { 'interval.ms': valueOf('interval.ms'), match: valueOf('match'), metrics: valueOf('metrics') } as Values<
    typeof clientMetricsKeys
  >
}

function checkInterval(intervalMs: number): void {
  if (intervalMs < MIN_INTERVAL_MS || intervalMs > MAX_INTERVAL_MS)
    throw new ConfigError(`interval.ms must be between ${MIN_INTERVAL_MS} and ${MAX_INTERVAL_MS}.`)
}

/** Selectors as name=pattern; the last one of a name counts. */
function matchersOf(match: readonly string[]): Map<Selector, Matcher> {
  const found = new Map<Selector, Matcher>()
  for (const text of match) {
    const illegal = (): ConfigError => new ConfigError(`match holds an illegal selector: ${text}`)
    // As Java splits: what is empty at the end does not count.
    const parts = text.replace(/=+$/, '').split('=')
    const name = parts[0]!.trim()
    if (parts.length !== 2 || !isSelector(name)) throw illegal()
    try {
      found.set(name, compilePattern(parts[1]!.trim()))
    } catch (error) {
      if (error instanceof PatternError) throw illegal()
      throw error
    }
  }
  return found
}

const isSelector = (name: string): name is Selector => (selectors as readonly string[]).includes(name)
