// OffsetDelete: what was taken back stays away, also after a crash.
import { expect, test } from 'vitest'
import { GROUP_ID_NOT_FOUND, INVALID_GROUP_ID, NONE, UNKNOWN_TOPIC_OR_PARTITION } from '../../../protocol/errors.ts'
import { FindCoordinator, OffsetCommit, OffsetDelete, OffsetFetch } from '../../../protocol/messages/index.ts'
import { crashFiles } from '../../../storage/files-crash.ts'
import { testBroker, type TestBroker } from '../broker/harness.ts'

async function commit(broker: TestBroker, ...partitions: number[]): Promise<void> {
  const asked = partitions.map(partitionIndex => ({
    partitionIndex,
    committedOffset: 7,
    committedMetadata: null,
  }))
  const reply = await broker.ask(OffsetCommit, { groupId: 'g', topics: [{ name: 't', partitions: asked }] }, 8)
  expect(reply!.topics[0]!.partitions.map(({ errorCode }) => errorCode)).toEqual(partitions.map(() => NONE))
}

async function remove(broker: TestBroker, groupId: string, ...partitions: number[]) {
  const topics = [{ name: 't', partitions: partitions.map(partitionIndex => ({ partitionIndex })) }]
  const reply = await broker.ask(OffsetDelete, { groupId, topics })
  return reply!.errorCode || reply!.topics.flatMap(topic => topic.partitions)
}

async function committed(broker: TestBroker): Promise<number[]> {
  const reply = await broker.ask(OffsetFetch, { groupId: 'g', topics: null, groups: [] }, 7)
  return reply!.topics.flatMap(({ partitions }) => partitions.map(({ partitionIndex }) => partitionIndex))
}

test('offsets that were taken back stay away', async () => {
  const files = crashFiles()
  let broker = await testBroker({ files })
  await broker.createTopic('t', 3)
  await broker.ask(FindCoordinator, { keyType: 0, coordinatorKeys: ['g'] })
  expect(await remove(broker, 'g', 0)).toBe(GROUP_ID_NOT_FOUND)
  expect(await remove(broker, '', 0)).toBe(INVALID_GROUP_ID)
  await commit(broker, 0, 1, 2)
  expect(await remove(broker, 'g', 0, 2, 3)).toEqual([
    { partitionIndex: 3, errorCode: UNKNOWN_TOPIC_OR_PARTITION },
    { partitionIndex: 0, errorCode: NONE },
    { partitionIndex: 2, errorCode: NONE },
  ])
  expect(await committed(broker)).toEqual([1])
  files.crash(() => 0)
  broker = await testBroker({ files })
  await broker.opened.broker.coordinatorsLoaded()
  expect(await committed(broker)).toEqual([1])
})
