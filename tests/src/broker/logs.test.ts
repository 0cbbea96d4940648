// What the broker gives to its partitions' logs.
import { expect, test } from 'vitest'
import { memoryFiles } from '../../../storage/files-memory.ts'
import { records, testBroker } from './harness.ts'

test('segment.jitter.ms spreads the rolls of many partitions', async () => {
  const { opened, runtime, createTopic } = await testBroker({ files: memoryFiles() })
  await createTopic('t', 20, { 'segment.ms': '10000', 'segment.jitter.ms': '10000' })
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
