// What the group machine is asked, what it answers, and what it keeps. Commands are decoded requests plus what only the
// outside knows: who the client is, and the random half of a new member id.
import type { ReplyOf, RequestOf } from '../../../protocol/api.ts'
import type {
  DeleteGroups,
  DescribeGroups,
  Heartbeat,
  JoinGroup,
  LeaveGroup,
  ListGroups,
  OffsetCommit,
  OffsetDelete,
  OffsetFetch,
  SyncGroup,
  TxnOffsetCommit,
} from '../../../protocol/messages/index.ts'
import type { ValueOf } from '../../../protocol/api.ts'
import type { GroupMetadataValue } from '../../../protocol/state/group-coordinator.ts'
import type { Group } from './classic/group.ts'
import type { CommittedOffset } from './offsets/store.ts'

export interface JoinCommand {
  readonly type: 'join'
  readonly request: RequestOf<typeof JoinGroup>
  readonly apiVersion: number
  readonly clientId: string
  readonly clientHost: string
  /** Becomes `<client or instance id>-<suffix>` if the member is new. */
  readonly memberIdSuffix: string
}

export interface SyncCommand {
  readonly type: 'sync'
  readonly request: RequestOf<typeof SyncGroup>
}

export interface HeartbeatCommand {
  readonly type: 'heartbeat'
  readonly request: RequestOf<typeof Heartbeat>
}

export interface LeaveCommand {
  readonly type: 'leave'
  readonly groupId: string
  readonly members: readonly LeavingMember[]
}

export type LeavingMember = Pick<
  RequestOf<typeof LeaveGroup>['members'][number],
  'memberId' | 'groupInstanceId' | 'reason'
>

/** Topics are resolved: each has its name and id, and its partitions exist. */
export interface OffsetCommitCommand {
  readonly type: 'offsetCommit'
  readonly request: RequestOf<typeof OffsetCommit>
  readonly apiVersion: number
}

/** Offsets that wait for the end of a transaction (KIP-98, KIP-447). Topics are resolved as in OffsetCommit. */
export interface TxnOffsetCommitCommand {
  readonly type: 'txnOffsetCommit'
  readonly request: RequestOf<typeof TxnOffsetCommit>
  readonly apiVersion: number
  /** Lets the first batch of the transaction in; undefined: nobody checks. */
  readonly verification: unknown
}

/** A transaction that committed offsets here has ended. Throws what the log says of the marker. */
export interface EndTransactionCommand {
  readonly type: 'endTransaction'
  readonly producerId: number
  readonly producerEpoch: number
  readonly commit: boolean
  readonly coordinatorEpoch: number
  readonly transactionVersion: number
}

/** One group; null topics: all. Topics are resolved; the zero id stands for "any". */
export interface OffsetFetchCommand {
  readonly type: 'offsetFetch'
  readonly groupId: string
  readonly topics:
    | readonly { readonly name: string; readonly topicId: string; readonly partitionIndexes: readonly number[] }[]
    | null
  readonly requireStable: boolean
}

export interface DescribeCommand {
  readonly type: 'describe'
  readonly groupIds: readonly string[]
  readonly apiVersion: number
}

export interface ListCommand {
  readonly type: 'list'
  readonly statesFilter: readonly string[]
  readonly typesFilter: readonly string[]
}

export interface DeleteCommand {
  readonly type: 'delete'
  readonly groupIds: readonly string[]
}

/** Partitions that exist. */
export interface OffsetDeleteCommand {
  readonly type: 'offsetDelete'
  readonly request: RequestOf<typeof OffsetDelete>
}

export interface TopicsDeletedCommand {
  readonly type: 'topicsDeleted'
  readonly topics: readonly DeletedTopic[]
}

/** Every topic, by name and id, that offsets are kept for. */
export interface CommittedTopicsCommand {
  readonly type: 'committedTopics'
}

export interface DeletedTopic {
  readonly name: string
  readonly topicId: string
}

export type TimerCommand =
  | { readonly type: 'expireMember'; readonly groupId: string; readonly memberId: string }
  | { readonly type: 'initialDelay'; readonly groupId: string; readonly delayMs: number; readonly remainingMs: number }
  | { readonly type: 'completeJoin'; readonly groupId: string }
  | { readonly type: 'expireSync'; readonly groupId: string; readonly generationId: number }
  | { readonly type: 'expireOffsets' }

export type RequestCommand =
  | JoinCommand
  | SyncCommand
  | HeartbeatCommand
  | LeaveCommand
  | OffsetCommitCommand
  | TxnOffsetCommitCommand
  | EndTransactionCommand
  | OffsetFetchCommand
  | DescribeCommand
  | ListCommand
  | DeleteCommand
  | OffsetDeleteCommand
  | TopicsDeletedCommand
  | CommittedTopicsCommand

export type GroupCommand = RequestCommand | TimerCommand

export type FetchedGroup = ReplyOf<typeof OffsetFetch>['groups'] extends readonly (infer G)[] | undefined | null
  ? G
  : never

/** The answer to each command. */
export interface Replies {
  join: ReplyOf<typeof JoinGroup>
  sync: ReplyOf<typeof SyncGroup>
  heartbeat: ReplyOf<typeof Heartbeat>
  leave: ReplyOf<typeof LeaveGroup>
  offsetCommit: ReplyOf<typeof OffsetCommit>
  txnOffsetCommit: ReplyOf<typeof TxnOffsetCommit>
  endTransaction: null
  offsetFetch: FetchedGroup
  describe: ReplyOf<typeof DescribeGroups>['groups']
  list: ReplyOf<typeof ListGroups>['groups']
  delete: ReplyOf<typeof DeleteGroups>['results']
  offsetDelete: ReplyOf<typeof OffsetDelete>
  topicsDeleted: null
  committedTopics: readonly DeletedTopic[]
}

export type GroupReply = Replies[keyof Replies]

export type GroupValue = ValueOf<typeof GroupMetadataValue>

export type GroupRecord =
  /** Null: no longer committed. A producer id other than -1: pending until that producer's transaction ends. */
  | {
      readonly kind: 'offset'
      readonly groupId: string
      readonly topic: string
      readonly partition: number
      readonly value: CommittedOffset | null
      readonly producerId: number
    }
  /** Null: the group is gone. */
  | { readonly kind: 'group'; readonly groupId: string; readonly value: GroupValue | null }
  | {
      readonly kind: 'endTransaction'
      readonly producerId: number
      readonly committed: boolean
      /** -1 where it is read back: nobody asks then. */
      readonly coordinatorEpoch: number
    }
  /** Soft state, not logged: a rebalance under way, who waits, who is pending. */
  | { readonly kind: 'soft'; readonly group: Group }

/** Kafka's keys that the machine obeys; a broker configuration fits as it is. */
export interface GroupConfig {
  readonly 'group.min.session.timeout.ms': number
  readonly 'group.max.session.timeout.ms': number
  readonly 'group.initial.rebalance.delay.ms': number
  readonly 'group.max.size': number
  readonly 'offset.metadata.max.bytes': number
  readonly 'offsets.retention.minutes': number
  readonly 'offsets.retention.check.interval.ms': number
  readonly 'offsets.commit.timeout.ms': number
}
