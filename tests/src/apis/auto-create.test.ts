// auto.create.topics.enable, num.partitions and delete.topic.enable, seen by a client.
import { expect, test } from 'vitest'
import { NONE, TOPIC_DELETION_DISABLED, UNKNOWN_TOPIC_OR_PARTITION } from '../../../protocol/errors.ts'
import { DeleteTopics, Metadata } from '../../../protocol/messages/index.ts'
import { ZERO_UUID } from '../../../protocol/schema.ts'
import { memoryFiles } from '../../../storage/files-memory.ts'
import { testBroker } from '../broker/harness.ts'

test.each([
  [true, true, NONE, 3],
  [true, false, UNKNOWN_TOPIC_OR_PARTITION, 0],
  [false, true, UNKNOWN_TOPIC_OR_PARTITION, 0],
])('auto.create.topics.enable=%s, and the client allows it: %s', async (isOn, allows, errorCode, partitions) => {
  const config = { 'auto.create.topics.enable': isOn, 'num.partitions': 3 }
  const broker = await testBroker({ files: memoryFiles(), config })
  const topics = [{ name: 't', topicId: ZERO_UUID }]
  const reply = await broker.ask(Metadata, { topics, allowAutoTopicCreation: allows })
  expect(reply!.topics[0]!.errorCode).toBe(errorCode)
  expect(reply!.topics[0]!.partitions).toHaveLength(partitions)
  expect(broker.opened.broker.metadata.image.topicByName('t')?.partitions.length ?? 0).toBe(partitions)
  await broker.opened.close()
})

test.each([
  [true, NONE],
  [false, TOPIC_DELETION_DISABLED],
])('delete.topic.enable=%s', async (isOn, errorCode) => {
  const broker = await testBroker({ files: memoryFiles(), config: { 'delete.topic.enable': isOn } })
  await broker.createTopic('t')
  const reply = await broker.ask(DeleteTopics, { topics: [{ name: 't', topicId: ZERO_UUID }], timeoutMs: 1000 })
  expect(reply!.responses[0]!.errorCode).toBe(errorCode)
  expect(broker.opened.broker.metadata.image.topicByName('t') === undefined).toBe(isOn)
  await broker.opened.close()
})
