// A broker that is told to stop answers the commits that it has taken, once they are durable: it does not deny them.
import { expect, test } from 'vitest'
import { COORDINATOR_NOT_AVAILABLE, NONE } from '../../protocol/errors.ts'
import { FindCoordinator, OffsetCommit } from '../../protocol/messages/index.ts'
import { crashFiles } from '../../storage/files-crash.ts'
import { testBroker } from '../src/broker/harness.ts'

test('a commit waits for the disk while the broker begins to stop', async () => {
  const files = crashFiles()
  const broker = await testBroker({ files })
  await broker.createTopic('t')
  await broker.ask(FindCoordinator, { keyType: 0, coordinatorKeys: ['g'] }, 4)
  await broker.runtime.settle()
  const commit = async (committedOffset: number) => {
    const partitions = [{ partitionIndex: 0, committedOffset, committedMetadata: '' }]
    const reply = await broker.ask(OffsetCommit, { groupId: 'g', topics: [{ name: 't', partitions }] }, 8)
    return reply!.topics[0]!.partitions[0]!.errorCode
  }
  const release = files.holdSyncs()
  const taken = commit(1)
  await broker.runtime.settle()
  broker.opened.quiesce()
  const late = commit(2)
  release()
  expect(await taken).toBe(NONE)
  expect(await late).toBe(COORDINATOR_NOT_AVAILABLE)
})
