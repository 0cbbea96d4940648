// Metadata, DescribeCluster, ApiVersions: what a client learns first.
import type { AskOf, ResponseOf } from '../../../protocol/api.ts'
import { scenario, type Case } from '../scenario.ts'
import { apis } from '../../../src/apis/index.ts'
import { ApiVersions, DescribeCluster, Metadata } from '../../../protocol/index.ts'
import { NO_SUCH_ID } from './requests.ts'

const ZERO_ID = 'AAAAAAAAAAAAAAAAAAAAAA'

/** The topics of one case among those of all. */
const own =
  (on: Case) =>
  (answer: ResponseOf<typeof Metadata>): unknown => ({
    ...answer,
    topics: answer.topics.filter(({ name }) => name === null || name.startsWith(on.name(''))),
  })

const named = (v: number, names: readonly string[], create = false): AskOf<typeof Metadata> => ({
  topics: names.map(name => ({ name })),
  ...(v >= 4 && { allowAutoTopicCreation: create }),
})

export const metadataScenarios = [
  scenario('metadata/topics', Metadata, async (on, v) => {
    const topic = await on.topic('t', { partitions: 3 })
    const other = await on.topic('other')
    const ask = (label: string, request: AskOf<typeof Metadata>) =>
      on.attempt(label, Metadata, v, request, undefined, own(on))
    await ask('by name', named(v, [topic.name]))
    await ask('two names', named(v, [other.name, topic.name]))
    await ask('a name twice', named(v, [topic.name, topic.name]))
    await ask('an empty list', { ...named(v, []) })
    if (v >= 1) await ask('all', { ...named(v, []), topics: null })
    await ask('a name and an empty one', named(v, [topic.name, '']))
    if (v < 4) return
    await ask('unknown', named(v, [on.name('nowhere')]))
    await ask('unknown and known', named(v, [on.name('nowhere'), topic.name]))
    await on.attempt('an empty name', Metadata, v, named(v, ['']))
    for (const name of ['not legal!', '.', '..', 'x'.repeat(249), 'x'.repeat(250), 'ä']) {
      await on.attempt(`the name ${name.slice(0, 12)} of ${name.length}`, Metadata, v, named(v, [name]))
    }
    await on.attempt('an internal topic', Metadata, v, named(v, ['__consumer_offsets']))
    await on.attempt('a missing internal topic', Metadata, v, named(v, ['__share_group_state']))
  }),

  scenario(
    'metadata/ids',
    Metadata,
    async (on, v) => {
      const topic = await on.topic('t')
      const ids = (...topics: { topicId: string; name: string | null }[]): AskOf<typeof Metadata> => ({
        topics,
        allowAutoTopicCreation: false,
      })
      const ask = (label: string, request: AskOf<typeof Metadata>) => on.attempt(label, Metadata, v, request)
      await ask('by id', ids({ topicId: topic.id, name: null }))
      await ask('an unknown id', ids({ topicId: NO_SUCH_ID, name: null }))
      await ask('id and name', ids({ topicId: topic.id, name: topic.name }))
      await ask(
        'a known and an unknown id',
        ids({ topicId: topic.id, name: null }, { topicId: NO_SUCH_ID, name: null }),
      )
      await ask('an id twice', ids({ topicId: topic.id, name: null }, { topicId: topic.id, name: null }))
      await ask(
        'an id and, apart, a name',
        ids({ topicId: topic.id, name: null }, { topicId: ZERO_ID, name: topic.name }),
      )
      await ask('neither id nor name', ids({ topicId: ZERO_ID, name: null }))
    },
    { versions: [10, 99] },
  ),

  scenario(
    'metadata/authorized operations',
    Metadata,
    async (on, v) => {
      const topic = await on.topic('t')
      const ask = (label: string, cluster: boolean, topics: boolean) =>
        on.attempt(label, Metadata, v, {
          ...named(v, [topic.name, on.name('nowhere')]),
          ...(v <= 10 && { includeClusterAuthorizedOperations: cluster }),
          includeTopicAuthorizedOperations: topics,
        })
      await ask('of the topics', false, true)
      if (v <= 10) await ask('of the cluster', true, false)
      if (v <= 10) await ask('of both', true, true)
    },
    { versions: [8, 99] },
  ),

  scenario('metadata/auto-creation', Metadata, async (on, v) => {
    const name = on.name('made')
    await on.attempt('the first time', Metadata, v, named(v, [name, 'not legal either!'], true))
    await on.until('it is there', async () => {
      const { topics } = await on.use(Metadata, { topics: [{ name }], allowAutoTopicCreation: false })
      return topics[0]?.errorCode === 0
    })
    await on.attempt('then', Metadata, v, named(v, [name], true))
    await on.track(name)
  }),

  scenario('cluster/describe', DescribeCluster, async (on, v) => {
    const ask = (label: string, o: Partial<AskOf<typeof DescribeCluster>>) =>
      on.attempt(label, DescribeCluster, v, { includeClusterAuthorizedOperations: false, ...o })
    await ask('plain', {})
    await ask('with authorized operations', { includeClusterAuthorizedOperations: true })
    if (v >= 1) {
      await ask('of the controllers', { endpointType: 2 })
      await ask('endpoint type 0', { endpointType: 0 })
      await ask('endpoint type 9', { endpointType: 9 })
    }
    if (v >= 2) await ask('with fenced brokers', { includeFencedBrokers: true })
  }),

  scenario('api versions/software', ApiVersions, async (on, v) => {
    const served = new Set(apis.map(({ api }) => api.key))
    const keep = (answer: ResponseOf<typeof ApiVersions>): unknown => ({
      ...answer,
      apiKeys: answer.apiKeys.filter(({ apiKey }) => served.has(apiKey)),
    })
    const ask = (label: string, o: AskOf<typeof ApiVersions>) => on.attempt(label, ApiVersions, v, o, undefined, keep)
    if (v < 3) {
      await ask('plain', {})
      return
    }
    const name = (clientSoftwareName: string, clientSoftwareVersion = '1.0') =>
      ask(`${clientSoftwareName} and ${clientSoftwareVersion}`, { clientSoftwareName, clientSoftwareVersion })
    await name('a-client')
    await name('a.b-c', '1.2.3-rc1')
    await name('')
    await name('a', '')
    await name('-a')
    await name('a-')
    await name('a b')
    await name('a_b')
    await name('a', '1/2')
    if (v < 5) return
    const good = { clientSoftwareName: 'a', clientSoftwareVersion: '1' }
    await ask('another cluster', { ...good, clusterId: 'another', nodeId: 1 })
    await ask('no cluster, another node', { ...good, clusterId: null, nodeId: 9 })
  }),
]
