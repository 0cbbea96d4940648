// Directories that Apache Kafka wrote, opened as a broker: topics, records, offsets, groups and transactions are those that
// its own tool printed; and what cannot be served is refused before anything is touched.
import { describe, expect, test } from 'vitest'
import {
  DescribeTransactions,
  Fetch,
  ListOffsets,
  Metadata,
  OffsetFetch,
  Produce,
} from '../../../protocol/messages/index.ts'
import * as batch from '../../../protocol/records/batch.ts'
import { codecReady } from '../../../protocol/records/compression.ts'
import { encodeBatch, decodeRecords } from '../../../protocol/records/record.ts'
import type { Files } from '../../../storage/files.ts'
import { memoryFiles } from '../../../storage/files-memory.ts'
import { LogDirError } from '../../../storage/log-dir.ts'
import { encodeRecord } from '../../../src/cluster/record-codec.ts'
import { kafkaDirs, printed, unpack, type KafkaDir } from '../../storage/kafka-dirs.ts'
import { records, testBroker, type TestBroker } from './harness.ts'

await codecReady(4)

const META = 'meta.properties'
const METADATA_LOG = '__cluster_metadata-0/00000000000000000000.log'

/** The records of one partition as the tool prints them, without sequence numbers and headers. */
async function readAll(broker: TestBroker, topic: string, partition: number): Promise<string[]> {
  const [start, end] = await bounds(broker, topic, partition)
  const lines: string[] = []
  for (let offset = start!; offset < end!;) {
    const asked = { partition, fetchOffset: offset, partitionMaxBytes: 1 << 20 }
    const request = { maxWaitMs: 0, minBytes: 1, topics: [{ topic, partitions: [asked] }], forgottenTopicsData: [] }
    const reply = await broker.ask(Fetch, request, 12)
    const found = reply!.responses[0]!.partitions[0]!
    expect(found.errorCode).toBe(0)
    const bytes = Buffer.concat(found.records?.parts ?? [])
    for (const at of batch.batchesOf(bytes)) {
      const time = batch.timestampType(bytes, at) === 'LogAppendTime' ? 'LogAppendTime' : 'CreateTime'
      for (const { offset: each, timestamp, key, value } of decodeRecords(bytes, at)) {
        if (each < start!) continue
        const sizes = `keySize: ${key?.length ?? -1} valueSize: ${value?.length ?? -1}`
        const text = batch.isControl(bytes, at) ? '' : `${lead('key', key)}${lead('payload', value)}`
        lines.push(`offset: ${each} ${time}: ${timestamp} ${sizes}${text}`)
      }
      offset = batch.nextOffset(bytes, at)
    }
    if (bytes.length === 0) throw new Error(`nothing at offset ${offset} of ${topic}-${partition}`)
  }
  return lines
}

const lead = (name: string, bytes: Buffer | null): string => (bytes === null ? '' : ` ${name}: ${bytes.toString()}`)

async function bounds(broker: TestBroker, topic: string, partitionIndex: number): Promise<number[]> {
  const ends: number[] = []
  for (const timestamp of [-2, -1]) {
    const topics = [{ name: topic, partitions: [{ partitionIndex, timestamp }] }]
    const reply = await broker.ask(ListOffsets, { replicaId: -1, isolationLevel: 0, topics })
    expect(reply!.topics[0]!.partitions[0]!.errorCode).toBe(0)
    ends.push(reply!.topics[0]!.partitions[0]!.offset)
  }
  return ends
}

/** By partition, in the same words. */
function printedRecords(dir: KafkaDir): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const [path, lines] of printed(dir, 'logs')) {
    const folder = path.split('/')[0]!
    const list = found.get(folder) ?? []
    for (const line of lines) {
      const match =
        /^\| (offset: \d+ \w+: -?\d+ keySize: -?\d+ valueSize: -?\d+) sequence: -?\d+ headerKeys: \[.*?\](.*)$/.exec(
          line,
        )
      if (match !== null) list.push(match[1]! + (/ (?:endTxnMarker|EndTxn)/.test(match[2]!) ? '' : match[2]!))
    }
    found.set(folder, list)
  }
  return found
}

/** The last value printed of each key. */
function lastValues(dir: KafkaDir, what: string, type: string): Map<string, Record<string, unknown>> {
  const found = new Map<string, Record<string, unknown>>()
  for (const lines of printed(dir, what).values())
    for (const line of lines) {
      const match = /key: (\{.*?\}\}) payload: (.*)$/.exec(line)
      if (match === null) continue
      const key = JSON.parse(match[1]!) as { type: string; data: Record<string, unknown> }
      if (key.type !== type) continue
      found.set(JSON.stringify(key.data), (JSON.parse(match[2]!) as { data: Record<string, unknown> }).data)
    }
  return found
}

const states = ['Empty', 'Ongoing', 'PrepareCommit', 'PrepareAbort', 'CompleteCommit', 'CompleteAbort']

/** By transactional id; the tool of 3.9 prints its own words instead of JSON. */
function lastTransactions(dir: KafkaDir): Map<string, Record<string, unknown>> {
  const found = new Map<string, Record<string, unknown>>()
  for (const [key, value] of lastValues(dir, 'transactions', '0')) {
    const { producerId, producerEpoch, transactionStatus } = value
    const { transactionalId } = JSON.parse(key) as { transactionalId: string }
    found.set(transactionalId, { producerId, producerEpoch, transactionState: states[transactionStatus as number] })
  }
  for (const line of [...printed(dir, 'transactions').values()].flat()) {
    const match = /::transactionalId=(\S+) payload: producerId:(\d+),producerEpoch:(\d+),state=(\w+)/.exec(line)
    if (match === null) continue
    const [producerId, producerEpoch] = [Number(match[2]), Number(match[3])]
    found.set(match[1]!, { producerId, producerEpoch, transactionState: match[4] })
  }
  return found
}

describe.each(kafkaDirs)('%s', dir => {
  test('topics and records', async () => {
    const files = unpack(dir)
    const before = files.readAll(META)
    const broker = await testBroker({ files })
    expect(broker.runtime.lines.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([])
    const reply = await broker.ask(Metadata, { topics: null })
    const partitions = Object.fromEntries(reply!.topics.map(({ name, partitions: all }) => [name, all.length]))
    expect(partitions).toEqual({
      plain: 2,
      segments: 1,
      'truncated-head': 1,
      gzip: 1,
      'stored-lz4': 1,
      'stored-zstd': 1,
      'stored-snappy': 1,
      'append-time': 1,
      compacted: 1,
      transactions: 2,
      empty: 5,
      __consumer_offsets: 4,
      __transaction_state: 4,
    })
    expect(reply!.topics.flatMap(({ partitions: all }) => all.map(({ leaderId }) => leaderId))).toEqual(
      Array.from({ length: 25 }, () => 1),
    )
    let compared = 0
    for (const [folder, expected] of printedRecords(dir)) {
      const topic = folder.slice(0, folder.lastIndexOf('-'))
      const found = await readAll(broker, topic, Number(folder.slice(topic.length + 1)))
      // The tool prints whole segments, also what lies before the first offset that may be read.
      const [start] = await bounds(broker, topic, Number(folder.slice(topic.length + 1)))
      expect([folder, found]).toEqual([folder, expected.filter(line => Number(line.split(' ')[1]) >= start!)])
      compared += found.length
    }
    expect(compared).toBeGreaterThan(5800)
    expect(await bounds(broker, 'truncated-head', 0)).toEqual([1500, 3000])
    await broker.opened.close()
    expect(files.readAll(META)).toEqual(before)
    // And once more, in order.
    const again = await testBroker({ files })
    expect(await bounds(again, 'segments', 0)).toEqual([0, 3000])
    await again.opened.close()
  })

  test('committed offsets and transactions', async () => {
    const broker = await testBroker({ files: unpack(dir) })
    await broker.opened.broker.coordinatorsLoaded()
    const commits = lastValues(dir, 'offsets', '1')
    expect(commits.size).toBeGreaterThan(4)
    for (const [text, value] of commits) {
      const { group, topic, partition } = JSON.parse(text) as { group: string; topic: string; partition: number }
      const groups = [{ groupId: group, topics: [{ name: topic, partitionIndexes: [partition] }] }]
      const reply = await broker.ask(OffsetFetch, { groups, topics: null, requireStable: false }, 9)
      const found = reply!.groups[0]!.topics[0]!.partitions[0]!
      expect({ text, offset: found.committedOffset }).toEqual({ text, offset: value['offset'] })
    }
    const transactions = lastTransactions(dir)
    expect(transactions.size).toBe(4)
    for (const [transactionalId, expected] of transactions) {
      const reply = await broker.ask(DescribeTransactions, { transactionalIds: [transactionalId] })
      const { errorCode, transactionState, producerId, producerEpoch } = reply!.transactionStates[0]!
      expect({ errorCode, transactionState, producerId, producerEpoch }).toEqual({ errorCode: 0, ...expected })
    }
    await broker.opened.close()
  })

  test('an idempotent producer goes on where it was, and a repetition is none', async () => {
    const broker = await testBroker({ files: unpack(dir) })
    // Of plain-0, from the producer snapshot that was printed.
    const send = async (baseSequence: number) => {
      const more = { producerId: 0, producerEpoch: 0, baseSequence }
      const partitionData = [{ index: 0, records: records(['next'], more) }]
      const topicData = [{ name: 'plain', partitionData }]
      const reply = await broker.ask(Produce, { transactionalId: null, acks: -1, timeoutMs: 1000, topicData }, 9)
      const { errorCode, baseOffset } = reply!.responses[0]!.partitionResponses[0]!
      return { errorCode, baseOffset }
    }
    expect(await send(200)).toEqual({ errorCode: 0, baseOffset: 200 })
    expect(await send(200)).toEqual({ errorCode: 0, baseOffset: 200 })
    expect((await send(202)).errorCode).toBe(45)
    await broker.opened.close()
  })
})

/** Everything in it, by path. */
function everything(files: Files, folder = ''): Record<string, string> {
  return Object.assign(
    {},
    ...files.list(folder).map(name => {
      const path = folder === '' ? name : `${folder}/${name}`
      return files.isFolder(path) ? everything(files, path) : { [path]: files.readAll(path).toString('base64') }
    }),
  ) as Record<string, string>
}

describe('is refused, before anything is touched', () => {
  async function refusal(files: Files, config: Record<string, string | number> = {}): Promise<string> {
    const before = everything(files)
    const error: unknown = await testBroker({ files, config }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(LogDirError)
    expect(everything(files)).toEqual(before)
    return (error as Error).message
  }
  /** Appends records to the metadata log, as a Kafka of a later time would have. */
  function append(files: Files, ...values: Parameters<typeof encodeRecord>[0][]): void {
    const bytes = files.readAll(METADATA_LOG)
    const last = [...batch.batchesOf(bytes)].at(-1)!
    const more = encodeBatch({
      baseOffset: batch.nextOffset(bytes, last),
      leaderEpoch: 1,
      timestamp: 1_700_000_000_000,
      records: values.map(value => ({ key: null, value: encodeRecord(value, 30) })),
    })
    files.writeAtomic(METADATA_LOG, Buffer.concat([bytes, more]))
  }

  test('another node', async () => {
    expect(await refusal(unpack('kafka-4.3.1-clean'), { 'node.id': 2 })).toMatch(/belongs to node.id 1, not 2/)
  })

  test.each([33, 7])('metadata.version %i', async featureLevel => {
    const files = unpack('kafka-4.3.1-clean')
    append(files, { type: 'FeatureLevelRecord', value: { name: 'metadata.version', featureLevel } })
    expect(await refusal(files)).toMatch(
      new RegExp(
        `was written by Apache Kafka \\(node 1, cluster .*\\) and cannot be opened: the metadata log has metadata.version ${featureLevel}; 13 `,
      ),
    )
  })

  test('replicas on other brokers', async () => {
    const files = unpack('kafka-4.3.1-clean')
    const topicId = 'dG9waWMtaWQtMS0yLTMtNA'
    append(
      files,
      { type: 'TopicRecord', value: { name: 'spread', topicId } },
      {
        type: 'PartitionRecord',
        value: {
          partitionId: 0,
          topicId,
          replicas: [1, 3],
          isr: [1, 3],
          removingReplicas: [],
          addingReplicas: [],
          leader: 3,
          leaderRecoveryState: 0,
          leaderEpoch: 0,
          partitionEpoch: 0,
          directories: [topicId, topicId],
          eligibleLeaderReplicas: null,
          lastKnownElr: null,
        },
      },
    )
    expect(await refusal(files)).toMatch(/its topics have replicas on other brokers \(3\)/)
  })

  test('a quorum of several', async () => {
    const files = unpack('kafka-4.3.1-clean')
    const path = '__cluster_metadata-0/quorum-state'
    const state = JSON.parse(files.readAll(path).toString()) as object
    const currentVoters = [{ voterId: 1 }, { voterId: 2 }]
    files.writeAtomic(path, Buffer.from(JSON.stringify({ ...state, currentVoters })))
    expect(await refusal(files)).toMatch(/belongs to a quorum of the nodes 1, 2, and only one of node 1 alone/)
  })

  test('a broker whose controller is elsewhere', async () => {
    const files = unpack('kafka-4.3.1-clean')
    files.removeDir('__cluster_metadata-0')
    files.remove('bootstrap.checkpoint')
    expect(await refusal(files)).toMatch(/it holds no metadata log/)
  })

  test('one of a broker with ZooKeeper, and a damaged one', async () => {
    const files = memoryFiles()
    files.writeAtomic(META, Buffer.from('version=0\nbroker.id=0\n'))
    expect(await refusal(files)).toMatch(/of a broker with ZooKeeper: Apache Kafka 3.9 can migrate it/)
    const damaged = unpack('kafka-4.3.1-clean')
    damaged.writeAtomic('__cluster_metadata-0/quorum-state', Buffer.from('{'))
    expect(await refusal(damaged)).toMatch(/quorum-state.*not JSON/)
  })
})

test('a directory that was formatted but never ran begins with what it was formatted with', async () => {
  const files = unpack('kafka-3.9.1-clean')
  for (const name of files.list('')) {
    if (files.isFolder(name)) files.removeDir(name)
    else if (name !== META && name !== 'bootstrap.checkpoint') files.remove(name)
  }
  const broker = await testBroker({ files })
  expect([...broker.opened.broker.metadata.image.features]).toEqual([['metadata.version', 21]])
  await broker.createTopic('t')
  await broker.opened.close()
})

test('a directory without an id gets one, and stays as it is otherwise', async () => {
  const files = unpack('kafka-4.3.1-clean')
  const without = files
    .readAll(META)
    .toString()
    .replace(/directory\.id=.*\n/, '')
  files.writeAtomic(META, Buffer.from(without))
  const broker = await testBroker({ files })
  await broker.opened.close()
  const now = files.readAll(META).toString()
  expect(now.startsWith(without.trimEnd())).toBe(true)
  expect(now.slice(without.trimEnd().length)).toMatch(/^\ndirectory\.id=[\w-]{22}\n$/)
})
