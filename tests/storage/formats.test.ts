// The small formats: what is written is what Apache Kafka writes, and damage is noticed.
import { describe, expect, test } from 'vitest'
import { formatOffsetCheckpoint, offsetsByFolder, parseOffsetCheckpoint } from '../../storage/checkpoint.ts'
import { formatCleanShutdown, parseCleanShutdown } from '../../storage/clean-shutdown.ts'
import { CorruptFileError } from '../../storage/errors.ts'
import { readInt64, writeInt64 } from '../../storage/int64.ts'
import { LeaderEpochs, parseLeaderEpochs } from '../../storage/leader-epochs.ts'
import { join } from '../../storage/names.ts'
import { formatMetaProperties, parseMetaProperties } from '../../storage/meta-properties.ts'
import { formatPartitionMetadata, parsePartitionMetadata } from '../../storage/partition-metadata.ts'
import { formatProducerSnapshot, parseProducerSnapshot } from '../../storage/producer-snapshot.ts'
import { parseQuorumState } from '../../storage/quorum-state.ts'
import { kafkaDirs, unpack } from './kafka-dirs.ts'

const path = 'some/file'

describe.each(kafkaDirs)('what %s holds is written back byte for byte', dir => {
  const files = unpack(dir)
  test('checkpoints, epochs, partition metadata, snapshots', () => {
    const rewrite: [ending: string, (data: Buffer) => Buffer][] = [
      ['-offset-checkpoint', data => formatOffsetCheckpoint(parseOffsetCheckpoint(data, path))],
      ['leader-epoch-checkpoint', data => new LeaderEpochs(parseLeaderEpochs(data, path)).format()],
      ['partition.metadata', data => formatPartitionMetadata(parsePartitionMetadata(data, path))],
      ['.snapshot', data => formatProducerSnapshot(parseProducerSnapshot(data, path))],
    ]
    const folders = files.list('').filter(name => files.isFolder(name))
    const paths = ['', ...folders].flatMap(folder => files.list(folder).map(name => join(folder, name)))
    for (const [ending, again] of rewrite) {
      const found = paths.filter(file => file.endsWith(ending))
      expect(found.length).toBeGreaterThan(2)
      for (const file of found) expect(again(files.readAll(file))).toEqual(files.readAll(file))
    }
  })

  test('meta.properties', () => {
    const found = parseMetaProperties(files.readAll('meta.properties'), path)
    expect(found).toMatchObject({ clusterId: 'b2RyYWRlay1vcmFjbGUwMQ', nodeId: 1, odradekVersion: 0 })
    const ours = formatMetaProperties({ ...found, directoryId: found.directoryId ?? '' })
    expect(parseMetaProperties(ours, path)).toEqual({ ...found, odradekVersion: 1 })
    // Kafka's lines but for the date, and one of ours.
    const lines = files.readAll('meta.properties').toString().split('\n')
    expect(
      ours
        .toString()
        .split('\n')
        .filter(line => !line.startsWith('odradek')),
    ).toEqual(lines.toSpliced(1, 1))
  })
})

describe('offset checkpoints', () => {
  test('empty files have no entries', () => {
    expect(parseOffsetCheckpoint(Buffer.from(''), path)).toEqual([])
    expect(parseOffsetCheckpoint(Buffer.from('0\n'), path)).toEqual([])
    expect(formatOffsetCheckpoint([]).toString()).toBe('0\n0\n')
  })

  test('by folder', () => {
    const entries = parseOffsetCheckpoint(Buffer.from('0\n2\na-b 1 5\nc  0\t7\n'), path)
    expect(offsetsByFolder(entries)).toEqual(
      new Map([
        ['a-b-1', 5],
        ['c-0', 7],
      ]),
    )
  })

  test.each([
    '1\n0\n',
    'x',
    '0\nx\n',
    '0\n2\na 0 1\n',
    '0\n1\na 0\n',
    '0\n1\na 0 1 2\n',
    '0\n1\na 0 9007199254740993\n',
    '0\n1\n\n',
  ])('%j is corrupt', text => expect(() => parseOffsetCheckpoint(Buffer.from(text), path)).toThrow(CorruptFileError))
})

describe('leader epochs', () => {
  const epochs = (...entries: [epoch: number, startOffset: number][]) =>
    new LeaderEpochs(entries.map(([epoch, startOffset]) => ({ epoch, startOffset })))
  const list = (e: LeaderEpochs) => e.entries.map(({ epoch, startOffset }) => [epoch, startOffset])

  test('assign keeps both columns rising', () => {
    const e = epochs([0, 0], [2, 10], [5, 20])
    expect(e.assign(5, 25)).toBe(false)
    expect(e.assign(5, 15)).toBe(true)
    expect(list(e)).toEqual([
      [0, 0],
      [2, 10],
      [5, 15],
    ])
    expect(e.assign(6, 15)).toBe(true)
    expect(list(e)).toEqual([
      [0, 0],
      [2, 10],
      [6, 15],
    ])
    expect(e.assign(3, 12)).toBe(true)
    expect(list(e)).toEqual([
      [0, 0],
      [2, 10],
      [3, 12],
    ])
    expect(() => e.assign(-1, 3)).toThrow(RangeError)
  })

  test('truncation', () => {
    const e = epochs([0, 0], [2, 10], [5, 20])
    expect(e.truncateFromEnd(21)).toBe(false)
    expect(e.truncateFromEnd(20)).toBe(true)
    expect(e.truncateFromStart(12)).toBe(true)
    expect(list(e)).toEqual([[2, 12]])
    expect(e.truncateFromStart(12)).toBe(false)
    expect(e.truncateFromStart(5)).toBe(false)
    expect(e.truncateFromEnd(0)).toBe(true)
    expect(e.latest).toBeNull()
    expect(e.latestEpoch).toBe(-1)
  })

  // KIP-101, KIP-279
  test('the end of an epoch', () => {
    const e = epochs([1, 5], [3, 10], [5, 20])
    expect(e.endOffsetFor(-1, 30)).toEqual({ epoch: -1, endOffset: -1 })
    expect(e.endOffsetFor(0, 30)).toEqual({ epoch: 0, endOffset: 5 })
    expect(e.endOffsetFor(1, 30)).toEqual({ epoch: 1, endOffset: 10 })
    expect(e.endOffsetFor(2, 30)).toEqual({ epoch: 1, endOffset: 10 })
    expect(e.endOffsetFor(4, 30)).toEqual({ epoch: 3, endOffset: 20 })
    expect(e.endOffsetFor(5, 30)).toEqual({ epoch: 5, endOffset: 30 })
    expect(e.endOffsetFor(6, 30)).toEqual({ epoch: -1, endOffset: -1 })
    expect(epochs().endOffsetFor(0, 3)).toEqual({ epoch: -1, endOffset: -1 })
    expect([4, 5, 9, 10, 100].map(offset => e.epochForOffset(offset))).toEqual([-1, 1, 1, 3, 5])
  })

  test.each(['0\n1\n0\n', '0\n1\n0 1 2\n', '0\n1\n-1 0\n', '0\n1\na b\n'])('%j is corrupt', text =>
    expect(() => parseLeaderEpochs(Buffer.from(text), path)).toThrow(CorruptFileError),
  )
})

describe('producer snapshots', () => {
  const entry = {
    producerId: 2 ** 40,
    producerEpoch: 3,
    lastSequence: 4,
    lastOffset: Number.MAX_SAFE_INTEGER,
    offsetDelta: 2,
    timestamp: 1700000000000,
    coordinatorEpoch: -1,
    currentTxnFirstOffset: -1,
  }
  test('round trip', () => {
    const entries = [entry, { ...entry, producerId: 7, currentTxnFirstOffset: 12, coordinatorEpoch: 5 }]
    expect(parseProducerSnapshot(formatProducerSnapshot(entries), path)).toEqual(entries)
    expect(parseProducerSnapshot(formatProducerSnapshot([]), path)).toEqual([])
  })
  test('every byte counts', () => {
    const data = formatProducerSnapshot([entry])
    for (let at = 0; at < data.byteLength; at++) {
      const damaged = Buffer.from(data)
      damaged[at] = (damaged[at] ?? 0) ^ 0x10
      expect(() => parseProducerSnapshot(damaged, path)).toThrow(CorruptFileError)
      expect(() => parseProducerSnapshot(data.subarray(0, at), path)).toThrow(CorruptFileError)
    }
  })
})

describe('meta.properties', () => {
  const parse = (text: string) => parseMetaProperties(Buffer.from(text), path)
  test('Java properties', () => {
    expect(parse('# x\n! y\n version : 1\ncluster.id=a\\=b\nnode.id 7\nother=1\nodradek.version=1\n')).toEqual({
      clusterId: 'a=b',
      nodeId: 7,
      directoryId: null,
      odradekVersion: 1,
    })
  })
  test.each([
    ['', 'unknown version 0'],
    ['version=0\nbroker.id=1\n', 'unknown version 0'],
    ['version=1\nnode.id=1\n', 'no cluster.id'],
    ['version=1\ncluster.id=x\n', 'no node.id'],
    ['version=1\ncluster.id=x\nnode.id=one\n', 'no node.id'],
    ['version=1\ncluster.id=x\nnode.id=1\nodradek.version=2\n', 'newer'],
  ])('%j', (text, reason) => {
    expect(() => parse(text)).toThrow(CorruptFileError)
    expect(() => parse(text)).toThrow(reason)
  })
})

test('partition metadata', () => {
  expect(formatPartitionMetadata('69IahcdVTLWYmhSxbtVcvA').toString()).toBe(
    'version: 0\ntopic_id: 69IahcdVTLWYmhSxbtVcvA',
  )
  for (const text of ['', 'version: 1\ntopic_id: 69IahcdVTLWYmhSxbtVcvA', 'version: 0\n', 'version: 0\ntopic_id: x']) {
    expect(() => parsePartitionMetadata(Buffer.from(text), path)).toThrow(CorruptFileError)
  }
})

test('clean shutdown: as Apache Kafka writes it', () => {
  for (const dir of ['kafka-3.9.1-clean', 'kafka-4.3.1-clean'] as const) {
    const data = unpack(dir).readAll('.kafka_cleanshutdown')
    expect(formatCleanShutdown(parseCleanShutdown(data))).toEqual(data)
  }
})

test('clean shutdown: the presence of the file counts, whatever it says', () => {
  expect(formatCleanShutdown(11).toString()).toBe('{"version":0,"brokerEpoch":11}')
  expect(
    ['', '{"version":0}', 'null', '{"version":0,"brokerEpoch":"x"}'].map(t => parseCleanShutdown(Buffer.from(t))),
  ).toEqual([-1, -1, -1, -1])
})

test('quorum state of both versions', () => {
  const parse = (text: string) => parseQuorumState(Buffer.from(text), path)
  expect(
    parse('{"leaderId":1,"leaderEpoch":4,"votedId":2,"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1}'),
  ).toEqual({
    dataVersion: 1,
    leaderId: 1,
    leaderEpoch: 4,
    votedId: 2,
    votedDirectoryId: 'AAAAAAAAAAAAAAAAAAAAAA',
    currentVoters: [],
  })
  for (const text of [
    '',
    '[]',
    '1',
    '{}',
    '{"data_version":2}',
    '{"data_version":0,"leaderId":"x"}',
    '{"data_version":0,"currentVoters":[1]}',
  ]) {
    expect(() => parse(text)).toThrow(CorruptFileError)
  }
})

test('int64 fields', () => {
  const buffer = Buffer.alloc(8)
  for (const value of [0, 1, -1, 2 ** 32, -(2 ** 32) - 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2 ** 60]) {
    writeInt64(buffer, value, 0)
    expect(buffer.readBigInt64BE()).toBe(BigInt(value))
    expect(readInt64(buffer, 0)).toBe(value)
  }
  writeInt64(buffer, 2 ** 70, 0)
  expect(buffer.readBigInt64BE()).toBe(2n ** 63n - 1n)
  writeInt64(buffer, -(2 ** 70), 0)
  expect(buffer.readBigInt64BE()).toBe(-(2n ** 63n))
})
