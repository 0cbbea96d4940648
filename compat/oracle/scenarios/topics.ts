// CreateTopics, DeleteTopics, CreatePartitions: every validation.
import type { AskOf, ResponseOf } from '../../../protocol/api.ts'
import { scenario, type Case } from '../scenario.ts'
import { CreatePartitions, CreateTopics, DeleteTopics, Metadata } from '../../../protocol/index.ts'
import { NO_SUCH_ID } from './requests.ts'

type NewTopic = AskOf<typeof CreateTopics>['topics'][number]

const of = (name: string, o: Partial<NewTopic> & { config?: Record<string, string | null> } = {}): NewTopic => {
  const { config, ...rest } = o
  return {
    name,
    numPartitions: 1,
    replicationFactor: 1,
    assignments: [],
    configs: Object.entries(config ?? {}).map(([key, value]) => ({ name: key, value })),
    ...rest,
  }
}

const byHand = (...replicas: number[][]): Partial<NewTopic> => ({
  numPartitions: -1,
  replicationFactor: -1,
  assignments: replicas.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
})

/** One that each key refuses, one that it takes. */
const configs: Readonly<Record<string, readonly (string | null)[]>> = {
  'cleanup.policy': ['delete', 'remove', '', null, 'compact', 'compact,delete', 'delete, compact', 'Compact', 'none'],
  'min.cleanable.dirty.ratio': ['0', '1', '0.25', '1.1', '-0.1'],
  'min.compaction.lag.ms': ['0', '-1', '5'],
  'max.compaction.lag.ms': ['0', '1', '9223372036854775807'],
  'delete.retention.ms': ['0', '-1', '60000'],
  'compression.type': ['gzip', 'none', 'uncompressed', 'GZIP', 'brotli'],
  'retention.ms': ['-1', '-2', '1000', '1.5', 'abc', '9223372036854775807', '9223372036854775808', null],
  'retention.bytes': ['-1', '-2', '0'],
  'segment.bytes': ['1048576', '1048575', '13', '0', '2147483647', '2147483648'],
  'segment.ms': ['1', '0'],
  'max.message.bytes': ['0', '-1', '1000'],
  'min.insync.replicas': ['1', '0', '2'],
  'message.timestamp.type': ['LogAppendTime', 'logappendtime', 'Other'],
  'unclean.leader.election.enable': ['true', 'TRUE', 'yes', ''],
  'flush.messages': ['1', '0'],
  'index.interval.bytes': ['0', '-1'],
  'leader.replication.throttled.replicas': ['*', '0:1', 'x'],
  'no.such.config': ['1', null],
  '': ['1'],
}

const create = (on: Case, label: string, v: number, topics: NewTopic[], o: Partial<AskOf<typeof CreateTopics>> = {}) =>
  on.attempt(
    label,
    CreateTopics,
    v,
    { topics, timeoutMs: 30_000, ...o },
    undefined,
    label === 'plain' ? whole : ownConfigs,
  )

const whole = (answer: ResponseOf<typeof CreateTopics>): unknown => answer

/** Without the configuration that comes from elsewhere: once is enough for that. */
const ownConfigs = (answer: ResponseOf<typeof CreateTopics>): unknown => ({
  ...answer,
  topics: answer.topics.map(topic => ({
    ...topic,
    configs: topic.configs?.filter(({ configSource }) => configSource === 1) ?? null,
  })),
})

export const topicScenarios = [
  scenario('create topics/names and numbers', CreateTopics, async (on, v) => {
    await create(on, 'plain', v, [of(on.name('plain'), { numPartitions: 2 })])
    await create(on, 'again', v, [of(on.name('plain'))])
    await create(on, 'a name twice', v, [of(on.name('twice')), of(on.name('twice'))])
    await create(on, 'none', v, [])
    for (const name of ['', '.', '..', 'not legal!', 'x'.repeat(249), 'x'.repeat(250), 'a/b', 'ä']) {
      if (name.length !== 249) await create(on, `the name ${name.slice(0, 12)} of ${name.length}`, v, [of(name)])
    }
    await create(on, 'with a dot', v, [of(on.name('with.dot'))])
    await create(on, 'the same with an underscore', v, [of(on.name('with_dot'))])
    await create(on, 'the internal topic', v, [of('__consumer_offsets')])
    await create(on, 'no partitions', v, [of(on.name('zero'), { numPartitions: 0 })])
    await create(on, '-2 partitions', v, [of(on.name('minus-two'), { numPartitions: -2 })])
    await create(on, 'default partitions', v, [of(on.name('default-partitions'), { numPartitions: -1 })])
    await create(on, 'default replicas', v, [of(on.name('default-replicas'), { replicationFactor: -1 })])
    await create(on, 'default both', v, [of(on.name('default-both'), { numPartitions: -1, replicationFactor: -1 })])
    await create(on, 'no replicas', v, [of(on.name('r0'), { replicationFactor: 0 })])
    await create(on, '-2 replicas', v, [of(on.name('r-2'), { replicationFactor: -2 })])
    await create(on, 'more replicas than brokers', v, [of(on.name('r2'), { replicationFactor: 2 })])
    await create(on, 'several, good and bad', v, [
      of(on.name('good')),
      of('not legal!'),
      of(on.name('bad'), { replicationFactor: 3 }),
    ])
    if (v < 1) return
    await create(on, 'a dry run', v, [of(on.name('dry'))], { validateOnly: true })
    await create(on, 'a dry run of a known one', v, [of(on.name('plain'))], { validateOnly: true })
    await create(on, 'a dry run of a bad one', v, [of('not legal!')], { validateOnly: true })
    await on.leads(on.name('good'), 1)
    const names = ['plain', 'twice', 'dry', 'good', 'bad'].map(hint => ({ name: on.name(hint) }))
    await on.attempt('what there is', Metadata, 9, { topics: names, allowAutoTopicCreation: false })
  }),

  scenario('create topics/by hand', CreateTopics, async (on, v) => {
    await create(on, 'two partitions', v, [of(on.name('two'), byHand([1], [1]))])
    await create(on, 'an unknown broker', v, [of(on.name('unknown'), byHand([7]))])
    await create(on, 'a broker twice', v, [of(on.name('twice'), byHand([1, 1]))])
    await create(on, 'no brokers', v, [of(on.name('nobody'), byHand([]))])
    await create(on, 'different numbers of replicas', v, [of(on.name('uneven'), byHand([1], [1, 7]))])
    await create(on, 'a negative broker', v, [of(on.name('negative'), byHand([-1]))])
    const assignments = (...ids: number[]) => ids.map(partitionIndex => ({ partitionIndex, brokerIds: [1] }))
    const gap = { ...byHand(), assignments: assignments(0, 2) }
    await create(on, 'a gap', v, [of(on.name('gap'), gap)])
    await create(on, 'not from 0', v, [of(on.name('from-1'), { ...byHand(), assignments: assignments(1, 2) })])
    await create(on, 'a partition twice', v, [of(on.name('dup'), { ...byHand(), assignments: assignments(0, 0) })])
    await create(on, 'a negative partition', v, [of(on.name('neg'), { ...byHand(), assignments: assignments(-1) })])
    await create(on, 'with a number of partitions', v, [of(on.name('number'), { ...byHand([1]), numPartitions: 1 })])
    await create(on, 'with a replication factor', v, [of(on.name('factor'), { ...byHand([1]), replicationFactor: 1 })])
  }),

  scenario(
    'create topics/configs',
    CreateTopics,
    async (on, v) => {
      for (const [key, values] of Object.entries(configs)) {
        for (const value of values) {
          const name = on.name(`${key}-${String(value).replaceAll(/[^a-z0-9.-]/gi, '')}`)
          await create(on, `${key}=${value}`, v, [of(name, { config: { [key]: value } })])
        }
      }
      const twice = [
        { name: 'retention.ms', value: '1' },
        { name: 'retention.ms', value: '2' },
      ]
      await create(on, 'a key twice', v, [{ ...of(on.name('key-twice')), configs: twice }])
      await create(on, 'two together', v, [
        of(on.name('pair'), { config: { 'retention.ms': '1000', 'segment.bytes': '2097152' } }),
      ])
      for (const value of ['-2', '5', '-3']) {
        const name = on.name(`local${value}`)
        await create(on, `local.retention.ms=${value}`, v, [of(name, { config: { 'local.retention.ms': value } })])
      }
      await create(on, 'local retention above retention', v, [
        of(on.name('local'), { config: { 'retention.ms': '1000', 'local.retention.ms': '2000' } }),
      ])
    },
    { versions: [5, 99] },
  ),

  scenario('delete topics/by name', DeleteTopics, async (on, v) => {
    const one = await on.topic('one')
    const two = await on.topic('two')
    const ask = (label: string, ...names: string[]) =>
      on.attempt(label, DeleteTopics, v, {
        timeoutMs: 30_000,
        ...(v >= 6
          ? { topics: names.map(name => ({ name, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' })) }
          : { topicNames: names }),
      })
    await ask('unknown', on.name('nowhere'))
    await ask('illegal', 'not legal!')
    await ask('empty', '')
    await ask('none')
    await ask('a name twice', one.name, one.name)
    await ask('good and unknown', one.name, on.name('nowhere'))
    await ask('again', one.name)
    await ask('the other', two.name)
    await on.until('they are gone', async () => {
      const { topics } = await on.use(Metadata, {
        topics: [{ name: one.name }, { name: two.name }],
        allowAutoTopicCreation: false,
      })
      return topics.every(({ errorCode }) => errorCode === 3)
    })
    await on.topic('one')
  }),

  scenario(
    'delete topics/by id',
    DeleteTopics,
    async (on, v) => {
      const one = await on.topic('one')
      const two = await on.topic('two')
      const ask = (label: string, ...topics: { name: string | null; topicId: string }[]) =>
        on.attempt(label, DeleteTopics, v, { timeoutMs: 30_000, topics })
      const zero = 'AAAAAAAAAAAAAAAAAAAAAA'
      await ask('an unknown id', { name: null, topicId: NO_SUCH_ID })
      await ask('neither', { name: null, topicId: zero })
      await ask('name and id', { name: one.name, topicId: one.id })
      await ask('name and another id', { name: one.name, topicId: NO_SUCH_ID })
      await ask('an id twice', { name: null, topicId: one.id }, { name: null, topicId: one.id })
      await ask('once by id, once by name', { name: null, topicId: one.id }, { name: one.name, topicId: zero })
      await ask('by id', { name: null, topicId: one.id })
      await ask('again', { name: null, topicId: one.id })
      await ask('good and unknown', { name: null, topicId: two.id }, { name: null, topicId: NO_SUCH_ID })
      await on.until('it is gone', async () => {
        const { topics } = await on.use(Metadata, { topics: [{ name: two.name }], allowAutoTopicCreation: false })
        return topics[0]?.errorCode === 3
      })
    },
    { versions: [6, 99] },
  ),

  scenario('create partitions/counts', CreatePartitions, async (on, v) => {
    const topic = await on.topic('t', { partitions: 2 })
    const ask = (label: string, topics: AskOf<typeof CreatePartitions>['topics'], validateOnly = false) =>
      on.attempt(label, CreatePartitions, v, { topics, timeoutMs: 30_000, validateOnly })
    const to = (count: number, replicas: number[][] | null = null, name = topic.name) => ({
      name,
      count,
      assignments: replicas?.map(brokerIds => ({ brokerIds })) ?? null,
    })
    await ask('a dry run', [to(3)], true)
    await ask('three', [to(3)])
    await ask('as many as there are', [to(3)])
    await ask('fewer', [to(2)])
    await ask('none', [to(0)])
    await ask('-1', [to(-1)])
    await ask('unknown', [to(5, null, on.name('nowhere'))])
    await ask('illegal', [to(5, null, 'not legal!')])
    await ask('empty name', [to(5, null, '')])
    await ask('a topic twice', [to(4), to(5)])
    await ask('no topics', [])
    await ask('by hand', [to(4, [[1]])])
    await ask('by hand, an unknown broker', [to(5, [[9]])])
    await ask('by hand, a broker twice', [to(5, [[1, 1]])])
    await ask('by hand, nobody', [to(5, [[]])])
    await ask('by hand, too few', [to(6, [[1]])])
    await ask('by hand, too many', [to(5, [[1], [1]])])
    await ask('by hand, an empty list', [to(5, [])])
    await ask('good and bad', [to(5), to(5, null, on.name('nowhere'))])
    await ask('a dry run of a bad one', [to(1)], true)
    await on.until('it has five', async () => {
      const { topics } = await on.use(Metadata, { topics: [{ name: topic.name }], allowAutoTopicCreation: false })
      return topics[0]?.partitions.length === 5
    })
  }),
]
