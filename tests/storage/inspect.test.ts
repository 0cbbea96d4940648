// Every format as Apache Kafka wrote it, printed as Kafka's own tool printed it.
import { beforeAll, describe, expect, test } from 'vitest'
import { codecReady } from '../../protocol/records/compression.ts'
import type { Files } from '../../storage/files.ts'
import { inspectFile, isInspectable } from '../../storage/inspect.ts'
import { printClusterMetadata, printControlRecord, printCoordinatorRecord } from '../../storage/inspect-records.ts'
import { verifyFolder } from '../../storage/inspect-verify.ts'
import { kafkaDirs, printed, unpack } from './kafka-dirs.ts'

beforeAll(async () => {
  await codecReady(4)
})

describe.each(kafkaDirs)('%s', dir => {
  let files: Files
  beforeAll(() => {
    files = unpack(dir)
  })
  const lines = (path: string, options = {}) => [...inspectFile(files, path, options)]

  test.each(['logs', 'indexes', 'snapshots'])('%s', what => {
    const expected = printed(dir, what)
    expect(expected.size).toBeGreaterThan(1)
    expect(new Map([...expected.keys()].map(path => [path, lines(path)]))).toEqual(expected)
  })

  test('nothing is wrong with any file', () => {
    const folders = files.list('').filter(name => files.isFolder(name))
    expect(folders.length).toBeGreaterThan(5)
    expect(['', ...folders].flatMap(folder => verifyFolder(files, folder))).toEqual([])
  })

  test('the small files', () => {
    expect(lines('meta.properties')).toContain('clusterId: b2RyYWRlay1vcmFjbGUwMQ')
    expect(lines('meta.properties')).toContain('odradekVersion: 0')
    expect(lines('log-start-offset-checkpoint')).toEqual(['topic: truncated-head partition: 0 offset: 1500'])
    expect(lines('cleaner-offset-checkpoint')).toEqual(['topic: compacted partition: 0 offset: 400'])
    expect(lines('recovery-point-offset-checkpoint')).toContain(
      `topic: segments partition: 0 offset: ${dir.endsWith('clean') ? 3000 : 2200}`,
    )
    expect(lines('plain-0/leader-epoch-checkpoint')).toEqual(['epoch: 0 startOffset: 0'])
    expect(lines('plain-0/partition.metadata')[0]).toMatch(/^topicId: [\w-]{22}$/)
    expect(lines('bootstrap.checkpoint')[0]).toBe('KRaft bootstrap snapshot')
  })
})

describe.each(['kafka-3.9.1-clean', 'kafka-4.3.1-clean'] as const)('%s, internal topics', dir => {
  const files = unpack(dir)
  const older = dir === 'kafka-3.9.1-clean'
  test.each([
    ['metadata', printClusterMetadata],
    // The tool of 3.9 has another notation for the coordinators' records.
    ...(older
      ? []
      : ([
          ['offsets', printCoordinatorRecord('group')],
          ['transactions', printCoordinatorRecord('transaction')],
        ] as const)),
  ] as const)('%s', (what, print) => {
    const expected = printed(dir, what)
    const options = older ? { print } : { print, printControl: printControlRecord }
    expect(expected.size).toBeGreaterThan(0)
    expect(new Map([...expected.keys()].map(path => [path, [...inspectFile(files, path, options)]]))).toEqual(expected)
  })

  test('the quorum and the mark of a clean shutdown', () => {
    expect([...inspectFile(files, '__cluster_metadata-0/quorum-state')]).toEqual([
      'dataVersion: 0',
      'leaderId: 1',
      'leaderEpoch: 1',
      'votedId: -1',
      'votedDirectoryId: null',
      'currentVoters: 1',
    ])
    expect([...inspectFile(files, '.kafka_cleanshutdown')][0]).toMatch(/^brokerEpoch: \d+$/)
  })
})

test('a file of no format known', () => {
  const files = unpack('kafka-4.3.1-clean')
  expect(isInspectable('plain-0/00000000000000000000.log.deleted')).toBe(true)
  expect(isInspectable('notes.txt')).toBe(false)
  expect(() => [...inspectFile(files, 'notes.txt')]).toThrow(RangeError)
})

describe('verifyFolder finds', () => {
  const damaged = (name: string, change: (data: Buffer) => Buffer) => {
    const files = unpack('kafka-4.3.1-clean')
    const path = `segments-0/${name}`
    files.writeAtomic(path, change(files.readAll(path)))
    return verifyFolder(files, 'segments-0')
  }
  const flipped = (at: number) => (data: Buffer) => {
    data[at] = (data[at] ?? 0) ^ 1
    return data
  }
  const log = '00000000000000001100.log'

  test.each([
    ['a byte of a record', log, flipped(2000), 'its checksum is wrong'],
    ['an offset', log, flipped(7), 'begins at offset'],
    ['a length', log, flipped(8), 'at 0: 45701 bytes are no batch that can be trusted'],
    ['a cut log', log, (data: Buffer) => data.subarray(0, 40000), 'behind the last batch are none'],
    ['an index position', '00000000000000001100.index', flipped(15), 'the index says offset'],
    ['an index of another size', '00000000000000001100.index', (data: Buffer) => data.subarray(1), 'no multiple of 8'],
    ['a timestamp', '00000000000000001100.timeindex', flipped(7), 'the time index says'],
    ['a snapshot', '00000000000000001100.snapshot', flipped(30), 'wrong CRC'],
    ['an epoch', 'leader-epoch-checkpoint', () => Buffer.from('0\n1\n0 x\n'), 'malformed line'],
  ] as const)('%s', (_, name, change, problem) => {
    expect(damaged(name, change).join('\n')).toContain(problem)
  })
})
