// A topic that is deleted while a sync of its records is due: the producer is told, and nobody calls that a failed disk.
import { expect, test } from 'vitest'
import { NONE, UNKNOWN_TOPIC_OR_PARTITION } from '../../protocol/errors.ts'
import { DeleteTopics, Produce } from '../../protocol/messages/index.ts'
import { crashFiles } from '../../storage/files-crash.ts'
import { records, testBroker } from '../src/broker/harness.ts'

test('a topic goes away while its records wait for the disk', async () => {
  const files = crashFiles()
  // Only the partitions' own syncs are held back, by flush.messages; the metadata log does not wait.
  const broker = await testBroker({ files, config: { 'odradek.flush.on.acks.all': false } })
  const produce = (topic: string) =>
    broker.ask(
      Produce,
      {
        acks: 1,
        timeoutMs: 1000,
        topicData: [{ name: topic, partitionData: [{ index: 0, records: records(['x']) }] }],
      },
      12,
    )
  const codeOf = (reply: Awaited<ReturnType<typeof produce>>) => reply!.responses[0]!.partitionResponses[0]!.errorCode
  await broker.createTopic('stays', 1, { 'flush.messages': '1' })
  await broker.createTopic('goes', 1, { 'flush.messages': '1' })
  const release = files.holdSyncs()
  const first = produce('stays')
  await broker.runtime.settle()
  const second = produce('goes')
  await broker.runtime.settle()
  const deleted = await broker.ask(DeleteTopics, { topicNames: ['goes'], timeoutMs: 1000 }, 5)
  expect(deleted!.responses[0]!.errorCode).toBe(NONE)
  expect(codeOf(await second)).toBe(UNKNOWN_TOPIC_OR_PARTITION)
  release()
  expect(codeOf(await first)).toBe(NONE)
  await broker.runtime.settle()
  expect(broker.runtime.lines.filter(({ level }) => level === 'error')).toEqual([])
})
