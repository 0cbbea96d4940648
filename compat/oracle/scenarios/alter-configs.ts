// AlterConfigs and IncrementalAlterConfigs: what topics and the broker are told, and what DescribeConfigs says of it.
import type { Case } from '../scenario.ts'
import { scenario } from '../scenario.ts'
import { AlterConfigs, DescribeConfigs, IncrementalAlterConfigs, ListConfigResources } from '../../../protocol/index.ts'

const TOPIC = 2
const BROKER = 4
const BROKER_LOGGER = 8
export const CLIENT_METRICS = 16
export const GROUP = 32
export const [SET, DELETE, APPEND, SUBTRACT] = [0, 1, 2, 3] as const

export type Edit = readonly [name: string, operation: number, value: string | null]
export type Setting = readonly [name: string, value: string | null]

export const edits = (resourceType: number, resourceName: string, list: readonly Edit[]) => ({
  resourceType,
  resourceName,
  configs: list.map(([name, configOperation, value]) => ({ name, configOperation, value })),
})
export const settings = (resourceType: number, resourceName: string, list: readonly Setting[]) => ({
  resourceType,
  resourceName,
  configs: list.map(([name, value]) => ({ name, value })),
})

/** Compares what is told of some keys; Kafka's broker hears of a change a little after its controller answers. */
export async function described(
  on: Case,
  label: string,
  resource: readonly [type: number, name: string],
  wanted: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const ask = {
    resources: [{ resourceType: resource[0], resourceName: resource[1], configurationKeys: Object.keys(wanted) }],
    includeSynonyms: true,
    includeDocumentation: false,
  }
  await on.until(`it says ${JSON.stringify(wanted)}`, async () => {
    const { results } = await on.useVersion(DescribeConfigs, 4, ask)
    const values = new Map(results[0]?.configs.map(({ name, value }) => [name, value]))
    return Object.entries(wanted).every(([name, value]) => values.get(name) === value)
  })
  await on.ask(label, DescribeConfigs, 4, ask)
}

const incrementalTopics = scenario('alter configs/topic, single keys', IncrementalAlterConfigs, async (on, v) => {
  const topic = await on.topic('t', { configs: { 'retention.ms': '1234567' } })
  const change = (label: string, list: readonly Edit[], validateOnly = false, name = topic.name) =>
    on.attempt(label, IncrementalAlterConfigs, v, { resources: [edits(TOPIC, name, list)], validateOnly })
  const is = (label: string, wanted: Readonly<Record<string, string>>) =>
    described(on, label, [TOPIC, topic.name], wanted)
  await change('set two', [
    ['segment.bytes', SET, '2000000'],
    ['max.message.bytes', SET, '5000'],
  ])
  await is('both and the first', { 'segment.bytes': '2000000', 'max.message.bytes': '5000', 'retention.ms': '1234567' })
  await change('only looked at', [['segment.bytes', SET, '3000000']], true)
  await change('a good and a bad one', [
    ['segment.bytes', SET, '4000000'],
    ['flush.ms', SET, 'soon'],
  ])
  await change('set one, delete another', [
    ['retention.ms', DELETE, null],
    ['flush.ms', SET, '7'],
  ])
  await is('as before', { 'segment.bytes': '2000000', 'flush.ms': '7', 'retention.ms': '-1' })
  await change('delete with a value', [['flush.ms', DELETE, 'x']])
  await change('delete what is not set', [['flush.ms', DELETE, null]])
  await change('delete what there is not', [['no.such.key', DELETE, null]])
  await change('the same again', [['segment.bytes', SET, '2000000']])
  await change('a value with white space', [['segment.bytes', SET, ' 2000000 ']])
  await change('another case', [['compression.type', SET, 'GZIP']])
  await change('nothing', [])
  await change('append what is there', [['cleanup.policy', APPEND, 'delete']])
  await change('subtract all', [['cleanup.policy', SUBTRACT, 'delete']])
  await is('an empty list', { 'cleanup.policy': '' })
  await change('append', [['cleanup.policy', APPEND, 'delete']])
  await is('a list again', { 'cleanup.policy': 'delete' })
  await change('append nothing', [['cleanup.policy', APPEND, '']])
  await change('append what is not allowed', [['cleanup.policy', APPEND, 'burn']])
  await change('append to throttled replicas', [['leader.replication.throttled.replicas', APPEND, '0:1,1:1']])
  await change('subtract from them', [['leader.replication.throttled.replicas', SUBTRACT, '0:1']])
  await is('one is left', { 'leader.replication.throttled.replicas': '1:1' })
  await change('append to a number', [['segment.bytes', APPEND, '1']])
  await change('subtract from a number', [['segment.bytes', SUBTRACT, '1']])
  await change('append to what there is not', [['no.such.key', APPEND, '1']])
  await change('set what there is not', [['no.such.key', SET, '1']])
  await change('null', [['segment.bytes', SET, null]])
  await change('append null', [['cleanup.policy', APPEND, null]])
  await change('the same key twice', [
    ['segment.bytes', SET, '2000000'],
    ['segment.bytes', DELETE, null],
  ])
  await change('too small', [['segment.bytes', SET, '13']])
  await change('no number', [['segment.bytes', SET, 'large']])
  await change('empty', [['segment.bytes', SET, '']])
  await change('none of these', [['message.timestamp.type', SET, 'Never']])
  await change('an unknown topic', [['segment.bytes', SET, '2000000']], false, on.name('nowhere'))
  await change('an unknown topic with a bad value', [['segment.bytes', SET, 'x']], false, on.name('nowhere'))
  await change('an unknown topic, only looked at', [['segment.bytes', SET, '2000000']], true, on.name('nowhere'))
  await change('an illegal topic', [['segment.bytes', SET, '2000000']], false, 'not legal!')
  await change('the empty topic', [['segment.bytes', SET, '2000000']], false, '')
  await is('what is left', { 'segment.bytes': '2000000', 'flush.ms': '9223372036854775807' })
})

const incrementalRequests = scenario('alter configs/single keys, requests', IncrementalAlterConfigs, async (on, v) => {
  const one = await on.topic('one')
  const two = await on.topic('two')
  const good: Edit[] = [['flush.messages', SET, '5']]
  const ask = (label: string, resources: ReturnType<typeof edits>[], validateOnly = false) =>
    on.attempt(label, IncrementalAlterConfigs, v, { resources, validateOnly })
  await ask('no resources', [])
  await ask('a topic twice', [edits(TOPIC, one.name, good), edits(TOPIC, one.name, good), edits(TOPIC, two.name, good)])
  await described(on, 'the other', [TOPIC, two.name], { 'flush.messages': '5' })
  await ask('good and bad topics', [
    edits(TOPIC, one.name, [['flush.messages', SET, 'x']]),
    edits(TOPIC, two.name, [['flush.messages', SET, '6']]),
    edits(TOPIC, on.name('nowhere'), good),
  ])
  await described(on, 'the good one', [TOPIC, two.name], { 'flush.messages': '6' })
  await described(on, 'the bad one', [TOPIC, one.name], { 'flush.messages': '9223372036854775807' })
  await ask('type 0', [edits(0, 'x', good)])
  await ask('type 1', [edits(1, 'x', good)])
  await ask('type 3', [edits(3, 'x', good)])
  await ask('type 99', [edits(99, 'x', good)])
  await ask('the loggers of another broker', [edits(BROKER_LOGGER, '2', [['kafka', SET, 'INFO']])])
  await ask('an operation there is not', [edits(TOPIC, one.name, [['flush.messages', 9, '5']])])
  await ask('an operation there is not, and a good one', [
    edits(TOPIC, one.name, [['flush.messages', 9, '5']]),
    edits(TOPIC, two.name, [['flush.messages', SET, '7']]),
  ])
})

const wholeTopics = scenario('alter configs/topic, all keys', AlterConfigs, async (on, v) => {
  const topic = await on.topic('t', { configs: { 'retention.ms': '1234567' } })
  const change = (label: string, list: readonly Setting[], validateOnly = false, name = topic.name) =>
    on.attempt(label, AlterConfigs, v, { resources: [settings(TOPIC, name, list)], validateOnly })
  const is = (label: string, wanted: Readonly<Record<string, string>>) =>
    described(on, label, [TOPIC, topic.name], wanted)
  await change('one key', [['segment.bytes', '2000000']])
  await is('the other is gone', { 'segment.bytes': '2000000', 'retention.ms': '-1' })
  await change('only looked at', [['segment.bytes', '3000000']], true)
  await change('only looked at, bad', [['segment.bytes', '3']], true)
  await change('a good and a bad one', [
    ['segment.bytes', '4000000'],
    ['flush.ms', 'soon'],
  ])
  await change('an unknown key', [['no.such.key', '1']])
  await change('null', [['segment.bytes', null]])
  await change('a key twice', [
    ['segment.bytes', '2000000'],
    ['segment.bytes', '2000001'],
  ])
  await change('an unknown topic', [['segment.bytes', '2000000']], false, on.name('nowhere'))
  await change('an illegal topic', [['segment.bytes', '2000000']], false, 'not legal!')
  await change('the empty topic', [['segment.bytes', '2000000']], false, '')
  await is('as before', { 'segment.bytes': '2000000' })
  await change('none', [])
  await is('the default', { 'segment.bytes': '1073741824' })
  // A resource twice is refused here; Kafka 4.3.1 answers nothing, and there is nothing to compare.
  await on.attempt('no resources', AlterConfigs, v, { resources: [], validateOnly: false })
  for (const type of [0, 1, 3, BROKER_LOGGER, 99]) {
    const resources = [settings(type, '1', [['segment.bytes', '2000000']])]
    // oxlint-disable-next-line no-await-in-loop -- in order
    await on.attempt(`type ${type}`, AlterConfigs, v, { resources, validateOnly: false })
  }
})

/** Nothing of this is kept: other cases look at the same broker. */
const brokerRefusals = scenario('alter configs/broker, only looked at', IncrementalAlterConfigs, async (on, v) => {
  const look = (label: string, list: readonly Edit[], name = '1') =>
    on.attempt(label, IncrementalAlterConfigs, v, { resources: [edits(BROKER, name, list)], validateOnly: true })
  await look('a number', [['log.segment.bytes', SET, '2000000']])
  await look('a number for all', [['log.segment.bytes', SET, '2000000']], '')
  await look('a read-only key', [['num.partitions', SET, '3']])
  await look('a read-only key for all', [['num.partitions', SET, '3']], '')
  await look('a good and a read-only key', [
    ['log.segment.bytes', SET, '2000000'],
    ['num.partitions', SET, '3'],
  ])
  await look('a read-only key deleted', [['num.partitions', DELETE, null]])
  await look('an unknown key deleted', [['no.such.key', DELETE, null]])
  await look('append to an unknown key', [['no.such.key', APPEND, 'x']])
  await look('append to a number', [['log.segment.bytes', APPEND, '1']])
  await look('append to a list', [['log.cleanup.policy', APPEND, 'delete']])
  await look('an operation there is not', [['log.segment.bytes', 9, '1']])
  await look('a bad number', [['log.segment.bytes', SET, 'large']])
  await look('out of range', [['log.segment.bytes', SET, '1']])
  await look('none of these', [['log.message.timestamp.type', SET, 'Never']])
  await look('null', [['log.segment.bytes', SET, null]])
  await look('twice', [
    ['log.segment.bytes', SET, '2000000'],
    ['log.segment.bytes', SET, '2000001'],
  ])
  await look('another broker', [['log.segment.bytes', SET, '2000000']], '2')
  await look('a broker that is no number', [['log.segment.bytes', SET, '2000000']], 'one')
  await look('a negative broker', [['log.segment.bytes', SET, '2000000']], '-1')
  await look('listeners of all', [['listeners', SET, 'PLAINTEXT://127.0.0.1:1']], '')
  await look('security without a listener', [['ssl.keystore.password', SET, 'secret']])
  await look('security of all', [['ssl.keystore.password', SET, 'secret']], '')
  await look('nothing', [])
  for (const key of ['max.connections', 'max.connection.creation.rate']) {
    for (const value of ['0', '-1', '7', 'many']) {
      await look(`${key}=${value}`, [[key, SET, value]])
      await look(`${key}=${value} of all`, [[key, SET, value]], '')
      await look(`${key}=${value} of a listener`, [[`listener.name.plaintext.${key}`, SET, value]])
      await look(`${key}=${value} of a listener of all`, [[`listener.name.plaintext.${key}`, SET, value]], '')
    }
    await look(`${key} of a listener that there is not`, [[`listener.name.nobody.${key}`, SET, '7']])
    await look(`${key} of a listener in capitals`, [[`listener.name.PLAINTEXT.${key}`, SET, '7']])
  }
})

const brokerRefusalsWhole = scenario('alter configs/broker, all keys, only looked at', AlterConfigs, async (on, v) => {
  const look = (label: string, list: readonly Setting[], name = '1') =>
    on.attempt(label, AlterConfigs, v, { resources: [settings(BROKER, name, list)], validateOnly: true })
  await look('a number', [['log.segment.bytes', '2000000']])
  await look('a number for all', [['log.segment.bytes', '2000000']], '')
  await look('a read-only key', [['num.partitions', '3']])
  await look('a bad number', [['log.segment.bytes', 'large']])
  await look('null', [['log.segment.bytes', null]])
  await look('another broker', [['log.segment.bytes', '2000000']], '2')
  await look('a broker that is no number', [['log.segment.bytes', '2000000']], 'one')
})

const brokerChanges = scenario(
  'alter configs/broker',
  IncrementalAlterConfigs,
  async (on, v) => {
    const topic = await on.topic('t', { configs: { 'flush.messages': '9' } })
    const plain = await on.topic('plain')
    const change = (label: string, name: string, list: readonly Edit[]) =>
      on.attempt(label, IncrementalAlterConfigs, v, { resources: [edits(BROKER, name, list)], validateOnly: false })
    const broker = (label: string, wanted: Readonly<Record<string, string | undefined>>) =>
      described(on, label, [BROKER, '1'], wanted)
    const all = (label: string, wanted: Readonly<Record<string, string | undefined>>) =>
      described(on, label, [BROKER, ''], wanted)
    const topics = async (label: string, wanted: Readonly<Record<string, string>>) => {
      await described(on, label, [TOPIC, plain.name], wanted)
      await described(on, `${label}, a topic of its own mind`, [TOPIC, topic.name], { 'flush.messages': '9' })
    }
    const key = 'log.flush.interval.messages'
    const [most, mostHere] = ['max.connections', 'listener.name.plaintext.max.connections']
    await change('connections of a listener, for all', '', [[mostHere, SET, '2000']])
    await all('all limit the listener', { [mostHere]: '2000' })
    await broker('the broker does', { [mostHere]: '2000' })
    await change('connections of a listener and of the broker', '1', [
      [mostHere, SET, '1000'],
      [most, SET, '3000'],
    ])
    await broker('both are limited', { [mostHere]: '1000', [most]: '3000' })
    await all('all as they were', { [mostHere]: '2000' })
    await change('no limit of all', '', [[mostHere, DELETE, null]])
    await change('no limits', '1', [
      [mostHere, DELETE, null],
      [most, DELETE, null],
    ])
    await broker('nothing is limited', { [mostHere]: undefined, [most]: '2147483647' })
    await change('for all', '', [[key, SET, '100']])
    await broker('the broker follows', { [key]: '100' })
    await all('all', { [key]: '100' })
    await topics('topics follow', { 'flush.messages': '100' })
    await change('for this one', '1', [[key, SET, '50']])
    await broker('the broker has its own', { [key]: '50' })
    await all('all as before', { [key]: '100' })
    await topics('topics follow the broker', { 'flush.messages': '50' })
    await change('not for all any more', '', [[key, DELETE, null]])
    await all('nothing for all', { [key]: undefined })
    await topics('topics follow the broker still', { 'flush.messages': '50' })
    await change('not for this one any more', '1', [[key, DELETE, null]])
    await topics('topics have the default', { 'flush.messages': '9223372036854775807' })
    await change('retention, set in the file', '1', [['log.retention.ms', SET, '86400000000']])
    await broker('over the file', { 'log.retention.ms': '86400000000' })
    await topics('topics too', { 'retention.ms': '86400000000' })
    await on.attempt('all keys at once', AlterConfigs, Math.min(v + 1, 2), {
      resources: [settings(BROKER, '1', [['message.max.bytes', '1000']])],
      validateOnly: false,
    })
    await broker('retention is back', { 'log.retention.ms': '-1', 'message.max.bytes': '1000' })
    await topics('topics know', { 'retention.ms': '-1', 'max.message.bytes': '1000' })
    await change('the last one', '1', [['message.max.bytes', DELETE, null]])
    await topics('as in the beginning', { 'max.message.bytes': '1048588' })
  },
  { alone: true },
)

const listed = scenario('configs/resources', ListConfigResources, async (on, v) => {
  const topic = await on.topic('t')
  // Other cases make topics meanwhile.
  const ask = (label: string, resourceTypes: number[]) =>
    on.attempt(label, ListConfigResources, v, v < 1 ? {} : { resourceTypes }, undefined, answer => ({
      ...answer,
      configResources: answer.configResources.filter(
        ({ resourceType, resourceName }) => resourceType !== TOPIC || resourceName === topic.name,
      ),
    }))
  await ask('all', [])
  if (v < 1) return
  await ask('topics', [TOPIC])
  await ask('brokers', [BROKER])
  await ask('loggers', [BROKER_LOGGER])
  await ask('client metrics', [CLIENT_METRICS])
  await ask('groups', [GROUP])
  await ask('twice', [BROKER, BROKER])
  await ask('several', [BROKER, TOPIC, GROUP])
  await ask('type 0', [0])
  await ask('type 1', [1])
  await ask('type 99 and another', [BROKER, 99])
})

const groups = scenario(
  'configs/groups and client metrics',
  DescribeConfigs,
  async (on, v) => {
    const ask = (label: string, resourceType: number, resourceName: string, keys: string[] | null = null) =>
      on.attempt(label, DescribeConfigs, v, {
        resources: [{ resourceType, resourceName, configurationKeys: keys }],
        includeSynonyms: true,
        ...(v >= 3 && { includeDocumentation: false }),
      })
    await ask('a group', GROUP, on.name('g'))
    await ask('two keys of a group', GROUP, on.name('g'), ['consumer.session.timeout.ms', 'share.auto.offset.reset'])
    await ask('an unknown key of a group', GROUP, on.name('g'), ['no.such.key'])
    await ask('the empty group', GROUP, '')
    await ask('client metrics', CLIENT_METRICS, on.name('m'))
    await ask('a key of client metrics', CLIENT_METRICS, on.name('m'), ['interval.ms'])
    await ask('an unknown key of client metrics', CLIENT_METRICS, on.name('m'), ['no.such.key'])
    await ask('the empty client metrics', CLIENT_METRICS, '')
  },
  { versions: [1, 4] },
)

export const alterConfigScenarios = [
  incrementalTopics,
  incrementalRequests,
  wholeTopics,
  brokerRefusals,
  brokerRefusalsWhole,
  brokerChanges,
  listed,
  groups,
]
