/** What callers give to a log and get from it. */
import type { Arena } from './arena.ts'
import type { Files } from './files.ts'
import type { AppendOrigin, LogConfig } from './log-config.ts'
import type { RestingLog } from './resting.ts'
import type { VerificationGuard } from './verification.ts'

export interface OpenOptions {
  readonly files: Files
  readonly arena: Arena
  readonly topic: string
  readonly partition: number
  /** Where it is not `<topic>-<partition>`: while a partition is moved. */
  readonly folder?: string
  /** Written beside a new log; an existing one must have the same. */
  readonly topicId?: string
  /** What the folder said its topic id is, where that was asked before; null: nothing. */
  readonly folderTopicId?: string | null
  /** A new log gets its folder with its first record. */
  readonly lazily?: boolean
  /** How an orderly stop left it: its folder is opened when it is needed. */
  readonly resting?: RestingLog
  readonly config: LogConfig
  /** Whether the log was closed in order: then nothing is scanned. */
  readonly cleanShutdown: boolean
  /** syncedOffset as of the last checkpoint. */
  readonly recoveryPoint: number
  /** As of the last checkpoint. */
  readonly logStartOffset: number
  readonly now: number
  /** In [0, 1): spreads the rolls of many logs over segment.jitter.ms. */
  readonly random?: () => number
  /** Told once, when the log goes offline. */
  readonly onError?: (error: Error) => void
}

export interface AppendOptions {
  /** Stamped on the batch. For origin replication: batches of later epochs are left out. */
  readonly leaderEpoch: number
  readonly now: number
  readonly origin: AppendOrigin
  /** Version of the Produce request; left out by callers inside the broker. */
  readonly apiVersion?: number | undefined
  /** Of a transaction marker (KIP-890). */
  readonly transactionVersion?: number | undefined
  /** A batch that begins a transaction needs the guard of ProducerState.startVerification (KIP-890). */
  readonly verification?: { readonly guard: VerificationGuard | null } | undefined
}

export interface AppendInfo {
  readonly firstOffset: number
  readonly lastOffset: number
  /** -1 unless the topic uses LogAppendTime; of a duplicate the greatest timestamp of the first time. */
  readonly logAppendTime: number
  readonly logStartOffset: number
  /** Sent before: the offsets are those of the first time, and nothing was appended. */
  readonly duplicate: boolean
  readonly byteLength: number
}

export interface ReadOptions {
  readonly maxBytes: number
  /** Exclusive: batches that reach it or lie behind it are not returned. */
  readonly maxOffset: number
  /** Returns the first batch even when it is larger than maxBytes. */
  readonly minOneBatch: boolean
  /**
   * For consumers, who may keep what they get for as long as they like: less is read when the budget for reads from files
   * runs short (at most the one batch of minOneBatch), and nothing once it is used up.
   */
  readonly budgeted?: boolean
}
