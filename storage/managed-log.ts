/** What a log directory and its logs know of each other. */
import type { Files } from './files.ts'
import type { RestingLog } from './resting.ts'

/** Enough to keep the thread pool busy. */
const CLOSED_AT_ONCE = 16

/** What the directory needs of a log. */
export interface ManagedLog {
  readonly topic: string
  readonly partition: number
  readonly logStartOffset: number
  /** Everything before it is on disk: the recovery point. */
  readonly syncedOffset: number
  readonly offline: Error | null
  /** After a clean close: what the next start may know of it; null: it has to look. */
  readonly resting?: RestingLog | null
  /** Clean: everything on disk afterwards, nothing to recover. */
  close(clean: boolean): Promise<void>
  /** The same while no sync is under way. */
  closeNow(clean: boolean): void
  /** Renames the folder to `…-delete`. */
  delete(): unknown
}

/** What the directory knows about a log that is to be opened. */
export interface KnownLog {
  readonly files: Files
  readonly topic: string
  readonly partition: number
  /** Where it is not `<topic>-<partition>`: of a partition that is being moved here. */
  readonly folder?: string
  readonly cleanShutdown: boolean
  readonly recoveryPoint: number
  readonly logStartOffset: number
  /** What topicIdOf() said of its folder. */
  readonly folderTopicId?: string | null
  /** How an orderly stop left it. */
  readonly resting?: RestingLog
  /** Of a new log: its folder is made with its first record. */
  readonly lazily?: boolean
  /** As of the last checkpoint; 0 if none. */
  readonly highWatermark: number
}

export interface PartitionFolder {
  readonly topic: string
  readonly partition: number
}

/** A few at a time: each may open files. @throws the first failure, when all are closed */
export async function closeAll(logs: Iterable<ManagedLog>, clean: boolean): Promise<void> {
  const failures: unknown[] = []
  const left = logs[Symbol.iterator]()
  const some = async (): Promise<void> => {
    for (let next = left.next(); next.done !== true; next = left.next()) {
      try {
        await next.value.close(clean)
      } catch (error) {
        failures.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: CLOSED_AT_ONCE }, some))
  if (failures.length > 0) throw failures[0]
}
