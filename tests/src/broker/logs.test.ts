// What the broker gives to its partitions' logs.
import { expect, test } from 'vitest'
import { memoryFiles } from '../../../storage/files-memory.ts'
import { records, testBroker } from './harness.ts'

test('segment.jitter.ms spreads the rolls of many partitions', async () => {
  const broker = await testBroker({ files: memoryFiles() })
  const { opened, runtime } = broker
  await broker.createTopic('t', 20, { 'segment.ms': '10000', 'segment.jitter.ms': '10000' })
  const logs = [...opened.broker.partitions.ofTopic('t')].map(({ log }) => log)
  const start = runtime.clock.now()
  for (const timestamp of [start, start + 5000]) {
    for (const log of logs)
      log.append(records(['v'], { timestamp }), { leaderEpoch: 0, now: timestamp, origin: 'client' })
  }
  const rolled = logs.filter(log => log.segmentCount === 2)
  expect(rolled.length).toBeGreaterThan(3)
  expect(rolled.length).toBeLessThan(17)
})

test('odradek.fetch.memory.bytes bounds what consumers hold of files, not what the broker reads for itself', async () => {
  const files = memoryFiles()
  const first = await testBroker({ files })
  await first.createTopic('t')
  const now = first.runtime.clock.now()
  const { log } = first.opened.broker.partitions.get('t', 0)!
  const value = 'x'.repeat(500_000)
  for (let n = 0; n < 3; n++)
    log.append(records([value], { timestamp: now }), { leaderEpoch: 0, now, origin: 'client' })
  await first.opened.close()
  const again = await testBroker({ files, config: { 'odradek.fetch.memory.bytes': 1024 * 1024 } })
  const partition = again.opened.broker.partitions.get('t', 0)!
  const read = () => partition.read(0, { maxBytes: 10_000_000, minOneBatch: true, committed: false })
  const held = [read(), read(), read()]
  const one = held[0]!.byteLength
  expect(held.map(({ byteLength }) => byteLength)).toEqual([one, one, 0])
  const own = partition.log.read(0, { maxBytes: 10_000_000, maxOffset: Infinity, minOneBatch: true })
  expect(own.byteLength).toBe(3 * one)
  for (const answer of [...held, own]) answer.release()
  expect(read().byteLength).toBe(one)
})

test.each([
  ['says nothing of its topic', Buffer.alloc(43), 'has no topic id'],
  ['cannot be read', Buffer.from(`version: 7\ntopic_id: ${'x'.repeat(22)}`), 'cannot be told whose it is'],
])('a folder with records that %s is set aside, not deleted, and the broker starts', async (_name, content, why) => {
  const files = memoryFiles()
  const first = await testBroker({ files })
  await first.createTopic('t')
  const now = first.runtime.clock.now()
  first.opened.broker.partitions.get('t', 0)!.log.append(records(['v']), { leaderEpoch: 0, now, origin: 'client' })
  await first.opened.close()
  files.writeAtomic('t-0/partition.metadata', content)
  // After an orderly stop no folder would be looked into.
  files.remove('.kafka_cleanshutdown')

  const again = await testBroker({ files, seed: 2 })
  expect(again.runtime.lines.filter(({ message }) => message.includes(why))).toHaveLength(1)
  const stray = files.list('').find(name => name.endsWith('-stray'))!
  expect(files.size(`${stray}/00000000000000000000.log`)).toBeGreaterThan(0)
  expect(again.opened.broker.partitions.get('t', 0)!.log.logEndOffset).toBe(0)
})
