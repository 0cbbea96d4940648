// What administrators ask of the cluster as a whole: log directories, pages of topics, reassignments, elections, the quorum
// and its members.
import type { AskOf, ResponseOf } from '../../../protocol/api.ts'
import { scenario, type Case } from '../scenario.ts'
import {
  AddRaftVoter,
  AlterPartitionReassignments,
  AlterReplicaLogDirs,
  DescribeLogDirs,
  DescribeQuorum,
  DescribeTopicPartitions,
  ElectLeaders,
  ListPartitionReassignments,
  RemoveRaftVoter,
  UnregisterBroker,
} from '../../../protocol/index.ts'
import { batch, fill } from './requests.ts'

const METADATA = '__cluster_metadata'
const NO_ID = 'AAAAAAAAAAAAAAAAAAAAAA'
const SOME_ID = 'c29tZS1kaXJlY3RvcnktaQ'

async function logDir(on: Case): Promise<string> {
  const { results } = await on.use(DescribeLogDirs, { topics: [] })
  return results[0]!.logDir
}

const logDirScenarios = [
  scenario('log dirs/describe', DescribeLogDirs, async (on, v) => {
    const topic = await on.topic('t', { partitions: 3 })
    await fill(on, topic, batch(['a', 'b', 'c']))
    await fill(on, topic, batch(['d']), 1)
    const ask = (label: string, topics: AskOf<typeof DescribeLogDirs>['topics']) =>
      on.ask(label, DescribeLogDirs, v, { topics })
    await ask('three partitions', [{ topic: topic.name, partitions: [0, 1, 2] }])
    await ask('one', [{ topic: topic.name, partitions: [1] }])
    await ask('a partition twice', [{ topic: topic.name, partitions: [1, 1] }])
    await ask('a topic twice', [
      { topic: topic.name, partitions: [1] },
      { topic: topic.name, partitions: [0] },
    ])
    await ask('unknown partition', [{ topic: topic.name, partitions: [3, 0, -1] }])
    await ask('unknown topic', [{ topic: on.name('nowhere'), partitions: [0] }])
    await ask('an illegal name', [{ topic: 'not legal!', partitions: [0] }])
    await ask('no partition', [{ topic: topic.name, partitions: [] }])
    await ask('no topic', [])
    await ask('the metadata log', [{ topic: METADATA, partitions: [0] }])
    const own = (answer: ResponseOf<typeof DescribeLogDirs>) => ({
      ...answer,
      results: answer.results.map(result => ({
        ...result,
        topics: result.topics.filter(({ name }) => name === topic.name),
        hasMetadata: result.topics.some(({ name }) => name === METADATA),
      })),
    })
    await on.attempt('all', DescribeLogDirs, v, { topics: null }, undefined, own)
  }),

  scenario('log dirs/move', AlterReplicaLogDirs, async (on, v) => {
    const { name } = await on.topic('t', { partitions: 2 })
    const path = await logDir(on)
    const ask = (label: string, to: string, topic: string, ...partitions: number[]) =>
      on.ask(label, AlterReplicaLogDirs, v, { dirs: [{ path: to, topics: [{ name: topic, partitions }] }] })
    await ask('where they are', path, name, 0, 1)
    await ask('to a directory that is not', '/no/such/folder', name, 0)
    await ask('to no directory', '', name, 0)
    await ask('to a relative one', 'data', name, 0)
    await ask('unknown partition', path, name, 2, 0)
    await ask('negative partition', path, name, -1)
    await ask('unknown topic', path, on.name('nowhere'), 0)
    await ask('unknown topic to a directory that is not', '/no/such/folder', on.name('nowhere'), 0)
    await ask('a name of 209', path, 'x'.repeat(209), 0)
    await ask('a name of 213', path, 'x'.repeat(213), 0)
    await ask('a name of 214', path, 'x'.repeat(214), 0)
    await ask('a partition twice', path, name, 0, 0)
    await ask('no partition', path, name)
    const topics = [{ name, partitions: [0] }]
    await on.ask('two directories, the last one wrong', AlterReplicaLogDirs, v, {
      dirs: [
        { path, topics },
        { path: '/no/such/folder', topics },
      ],
    })
    await on.ask('two directories, the first one wrong', AlterReplicaLogDirs, v, {
      dirs: [
        { path: '/no/such/folder', topics },
        { path, topics },
      ],
    })
    await on.ask('nothing', AlterReplicaLogDirs, v, { dirs: [] })
  }),
]

const pageScenarios = [
  scenario('topic partitions/pages', DescribeTopicPartitions, async (on, v) => {
    const a = await on.topic('a', { partitions: 3 })
    const b = await on.topic('b', { partitions: 2 })
    const names = [b.name, a.name]
    const at = (topicName: string, partitionIndex: number) => ({ topicName, partitionIndex })
    const ask = (label: string, of: readonly string[], o: Partial<AskOf<typeof DescribeTopicPartitions>> = {}) =>
      on.ask(label, DescribeTopicPartitions, v, { topics: of.map(name => ({ name })), ...o })
    await ask('two topics', names)
    for (const limit of [1, 2, 3, 4, 5, 6, 0, -1])
      await ask(`at most ${limit}`, names, { responsePartitionLimit: limit })
    await ask('from a partition on', names, { cursor: at(a.name, 2) })
    await ask('from a partition on, at most 1', names, { cursor: at(a.name, 2), responsePartitionLimit: 1 })
    await ask('from the second topic on', names, { cursor: at(b.name, 1) })
    await ask('from behind a topic', names, { cursor: at(a.name, 3) })
    await ask('from far behind a topic', names, { cursor: at(a.name, 77) })
    await ask('from a topic that was not asked for', [b.name], { cursor: at(a.name, 0) })
    await ask('from a negative partition', names, { cursor: at(a.name, -1) })
    await ask('from a topic that is unknown', [on.name('az'), b.name], { cursor: at(on.name('az'), 1) })
    await ask('a topic twice', [a.name, a.name])
    await ask('unknown topic', [on.name('nowhere')])
    await ask('unknown topic behind the limit', [a.name, on.name('nowhere')], { responsePartitionLimit: 3 })
    await ask('an illegal name', ['not legal!', a.name])
    await ask('the empty name', [''])
    await ask('an internal topic', ['__consumer_offsets'])
    await ask('the metadata log', [METADATA])
    await ask('all, from a negative partition', [], { cursor: at(a.name, -1) })
    const own = (answer: ResponseOf<typeof DescribeTopicPartitions>) => ({
      ...answer,
      topics: answer.topics.filter(({ name }) => names.includes(name ?? '')),
      nextCursor: null,
    })
    await on.attempt('all', DescribeTopicPartitions, v, { topics: [] }, undefined, own)
    const fromB = { topics: [], cursor: at(b.name, 1), responsePartitionLimit: 1 }
    await on.attempt('all from a topic on, at most 1', DescribeTopicPartitions, v, fromB, undefined, own)
  }),
]

const moveScenarios = [
  scenario('reassignments/alter', AlterPartitionReassignments, async (on, v) => {
    const { name } = await on.topic('t', { partitions: 2 })
    const ask = (label: string, topic: string, ...partitions: [index: number, replicas: number[] | null][]) =>
      on.ask(label, AlterPartitionReassignments, v, {
        timeoutMs: 10_000,
        topics: [
          {
            name: topic,
            partitions: partitions.map(([partitionIndex, replicas]) => ({ partitionIndex, replicas })),
          },
        ],
      })
    await ask('to where it is', name, [0, [1]])
    await ask('cancelled', name, [0, null])
    await ask('to a broker that is not', name, [0, [2]])
    await ask('to one more', name, [0, [1, 2]])
    await ask('to nobody', name, [0, []])
    await ask('to a broker twice', name, [0, [1, 1]])
    await ask('to a negative broker', name, [0, [-1]])
    await ask('unknown partition', name, [2, [1]], [1, [1]])
    await ask('unknown partition cancelled', name, [2, null])
    await ask('negative partition', name, [-1, [1]])
    await ask('unknown topic', on.name('nowhere'), [0, [1]])
    await ask('a partition twice', name, [0, [1]], [0, null])
    await ask('no partition', name)
    await on.ask('nothing', AlterPartitionReassignments, v, { timeoutMs: 10_000, topics: [] })
    if (v >= 1) {
      for (const replicas of [[1], [1, 2], []])
        await on.ask(`to [${replicas.join()}], as many as before`, AlterPartitionReassignments, v, {
          timeoutMs: 10_000,
          allowReplicationFactorChange: false,
          topics: [{ name, partitions: [{ partitionIndex: 0, replicas }] }],
        })
    }
  }),

  scenario('reassignments/list', ListPartitionReassignments, async (on, v) => {
    const { name } = await on.topic('t')
    const ask = (label: string, topics: AskOf<typeof ListPartitionReassignments>['topics']) =>
      on.ask(label, ListPartitionReassignments, v, { timeoutMs: 10_000, topics })
    await ask('all', null)
    await ask('none', [])
    await ask('one', [{ name, partitionIndexes: [0] }])
    await ask('unknown partition', [{ name, partitionIndexes: [7, -1] }])
    await ask('unknown topic', [{ name: on.name('nowhere'), partitionIndexes: [0] }])
    await ask('an illegal name', [{ name: 'not legal!', partitionIndexes: [0] }])
  }),

  scenario('elections/elect', ElectLeaders, async (on, v) => {
    const { name } = await on.topic('t', { partitions: 2 })
    const ask = (label: string, electionType: number, topic: string, ...partitions: number[]) =>
      on.ask(label, ElectLeaders, v, {
        ...(v >= 1 && { electionType }),
        topicPartitions: [{ topic, partitions }],
        timeoutMs: 10_000,
      })
    for (const type of v >= 1 ? [0, 1, 2, -1] : [0]) {
      await ask(`type ${type}`, type, name, 0, 1)
      await ask(`type ${type}, unknown partition`, type, name, 2, -1)
      await ask(`type ${type}, unknown topic`, type, on.name('nowhere'), 0)
      await ask(`type ${type}, an illegal name`, type, 'not legal!', 0)
      await ask(`type ${type}, no partition`, type, name)
      await ask(`type ${type}, a partition twice`, type, name, 0, 0)
      const own = (answer: ResponseOf<typeof ElectLeaders>) => ({
        ...answer,
        replicaElectionResults: answer.replicaElectionResults.filter(({ topic }) => topic === name),
      })
      const all = { ...(v >= 1 && { electionType: type }), topicPartitions: null, timeoutMs: 10_000 }
      await on.attempt(`type ${type}, all`, ElectLeaders, v, all, undefined, own)
      await on.ask(`type ${type}, none`, ElectLeaders, v, { ...all, topicPartitions: [] })
    }
  }),
]

/** Numbers that tell how long a broker has been up say nothing here. */
const quorum = (answer: ResponseOf<typeof DescribeQuorum>) => ({
  ...answer,
  topics: answer.topics.map(topic => ({
    ...topic,
    partitions: topic.partitions.map(({ leaderEpoch, highWatermark, currentVoters, ...rest }) => ({
      ...rest,
      hasEpoch: leaderEpoch > 0,
      hasEnd: highWatermark > 0,
      currentVoters: currentVoters.map(({ logEndOffset, ...voter }) => ({
        ...voter,
        isBehind: logEndOffset < highWatermark,
      })),
    })),
  })),
  nodes: answer.nodes.map(({ nodeId }) => nodeId),
})

const quorumScenarios = [
  scenario('quorum/describe', DescribeQuorum, async (on, v) => {
    const ask = (label: string, ...topics: [name: string, ...of: number[]][]) =>
      on.attempt(
        label,
        DescribeQuorum,
        v,
        {
          topics: topics.map(([topicName, ...of]) => ({
            topicName,
            partitions: of.map(partitionIndex => ({ partitionIndex })),
          })),
        },
        undefined,
        quorum,
      )
    await ask('the metadata log', [METADATA, 0])
    await ask('another partition', [METADATA, 1])
    await ask('two partitions', [METADATA, 0, 1])
    await ask('a partition twice', [METADATA, 0, 0])
    await ask('no partition', [METADATA])
    await ask('another topic', ['__consumer_offsets', 0])
    await ask('two topics', [METADATA, 0], ['__consumer_offsets', 0])
    await ask('nothing')
  }),

  scenario('quorum/add a voter', AddRaftVoter, async (on, v) => {
    const listener = { name: 'CONTROLLER', host: '127.0.0.1', port: 1 }
    const good = { clusterId: null, timeoutMs: 1000, voterId: 7, voterDirectoryId: SOME_ID, listeners: [listener] }
    const ask = (label: string, o: Partial<AskOf<typeof AddRaftVoter>> = {}) =>
      on.ask(label, AddRaftVoter, v, { ...good, ...o })
    await ask('a good one')
    await ask('another cluster', { clusterId: 'nope' })
    await ask('the empty cluster', { clusterId: '' })
    await ask('a negative id', { voterId: -1 })
    await ask('no directory', { voterDirectoryId: NO_ID })
    await ask('no listener', { listeners: [] })
    await ask('another listener', { listeners: [{ ...listener, name: 'PLAINTEXT' }] })
    await ask('the one there is', { voterId: 1 })
    await ask('another cluster and a negative id', { clusterId: 'nope', voterId: -1 })
  }),

  scenario('quorum/remove a voter', RemoveRaftVoter, async (on, v) => {
    const good = { clusterId: null, voterId: 7, voterDirectoryId: SOME_ID }
    const ask = (label: string, o: Partial<AskOf<typeof RemoveRaftVoter>> = {}) =>
      on.ask(label, RemoveRaftVoter, v, { ...good, ...o })
    await ask('a good one')
    await ask('another cluster', { clusterId: 'nope' })
    await ask('the empty cluster', { clusterId: '' })
    await ask('a negative id', { voterId: -1 })
    await ask('no directory', { voterDirectoryId: NO_ID })
    await ask('the one there is', { voterId: 1 })
  }),

  scenario('brokers/unregister', UnregisterBroker, async (on, v) => {
    for (const brokerId of [2, 0, -1, 2 ** 31 - 1])
      await on.ask(`broker ${brokerId}`, UnregisterBroker, v, { brokerId })
  }),
]

export const clusterAdminScenarios = [...logDirScenarios, ...pageScenarios, ...moveScenarios, ...quorumScenarios]
