// What the transaction machine is asked, what it answers, what it keeps and what it sends to the partitions' leaders.
import type { LastingState, TopicPartition, Transaction } from './state.ts'

export interface InitCommand {
  readonly type: 'init'
  readonly transactionalId: string
  readonly timeoutMs: number
  /** What the producer believes to have (KIP-360); null: it begins anew. */
  readonly expected: { readonly producerId: number; readonly producerEpoch: number } | null
  /** An id nobody has, fetched because the machine asked for one. */
  readonly newProducerId: number | null
}

interface ProducerCommand {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
}

export interface AddCommand extends ProducerCommand {
  readonly type: 'add'
  readonly partitions: readonly TopicPartition[]
  /** 2: the partition joins with the first write (KIP-890). */
  readonly clientTransactionVersion: number
}

/** Whether partitions are part of the transaction (KIP-890); changes nothing. */
export interface VerifyCommand extends ProducerCommand {
  readonly type: 'verify'
  readonly partitions: readonly TopicPartition[]
}

export interface EndCommand extends ProducerCommand {
  readonly type: 'end'
  readonly commit: boolean
  readonly clientTransactionVersion: number
  readonly newProducerId: number | null
}

export interface DescribeCommand {
  readonly type: 'describe'
  readonly transactionalId: string
}

/** Empty lists, a negative duration and a null pattern filter nothing. */
export interface ListCommand {
  readonly type: 'list'
  readonly states: readonly LastingState[] | null
  readonly producerIds: readonly number[]
  readonly durationMs: number
  readonly matches: ((transactionalId: string) => boolean) | null
}

/** What became of markers that were sent; partitions in neither list wait for another coordinator. */
export interface MarkersWrittenCommand extends ProducerCommand {
  readonly type: 'markersWritten'
  readonly written: readonly TopicPartition[]
  readonly failed: readonly TopicPartition[]
}

export interface TimeoutCommand extends ProducerCommand {
  readonly type: 'timeout'
  readonly newProducerId: number | null
}

export type TimerCommand =
  | { readonly type: 'findTimedOut' }
  | { readonly type: 'expire' }
  | (ProducerCommand & { readonly type: 'sendMarkers' })
  | TimeoutCommand

export type TransactionCommand =
  | InitCommand
  | AddCommand
  | VerifyCommand
  | EndCommand
  | DescribeCommand
  | ListCommand
  | MarkersWrittenCommand
  | TimerCommand

/** The command cannot be decided without a new producer id: to be asked again with one. */
export const NEEDS_PRODUCER_ID = 'needsProducerId'
export type NeedsProducerId = typeof NEEDS_PRODUCER_ID

export interface ProducerReply {
  readonly errorCode: number
  readonly producerId: number
  readonly producerEpoch: number
}

export interface ListedTransaction {
  readonly transactionalId: string
  readonly producerId: number
  readonly transactionState: string
}

export interface Replies {
  init: ProducerReply | NeedsProducerId
  add: null
  /** One error code per partition asked, in order. */
  verify: readonly number[]
  end: ProducerReply | NeedsProducerId
  describe: Transaction
  list: readonly ListedTransaction[]
  markersWritten: null
  findTimedOut: null
  expire: null
  sendMarkers: null
  timeout: null
}

export type TransactionReply = Replies[keyof Replies]

export type TransactionRecord =
  /** Null: the id is forgotten. */
  | { readonly kind: 'transaction'; readonly transactionalId: string; readonly value: Transaction | null }
  /** Soft state, not logged: some markers are written. */
  | { readonly kind: 'progress'; readonly transactionalId: string; readonly value: Transaction }

/** Markers to write; the answer comes back as `markersWritten`. */
export interface WriteMarkers extends ProducerCommand {
  readonly type: 'writeMarkers'
  readonly commit: boolean
  readonly transactionVersion: number
  readonly partitions: readonly TopicPartition[]
}

/** A timer needs a producer id; the answer comes back as the command with one. */
export interface FetchProducerId {
  readonly type: 'fetchProducerId'
  readonly command: TimeoutCommand
}

export type TransactionSend = WriteMarkers | FetchProducerId

/** Kafka's keys that the machine obeys; a broker configuration fits as it is. */
export interface TransactionConfig {
  readonly 'transaction.max.timeout.ms': number
  readonly 'transactional.id.expiration.ms': number
  readonly 'transaction.abort.timed.out.transaction.cleanup.interval.ms': number
  readonly 'transaction.remove.expired.transaction.cleanup.interval.ms': number
  readonly 'request.timeout.ms': number
}
