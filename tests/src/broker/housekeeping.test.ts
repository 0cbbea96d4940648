// What the broker does by the clock.
import { expect, test } from 'vitest'
import { DeleteTopics, DescribeConfigs, OffsetFetch, Produce } from '../../../protocol/messages/index.ts'
import { ZERO_UUID } from '../../../protocol/schema.ts'
import { crashFiles } from '../../../storage/files-crash.ts'
import { memoryFiles } from '../../../storage/files-memory.ts'
import { records, testBroker } from './harness.ts'
import { withHandles } from './with-handles.ts'

test('folders of deleted topics go, also while other topics keep being deleted', async () => {
  const files = memoryFiles()
  const broker = await testBroker({ files, durable: false })
  const deleted = (): number => files.list('').filter(name => name.endsWith('-delete')).length
  const oneMore = async (n: number): Promise<number> => {
    await broker.createTopic(`t${n}`)
    // Without a record it would have no folder.
    const partitionData = [{ index: 0, records: records(['x']) }]
    const topicData = [{ name: `t${n}`, partitionData }]
    await broker.ask(Produce, { transactionalId: null, acks: 1, timeoutMs: 1000, topicData }, 12)
    await broker.ask(DeleteTopics, { topics: [{ name: `t${n}`, topicId: ZERO_UUID }], timeoutMs: 1000 })
    await broker.runtime.advanceAsync(30_000)
    return deleted()
  }
  let most = 0
  for (let n = 0; n < 10; n++) most = Math.max(most, await oneMore(n))
  expect(most).toBeGreaterThan(0)
  expect(most).toBeLessThan(5)
})

test('retention deletes old segments and moves the log start', async () => {
  const broker = await testBroker({ files: memoryFiles(), durable: false })
  await broker.createTopic('t', 1, { 'internal.segment.bytes': '100', 'retention.bytes': '150' })
  const value = () => ({
    transactionalId: null,
    acks: 1,
    timeoutMs: 1000,
    topicData: [{ name: 't', partitionData: [{ index: 0, records: records(['x']) }] }],
  })
  for (let n = 0; n < 5; n++) await broker.ask(Produce, value(), 12)
  await broker.runtime.advanceAsync(400_000)
  const { log } = broker.opened.broker.partitions.get('t', 0)!
  // Segments go as long as what is left is no less than retention.bytes.
  expect(log.logStartOffset).toBe(2)
  expect(log.logEndOffset).toBe(5)
})

test('what is named again in one request is answered once', async () => {
  const broker = await testBroker({ files: memoryFiles(), durable: false })
  const resource = { resourceType: 4, resourceName: '1', configurationKeys: null }
  const configs = (await broker.ask(DescribeConfigs, {
    resources: [resource, resource, { ...resource, configurationKeys: ['node.id'] }],
  }))!
  expect(configs.results.map(({ configs: of }) => of.length > 1)).toEqual([true, false])
  await broker.opened.broker.coordinatorsLoaded()
  const group = { groupId: 'g', topics: [] }
  const offsets = (await broker.ask(OffsetFetch, { topics: null, groups: [group, group] }, 8))!
  expect(offsets.groups).toHaveLength(1)
})

test('a start that fails closes what it opened', async () => {
  const files = crashFiles()
  const broker = await testBroker({ files })
  broker.opened.quiesce()
  await broker.opened.close()
  files.writeAtomic('__cluster_metadata-0/quorum-state', Buffer.from('not JSON'))
  const open = new Set<string>()
  const watched = withHandles(files, (handle, path) => {
    open.add(path)
    return {
      close() {
        open.delete(path)
        handle.close()
      },
    }
  })
  await expect(testBroker({ files: watched })).rejects.toThrow('quorum-state')
  expect([...open]).toEqual([])
})
