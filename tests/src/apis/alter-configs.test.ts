// AlterConfigs and IncrementalAlterConfigs: what changes at once, what a refusal leaves alone, and what a restart keeps.
import type { TestBroker } from '../broker/harness.ts'
import { describe, expect, test } from 'vitest'
import {
  AlterConfigs,
  DescribeConfigs,
  IncrementalAlterConfigs,
  ListConfigResources,
  Produce,
} from '../../../protocol/index.ts'
import {
  INVALID_CONFIG,
  INVALID_REQUEST,
  MESSAGE_TOO_LARGE,
  NONE,
  POLICY_VIOLATION,
  UNKNOWN_SERVER_ERROR,
  UNSUPPORTED_VERSION,
} from '../../../protocol/errors.ts'
import { memoryFiles } from '../../../storage/files-memory.ts'
import { records, testBroker } from '../broker/harness.ts'

const TOPIC = 2
const BROKER = 4
const [SET, DELETE, APPEND, SUBTRACT] = [0, 1, 2, 3] as const

type Edit = readonly [name: string, operation: number, value: string | null]

async function alter(broker: TestBroker, type: number, name: string, list: readonly Edit[], validateOnly = false) {
  const configs = list.map(([key, configOperation, value]) => ({ name: key, configOperation, value }))
  const resources = [{ resourceType: type, resourceName: name, configs }]
  const reply = await broker.ask(IncrementalAlterConfigs, { resources, validateOnly })
  return reply!.responses[0]!.errorCode
}

/** Value and source of a key, and the sources and values of its synonyms. */
async function told(broker: TestBroker, type: number, name: string, key: string) {
  const reply = await broker.ask(DescribeConfigs, {
    resources: [{ resourceType: type, resourceName: name, configurationKeys: [key] }],
    includeSynonyms: true,
    includeDocumentation: false,
  })
  const entry = reply!.results[0]!.configs[0]
  if (!entry) return null
  return [entry.value, entry.configSource, ...entry.synonyms.map(({ source, value }) => `${source}:${value}`)]
}

const produce = (broker: TestBroker, topic: string, bytes: number) =>
  broker.ask(
    Produce,
    {
      transactionalId: null,
      acks: 1,
      timeoutMs: 1000,
      topicData: [{ name: topic, partitionData: [{ index: 0, records: records(['x'.repeat(bytes)]) }] }],
    },
    9,
  )
const producedWith = async (broker: TestBroker, topic: string, bytes: number) =>
  (await produce(broker, topic, bytes))!.responses[0]!.partitionResponses[0]!.errorCode

const logOf = (broker: TestBroker, topic: string) => broker.opened.broker.partitions.get(topic, 0)!.log

describe('topics', () => {
  test('a change works at once, is described, and outlives a restart', async () => {
    const files = memoryFiles()
    const first = await testBroker({ files })
    await first.createTopic('t')
    expect(await producedWith(first, 't', 2000)).toBe(NONE)
    expect(await alter(first, TOPIC, 't', [['max.message.bytes', SET, '1000']])).toBe(NONE)
    expect(await producedWith(first, 't', 2000)).toBe(MESSAGE_TOO_LARGE)
    const description = ['1000', 1, '1:1000', '5:1048588']
    expect(await told(first, TOPIC, 't', 'max.message.bytes')).toEqual(description)
    await first.opened.close()

    const second = await testBroker({ files })
    expect(await told(second, TOPIC, 't', 'max.message.bytes')).toEqual(description)
    expect(await producedWith(second, 't', 2000)).toBe(MESSAGE_TOO_LARGE)
    expect(await alter(second, TOPIC, 't', [['max.message.bytes', DELETE, null]])).toBe(NONE)
    expect(await producedWith(second, 't', 2000)).toBe(NONE)
    expect(await told(second, TOPIC, 't', 'max.message.bytes')).toEqual(['1048588', 5, '5:1048588'])
    await second.opened.close()
  })

  test('a refusal and a trial leave everything as it was', async () => {
    const broker = await testBroker({ files: memoryFiles() })
    await broker.createTopic('t')
    const end = broker.opened.broker.metadata.image.endOffset
    const good: Edit = ['retention.ms', SET, '5']
    expect(await alter(broker, TOPIC, 't', [good, ['flush.ms', SET, 'soon']])).toBe(INVALID_CONFIG)
    expect(await alter(broker, TOPIC, 't', [good], true)).toBe(NONE)
    expect(await alter(broker, TOPIC, 't', [good, good])).toBe(INVALID_REQUEST)
    expect(broker.opened.broker.metadata.image.topicConfigs('t').size).toBe(0)
    expect(broker.opened.broker.metadata.image.endOffset).toBe(end)
    expect(logOf(broker, 't').config.retentionMs).toBe(604_800_000)
    await broker.opened.close()
  })

  test.each([
    ['a key without effect', ['local.retention.ms', SET, '5'], INVALID_CONFIG],
    ['a key without effect, at its default', ['local.retention.ms', SET, '-2'], NONE],
    ['a value that is not served', ['cleanup.policy', APPEND, 'burn'], INVALID_CONFIG],
    ['an unknown key', ['constructor', APPEND, 'x'], INVALID_CONFIG],
    ['an unknown operation', ['retention.ms', 4, 'x'], UNKNOWN_SERVER_ERROR],
  ] as const)('%s', async (_, edit, expected) => {
    const broker = await testBroker({ files: memoryFiles() })
    await broker.createTopic('t')
    expect(await alter(broker, TOPIC, 't', [edit])).toBe(expected)
    await broker.opened.close()
  })

  test('lists grow and shrink; what is named twice is there once', async () => {
    const broker = await testBroker({ files: memoryFiles() })
    await broker.createTopic('t')
    const key = 'leader.replication.throttled.replicas'
    const steps: [number, string, string][] = [
      [APPEND, '0:1,1:1,0:1', '0:1,1:1'],
      [APPEND, '1:1,2:1,', '0:1,1:1,2:1'],
      [SUBTRACT, '0:1,2:1,9:9', '1:1'],
      [SUBTRACT, '1:1', ''],
    ]
    for (const [operation, value, expected] of steps) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await alter(broker, TOPIC, 't', [[key, operation, value]])).toBe(NONE)
      expect(broker.opened.broker.metadata.image.topicConfigs('t').get(key)).toBe(expected)
    }
    await broker.opened.close()
  })

  test('a value may grow to what a string can carry', async () => {
    const broker = await testBroker({ files: memoryFiles() })
    await broker.createTopic('t')
    const key = 'leader.replication.throttled.replicas'
    const long = Array.from({ length: 4000 }, (_, i) => `${i}:1`).join(',')
    const more = Array.from({ length: 2000 }, (_, i) => `${i}:2`).join(',')
    expect(await alter(broker, TOPIC, 't', [[key, SET, long]])).toBe(NONE)
    expect(await alter(broker, TOPIC, 't', [[key, APPEND, more]])).toBe(INVALID_CONFIG)
    expect(broker.opened.broker.metadata.image.topicConfigs('t').get(key)).toBe(long)
    await broker.opened.close()
  })

  test('more changes than one decision may hold are refused together', async () => {
    const broker = await testBroker({ files: memoryFiles() })
    const names = Array.from({ length: 600 }, (_, i) => `t${i}`)
    for (const name of names) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await broker.createTopic(name)
    }
    const keys: [string, string][] = [
      ['segment.bytes', '2000000'],
      ['segment.ms', '5'],
      ['segment.index.bytes', '5000'],
      ['index.interval.bytes', '5'],
      ['retention.ms', '5'],
      ['retention.bytes', '5'],
      ['max.message.bytes', '5'],
      ['flush.messages', '5'],
      ['flush.ms', '5'],
      ['file.delete.delay.ms', '5'],
      ['message.timestamp.type', 'LogAppendTime'],
      ['message.timestamp.before.max.ms', '5'],
      ['message.timestamp.after.max.ms', '5'],
      ['compression.type', 'gzip'],
      ['compression.gzip.level', '5'],
      ['compression.zstd.level', '5'],
      ['min.insync.replicas', '2'],
    ]
    const configs = keys.map(([name, value]) => ({ name, value }))
    const resources = names.map(resourceName => ({ resourceType: TOPIC, resourceName, configs }))
    const reply = await broker.ask(AlterConfigs, { resources, validateOnly: false })
    expect(new Set(reply!.responses.map(({ errorCode }) => errorCode))).toEqual(new Set([POLICY_VIOLATION]))
    expect(broker.opened.broker.metadata.image.topicConfigs('t0').size).toBe(0)
    await broker.opened.close()
  })
})

describe('the broker', () => {
  test('topic over broker over cluster over file over default, at once and after a restart', async () => {
    const files = memoryFiles()
    const config = { 'log.retention.hours': 2 }
    const key = 'log.retention.ms'
    const first = await testBroker({ files, config })
    await first.createTopic('t')
    const retention = (of: TestBroker) => logOf(of, 't').config.retentionMs
    expect(retention(first)).toBe(7_200_000)
    expect(await alter(first, BROKER, '', [[key, SET, '20']])).toBe(NONE)
    expect(retention(first)).toBe(20)
    expect(await alter(first, BROKER, '1', [[key, SET, '30']])).toBe(NONE)
    expect(retention(first)).toBe(30)
    expect(await told(first, BROKER, '1', key)).toEqual(['30', 2, '2:30', '3:20', '4:2', '5:168'])
    expect(await told(first, BROKER, '', key)).toEqual(['20', 3, '3:20'])
    expect(await told(first, TOPIC, 't', 'retention.ms')).toEqual(['30', 2, '2:30', '3:20', '4:2', '5:168'])
    expect(await alter(first, TOPIC, 't', [['retention.ms', SET, '40']])).toBe(NONE)
    expect(retention(first)).toBe(40)
    await first.opened.close()

    const second = await testBroker({ files, config })
    expect(retention(second)).toBe(40)
    await alter(second, TOPIC, 't', [['retention.ms', DELETE, null]])
    expect(retention(second)).toBe(30)
    await alter(second, BROKER, '1', [[key, DELETE, null]])
    expect(retention(second)).toBe(20)
    await second.createTopic('new')
    expect(logOf(second, 'new').config.retentionMs).toBe(20)
    await alter(second, BROKER, '', [[key, DELETE, null]])
    expect(retention(second)).toBe(7_200_000)
    expect(await told(second, BROKER, '', key)).toBe(null)
    await second.opened.close()
  })

  test('limits of connections follow', async () => {
    const broker = await testBroker({ files: memoryFiles() })
    await alter(broker, BROKER, '', [['max.connections.per.ip.overrides', SET, '10.0.0.1:7']])
    expect(broker.opened.broker.config.connectionsPerIp).toEqual(new Map([['10.0.0.1', 7]]))
    await alter(broker, BROKER, '1', [['max.connections', SET, '3']])
    expect(broker.opened.broker.config['max.connections']).toBe(3)
    await broker.opened.close()
  })

  test.each([
    ['num.partitions', '3', INVALID_REQUEST],
    ['no.such.key', '3', INVALID_REQUEST],
    ['log.retention.ms', '0', INVALID_REQUEST],
    ['log.roll.ms', 'x', INVALID_REQUEST],
    ['max.connections.per.ip.overrides', 'everybody', INVALID_REQUEST],
    ['listeners', 'PLAINTEXT://127.0.0.1:1', INVALID_REQUEST],
    ['ssl.key.password', 'secret', INVALID_REQUEST],
    ['num.io.threads', '3', INVALID_REQUEST],
    ['num.io.threads', '8', NONE],
    ['log.cleanup.policy', 'burn', INVALID_REQUEST],
    ['unclean.leader.election.enable', 'true', NONE],
  ])('%s=%s', async (name, value, expected) => {
    const broker = await testBroker({ files: memoryFiles() })
    expect(await alter(broker, BROKER, '1', [[name, SET, value]])).toBe(expected)
    expect(broker.opened.broker.metadata.image.configs(BROKER, '1').size).toBe(expected === NONE ? 1 : 0)
    await broker.opened.close()
  })

  test('answers come in the order of the request', async () => {
    const broker = await testBroker({ files: memoryFiles() })
    await broker.createTopic('t')
    const configs = [{ name: 'retention.ms', value: '5' }]
    const types: [number, string][] = [
      [32, 'group'], // retention.ms is no key of these
      [TOPIC, 't'],
      [16, 'metrics'],
      [8, '1'],
    ]
    const resources = types.map(([resourceType, resourceName]) => ({ resourceType, resourceName, configs }))
    const reply = await broker.ask(AlterConfigs, { resources, validateOnly: false })
    expect(reply!.responses.map(({ errorCode }) => errorCode)).toEqual([
      INVALID_CONFIG,
      NONE,
      INVALID_REQUEST,
      INVALID_REQUEST,
    ])
    await broker.opened.close()
  })
})

test('resources are listed by type; version 0 asks for client metrics', async () => {
  const broker = await testBroker({ files: memoryFiles() })
  await broker.createTopic('t')
  const list = async (resourceTypes: number[], version = 1) => {
    const reply = await broker.ask(ListConfigResources, version === 0 ? {} : { resourceTypes }, version)
    return [reply!.errorCode, ...reply!.configResources.map(of => `${of.resourceType}:${of.resourceName}`)]
  }
  expect(await list([])).toEqual([NONE, '2:t', '4:1', '8:1'])
  expect(await list([BROKER, BROKER])).toEqual([NONE, '4:1'])
  expect(await list([8, 16, 32])).toEqual([NONE, '8:1'])
  expect(await list([TOPIC, 1])).toEqual([UNSUPPORTED_VERSION])
  expect(await list([], 0)).toEqual([NONE])
  await broker.opened.close()
})

test.each([
  [32, 'group', 'consumer.session.timeout.ms', '45000', NONE],
  [32, 'group', 'consumer.session.timeout.ms', '46000', NONE],
  [32, 'group', 'consumer.session.timeout.ms', '60001', INVALID_CONFIG],
  [32, 'group', 'consumer.heartbeat.interval.ms', '4999', INVALID_CONFIG],
  [32, 'group', 'streams.num.standby.replicas', '3', INVALID_CONFIG],
  [32, 'group', 'streams.assignor.name', 'mine', INVALID_CONFIG],
  [32, 'group', 'errors.deadletterqueue.topic.name', '__x', INVALID_CONFIG],
  [32, 'group', 'constructor', 'x', INVALID_CONFIG],
  [32, '', 'consumer.session.timeout.ms', '45000', INVALID_REQUEST],
  [16, 'metrics', 'interval.ms', '300000', NONE],
  [16, 'metrics', 'interval.ms', '1000', NONE],
  [16, 'metrics', 'interval.ms', '5', INVALID_REQUEST],
  [16, 'metrics', 'match', 'client_id', INVALID_CONFIG],
  [16, 'metrics', 'match', 'client_id=(?=x)', INVALID_CONFIG],
  [16, 'metrics', 'match', 'client_id=a.*', NONE],
  [16, 'metrics', 'no.such.key', '5', INVALID_REQUEST],
  [16, '', 'interval.ms', '300000', INVALID_REQUEST],
])('groups and client metrics: %d %j %s=%s', async (type, name, key, value, expected) => {
  const broker = await testBroker({ files: memoryFiles() })
  expect(await alter(broker, type, name, [[key, SET, value]])).toBe(expected)
  if (expected === NONE) {
    expect((await told(broker, type, name, key))!.slice(0, 2)).toEqual([value, type === 16 ? 7 : 8])
    const listed = await broker.ask(ListConfigResources, { resourceTypes: [type] })
    expect(listed!.configResources).toEqual([{ resourceName: name, resourceType: type }])
    expect(await alter(broker, type, name, [[key, DELETE, null]])).toBe(NONE)
    expect((await told(broker, type, name, key))![1]).toBe(5)
  }
  await broker.opened.close()
})
