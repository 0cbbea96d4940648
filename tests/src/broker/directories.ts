// What the tests of several log directories share: directories on one disk model, requests as admin clients and others send them.
import type { Files } from '../../../storage/files.ts'
import type { TestBroker } from './harness.ts'
import { AlterReplicaLogDirs, DescribeLogDirs, Fetch, Produce } from '../../../protocol/messages/index.ts'
import { decodeRecords } from '../../../protocol/records/record.ts'
import { NONE } from '../../../protocol/errors.ts'
import { records } from './harness.ts'

/** A folder of a disk as a log directory of its own. */
export function below(disk: Files, folder: string): Files {
  const at = (path: string): string => (path === '' ? folder : `${folder}/${path}`)
  return {
    open: (path, mode) => disk.open(at(path), mode),
    exists: path => disk.exists(at(path)),
    list: path => disk.list(at(path)),
    isFolder: path => disk.isFolder(at(path)),
    size: path => disk.size(at(path)),
    mkdir(path) {
      disk.mkdir(at(path))
      // A directory that is made is there for good.
      if (path === '') disk.syncDirNow('')
    },
    rename: (from, to) => disk.rename(at(from), at(to)),
    remove: path => disk.remove(at(path)),
    removeDir: path => disk.removeDir(at(path)),
    readAll: path => disk.readAll(at(path)),
    writeAtomic: (path, data) => disk.writeAtomic(at(path), data),
    writeUnsynced: (path, data) => disk.writeUnsynced(at(path), data),
    syncFile: path => disk.syncFile(at(path)),
    syncFileNow: path => disk.syncFileNow(at(path)),
    syncDir: path => disk.syncDir(at(path)),
    syncDirNow: path => disk.syncDirNow(at(path)),
    lock: path => disk.lock(at(path)),
  }
}

/** Version 12 is the last that names topics. */
const VERSION = 12

export async function produce(broker: TestBroker, topic: string, value: string, acks = -1, index = 0): Promise<number> {
  const partitionData = [{ index, records: records([value]) }]
  const request = { transactionalId: null, acks, timeoutMs: 30_000, topicData: [{ name: topic, partitionData }] }
  const reply = await broker.ask(Produce, request, VERSION)
  return reply!.responses[0]!.partitionResponses[0]!.errorCode
}

/** The values of a partition from its start on; an error code as text where there is one. */
export async function read(broker: TestBroker, topic: string, index = 0, fetchOffset = 0): Promise<string[]> {
  const partition = { partition: index, fetchOffset, partitionMaxBytes: 1 << 20 }
  const request = { maxWaitMs: 0, minBytes: 1, topics: [{ topic, partitions: [partition] }], forgottenTopicsData: [] }
  const reply = await broker.ask(Fetch, request, VERSION)
  const found = reply!.responses[0]!.partitions[0]!
  if (found.errorCode !== NONE) return [`error ${found.errorCode}`]
  const bytes = Buffer.concat(found.records?.parts ?? [])
  const values: string[] = []
  let next = fetchOffset
  for (let at = 0; at < bytes.length; at += bytes.readInt32BE(at + 8) + 12) {
    for (const { value, offset } of decodeRecords(bytes, at)) {
      if (offset >= fetchOffset) values.push(String(value))
      next = offset + 1
    }
  }
  return next === fetchOffset ? values : [...values, ...(await read(broker, topic, index, next))]
}

/** AlterReplicaLogDirs for one partition: the error code. */
export async function move(broker: TestBroker, topic: string, path: string, partition = 0): Promise<number> {
  const dirs = [{ path, topics: [{ name: topic, partitions: [partition] }] }]
  const reply = await broker.ask(AlterReplicaLogDirs, { dirs })
  return reply!.results[0]!.partitions[0]!.errorCode
}

/** `path error topic-partition…`, futures with their lag in brackets. */
export async function layout(broker: TestBroker): Promise<string[]> {
  const reply = await broker.ask(DescribeLogDirs, { topics: null })
  return reply!.results.map(({ logDir, errorCode, isCordoned, topics }) => {
    const names = topics.flatMap(({ name, partitions }) =>
      partitions
        .toSorted((a, b) => a.partitionIndex - b.partitionIndex)
        .map(p => `${name}-${p.partitionIndex}${p.isFutureKey ? `(${p.offsetLag})` : ''}`),
    )
    const error = errorCode === NONE ? '' : ` error ${errorCode}`
    return [`${logDir}${error}${isCordoned ? ' cordoned' : ''}:`, ...names].join(' ')
  })
}

/** The id of the directory that the metadata names for a partition, as its path. */
export function recorded({ opened: { broker } }: TestBroker, topic: string, index = 0): string {
  const id = broker.metadata.image.partition(topic, index)!.directories[0]!
  return broker.dirs.byId(id)?.path ?? id
}
