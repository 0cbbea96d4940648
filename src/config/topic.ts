// Configuration of one topic: its own settings over the broker's synonyms, checks for CreateTopics, and what the log needs.

import type { BrokerKeyName, TopicConfig, TopicKeyName } from './keys.ts'
import { findTopicKey, namesOf, topicKeys } from './keys.ts'
import type { Key } from './key.ts'
import type { BrokerConfig } from './parse.ts'
import { ConfigError, checkServed, formatValue, parseValue } from './values.ts'

/** Settings of a topic by name, as they stand in the metadata. */
export type Overrides = ReadonlyMap<string, string> | Readonly<Record<string, string>>

const noOverrides: Overrides = new Map()

/** Kafka's error code. */
export const INVALID_CONFIG = 40

/**
 * Every topic key with its value: the topic's own, else the broker's, else Kafka's default. Names that are unknown are
 * left out; values are taken as they are, also those that CreateTopics would refuse today.
 * @throws ConfigError for a value that cannot be read
 */
export function topicConfig(broker: BrokerConfig, overrides: Overrides = noOverrides): TopicConfig {
  const own = asMap(overrides)
  const values: Record<string, unknown> = {}
  for (const name of namesOf(topicKeys)) {
    const text = own.get(name)
    values[name] = text === undefined ? brokerDefault(broker, name) : parseValue(name, topicKeys[name], text)
  }
  // Every name of topicKeys was given the value that its key parses to.
  return values as unknown as TopicConfig
}

export function asMap(overrides: Overrides): ReadonlyMap<string, string> {
  return overrides instanceof Map ? overrides : new Map(Object.entries(overrides as Record<string, string>))
}

/** The value of a topic that sets nothing: the first broker synonym that has one, in the topic key's unit. */
export function brokerDefault(broker: BrokerConfig, name: TopicKeyName): unknown {
  const key: Key<unknown> = topicKeys[name]
  for (const { key: synonym, factor } of key.broker ?? []) {
    const value: unknown = broker[synonym as BrokerKeyName]
    if (value === null) continue
    if (typeof value !== 'number') return value
    // Any negative retention means for ever (AbstractKafkaConfig.logRetentionTimeMillis).
    return name === 'retention.ms' && value < 0 ? -1 : value * factor
  }
  return key.default
}

/** Without the settings whose values cannot be read: why, a sentence for each. */
export function validTopicConfigs(overrides: Overrides): { valid: Overrides; faults: readonly string[] } {
  const faults: string[] = []
  const valid = new Map<string, string>()
  for (const [name, text] of asMap(overrides)) {
    const key = findTopicKey(name)
    try {
      if (key !== undefined) parseValue(name, key, text)
      valid.set(name, text)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      faults.push(error.message)
    }
  }
  return { valid, faults }
}

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly errorCode: 40; readonly message: string }

/**
 * Whether settings may be given to a topic: known names, values in range and served by this version. A key without
 * effect may only be set to the value it has anyway.
 */
export function validateTopicConfigs(
  entries: readonly { readonly name: string; readonly value: string | null }[],
  broker?: BrokerConfig,
): Verdict {
  for (const { name, value } of entries) {
    const message = fault(name, value, broker)
    if (message !== undefined) return { ok: false, errorCode: INVALID_CONFIG, message }
  }
  return { ok: true }
}

function fault(name: string, text: string | null, broker: BrokerConfig | undefined): string | undefined {
  const key = findTopicKey(name)
  if (key === undefined) return `There is no topic configuration named ${name}.`
  if (text === null) return `The topic configuration ${name} must have a value, but it is null.`
  try {
    const value = parseValue(name, key, text)
    checkServed(name, key, value)
    if (key.effect === 'works') return undefined
    const wanted = formatValue(key, value)
    const inherited = broker === undefined ? undefined : formatValue(key, brokerDefault(broker, name as TopicKeyName))
    if (wanted === formatValue(key, key.default) || wanted === inherited) return undefined
    return `${name} has no effect in this version of Odradek yet; leave it at ${formatValue(key, key.default)}.`
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
}

/** What a partition's log is told; the shape of storage's LogConfig. */
export interface LogSettings {
  readonly segmentBytes: number
  readonly segmentMs: number
  readonly segmentJitterMs: number
  readonly segmentIndexBytes: number
  readonly indexIntervalBytes: number
  readonly retentionMs: number
  readonly retentionBytes: number
  readonly maxMessageBytes: number
  readonly maxRecordBytes?: number
  /** The memory for it. */
  readonly maxExpandedBytes: number
  readonly flushMessages: number
  readonly flushMs: number
  readonly fileDeleteDelayMs: number
  readonly timestampType: 'CreateTime' | 'LogAppendTime'
  readonly timestampBeforeMaxMs: number
  readonly timestampAfterMaxMs: number
  readonly compressionType: TopicConfig['compression.type']
  /** Left out where the codec has no level or its own default is meant. */
  readonly compressionLevel?: number
  readonly cleanupPolicy: { readonly compact: boolean; readonly delete: boolean }
  readonly deleteRetentionMs: number
  readonly minCompactionLagMs: number
  readonly maxCompactionLagMs: number
  readonly minCleanableDirtyRatio: number
  readonly producerIdExpirationMs: number
  readonly validateCompressed: boolean
}

export function logSettings(broker: BrokerConfig, topic: TopicConfig): LogSettings {
  const level = compressionLevel(topic)
  return {
    segmentBytes: topic['internal.segment.bytes'] ?? topic['segment.bytes'],
    segmentMs: topic['segment.ms'],
    segmentJitterMs: topic['segment.jitter.ms'],
    segmentIndexBytes: topic['segment.index.bytes'],
    indexIntervalBytes: topic['index.interval.bytes'],
    retentionMs: topic['retention.ms'],
    retentionBytes: topic['retention.bytes'],
    maxMessageBytes: topic['max.message.bytes'],
    ...(topic['max.decompressed.message.bytes'] < topicKeys['max.decompressed.message.bytes'].default && {
      maxRecordBytes: topic['max.decompressed.message.bytes'],
    }),
    maxExpandedBytes: broker.memory.decompression,
    flushMessages: topic['flush.messages'],
    flushMs: topic['flush.ms'],
    fileDeleteDelayMs: topic['file.delete.delay.ms'],
    timestampType: topic['message.timestamp.type'],
    timestampBeforeMaxMs: topic['message.timestamp.before.max.ms'],
    timestampAfterMaxMs: topic['message.timestamp.after.max.ms'],
    compressionType: topic['compression.type'],
    ...(level === undefined ? {} : { compressionLevel: level }),
    cleanupPolicy: {
      compact: topic['cleanup.policy'].includes('compact'),
      delete: topic['cleanup.policy'].includes('delete'),
    },
    deleteRetentionMs: topic['delete.retention.ms'],
    minCompactionLagMs: topic['min.compaction.lag.ms'],
    maxCompactionLagMs: topic['max.compaction.lag.ms'],
    minCleanableDirtyRatio: topic['min.cleanable.dirty.ratio'],
    producerIdExpirationMs: broker['producer.id.expiration.ms'],
    validateCompressed: broker['odradek.validate.compressed'],
  }
}

function compressionLevel(topic: TopicConfig): number | undefined {
  switch (topic['compression.type']) {
    case 'gzip':
      return topic['compression.gzip.level'] === -1 ? undefined : topic['compression.gzip.level']
    case 'zstd':
      return topic['compression.zstd.level']
    case 'lz4':
      return topic['compression.lz4.level']
    case 'snappy':
    case 'uncompressed':
    case 'producer':
      return undefined
  }
}
