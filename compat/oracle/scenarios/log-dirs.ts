// Two log directories: where partitions are made, moves between the directories, and one of them that is taken away.
import { renameSync } from 'node:fs'
import type { ResponseOf } from '../../../protocol/api.ts'
import {
  AlterReplicaLogDirs,
  CreateTopics,
  DeleteRecords,
  DescribeLogDirs,
  DescribeConfigs,
  Fetch,
  IncrementalAlterConfigs,
  ListOffsets,
  Metadata,
  Produce,
} from '../../../protocol/index.ts'
import { encodeBatch } from '../../../protocol/records/record.ts'
import { scenario, type Case } from '../scenario.ts'

/** The partitions of topic a. */
const ALL = [0, 1, 2]
const VERSION = { describe: 4, move: 2 }

/** Too long for the folder of a move, whose name has an id at its end. */
const longName = (on: Case): string => on.name('long').padEnd(230, 'l')
const NOWHERE = '/nowhere'
const RATE = 'replica.alter.log.dirs.io.max.bytes.per.second'
const BROKER = 4
const [SET, DELETE] = [0, 1]

async function placed(on: Case): Promise<void> {
  // Whose turn it is among directories with as many partitions is chance.
  for (const index of ALL)
    await on.useVersion(AlterReplicaLogDirs, VERSION.move, toMove(on.name('a'), index, on.dirs[index % 2]!))
  await on.useVersion(AlterReplicaLogDirs, VERSION.move, toMove(on.name('m'), 0, on.dirs[0]!))
  await create(on, 'a', 3)
  // Kafka's controller hears late of moves: what was moved is no partition to look at when a directory fails.
  await create(on, 'm', 1)
  await layout(on, 'where its partitions are', 'a')
  // An even number with those of the coordinator's topic: who gets the odd one is chance.
  await create(on, 'b', 2)
  await createNamed(on, 'a topic with a long name', longName(on), 1)
  await layout(on, 'where they are')
  for (const index of ALL) await produce(on, `produce to a-${index}`, 'a', index)
  await move(on, 'move to a path that is no log directory', on.name('a'), 0, NOWHERE)
  await move(on, 'move to a relative path', on.name('a'), 0, 'data')
  await move(on, 'move to an empty path', on.name('a'), 0, '')
  await move(on, 'move a topic that does not exist', on.name('none'), 0, on.dirs[0]!)
  await move(on, 'move a partition that does not exist', on.name('a'), 9, on.dirs[0]!)
  await move(on, 'move a topic whose name is too long for it', longName(on), 0, on.dirs[0]!)
  await move(on, 'move to where it is', on.name('a'), 0, await whereIs(on, 'a', 0))
  for (const index of ALL) await move(on, `wish for wished-${index}`, on.name('wished'), index, on.dirs[0]!)
  await create(on, 'wished', 3)
  await layout(on, 'where that is', 'wished')
}

async function moved(on: Case): Promise<void> {
  await moveAndWait(on, 'move to the other directory')
  await moveAndWait(on, 'move back')
  await fetch(on, 'read it', 'm', 0)
  await produce(on, 'produce again', 'm', 0)
  await fetch(on, 'read that', 'm', 0)
}

/** A move that takes longer than anybody waits, and is given up. */
async function throttled(on: Case): Promise<void> {
  await limit(on, 'a limit for moves', SET, '1')
  // Kafka copies as much as one fetch takes before it looks at the limit.
  for (let i = 0; i < 4; i++) await on.useVersion(Produce, 9, toProduce(on, 'm', 0, 900_000))
  const isMoving = async () =>
    linesOf(on, await described(on), 'm')
      .join()
      .includes('future')
  await move(on, 'move slowly', on.name('m'), 0, on.dirs[1]!)
  await on.until('it is under way', isMoving)
  await layout(on, 'on the way', 'm')
  await move(on, 'move slowly, once more', on.name('m'), 0, on.dirs[1]!)
  await fetch(on, 'read it on the way', 'm', 0)
  await move(on, 'stay where it is', on.name('m'), 0, on.dirs[0]!)
  await on.until('it is given up', async () => !(await isMoving()))
  await layout(on, 'given up', 'm')
  await limit(on, 'no limit', DELETE, null)
  await moveAndWait(on, 'move quickly')
  await moveAndWait(on, 'and back')
}

async function limit(on: Case, label: string, configOperation: number, value: string | null): Promise<void> {
  const resource = { resourceType: BROKER, resourceName: '1' }
  const configs = [{ name: RATE, configOperation, value }]
  await on.ask(label, IncrementalAlterConfigs, 1, { resources: [{ ...resource, configs }], validateOnly: false })
  // Kafka's broker follows its controller a little later.
  await on.until(`${label} is known`, async () => {
    const { results } = await on.useVersion(DescribeConfigs, 4, {
      resources: [{ ...resource, configurationKeys: [RATE] }],
    })
    return (results[0]?.configs.find(({ name }) => name === RATE)?.value ?? null) === value
  })
}

async function without(on: Case): Promise<void> {
  await takeAway(on)
  await layout(on, 'where they are then')
  await leaders(on, 'what is there and what is not')
  for (const index of ALL) {
    await produce(on, `produce to a-${index} then`, 'a', index)
    await fetch(on, `fetch a-${index} then`, 'a', index)
    await listOffset(on, `offsets of a-${index} then`, index)
    await deleteRecords(on, `delete records of a-${index} then`, index)
  }
  await move(on, 'move into what is gone', on.name('a'), 0, on.dirs[1]!)
  await move(on, 'move what is gone', on.name('a'), 1, on.dirs[0]!)
  await move(on, 'move what is there to where it is', on.name('a'), 0, on.dirs[0]!)
  await create(on, 'c', 2)
  await layout(on, 'where c is', 'c')
  await produce(on, 'produce to it', 'c', 0)
}

const create = (on: Case, hint: string, numPartitions: number): Promise<void> =>
  createNamed(on, hint, on.name(hint), numPartitions)

async function createNamed(on: Case, what: string, name: string, numPartitions: number): Promise<void> {
  const topics = [{ name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }]
  await on.attempt(
    `create ${what}`,
    CreateTopics,
    7,
    { topics, timeoutMs: 10_000, validateOnly: false },
    undefined,
    answer => answer.topics[0]?.errorCode,
  )
  // Kafka's broker follows its controller a little later.
  await on.until(`${what} is there`, async () => {
    const { results } = await described(on)
    const found = results.flatMap(({ topics: all }) => all.filter(t => t.name === name)).flatMap(t => t.partitions)
    return found.length === numPartitions
  })
}

const described = (on: Case) => on.useVersion(DescribeLogDirs, VERSION.describe, { topics: null })

/** `directory error: topic-partition, …`, the directories by their place; without a topic their number, the order is Kafka's own. */
function linesOf(on: Case, { results }: ResponseOf<typeof DescribeLogDirs>, hint?: string): string[] {
  return results
    .map(({ logDir, errorCode, totalBytes, topics }) => {
      const names = topics
        .filter(({ name }) => hint === undefined || name === on.name(hint))
        .flatMap(({ partitions }) => partitions.map(p => `${p.partitionIndex}${p.isFutureKey ? ' future' : ''}`))
      const space = totalBytes > 0 ? '' : ` total ${totalBytes}`
      const which = hint === undefined ? String(names.length) : names.toSorted().join(', ')
      return `${on.dirs.indexOf(logDir)} error ${errorCode}${space}: ${which}`
    })
    .toSorted()
}

const layout = (on: Case, label: string, hint?: string) =>
  on.attempt(label, DescribeLogDirs, VERSION.describe, { topics: null }, undefined, answer => ({
    errorCode: answer.results.find(({ errorCode }) => errorCode !== 0)?.errorCode ?? 0,
    directories: linesOf(on, answer, hint),
  }))

async function whereIs(on: Case, hint: string, index: number): Promise<string> {
  const { results } = await described(on)
  const found = results.find(({ topics }) =>
    topics.some(t => t.name === on.name(hint) && t.partitions.some(p => p.partitionIndex === index && !p.isFutureKey)),
  )
  return found?.logDir ?? ''
}

const toMove = (name: string, index: number, path: string) => ({
  dirs: [{ path, topics: [{ name, partitions: [index] }] }],
})

const move = (on: Case, label: string, name: string, index: number, path: string) =>
  on.ask(label, AlterReplicaLogDirs, VERSION.move, toMove(name, index, path))

async function moveAndWait(on: Case, label: string): Promise<void> {
  const from = await whereIs(on, 'm', 0)
  const to = on.dirs.find(path => path !== from)!
  await move(on, label, on.name('m'), 0, to)
  await on.until(`it is in ${to}`, async () => {
    const lines = linesOf(on, await described(on), 'm')
    return (await whereIs(on, 'm', 0)) === to && !lines.join().includes('future')
  })
  await layout(on, `${label}: where they are`)
}

async function takeAway(on: Case): Promise<void> {
  // In one step: files come and go there.
  renameSync(on.dirs[1]!, `${on.dirs[1]!}-gone`)
  await on.until('it is noticed', async () => {
    for (const index of ALL) await on.useVersion(Produce, 9, toProduce(on, 'a', index))
    return linesOf(on, await described(on)).some(line => line.startsWith('1 error 56'))
  })
  await on.until('the controller knows', async () => {
    const answer = await on.useVersion(Metadata, 9, metadataOf(on))
    return answer.topics[0]!.partitions.some(({ leaderId }) => leaderId === -1)
  })
}

const metadataOf = (on: Case) => ({ topics: [{ name: on.name('a') }], allowAutoTopicCreation: false })

/** Leader epochs depend on how often what was gone was asked for. */
const leaders = (on: Case, label: string) =>
  on.attempt(label, Metadata, 9, metadataOf(on), undefined, ({ topics }) =>
    topics.map(({ errorCode, partitions }) => ({
      errorCode,
      partitions: partitions.map(({ leaderEpoch: _, ...partition }) => partition),
    })),
  )

function toProduce(on: Case, hint: string, index: number, size = 1) {
  const bytes = encodeBatch({ timestamp: on.now, records: [{ key: null, value: Buffer.alloc(size, 'v') }] })
  const partitionData = [{ index, records: { byteLength: bytes.length, parts: [bytes] } }]
  const topicData = [{ name: on.name(hint), partitionData }]
  return { transactionalId: null, acks: 1, timeoutMs: 5000, topicData }
}

/** How many were written while the directory was taken away differs. */
const produce = (on: Case, label: string, hint: string, index: number) =>
  on.attempt(label, Produce, 9, toProduce(on, hint, index), undefined, ({ responses }) =>
    responses.flatMap(({ partitionResponses }) =>
      partitionResponses.map(({ baseOffset, ...rest }) => ({ ...rest, isWritten: baseOffset >= 0 })),
    ),
  )

const fetch = (on: Case, label: string, hint: string, partition: number) =>
  on.attempt(
    label,
    Fetch,
    12,
    {
      maxWaitMs: 0,
      minBytes: 0,
      topics: [{ topic: on.name(hint), partitions: [{ partition, fetchOffset: 0, partitionMaxBytes: 1_000_000 }] }],
      forgottenTopicsData: [],
    },
    undefined,
    ({ responses }) =>
      responses.flatMap(({ partitions }) =>
        partitions.map(({ errorCode, records, highWatermark }) => ({
          errorCode,
          highWatermark: errorCode === 0 ? highWatermark > 0 : highWatermark,
          hasRecords: (records?.byteLength ?? 0) > 0,
        })),
      ),
  )

const listOffset = (on: Case, label: string, partitionIndex: number) =>
  on.ask(label, ListOffsets, 7, {
    replicaId: -1,
    isolationLevel: 0,
    topics: [{ name: on.name('a'), partitions: [{ partitionIndex, currentLeaderEpoch: -1, timestamp: -2 }] }],
  })

const deleteRecords = (on: Case, label: string, partitionIndex: number) =>
  on.ask(label, DeleteRecords, 2, {
    topics: [{ name: on.name('a'), partitions: [{ partitionIndex, offset: 1 }] }],
    timeoutMs: 5000,
  })

export const logDirScenarios = [
  scenario(
    'two log directories/placed, moved, taken away',
    null,
    async on => {
      await placed(on)
      await moved(on)
      await throttled(on)
      await without(on)
    },
    { stage: 'two log directories' },
  ),
]
