// The partition folders that a start finds in all log directories: those that cannot be read, and those that a partition has
// twice, are set aside. Kafka: LogManager.loadLog, which does not start where a partition has two.
import type { LogDir } from '../../storage/log-dir.ts'
import type { Log } from '../../storage/log.ts'
import type { MetadataView } from '../cluster/image.ts'
import type { PartitionFolder } from '../cluster/reconcile.ts'
import type { Logger } from '../runtime/log.ts'
import type { LogDirs, OnlineDirectory } from './log-dirs.ts'
import { CorruptFileError } from '../../storage/errors.ts'
import { LogDirError } from '../../storage/log-dir.ts'
import { directoryOf } from '../cluster/directories.ts'

export interface FoundFolder extends PartitionFolder {
  readonly directory: OnlineDirectory
}

export interface FoundIn {
  readonly dirs: LogDirs
  readonly image: MetadataView
  readonly nodeId: number
  readonly log: Logger
}

/** One folder for each partition, and those of partitions that are nobody's. @throws LogDirError where two could be the one */
export function findFolders(o: FoundIn): FoundFolder[] {
  const found = o.dirs.online.flatMap(directory => readable(directory, o.log))
  const byPartition = new Map<string, FoundFolder[]>()
  for (const folder of found) {
    // A folder of another topic is no rival.
    if (folder.topicId === null || o.image.topicByName(folder.topic)?.topicId !== folder.topicId) continue
    const key = `${folder.topic}-${folder.partition}`
    byPartition.set(key, [...(byPartition.get(key) ?? []), folder])
  }
  const superfluous = new Set<FoundFolder>()
  for (const rivals of byPartition.values()) {
    if (rivals.length < 2) continue
    const chosen = choose(rivals, o)
    for (const rival of rivals) if (rival !== chosen) superfluous.add(rival)
  }
  for (const { directory, topic, partition } of superfluous) {
    if (directory.dir.hasRecords(topic, partition))
      setAside(directory.dir, topic, partition, 'is in another log directory as well', o.log)
    else directory.dir.discard(topic, partition)
  }
  return found.filter(folder => !superfluous.has(folder))
}

function readable(directory: OnlineDirectory, log: Logger): FoundFolder[] {
  const { dir } = directory
  return dir.partitions.flatMap(({ topic, partition }) => {
    try {
      return [{ directory, topic, partition, topicId: dir.topicIdOf(topic, partition) }]
    } catch (error) {
      if (!(error instanceof CorruptFileError)) throw error
      setAside(dir, topic, partition, `cannot be told whose it is (${error.message})`, log)
      return []
    }
  })
}

/** A move ended with a folder in each directory: the metadata says which of them it is. */
function choose(rivals: readonly FoundFolder[], { image, nodeId }: FoundIn): FoundFolder {
  const [{ topic, partition: index }] = rivals as [FoundFolder]
  const partition = image.partition(topic, index)
  const recorded = partition && directoryOf(partition, nodeId)
  const assigned = rivals.find(({ directory }) => directory.dir.directoryId === recorded)
  if (assigned) return assigned
  const filled = rivals.filter(({ directory }) => directory.dir.hasRecords(topic, index))
  if (filled.length < 2) return filled[0] ?? rivals[0]!
  const paths = filled.map(({ directory }) => directory.path).join(' and ')
  throw new LogDirError(
    `The partition ${topic}-${index} has records in ${paths}, and the metadata names neither: move one of the two folders away.`,
  )
}

/** Renames a folder so that nothing in it is lost or used. */
export function setAside(dir: LogDir<Log>, topic: string, partition: number, why: string, log: Logger): void {
  const folder = dir.setAside(topic, partition)
  log.error({ topic, partition, folder }, `A partition folder ${why}: it was set aside, nothing is deleted`)
}
