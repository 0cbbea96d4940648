// UpdateFeatures over the real handlers: which levels may be, that they last and that coordinators follow.
import { describe, expect, test } from 'vitest'
import { memoryFiles } from '../../../storage/files-memory.ts'
import {
  DUPLICATE_VOTER,
  INVALID_REQUEST,
  INVALID_UPDATE_VERSION,
  NONE,
  REQUEST_TIMED_OUT,
  UNSUPPORTED_VERSION,
} from '../../../protocol/errors.ts'
import {
  AddPartitionsToTxn,
  AddRaftVoter,
  ApiVersions,
  DescribeConfigs,
  DescribeQuorum,
  EndTxn,
  IncrementalAlterConfigs,
  UpdateFeatures,
} from '../../../protocol/messages/index.ts'
import { decodeRecords } from '../../../protocol/records/record.ts'
import { ZERO_UUID } from '../../../protocol/schema.ts'
import { testBroker, type TestBroker } from '../broker/harness.ts'
import { TestProducer } from '../broker/transactional-client.ts'

const [UPGRADE, SAFE, UNSAFE] = [1, 2, 3]
const METADATA = 'metadata.version'
const TRANSACTION = 'transaction.version'
const ELR = 'eligible.leader.replicas.version'
const KRAFT = 'kraft.version'
const start = (config: Record<string, string> = {}): Promise<TestBroker> =>
  testBroker({ files: memoryFiles(), config: { 'transaction.state.log.replication.factor': 1, ...config } })

async function update(broker: TestBroker, updates: readonly [string, number, number?][], o = { validateOnly: false }) {
  const featureUpdates = updates.map(([feature, maxVersionLevel, upgradeType = UPGRADE]) => ({
    feature,
    maxVersionLevel,
    upgradeType,
  }))
  return (await broker.ask(UpdateFeatures, { featureUpdates, ...o }))!
}

async function told(broker: TestBroker) {
  const { finalizedFeatures, finalizedFeaturesEpoch } = (await broker.ask(ApiVersions, {
    clientSoftwareName: 'a',
    clientSoftwareVersion: '1',
  }))!
  const levels = Object.fromEntries(finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel]))
  return { levels, epoch: finalizedFeaturesEpoch }
}

/** As DescribeQuorum tells of it. */
async function voter(broker: TestBroker) {
  const topics = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }]
  const answer = (await broker.ask(DescribeQuorum, { topics }))!
  const { replicaDirectoryId } = answer.topics[0]!.partitions[0]!.currentVoters[0]!
  return { directory: replicaDirectoryId, listeners: answer.nodes[0]!.listeners }
}

async function add(broker: TestBroker, voterId: number, listener: string): Promise<number> {
  const listeners = [{ name: listener, host: '127.0.0.1', port: 9 }]
  const request = { clusterId: null, voterId, voterDirectoryId: 'c29tZS1kaXJlY3RvcnktaQ', listeners, timeoutMs: 1000 }
  return (await broker.ask(AddRaftVoter, request))!.errorCode
}

const minInsync = async (broker: TestBroker, resourceName: string) => {
  const resources = [{ resourceType: 4, resourceName, configurationKeys: ['min.insync.replicas'] }]
  const { results } = (await broker.ask(DescribeConfigs, { resources }))!
  return results[0]!.configs.map(({ value, configSource }) => [value, configSource])
}

describe('UpdateFeatures', () => {
  test('a level goes down and up again, is told at once and with a new epoch, and lasts', async () => {
    const files = memoryFiles()
    const broker = await testBroker({ files })
    const before = await told(broker)
    expect(before.levels).toEqual({ [METADATA]: 30, [TRANSACTION]: 2, [ELR]: 1 })
    expect(await update(broker, [[TRANSACTION, 0, SAFE]])).toMatchObject({ errorCode: NONE, errorMessage: null })
    const after = await told(broker)
    expect(after.levels).toEqual({ [METADATA]: 30, [ELR]: 1 })
    expect(after.epoch).toBeGreaterThan(before.epoch)
    expect(await update(broker, [[TRANSACTION, 1]])).toMatchObject({ errorCode: NONE })
    await broker.opened.close()
    const again = await testBroker({ files })
    expect((await told(again)).levels).toEqual({ [METADATA]: 30, [TRANSACTION]: 1, [ELR]: 1 })
  })

  test('versions 0 and 1 answer for each feature, version 2 for all', async () => {
    const broker = await start()
    const featureUpdates = [{ feature: TRANSACTION, maxVersionLevel: 2 }]
    for (const version of [0, 1])
      // oxlint-disable-next-line no-await-in-loop -- in order
      expect(await broker.ask(UpdateFeatures, { featureUpdates }, version)).toMatchObject({
        errorCode: NONE,
        results: [{ feature: TRANSACTION, errorCode: NONE, errorMessage: 'NONE' }],
      })
    expect(await broker.ask(UpdateFeatures, { featureUpdates }, 2)).toMatchObject({ errorCode: NONE, results: [] })
    const bad = [...featureUpdates, { feature: METADATA, maxVersionLevel: 99 }]
    expect(await broker.ask(UpdateFeatures, { featureUpdates: bad }, 1)).toMatchObject({
      errorCode: INVALID_UPDATE_VERSION,
      results: [],
    })
  })

  test.each<[string, [string, number, number?][]]>([
    ['a level that is too high', [[TRANSACTION, 3]]],
    ['a negative level', [[TRANSACTION, -1, SAFE]]],
    ['a downgrade that is none', [[TRANSACTION, 1]]],
    ['a feature that is not served', [['group.version', 1]]],
    ['the same at level 0', [['group.version', 0, SAFE]]],
    ['an unknown feature', [['no.such.feature', 0, SAFE]]],
    ['a kind of quorum there is not', [['kraft.version', 2]]],
    ['a good one and that', [['kraft.version', 1], ['kraft.version', 2]]], // oxfmt-ignore
    ['another kind of quorum as a downgrade', [['kraft.version', 1, SAFE]]],
    ['a metadata version that would lose something', [[METADATA, 29, SAFE]]],
    ['the same without care', [[METADATA, 29, UNSAFE]]],
    ['a metadata version there is not', [[METADATA, 31]]],
    ['no metadata version', [[METADATA, 0, UNSAFE]]],
    ['an unknown kind of update', [[TRANSACTION, 2, 0]]],
    ['a good and a bad one', [[TRANSACTION, 1, SAFE], [METADATA, 31]]], // oxfmt-ignore
  ])('%s is refused, and nothing changes', async (_, updates) => {
    const broker = await start()
    const before = await told(broker)
    expect(await update(broker, updates)).toMatchObject({ errorCode: INVALID_UPDATE_VERSION, results: [] })
    expect(await told(broker)).toEqual(before)
  })

  test('kraft.version records the voter, which lasts, and there is no way back', async () => {
    const files = memoryFiles()
    const config = { listeners: 'PLAINTEXT://:0,RAFT://127.0.0.1:9093', 'controller.listener.names': 'RAFT' }
    const broker = await testBroker({ files, config })
    const before = await told(broker)
    expect(await voter(broker)).toMatchObject({ directory: ZERO_UUID, listeners: [{ name: 'PLAINTEXT' }] })
    expect(await update(broker, [[KRAFT, 1]], { validateOnly: true })).toMatchObject({ errorCode: NONE })
    expect(await told(broker)).toEqual(before)
    expect(await update(broker, [[KRAFT, 1]])).toMatchObject({ errorCode: NONE })
    const directory = broker.opened.broker.dirs.metadataDir.directoryId
    const recorded = { directory, listeners: [{ name: 'RAFT', host: '127.0.0.1', port: 9093 }] }
    const lasts = async (of: TestBroker): Promise<void> => {
      expect((await told(of)).levels).toEqual({ ...before.levels, [KRAFT]: 1 })
      expect(await voter(of)).toEqual(recorded)
      for (const [level, type] of [
        [0, SAFE],
        [0, UNSAFE],
        [0, UPGRADE],
      ] as const)
        // oxfmt-ignore
        expect((await update(of, [[KRAFT, level, type]])).errorCode).toBe(INVALID_UPDATE_VERSION)
      expect(await update(of, [[KRAFT, 1]])).toMatchObject({ errorCode: NONE })
    }
    await lasts(broker)
    await broker.opened.close()
    const again = await testBroker({ files })
    await lasts(again)
    expect(await add(again, 7, 'RAFT')).toBe(REQUEST_TIMED_OUT)
    expect(await add(again, 1, 'RAFT')).toBe(DUPLICATE_VOTER)
    expect(await add(again, 7, 'CONTROLLER')).toBe(INVALID_REQUEST)
  })

  test('a downgrade to a higher level is refused', async () => {
    const broker = await start()
    await update(broker, [[TRANSACTION, 1, UNSAFE]])
    for (const type of [SAFE, UNSAFE])
      // oxlint-disable-next-line no-await-in-loop -- in order
      expect((await update(broker, [[TRANSACTION, 2, type]])).errorCode).toBe(INVALID_UPDATE_VERSION)
    expect((await told(broker)).levels[TRANSACTION]).toBe(1)
  })

  test('a dry run changes nothing', async () => {
    const broker = await start()
    const before = await told(broker)
    expect(await update(broker, [[TRANSACTION, 0, SAFE]], { validateOnly: true })).toMatchObject({ errorCode: NONE })
    expect(await told(broker)).toEqual(before)
  })

  test('as an older release only its levels are taken', async () => {
    const broker = await start({ 'odradek.as.version': '3.9' })
    expect((await update(broker, [[TRANSACTION, 1, SAFE]])).errorCode).toBe(INVALID_UPDATE_VERSION)
  })

  test('the metadata version goes up and, where no metadata changed, down', async () => {
    const broker = await testBroker({ files: memoryFiles() })
    // As in a directory that was formatted by Kafka 4.2.
    const value = { name: METADATA, featureLevel: 29 }
    await broker.opened.broker.metadata.submit(() => ({
      records: [{ type: 'FeatureLevelRecord', value }],
      reply: null,
    }))
    expect((await update(broker, [[METADATA, 24, SAFE]])).errorCode).toBe(NONE)
    expect((await update(broker, [[METADATA, 22, SAFE]])).errorCode).toBe(INVALID_UPDATE_VERSION)
    await broker.createTopic('t', 2)
    expect((await update(broker, [[METADATA, 30]])).errorCode).toBe(NONE)
    expect((await told(broker)).levels[METADATA]).toBe(30)
  })

  test('coordinators follow transaction.version', async () => {
    const broker = await start({ 'transaction.state.log.num.partitions': '1' })
    const producer = new TestProducer(broker, { version: 1 })
    /** Of the values in the coordinator's log, in their order. */
    const written = async (level: number) => {
      if (level < 2) await update(broker, [[TRANSACTION, level, SAFE]])
      await producer.init()
      const { log } = broker.opened.broker.partitions.require('__transaction_state', 0)
      const { parts } = log.read(log.logEndOffset - 1, {
        maxBytes: 1 << 20,
        maxOffset: log.logEndOffset,
        minOneBatch: true,
      })
      const last = decodeRecords(Buffer.concat(parts), 0).at(-1)!
      return last.value!.readInt16BE(0)
    }
    expect(await written(2)).toBe(1)
    expect(await written(1)).toBe(1)
    expect(await written(0)).toBe(0)
  })
})

test('at level 0 a client that follows a later one is refused, and its transaction can still be ended', async () => {
  const broker = await start()
  await broker.createTopic('t')
  await update(broker, [[TRANSACTION, 0, SAFE]])
  const producer = new TestProducer(broker, { version: 1 })
  await producer.init()
  await producer.send('t', 'a')
  const { transactionalId, producerId, producerEpoch } = producer
  const ask = { transactionalId, producerId, producerEpoch, committed: true }
  expect(await broker.ask(EndTxn, ask, 5)).toMatchObject({ errorCode: UNSUPPORTED_VERSION })
  const other = new TestProducer(broker, { version: 2, transactionalId: 'other' })
  await other.init()
  const { producerId: otherId, producerEpoch: otherEpoch } = other
  const transaction = {
    transactionalId: 'other',
    producerId: otherId,
    producerEpoch: otherEpoch,
    verifyOnly: false,
    topics: [{ name: 't', partitions: [0] }],
  }
  expect(await broker.ask(AddPartitionsToTxn, { transactions: [transaction] }, 5)).toMatchObject({
    errorCode: UNSUPPORTED_VERSION,
    resultsByTransaction: [],
  })
  expect(await other.send('t', 'b')).toBe(UNSUPPORTED_VERSION)
  expect(await broker.ask(EndTxn, ask, 4)).toMatchObject({ errorCode: NONE })
})

describe('eligible leader replicas', () => {
  const alter = async (broker: TestBroker, resourceName: string, configOperation: number, value: string | null) => {
    const configs = [{ name: 'min.insync.replicas', configOperation, value }]
    const resources = [{ resourceType: 4, resourceName, configs }]
    const { responses } = (await broker.ask(IncrementalAlterConfigs, { resources, validateOnly: false }))!
    return responses[0]!.errorCode
  }

  test("switched on, min.insync.replicas is the cluster's alone", async () => {
    const broker = await start({ 'min.insync.replicas': '1' })
    expect(await minInsync(broker, '')).toEqual([['1', 3]])
    expect(await alter(broker, '1', 0, '2')).not.toBe(NONE)
    expect(await alter(broker, '', 1, null)).not.toBe(NONE)
    expect((await update(broker, [[ELR, 0, SAFE]])).errorCode).toBe(NONE)
    expect(await alter(broker, '1', 0, '2')).toBe(NONE)
    expect(await alter(broker, '', 1, null)).toBe(NONE)
    expect(await minInsync(broker, '')).toEqual([])
    expect((await update(broker, [[ELR, 1]])).errorCode).toBe(NONE)
    expect(await minInsync(broker, '')).toEqual([['1', 3]])
    expect(await minInsync(broker, '1')).toEqual([['1', 3]])
  })
})
