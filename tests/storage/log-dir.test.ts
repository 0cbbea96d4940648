// The log directory: lock, ownership, checkpoints, the clean mark, folders that are not partitions.
import { describe, expect, test } from 'vitest'
import { crashFiles } from '../../storage/files-crash.ts'
import { memoryFiles } from '../../storage/files-memory.ts'
import type { Files } from '../../storage/files.ts'
import { inspectFile } from '../../storage/inspect.ts'
import type { KnownLog, LogDirOptions, ManagedLog } from '../../storage/log-dir.ts'
import { LogDir, LogDirError } from '../../storage/log-dir.ts'
import { markedFolder, partitionFolder } from '../../storage/names.ts'
import { unpack } from './kafka-dirs.ts'

interface TestLog extends ManagedLog {
  logStartOffset: number
  syncedOffset: number
  offline: Error | null
  readonly known: KnownLog
  closed: boolean | null
}

const openLog = (known: KnownLog): TestLog => {
  const { files, topic, partition } = known
  const folder = partitionFolder(topic, partition)
  files.mkdir(folder)
  files.syncDirNow('')
  return {
    topic,
    partition,
    logStartOffset: known.logStartOffset,
    syncedOffset: known.recoveryPoint,
    offline: null,
    known,
    closed: null,
    async close(clean) {
      this.closed = clean
    },
    closeNow(clean) {
      this.closed = clean
    },
    delete: () => files.rename(folder, markedFolder(topic, partition, 'f'.repeat(32), 'delete')),
  }
}
let ids = 0
const open = (files: Files, more: Partial<LogDirOptions> = {}) =>
  LogDir.open<TestLog>(files, {
    path: '/data',
    nodeId: 1,
    newId: () => `id${String(ids++).padStart(20, '0')}`,
    ...more,
  })
/** What a LogDirError says; '' when all went well. */
const refusalOf = (act: () => unknown) => {
  try {
    act()
    return ''
  } catch (error) {
    if (error instanceof LogDirError) return error.message
    throw error
  }
}
const print = (files: Files, path: string) => [...inspectFile(files, path)]

describe('a new directory', () => {
  test.each(['missing', 'empty', 'with an empty .lock and lost+found'])('%s', what => {
    const files = memoryFiles()
    if (what.startsWith('with')) {
      files.open('.lock', 'write').close()
      files.mkdir('lost+found')
    }
    const dir = open(files, { clusterId: 'a-cluster' })
    expect(dir).toMatchObject({ isNew: true, wasClean: true, clusterId: 'a-cluster', partitions: [], warnings: [] })
    expect(print(files, 'meta.properties')).toEqual([
      'clusterId: a-cluster',
      'nodeId: 1',
      `directoryId: ${dir.directoryId}`,
      'odradekVersion: 1',
    ])
  })

  test('a first start that was interrupted anywhere is a first start again', () => {
    for (let n = 1; ; n++) {
      const files = crashFiles()
      files.failAt(n, { code: 'EHALT' })
      const refusal = refusalOf(() => open(files))
      files.crash(choices => (n * 7919) % choices)
      expect(open(files).clusterId).toMatch(/^id/)
      if (refusal === '') break
      expect(refusal).toContain('EHALT')
    }
  })
})

describe('a directory that is not ours is left as it is', () => {
  const listing = (files: Files, folder = ''): string[] =>
    files.list(folder).flatMap(name => {
      const path = folder === '' ? name : `${folder}/${name}`
      return files.isFolder(path) ? listing(files, path) : [`${path} ${files.size(path)}`]
    })
  const refused = (files: Files, more: Partial<LogDirOptions> = {}) => {
    const before = listing(files)
    const message = refusalOf(() => open(files, more))
    expect(listing(files)).toEqual(before)
    return message
  }

  test.each(['kafka-3.9.1-clean', 'kafka-4.3.1-killed'] as const)('%s', name => {
    expect(refused(unpack(name))).toBe(
      'The data directory /data was written by Apache Kafka (node 1, cluster b2RyYWRlay1vcmFjbGUwMQ), which is not opened here: nothing was changed; choose another directory.',
    )
  })

  test('something else', () => {
    const files = memoryFiles()
    files.writeAtomic('thesis.doc', Buffer.from('x'))
    expect(refused(files)).toBe(
      "The data directory /data is not empty (it holds thesis.doc) and not Odradek's: nothing was changed; choose another directory.",
    )
  })

  test('a meta.properties that cannot be read', () => {
    const files = memoryFiles()
    files.writeAtomic('meta.properties', Buffer.from('version=7\n'))
    expect(refused(files)).toContain('unknown version 7')
  })

  test('another node, another cluster', async () => {
    const files = memoryFiles()
    const dir = open(files, { clusterId: 'a' })
    await dir.close(true)
    expect(refused(files, { nodeId: 2 })).toContain('belongs to node.id 1, not 2')
    expect(refused(files, { clusterId: 'b' })).toContain('belongs to cluster a, not b')
    expect(open(files, { clusterId: 'a' }).isNew).toBe(false)
  })

  test('a directory in use', () => {
    const files = memoryFiles()
    open(files)
    expect(refused(files)).toBe(
      `The data directory /data is in use by the running process ${process.pid}: stop it first, or choose another directory.`,
    )
  })

  test('a disk that fails', () => {
    const files = crashFiles()
    files.failAt(1)
    expect(() => open(files)).toThrow('The data directory /data cannot be used: EIO')
    // The lock was given back.
    open(files)
  })
})

describe('from run to run', () => {
  test('checkpoints come back, and say what Apache Kafka would', async () => {
    const files = memoryFiles()
    const first = open(files)
    const a = first.createLog('a', 0, openLog)
    const b = first.createLog('b', 1, openLog)
    a.syncedOffset = 10
    b.syncedOffset = 20
    b.logStartOffset = 5
    first.writeCheckpoints(log => log.syncedOffset + 1)
    expect(print(files, 'recovery-point-offset-checkpoint')).toEqual([
      'topic: a partition: 0 offset: 10',
      'topic: b partition: 1 offset: 20',
    ])
    expect(print(files, 'replication-offset-checkpoint')).toContain('topic: b partition: 1 offset: 21')
    expect(print(files, 'log-start-offset-checkpoint')).toEqual(['topic: b partition: 1 offset: 5'])
    a.syncedOffset = 11
    await first.close(true, 7)
    expect([a.closed, b.closed]).toEqual([true, true])

    const second = open(files)
    expect(second).toMatchObject({ wasClean: true, previousBrokerEpoch: 7, clusterId: first.clusterId })
    expect(second.partitions).toEqual([
      { topic: 'a', partition: 0 },
      { topic: 'b', partition: 1 },
    ])
    expect(files.exists('.kafka_cleanshutdown')).toBe(false)
    expect(second.openLog('b', 1, openLog).known).toMatchObject({
      cleanShutdown: true,
      recoveryPoint: 20,
      logStartOffset: 5,
      highWatermark: 20,
    })
    expect(second.openLog('a', 0, openLog).known.recoveryPoint).toBe(11)
    expect([...second.logs].map(({ topic }) => topic)).toEqual(['b', 'a'])
    expect(() => second.openLog('c', 0, openLog)).toThrow(LogDirError)
    expect(() => second.createLog('a', 0, openLog)).toThrow('its name is taken')
    expect(() => second.createLog('../a', 0, openLog)).toThrow('not allowed')
  })

  test('a run that did not stop in order is not clean', () => {
    const files = crashFiles()
    open(files).createLog('a', 0, openLog)
    files.kill()
    const dir = open(files)
    expect(dir).toMatchObject({ wasClean: false, previousBrokerEpoch: -1 })
    expect(dir.openLog('a', 0, openLog).known).toMatchObject({ cleanShutdown: false, recoveryPoint: 0 })
  })

  test('the mark of a clean stop is gone for good once a run began', async () => {
    const files = crashFiles()
    await open(files).close(true)
    open(files)
    files.crash(() => 0)
    expect(open(files).wasClean).toBe(false)
  })

  test.each(['an offline log', 'a log that fails to close', 'a log nobody recovered', 'an unclean close'])(
    '%s leaves no mark',
    async what => {
      const files = crashFiles()
      const first = open(files)
      first.createLog('a', 0, openLog)
      first.createLog('b', 0, openLog)
      files.kill()
      const dir = open(files)
      const log = dir.openLog('a', 0, openLog)
      if (what !== 'a log nobody recovered') dir.openLog('b', 0, openLog)
      if (what === 'an offline log') log.offline = new Error('EIO')
      if (what === 'a log that fails to close') log.close = () => Promise.reject(new Error('EIO at close'))
      const [closing] = await Promise.allSettled([dir.close(what !== 'an unclean close')])
      expect(closing.status).toBe(what === 'a log that fails to close' ? 'rejected' : 'fulfilled')
      expect(files.exists('.kafka_cleanshutdown')).toBe(false)
      // The lock is free.
      expect(open(files).wasClean).toBe(false)
    },
  )

  test('all logs recovered: the mark is left again', async () => {
    const files = crashFiles()
    open(files).createLog('a', 0, openLog)
    files.kill()
    const dir = open(files)
    dir.openLog('a', 0, openLog)
    await dir.close(true, 3)
    await dir.close(true, 4)
    expect(open(files).previousBrokerEpoch).toBe(3)
  })

  test('unchanged checkpoints are not written again', () => {
    const files = crashFiles()
    const dir = open(files)
    dir.createLog('a', 0, openLog)
    dir.writeCheckpoints()
    const { calls } = files
    dir.writeCheckpoints()
    expect(files.calls).toBe(calls)
  })

  test('a checkpoint that cannot be read counts as absent', () => {
    const files = crashFiles()
    const dir = open(files)
    dir.createLog('a', 0, openLog).syncedOffset = 10
    dir.writeCheckpoints()
    files.kill()
    files.writeAtomic('recovery-point-offset-checkpoint', Buffer.from('0\n7\n'))
    const again = open(files)
    expect(again.warnings).toEqual([
      'recovery-point-offset-checkpoint: 0 entries where it says "7"; every log begins at 0 there.',
    ])
    const log = again.openLog('a', 0, openLog)
    expect(log.known).toMatchObject({ recoveryPoint: 0, highWatermark: 10 })
    log.syncedOffset = 12
    again.writeCheckpoints()
    expect(print(files, 'recovery-point-offset-checkpoint')).toEqual(['topic: a partition: 0 offset: 12'])
  })
})

describe('deletion', () => {
  test('a log created in place of a deleted one inherits nothing, even through a crash', () => {
    const files = crashFiles()
    const dir = open(files)
    dir.createLog('a', 0, openLog).syncedOffset = 3000
    dir.createLog('a', 1, openLog)
    dir.writeCheckpoints()
    dir.deleteLog('a', 0)
    expect(dir.has('a', 0)).toBe(false)
    expect(dir.log('a', 0)).toBeUndefined()
    dir.createLog('a', 0, openLog)
    files.kill()
    expect(open(files).openLog('a', 0, openLog).known.recoveryPoint).toBe(0)
  })

  test('so does one created after a start that found only the checkpoint', () => {
    const files = crashFiles()
    const dir = open(files)
    dir.createLog('a', 0, openLog).syncedOffset = 3000
    dir.writeCheckpoints()
    dir.deleteLog('a', 0)
    files.kill()
    open(files).createLog('a', 0, openLog)
    files.kill()
    expect(open(files).openLog('a', 0, openLog).known.recoveryPoint).toBe(0)
  })

  test('marked folders are no partitions; deleted ones are removed when asked, the others reported', () => {
    const files = memoryFiles()
    const dir = open(files)
    dir.createLog('a', 0, openLog)
    dir.deleteLog('a', 0)
    expect(() => dir.deleteLog('a', 0)).toThrow('not open')
    for (const name of ['b-1.x-delete', 'c-2.x-stray', 'd-3.x-future', 'e-4']) files.mkdir(name)
    files.mkdir('not a log')
    files.writeAtomic('b-1.x-delete/00000000000000000000.log', Buffer.from('x'))
    expect(dir.cleanDeleted()).toBe(2)
    expect(dir.cleanDeleted()).toBe(0)
    expect(files.list('')).toEqual(['c-2.x-stray', 'd-3.x-future', 'e-4', 'meta.properties', 'not a log'])
  })

  test('folders found at the start', async () => {
    const files = memoryFiles()
    await open(files).close(true)
    for (const name of ['b-1.x-delete', 'c-2.x-stray', 'd-3.x-future', 'e-4', 'other']) files.mkdir(name)
    files.writeAtomic('b-1.x-delete/00000000000000000000.log', Buffer.from('x'))
    const dir = open(files)
    expect(dir).toMatchObject({
      strayFolders: ['c-2.x-stray'],
      futures: { all: [{ topic: 'd', partition: 3, log: null }] },
    })
    expect(dir.partitions).toEqual([{ topic: 'e', partition: 4 }])
    expect(dir.cleanDeleted()).toBe(1)
    expect(files.exists('b-1.x-delete')).toBe(false)
  })
})
