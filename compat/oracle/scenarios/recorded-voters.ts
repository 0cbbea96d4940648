// A quorum whose voters are recorded (kraft.version 1, KIP-853): in a directory that was formatted so, and after an upgrade.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AskOf, ResponseOf } from '../../../protocol/api.ts'
import {
  AddRaftVoter,
  ApiVersions,
  DescribeQuorum,
  Metadata,
  RemoveRaftVoter,
  UpdateFeatures,
} from '../../../protocol/index.ts'
import { ZERO_UUID } from '../../../protocol/schema.ts'
import { scenario, type Case } from '../scenario.ts'

const STAGE = 'recorded voters'
const SOME_ID = 'c29tZS1kaXJlY3RvcnktaQ'
const KRAFT = 'kraft.version'
const [UPGRADE, SAFE, UNSAFE] = [1, 2, 3]

/** Ids of directories and ports are chosen by each side. */
const quorum = (own: string | null) => (answer: ResponseOf<typeof DescribeQuorum>) => ({
  ...answer,
  topics: answer.topics.map(topic => ({
    ...topic,
    partitions: topic.partitions.map(({ leaderEpoch, highWatermark, currentVoters, ...rest }) => ({
      ...rest,
      hasEpoch: leaderEpoch > 0,
      hasEnd: highWatermark > 0,
      currentVoters: currentVoters.map(({ logEndOffset, replicaDirectoryId, ...voter }) => ({
        ...voter,
        directory: replicaDirectoryId === ZERO_UUID ? 'none' : replicaDirectoryId === own ? 'its own' : 'another',
        isBehind: logEndOffset < highWatermark,
      })),
    })),
  })),
  nodes: answer.nodes.map(({ nodeId, listeners }) => ({
    nodeId,
    listeners: listeners.map(({ name, host, port }) => ({ name, host, hasPort: port > 0 })),
  })),
})

/** As meta.properties says it. */
const directoryId = (on: Case): string =>
  /^directory\.id=(.*)$/m.exec(readFileSync(join(on.dirs[0]!, 'meta.properties'), 'utf8'))![1]!

const describe = (on: Case, label: string, v: number, own: string | null) =>
  on.attempt(
    label,
    DescribeQuorum,
    v,
    { topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }] },
    undefined,
    quorum(own),
  )

const software = { clientSoftwareName: 'a', clientSoftwareVersion: '1' }

const level = (on: Case, label: string, v: number) =>
  on.attempt(label, ApiVersions, v, software, undefined, ({ supportedFeatures, finalizedFeatures }) => ({
    supportedFeatures: supportedFeatures.filter(({ name }) => name === KRAFT),
    finalizedFeatures: finalizedFeatures.filter(({ name }) => name === KRAFT),
  }))

function update(
  on: Case,
  label: string,
  v: number,
  maxVersionLevel: number,
  upgradeType: number,
  validateOnly = false,
) {
  const feature = { feature: KRAFT, maxVersionLevel }
  return on.ask(label, UpdateFeatures, v, {
    timeoutMs: 10_000,
    featureUpdates: [v === 0 ? { ...feature, allowDowngrade: upgradeType !== UPGRADE } : { ...feature, upgradeType }],
    ...(v > 0 && { validateOnly }),
  })
}

const atOne = [
  scenario('recorded voters/told by ApiVersions', ApiVersions, (on, v) => level(on, 'features', v).then(() => {}), {
    versions: [3, 4],
    stage: STAGE,
  }),

  scenario(
    'recorded voters/described',
    DescribeQuorum,
    async (on, v) => void (await describe(on, 'the metadata log', v, directoryId(on))),
    { stage: STAGE },
  ),

  scenario(
    'recorded voters/one more',
    AddRaftVoter,
    async (on, v) => {
      const listener = { name: 'CONTROLLER', host: '127.0.0.1', port: 1 }
      const good = { clusterId: null, timeoutMs: 5000, voterId: 7, voterDirectoryId: SOME_ID, listeners: [listener] }
      const ask = (label: string, o: Partial<AskOf<typeof AddRaftVoter>> = {}) =>
        on.ask(label, AddRaftVoter, v, { ...good, ...o })
      const { clusterId } = await on.use(Metadata, { topics: [], allowAutoTopicCreation: false })
      await ask('the one there is', { voterId: 1 })
      await ask('the one there is, in its directory', { clusterId, voterId: 1, voterDirectoryId: directoryId(on) })
      await ask('another cluster', { clusterId: 'nope' })
      await ask('a negative id', { voterId: -1 })
      await ask('no directory', { voterDirectoryId: ZERO_UUID })
      await ask('no listener', { listeners: [] })
      await ask('another listener', { listeners: [{ ...listener, name: 'PLAINTEXT' }] })
      await ask('the one there is, at another listener', { voterId: 1, listeners: [{ ...listener, name: 'NONE' }] })
      await ask('the one there is, in small letters', { voterId: 1, listeners: [{ ...listener, name: 'controller' }] })
      await ask('one that nobody reaches')
      if (v > 0) await ask('one that nobody reaches, without waiting', { ackWhenCommitted: false })
      await ask('the one there is, again', { voterId: 1 })
      await describe(on, 'the quorum afterwards', 2, directoryId(on))
    },
    { alone: true, stage: STAGE },
  ),

  scenario(
    'recorded voters/one less',
    RemoveRaftVoter,
    async (on, v) => {
      const good = { clusterId: null, voterId: 1, voterDirectoryId: directoryId(on) }
      const ask = (label: string, o: Partial<AskOf<typeof RemoveRaftVoter>> = {}) =>
        on.ask(label, RemoveRaftVoter, v, { ...good, ...o })
      await ask('one that is none', { voterId: 7 })
      await ask('one that is none, in another directory', { voterId: 7, voterDirectoryId: SOME_ID })
      await ask('another directory', { voterDirectoryId: SOME_ID })
      await ask('another cluster', { clusterId: 'nope' })
      await ask('a negative id', { voterId: -1 })
      await ask('no directory', { voterDirectoryId: ZERO_UUID })
      await ask('the only one')
      await describe(on, 'the quorum afterwards', 2, directoryId(on))
    },
    { alone: true, stage: STAGE },
  ),

  scenario(
    'recorded voters/the level',
    UpdateFeatures,
    async (on, v) => {
      const ask = (label: string, to: number, type: number, dry?: boolean) => update(on, label, v, to, type, dry)
      await ask('the same', 1, UPGRADE)
      await ask('the same, as a safe downgrade', 1, SAFE)
      await ask('the same, as an unsafe downgrade', 1, UNSAFE)
      await ask('back, as an upgrade', 0, UPGRADE)
      await ask('back, as a safe downgrade', 0, SAFE)
      await ask('back, as an unsafe downgrade', 0, UNSAFE)
      await ask('too high', 2, UPGRADE)
      await ask('negative', -1, UNSAFE)
      if (v > 0) {
        await ask('the same, only looked at', 1, UPGRADE, true)
        await ask('back, only looked at', 0, UNSAFE, true)
      }
      await level(on, 'afterwards', 4)
    },
    { alone: true, stage: STAGE },
  ),
]

const raised = scenario(
  'recorded voters/from now on',
  null,
  async on => {
    const add = (label: string, voterId: number) =>
      on.ask(label, AddRaftVoter, 1, {
        clusterId: null,
        timeoutMs: 5000,
        voterId,
        voterDirectoryId: SOME_ID,
        listeners: [{ name: 'CONTROLLER', host: '127.0.0.1', port: 1 }],
      })
    const remove = (label: string, voterId: number) =>
      on.ask(label, RemoveRaftVoter, 0, { clusterId: null, voterId, voterDirectoryId: SOME_ID })
    await level(on, 'before', 4)
    await describe(on, 'the quorum before', 1, null)
    await update(on, 'to 0', 2, 0, UPGRADE)
    await update(on, 'to 1, as a downgrade', 2, 1, SAFE)
    await update(on, 'to 2', 2, 2, UPGRADE)
    await update(on, 'to 1, only looked at', 2, 1, UPGRADE, true)
    await level(on, 'still before', 4)
    await update(on, 'to 1', 2, 1, UPGRADE)
    await on.until('kraft.version is 1', async () => {
      const { finalizedFeatures } = await on.useVersion(ApiVersions, 4, software)
      return finalizedFeatures.some(({ name, maxVersionLevel }) => name === KRAFT && maxVersionLevel === 1)
    })
    await level(on, 'raised', 4)
    await describe(on, 'the quorum', 2, null)
    await add('the one there is', 1)
    await add('one that nobody reaches', 7)
    await remove('another directory', 1)
    await remove('one that is none', 7)
    await update(on, 'to 1 again', 2, 1, UPGRADE)
    await update(on, 'back to 0', 2, 0, SAFE)
    await update(on, 'back to 0, unsafe', 2, 0, UNSAFE)
    await level(on, 'still raised', 4)
  },
  { stage: 'voters to record' },
)

export const recordedVoterScenarios = [...atOne, raised]
