// The group coordinator of one partition of __consumer_offsets as a pure machine: state, and who decides what.
import type { Logger } from '../../runtime/index.ts'
import type { Effects, LogEntry, Machine, StoredRecord } from '../machine.ts'
import type { GroupCommand, GroupConfig, GroupRecord, GroupReply } from './commands.ts'
import type { GroupView } from './classic/group.ts'
import { deleteGroups, describe, list } from './classic/admin.ts'
import { newGroup, sizeOf } from './classic/group.ts'
import { join } from './classic/join.ts'
import { leave } from './classic/leave.ts'
import {
  onCompleteJoin,
  onExpireMember,
  onExpireSync,
  onInitialDelay,
  prepareRebalance,
  startSession,
} from './classic/rebalance.ts'
import { heartbeat, sync } from './classic/sync.ts'
import { commitOffsets } from './offsets/commit.ts'
import { deleteOffsets } from './offsets/delete.ts'
import { deleteTopicOffsets, expireOffsets, listCommittedTopics, scheduleExpiry } from './offsets/expiry.ts'
import { fetchOffsets } from './offsets/fetch.ts'
import { commitInTransaction, endTransaction } from './offsets/transactional.ts'
import { OffsetStore } from './offsets/store.ts'
import { decodeRecord, encodeRecord, groupFromValue } from './records.ts'
import { Turn } from './turn.ts'

export type GroupEffects = Effects<GroupRecord, GroupCommand, GroupReply>

export class GroupMachine implements Machine<GroupRecord, GroupCommand, GroupReply> {
  readonly #groups = new Map<string, GroupView>()
  readonly #offsets = new OffsetStore()
  readonly #config: GroupConfig
  readonly #log: Logger
  readonly #unknownTypes = new Set<number>()

  constructor(config: GroupConfig, log: Logger) {
    this.#config = config
    this.#log = log
  }

  get groups(): ReadonlyMap<string, GroupView> {
    return this.#groups
  }

  get offsets(): OffsetStore {
    return this.#offsets
  }

  get stateBytes(): number {
    let bytes = this.#offsets.bytes
    for (const group of this.#groups.values()) bytes += sizeOf(group)
    return bytes
  }

  decide(command: GroupCommand, ticket: number, now: number): GroupEffects {
    const turn = this.#turn(ticket, now)
    decide(turn, command)
    // Each tombstone stands for itself; everything else is all or nothing.
    return turn.effects(command.type === 'expireOffsets' || command.type === 'topicsDeleted')
  }

  replay(record: GroupRecord, offset: number): void {
    switch (record.kind) {
      case 'offset':
        return this.#replayOffset(record, offset)
      case 'endTransaction':
        return this.#offsets.endTransaction(record.producerId, record.committed)
      case 'group': {
        const { groupId, value } = record
        if (value) this.#groups.set(groupId, groupFromValue(groupId, value))
        else this.#groups.delete(groupId)
        return
      }
      case 'soft':
        this.#groups.set(record.group.groupId, record.group)
    }
  }

  encode(record: GroupRecord): LogEntry | null {
    return encodeRecord(record)
  }

  decode(stored: StoredRecord): GroupRecord | null {
    return decodeRecord(stored, type => {
      if (this.#unknownTypes.has(type)) return
      this.#unknownTypes.add(type)
      this.#log.warn({ type }, 'records of this type in __consumer_offsets are not served and left alone')
    })
  }

  /** Sessions start anew; a group above group.max.size rebalances, which sends the surplus away. */
  loaded(now: number): GroupEffects {
    const turn = this.#turn(-1, now)
    scheduleExpiry(turn)
    for (const { groupId, members } of this.#groups.values()) {
      for (const member of members.values()) startSession(turn, groupId, member.memberId, member.sessionTimeoutMs)
      if (members.size > this.#config['group.max.size']) prepareRebalance(turn, turn.edit(groupId)!)
    }
    return turn.effects()
  }

  #turn(ticket: number, now: number): Turn {
    return new Turn({ groups: this.#groups, offsets: this.#offsets }, this.#config, ticket, now)
  }

  #replayOffset(record: Extract<GroupRecord, { kind: 'offset' }>, offset: number): void {
    const { groupId, topic, partition, value, producerId } = record
    if (!value) return this.#offsets.remove(groupId, topic, partition)
    // Offsets of a group that nobody ever joined make a simple group.
    if (!this.#groups.has(groupId)) this.#groups.set(groupId, newGroup(groupId, null))
    if (producerId === -1) this.#offsets.put(groupId, topic, partition, value, offset)
    else this.#offsets.putPending(producerId, [groupId, topic, partition], value, offset)
  }
}

function decide(turn: Turn, command: GroupCommand): void {
  switch (command.type) {
    case 'join':
      return join(turn, command)
    case 'sync':
      return sync(turn, command)
    case 'heartbeat':
      return heartbeat(turn, command)
    case 'leave':
      return leave(turn, command)
    case 'offsetCommit':
      return commitOffsets(turn, command)
    case 'txnOffsetCommit':
      return commitInTransaction(turn, command)
    case 'endTransaction':
      return endTransaction(turn, command)
    case 'offsetFetch':
      return fetchOffsets(turn, command)
    case 'describe':
      return describe(turn, command)
    case 'list':
      return list(turn, command)
    case 'delete':
      return deleteGroups(turn, command)
    case 'offsetDelete':
      return deleteOffsets(turn, command)
    case 'topicsDeleted':
      return deleteTopicOffsets(turn, command)
    case 'committedTopics':
      return listCommittedTopics(turn)
    case 'expireMember':
      return onExpireMember(turn, command.groupId, command.memberId)
    case 'initialDelay':
      return onInitialDelay(turn, command.groupId, command.delayMs, command.remainingMs)
    case 'completeJoin':
      return onCompleteJoin(turn, command.groupId)
    case 'expireSync':
      return onExpireSync(turn, command.groupId, command.generationId)
    case 'expireOffsets':
      return expireOffsets(turn)
  }
}
