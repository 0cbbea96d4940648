// Two log directories, judged by Apache Kafka: placement, moves and a directory that is taken away, on a broker of its own on each
// side. Prints what both say and ends with 1 where they differ: `npx tsx compat/oracle/log-dirs.ts`.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  AlterReplicaLogDirs,
  CreateTopics,
  DeleteRecords,
  DescribeLogDirs,
  Fetch,
  ListOffsets,
  Metadata,
  Produce,
} from '../../protocol/index.ts'
import { encodeBatch } from '../../protocol/records/record.ts'
import { createBroker } from '../../src/index.ts'
import { open, type Wire } from '../harness/wire.ts'
import { startKafka } from './kafka.ts'
import { NEWEST, ourKeys, sharedKeys } from './keys.ts'

interface Side {
  readonly client: Wire
  /** In the order of log.dirs. */
  readonly dirs: readonly [string, string]
}

const LONG = 'l'.repeat(230)
const PATIENCE_MS = 30_000

const steps: readonly (readonly [string, (side: Side) => Promise<unknown>])[] = [
  ['create a with 3 partitions', side => create(side, 'a', 3)],
  ['create b with 2 partitions', side => create(side, 'b', 2)],
  ['create a topic with a long name', side => create(side, LONG, 1)],
  ['where they are', layout],
  ['produce', async side => Promise.all([0, 1, 2].map(index => produce(side, 'a', index)))],
  ['move to a path that is no log directory', side => move(side, 'a', 0, '/nowhere')],
  ['move to a relative path', side => move(side, 'a', 0, 'data')],
  ['move to an empty path', side => move(side, 'a', 0, '')],
  ['move a topic that does not exist', side => move(side, 'none', 0, side.dirs[0])],
  ['move a partition that does not exist', side => move(side, 'a', 9, side.dirs[0])],
  ['move a topic whose name is too long for it', side => move(side, LONG, 0, side.dirs[0])],
  ['move to where it is', async side => move(side, 'a', 0, await whereIs(side, 'a', 0))],
  [
    'create what was to be made in the first directory',
    async side => {
      for (const index of [0, 1, 2]) await move(side, 'wished', index, side.dirs[0])
      await create(side, 'wished', 3)
      return layout(side, 'wished')
    },
  ],
  ['move to the other directory', moveAndWait],
  ['move back', moveAndWait],
  ['read it', side => fetch(side, 'a', 0)],
  ['produce again', side => produce(side, 'a', 0)],
  ['take the second directory away', takeAway],
  ['where they are then', layout],
  ['metadata of what is there and what is not', side => metadata(side, 'a')],
  ['produce to all', async side => Promise.all([0, 1, 2].map(index => produce(side, 'a', index)))],
  ['fetch all', async side => Promise.all([0, 1, 2].map(index => fetch(side, 'a', index)))],
  ['list offsets of all', async side => Promise.all([0, 1, 2].map(index => listOffset(side, 'a', index)))],
  ['delete records of all', async side => Promise.all([0, 1, 2].map(index => deleteRecords(side, 'a', index)))],
  ['move into what is gone', side => move(side, 'a', 0, side.dirs[1])],
  ['move what is gone', side => move(side, 'a', 1, side.dirs[0])],
  ['move what is there to where it is', side => move(side, 'a', 0, side.dirs[0])],
  ['create c', side => create(side, 'c', 2)],
  ['where it is', side => layout(side, 'c')],
  ['produce to it', side => produce(side, 'c', 0)],
]

async function create({ client }: Side, name: string, numPartitions: number): Promise<unknown> {
  const topics = [{ name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }]
  const answer = await client.request(CreateTopics, 7, { topics, timeoutMs: 10_000, validateOnly: false })
  // Kafka's broker follows its controller a little later.
  await until(async () => {
    const { results } = await describe({ client })
    const found = results.flatMap(({ topics: all }) => all.filter(t => t.name === name)).flatMap(t => t.partitions)
    return found.length === numPartitions
  })
  return answer.topics[0]!.errorCode
}

const describe = ({ client }: Pick<Side, 'client'>) => client.request(DescribeLogDirs, 4, { topics: null })

/** `directory error: topic-partition, …`, the directories by their place; without a topic their number, the order is Kafka's own. */
async function layout(side: Side, topic?: string): Promise<string[]> {
  const { results } = await describe(side)
  return results
    .map(({ logDir, errorCode, totalBytes, topics }) => {
      const names = topics
        .filter(({ name }) => topic === undefined || name === topic)
        .flatMap(({ name, partitions }) =>
          partitions.map(p => `${name.slice(0, 9)}-${p.partitionIndex}${p.isFutureKey ? ' future' : ''}`),
        )
      const space = totalBytes > 0 ? '' : ` total ${totalBytes}`
      const which = topic === undefined ? String(names.length) : names.toSorted().join(', ')
      return `${side.dirs.indexOf(logDir)} ${errorCode}${space}: ${which}`
    })
    .toSorted()
}

async function whereIs(side: Side, topic: string, index: number): Promise<string> {
  const { results } = await describe(side)
  const found = results.find(({ topics }) =>
    topics.some(t => t.name === topic && t.partitions.some(p => p.partitionIndex === index && !p.isFutureKey)),
  )
  return found?.logDir ?? ''
}

async function move({ client }: Side, topic: string, index: number, path: string): Promise<number> {
  const dirs = [{ path, topics: [{ name: topic, partitions: [index] }] }]
  const answer = await client.request(AlterReplicaLogDirs, 2, { dirs })
  return answer.results[0]!.partitions[0]!.errorCode
}

async function moveAndWait(side: Side): Promise<unknown> {
  const from = await whereIs(side, 'a', 0)
  const to = side.dirs.find(path => path !== from)!
  const errorCode = await move(side, 'a', 0, to)
  await until(async () => (await whereIs(side, 'a', 0)) === to && !(await layout(side, 'a')).join().includes('future'))
  return [errorCode, await layout(side, 'a')]
}

/** Both notice it with the next checkpoint at the latest. */
async function takeAway(side: Side): Promise<unknown> {
  rmSync(side.dirs[1], { recursive: true })
  await until(async () => {
    for (const index of [0, 1, 2]) await produce(side, 'a', index)
    return (await layout(side)).some(line => line.startsWith('1 56'))
  })
  await until(async () => (await metadata(side, 'a')).some(line => line.includes('leader -1')))
  return 'noticed'
}

async function metadata({ client }: Pick<Side, 'client'>, name: string): Promise<string[]> {
  const answer = await client.request(Metadata, 9, { topics: [{ name }], allowAutoTopicCreation: false })
  const topic = answer.topics[0]!
  if (topic.errorCode !== 0) return [`error ${topic.errorCode}`]
  return topic.partitions
    .toSorted((a, b) => a.partitionIndex - b.partitionIndex)
    .map(p => `${p.errorCode} leader ${p.leaderId} isr ${p.isrNodes.join()} offline ${p.offlineReplicas.join()}`)
}

async function produce({ client }: Side, name: string, index: number): Promise<number> {
  const bytes = encodeBatch({ timestamp: 1_700_000_000_000, records: [{ key: null, value: Buffer.from('v') }] })
  const partitionData = [{ index, records: { byteLength: bytes.length, parts: [bytes] } }]
  const topicData = [{ name, partitionData }]
  const answer = await client.request(Produce, 9, { transactionalId: null, acks: 1, timeoutMs: 5000, topicData })
  return answer.responses[0]!.partitionResponses[0]!.errorCode
}

async function fetch({ client }: Side, topic: string, partition: number): Promise<unknown> {
  const partitions = [{ partition, fetchOffset: 0, partitionMaxBytes: 1_000_000 }]
  const wanted = { maxWaitMs: 0, minBytes: 0, topics: [{ topic, partitions }], forgottenTopicsData: [] }
  const answer = await client.request(Fetch, 12, wanted)
  const { errorCode, records, highWatermark } = answer.responses[0]!.partitions[0]!
  // How many were written while the directory was taken away differs.
  return [errorCode, errorCode === 0 ? highWatermark > 0 : highWatermark, (records?.byteLength ?? 0) > 0]
}

async function listOffset({ client }: Side, name: string, partitionIndex: number): Promise<number> {
  const topics = [{ name, partitions: [{ partitionIndex, currentLeaderEpoch: -1, timestamp: -2 }] }]
  const answer = await client.request(ListOffsets, 7, { replicaId: -1, isolationLevel: 0, topics })
  return answer.topics[0]!.partitions[0]!.errorCode
}

async function deleteRecords({ client }: Side, name: string, partitionIndex: number): Promise<number> {
  const topics = [{ name, partitions: [{ partitionIndex, offset: 1 }] }]
  const answer = await client.request(DeleteRecords, 2, { topics, timeoutMs: 5000 })
  return answer.topics[0]!.partitions[0]!.errorCode
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + PATIENCE_MS
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error('it did not come about in time')
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

async function transcript(side: Side): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const [name, step] of steps) {
    found.set(
      name,
      await step(side).then(
        value => JSON.stringify(value),
        (error: unknown) => `failed: ${String(error)}`,
      ),
    )
  }
  return found
}

const folders = Array.from({ length: 4 }, () => mkdtempSync(join(tmpdir(), 'odradek-log-dirs-')))
const keys = { ...sharedKeys, 'log.flush.offset.checkpoint.interval.ms': '500', 'log.initial.task.delay.ms': '100' }
try {
  const [k1, k2, o1, o2] = folders as [string, string, string, string]
  const kafka = await startKafka(NEWEST, { keys: { ...keys, 'log.dirs': `${k1},${k2}` } })
  let theirs = new Map<string, string>()
  try {
    let client: Wire | null = null
    await until(async () => (client = await open(kafka.address).catch(() => null)) !== null)
    theirs = await transcript({ client: client!, dirs: [k1, k2] })
  } finally {
    await kafka.stop()
  }
  const broker = createBroker({ listen: '127.0.0.1:0', config: { ...keys, ...ourKeys, 'log.dirs': `${o1},${o2}` } })
  await broker.listen()
  const client = await open(broker.bootstrap)
  const ours = await transcript({ client, dirs: [o1, o2] })
  client.close()
  await broker.close()
  let differences = 0
  for (const [name, answer] of theirs) {
    if (ours.get(name) === answer) console.log(`  ${name}: ${answer}`)
    else {
      differences++
      console.log(`! ${name}\n    Kafka ${answer}\n    ours  ${ours.get(name)}`)
    }
  }
  console.log(`${theirs.size} compared, ${differences} differ`)
  process.exitCode = differences > 0 ? 1 : 0
} finally {
  for (const path of folders) rmSync(path, { recursive: true, force: true })
}
