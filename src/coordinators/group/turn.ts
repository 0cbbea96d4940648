// One decision in the making: reads the machine's state, works on copies of the groups it changes, collects the effects.
import type { BatchProducer, Effects, TimerEffect } from '../machine.ts'
import type { GroupCommand, GroupConfig, GroupRecord, GroupReply } from './commands.ts'
import type { Group, GroupView } from './classic/group.ts'
import type { OffsetStore } from './offsets/store.ts'
import { copyGroup, newGroup } from './classic/group.ts'

export interface GroupsState {
  readonly groups: ReadonlyMap<string, GroupView>
  readonly offsets: OffsetStore
}

export class Turn {
  readonly state: GroupsState
  readonly config: GroupConfig
  readonly ticket: number
  readonly now: number
  /** In whose name the records are written; undefined: the coordinator's own. */
  producer: BatchProducer | undefined
  readonly #drafts = new Map<string, Group>()
  readonly #records: GroupRecord[] = []
  readonly #replies: [number, GroupReply][] = []
  readonly #timers: TimerEffect<GroupCommand>[] = []

  constructor(state: GroupsState, config: GroupConfig, ticket: number, now: number) {
    this.state = state
    this.config = config
    this.ticket = ticket
    this.now = now
  }

  get offsets(): OffsetStore {
    return this.state.offsets
  }

  /** The group as it is, with what this turn has changed so far. */
  view(groupId: string): GroupView | undefined {
    return this.#drafts.get(groupId) ?? this.state.groups.get(groupId)
  }

  /** A copy to change; it takes the group's place when the turn is applied. */
  edit(groupId: string): Group | undefined {
    const known = this.#drafts.get(groupId)
    if (known) return known
    const group = this.state.groups.get(groupId)
    if (!group) return undefined
    const draft = copyGroup(group)
    this.#drafts.set(groupId, draft)
    return draft
  }

  create(groupId: string): Group {
    const draft = newGroup(groupId, this.now)
    this.#drafts.set(groupId, draft)
    return draft
  }

  /** Adds a record for the log. */
  log(record: Exclude<GroupRecord, { kind: 'soft' }>): void {
    this.#records.push(record)
  }

  reply(reply: GroupReply): void {
    this.answer(this.ticket, reply)
  }

  /** Answers a caller that has been waiting; no ticket or -1: nobody. */
  answer(ticket: number | null, reply: GroupReply): void {
    if (ticket !== null && ticket >= 0) this.#replies.push([ticket, reply])
  }

  timer(key: string, afterMs: number, command: GroupCommand): void {
    this.#timers.push({ key, at: this.now + afterMs, command })
  }

  cancelTimer(key: string): void {
    this.#timers.push({ key, at: null })
  }

  /** Logged records first: soft state lies over what they say. */
  effects(divisible = false): Effects<GroupRecord, GroupCommand, GroupReply> {
    const soft = [...this.#drafts.values()].map(group => ({ kind: 'soft' as const, group }))
    const { producer } = this
    return { records: [...this.#records, ...soft], replies: this.#replies, timers: this.#timers, producer, divisible }
  }
}
