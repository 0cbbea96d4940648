// DeleteRecords and OffsetForLeaderEpoch: what the oracle cannot show, which is restarts, crashes, segments and disks that
// fail.
import { describe, expect, test } from 'vitest'
import {
  FENCED_LEADER_EPOCH,
  KAFKA_STORAGE_ERROR,
  NONE,
  OFFSET_OUT_OF_RANGE,
  POLICY_VIOLATION,
  UNKNOWN_LEADER_EPOCH,
} from '../../../protocol/errors.ts'
import { DeleteRecords, Fetch, ListOffsets, OffsetForLeaderEpoch, Produce } from '../../../protocol/messages/index.ts'
import { crashFiles } from '../../../storage/files-crash.ts'
import { records, testBroker, type TestBroker } from '../broker/harness.ts'

/** Everything that was not synced is lost. */
const worst = (): number => 0

async function produce(broker: TestBroker, acks: number, ...values: string[]): Promise<void> {
  const partitionData = [{ index: 0, records: records(values) }]
  const topicData = [{ name: 't', partitionData }]
  const reply = await broker.ask(Produce, { transactionalId: null, acks, timeoutMs: 1000, topicData }, 12)
  expect(reply!.responses[0]!.partitionResponses[0]!.errorCode).toBe(NONE)
}

async function cut(broker: TestBroker, offset: number) {
  const topics = [{ name: 't', partitions: [{ partitionIndex: 0, offset }] }]
  const reply = await broker.ask(DeleteRecords, { topics, timeoutMs: 1000 })
  const { errorCode, lowWatermark } = reply!.topics[0]!.partitions[0]!
  return [errorCode, lowWatermark]
}

async function startOf(broker: TestBroker): Promise<number> {
  const partitions = [{ partitionIndex: 0, timestamp: -2 }]
  const reply = await broker.ask(ListOffsets, { replicaId: -1, topics: [{ name: 't', partitions }] }, 7)
  return reply!.topics[0]!.partitions[0]!.offset
}

async function end(broker: TestBroker, leaderEpoch: number, currentLeaderEpoch = -1) {
  const topics = [{ topic: 't', partitions: [{ partition: 0, leaderEpoch, currentLeaderEpoch }] }]
  const reply = await broker.ask(OffsetForLeaderEpoch, { replicaId: -1, topics })
  const found = reply!.topics[0]!.partitions[0]!
  return found.errorCode || [found.leaderEpoch, found.endOffset]
}

const partitionOf = (broker: TestBroker) => broker.opened.broker.partitions.require('t', 0)

describe('DeleteRecords', () => {
  test('the start survives a clean restart and a crash', async () => {
    const files = crashFiles()
    let broker = await testBroker({ files })
    await broker.createTopic('t')
    await produce(broker, -1, 'a', 'b', 'c', 'd')
    expect(await cut(broker, 2)).toEqual([NONE, 2])
    await broker.opened.close()
    broker = await testBroker({ files })
    expect(await startOf(broker)).toBe(2)
    expect(await cut(broker, 3)).toEqual([NONE, 3])
    files.crash(worst)
    broker = await testBroker({ files })
    expect(await startOf(broker)).toBe(3)
    expect(await cut(broker, 5)).toEqual([OFFSET_OUT_OF_RANGE, -1])
  })

  test('a start beyond what a crash leaves is where the log goes on', async () => {
    const files = crashFiles()
    let broker = await testBroker({ files })
    await broker.createTopic('t')
    await produce(broker, -1, 'a')
    await produce(broker, 1, 'b', 'c')
    expect(await cut(broker, -1)).toEqual([NONE, 3])
    files.crash(worst)
    broker = await testBroker({ files })
    expect(await startOf(broker)).toBe(3)
    await produce(broker, -1, 'd')
    expect(partitionOf(broker).log.logEndOffset).toBe(4)
  })

  test('whole segments below the start go with the next retention, and a reader there is told', async () => {
    const broker = await testBroker({ files: crashFiles(), config: { 'log.initial.task.delay.ms': 1000 } })
    await broker.createTopic('t', 1, { 'retention.ms': '-1' })
    for (const value of ['a', 'b', 'c']) {
      // oxlint-disable-next-line no-await-in-loop -- in order
      await produce(broker, -1, value)
      partitionOf(broker).log.roll(broker.runtime.clock.now())
    }
    const { log } = partitionOf(broker)
    const before = log.segmentCount
    expect(await cut(broker, 2)).toEqual([NONE, 2])
    expect(log.segmentCount).toBe(before)
    broker.runtime.advance(400_000)
    expect(log.segmentCount).toBe(before - 2)
    const partitions = [{ partition: 0, fetchOffset: 1, partitionMaxBytes: 1000 }]
    const fetch = { maxWaitMs: 0, minBytes: 1, topics: [{ topic: 't', partitions }], forgottenTopicsData: [] }
    const reply = await broker.ask(Fetch, fetch, 12)
    expect(reply!.responses[0]!.partitions[0]).toMatchObject({ errorCode: OFFSET_OUT_OF_RANGE })
  })

  test('a log that is only compacted keeps its records', async () => {
    const broker = await testBroker({ files: crashFiles() })
    await broker.createTopic('t')
    await produce(broker, -1, 'a')
    const { log } = partitionOf(broker)
    log.configure({ ...log.config, cleanupPolicy: { compact: true, delete: false } })
    expect(await cut(broker, -1)).toEqual([POLICY_VIOLATION, -1])
    log.configure({ ...log.config, cleanupPolicy: { compact: true, delete: true } })
    expect(await cut(broker, -1)).toEqual([NONE, 1])
  })

  test('a start that does not reach the disk is not acknowledged', async () => {
    const files = crashFiles()
    const broker = await testBroker({ files })
    await broker.createTopic('t')
    await produce(broker, -1, 'a', 'b')
    broker.opened.broker.dirs.online[0]!.dir.writeCheckpoints = () => {
      throw new Error('EIO')
    }
    expect(await cut(broker, 1)).toEqual([KAFKA_STORAGE_ERROR, -1])
  })
})

describe('OffsetForLeaderEpoch', () => {
  test('an epoch ends where the next one begins', async () => {
    const files = crashFiles()
    let broker = await testBroker({ files })
    await broker.createTopic('t')
    await produce(broker, -1, 'a', 'b')
    const first = partitionOf(broker).leaderEpoch
    files.crash(worst)
    broker = await testBroker({ files })
    await produce(broker, -1, 'c')
    const second = partitionOf(broker).leaderEpoch
    expect(second).toBeGreaterThan(first)
    expect(await end(broker, first)).toEqual([first, 2])
    expect(await end(broker, second)).toEqual([second, 3])
    expect(await end(broker, second + 1)).toEqual([-1, -1])
    expect(await end(broker, first, first)).toBe(FENCED_LEADER_EPOCH)
    expect(await end(broker, first, second)).toEqual([first, 2])
    expect(await end(broker, first, second + 1)).toBe(UNKNOWN_LEADER_EPOCH)
  })
})
