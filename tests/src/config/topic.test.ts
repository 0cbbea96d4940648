// Topic configuration: defaults from broker keys, checks of CreateTopics, DescribeConfigs.

import { describe, expect, test } from 'vitest'
import {
  describeBroker,
  describeTopic,
  logSettings,
  parse,
  topicConfig,
  validateTopicConfigs,
} from '../../../src/config/index.ts'

const broker = (flags: Record<string, string> = {}) => parse({ flags })
const all = { names: null, includeSynonyms: true, includeDocumentation: true }

describe('defaults of a topic come from the broker', () => {
  test.each([
    [{}, 604_800_000],
    [{ 'log.retention.hours': '2' }, 7_200_000],
    [{ 'log.retention.hours': '2', 'log.retention.minutes': '3' }, 180_000],
    [{ 'log.retention.hours': '2', 'log.retention.minutes': '3', 'log.retention.ms': '4' }, 4],
    [{ 'log.retention.hours': '-5' }, -1],
  ])('%j: retention.ms is %d', (flags, expected) => {
    expect(topicConfig(broker(flags))['retention.ms']).toBe(expected)
  })

  test('flush.ms falls back to the scheduler interval, segment.ms to hours', () => {
    const config = topicConfig(broker({ 'log.flush.scheduler.interval.ms': '5', 'log.roll.hours': '1' }))
    expect([config['flush.ms'], config['segment.ms']]).toEqual([5, 3_600_000])
  })

  test('its own settings win; unknown names and values of later versions do no harm', () => {
    const config = topicConfig(broker(), { 'retention.ms': '1', nonsense: 'x', 'cleanup.policy': 'compact' })
    expect([config['retention.ms'], config['cleanup.policy']]).toEqual([1, ['compact']])
    expect(topicConfig(broker(), new Map([['segment.bytes', '2000000']]))['segment.bytes']).toBe(2_000_000)
  })
})

test('a log gets numbers', () => {
  const overrides = { 'internal.segment.bytes': '100', 'compression.type': 'zstd', 'cleanup.policy': '' }
  expect(logSettings(broker(), topicConfig(broker(), overrides))).toMatchObject({
    segmentBytes: 100,
    compressionType: 'zstd',
    compressionLevel: 3,
    cleanupPolicy: { compact: false, delete: false },
    deleteRetentionMs: 86_400_000,
    minCompactionLagMs: 0,
    maxCompactionLagMs: 2 ** 63,
    minCleanableDirtyRatio: 0.5,
    flushMessages: 2 ** 63,
    timestampType: 'CreateTime',
    producerIdExpirationMs: 86_400_000,
    validateCompressed: false,
  })
  expect(logSettings(broker(), topicConfig(broker(), { 'compression.type': 'gzip' }))).not.toHaveProperty(
    'compressionLevel',
  )
})

describe('checks', () => {
  const check = (name: string, value: string | null, flags: Record<string, string> = {}) => {
    const verdict = validateTopicConfigs([{ name, value }], broker(flags))
    return verdict.ok ? 'ok' : `${verdict.errorCode} ${verdict.message}`
  }

  test.each([
    ['retention.ms', '-1'],
    ['cleanup.policy', 'delete'],
    ['cleanup.policy', ''],
    ['cleanup.policy', 'compact'],
    ['cleanup.policy', 'compact,delete'],
    ['delete.retention.ms', '5'],
    ['compression.type', 'zstd'],
    ['message.timestamp.type', 'LogAppendTime'],
    ['preallocate', 'false'],
    ['min.cleanable.dirty.ratio', '0.50'],
    ['follower.replication.throttled.replicas', '0:1,1:2'],
    ['follower.replication.throttled.replicas', '*'],
  ])('%s=%s is accepted', (name, value) => expect(check(name, value)).toBe('ok'))

  test.each([
    ['nonsense', '1', 'no topic configuration named nonsense'],
    ['constructor', '1', 'no topic configuration named constructor'],
    ['retention.ms', null, 'must have a value'],
    ['retention.ms', '-2', 'at least -1'],
    ['segment.bytes', '1000', 'at least 1048576'],
    ['cleanup.policy', 'compacted', 'compact'],
    ['remote.storage.enable', 'true', 'not available'],
    ['preallocate', 'true', 'no effect'],
    ['follower.replication.throttled.replicas', '0-1', 'partition:broker pairs'],
  ])('%s=%s is refused with INVALID_CONFIG', (name, value, why) => {
    expect(check(name, value)).toMatch(/^40 /)
    expect(check(name, value)).toContain(why)
  })

  test('the value that a key without effect has anyway is accepted', () => {
    expect(check('preallocate', 'true', { 'log.preallocate': 'true' })).toBe('ok')
  })
})

describe('DescribeConfigs', () => {
  const topicEntry = (name: string, flags: Record<string, string> = {}, own: Record<string, string> = {}) =>
    describeTopic(broker(flags), own, { ...all, names: [name] })[0]!

  test('of a topic: source and synonyms in order of precedence', () => {
    expect(topicEntry('retention.bytes', { 'log.retention.bytes': '7' }, { 'retention.bytes': '5' })).toEqual({
      name: 'retention.bytes',
      value: '5',
      readOnly: false,
      isDefault: false,
      configSource: 1,
      isSensitive: false,
      synonyms: [
        { name: 'retention.bytes', value: '5', source: 1 },
        { name: 'log.retention.bytes', value: '7', source: 4 },
        { name: 'log.retention.bytes', value: '-1', source: 5 },
      ],
      configType: 5,
      documentation: expect.stringContaining('Bytes kept'),
    })
  })

  test('of a topic: only the first broker key counts, as in Kafka', () => {
    expect(topicEntry('retention.ms')).toMatchObject({
      value: '604800000',
      configSource: 5,
      isDefault: true,
      synonyms: [],
    })
    expect(topicEntry('retention.ms', { 'log.retention.hours': '1' })).toMatchObject({
      value: '3600000',
      configSource: 5,
      synonyms: [],
    })
    expect(topicEntry('retention.ms', { 'log.retention.ms': '9' }).synonyms.map(({ name }) => name)).toEqual([
      'log.retention.ms',
      'log.retention.hours',
    ])
  })

  test('of a topic: every key but internal ones, and these once set', () => {
    const names = describeTopic(broker(), {}, all).map(({ name }) => name)
    expect(names).toHaveLength(37)
    expect(names).not.toContain('internal.segment.bytes')
    expect(topicEntry('internal.segment.bytes', {}, { 'internal.segment.bytes': '9' }).value).toBe('9')
  })

  test('of the broker: read-only, sensitive, types, our defaults', () => {
    const entries = describeBroker(broker({ 'ssl.key.password': 'hunter2', 'log.retention.ms': '3' }), all)
    const entry = (name: string) => entries.find(each => each.name === name)
    expect(entry('ssl.key.password')).toMatchObject({ value: null, isSensitive: true, configType: 9, configSource: 4 })
    expect(JSON.stringify(entries)).not.toContain('hunter2')
    expect(entry('log.dirs')).toMatchObject({
      value: null,
      readOnly: true,
      configType: 7,
      configSource: 5,
      synonyms: [],
    })
    expect(entry('log.retention.ms')).toMatchObject({ value: '3', readOnly: false, configSource: 4 })
    expect(entry('offsets.topic.replication.factor')).toMatchObject({ value: '1', configSource: 5, configType: 4 })
    expect(entry('unstable.api.versions.enable')).toBeUndefined()
    expect(entry('leader.replication.throttled.rate')).toBeUndefined()
  })

  test('leaves out what was not asked for', () => {
    const [entry] = describeBroker(broker(), {
      names: ['num.partitions'],
      includeSynonyms: false,
      includeDocumentation: false,
    })
    expect(entry).toMatchObject({ name: 'num.partitions', synonyms: [], documentation: null })
    expect(describeBroker(broker(), { ...all, names: ['nonsense'] })).toEqual([])
  })
})
