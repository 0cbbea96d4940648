// A group machine with a clock, timers and a log that are plain values: what transcripts and property tests drive.
// Everything is committed at once; delays and failures of the log are shard.test.ts's subject.
import type { StoredRecord } from '../../../../src/coordinators/machine.ts'
import type { GroupCommand, GroupConfig, GroupRecord, GroupReply } from '../../../../src/coordinators/group/commands.ts'
import { GroupMachine } from '../../../../src/coordinators/group/machine.ts'
import { recordingLogger } from '../../../../src/runtime/index.ts'
import type { LogLine } from '../../../../src/runtime/log.ts'

export const defaultConfig: GroupConfig = {
  'group.min.session.timeout.ms': 6000,
  'group.max.session.timeout.ms': 1_800_000,
  'group.initial.rebalance.delay.ms': 0,
  'group.max.size': 2 ** 31 - 1,
  'offset.metadata.max.bytes': 4096,
  'offsets.retention.minutes': 10_080,
  'offsets.retention.check.interval.ms': 600_000,
  'offsets.commit.timeout.ms': 5000,
}

export interface Listener {
  logged(record: GroupRecord): void
  replied(ticket: number, reply: GroupReply): void
}

const START = 1_700_000_000_000

export class World {
  readonly config: GroupConfig
  readonly log: StoredRecord[] = []
  readonly lines: LogLine[] = []
  readonly #listener: Listener
  #timers = new Map<string, { at: number; command: GroupCommand }>()
  machine: GroupMachine
  now = START

  constructor(config: Partial<GroupConfig>, listener: Listener) {
    this.config = { ...defaultConfig, ...config }
    this.#listener = listener
    this.machine = this.#load()
  }

  /** Throws what the machine refuses the command with. */
  submit(command: GroupCommand, ticket: number): void {
    this.#apply(this.machine.decide(command, ticket, this.now))
  }

  /** Time passes; timers fire in the order of their due times. */
  advance(ms: number): void {
    const end = this.now + ms
    for (;;) {
      const due = [...this.#timers].filter(([, timer]) => timer.at <= end).toSorted(([, a], [, b]) => a.at - b.at)[0]
      if (!due) break
      const [key, { at, command }] = due
      this.#timers.delete(key)
      this.now = Math.max(this.now, at)
      this.submit(command, -1)
    }
    this.now = end
  }

  /** When the next timer fires. */
  get nextDue(): number {
    return Math.min(Infinity, ...[...this.#timers.values()].map(({ at }) => at))
  }

  /** A broker restart: everything is read back from the log. */
  reload(): void {
    this.machine = this.#load()
  }

  /** A record that somebody else wrote. */
  inject(record: Partial<StoredRecord>): void {
    const stored: StoredRecord = {
      offset: this.log.length,
      key: null,
      value: null,
      producerId: -1,
      isTransactional: false,
      marker: null,
      ...record,
    }
    this.log.push(stored)
    const decoded = this.machine.decode(stored)
    if (decoded) this.machine.replay(decoded, stored.offset)
  }

  /** A machine that has read the log and nothing else. */
  replica(): GroupMachine {
    const machine = new GroupMachine(this.config, recordingLogger(this.lines))
    for (const stored of this.log) {
      const record = machine.decode(stored)
      if (record) machine.replay(record, stored.offset)
    }
    return machine
  }

  #load(): GroupMachine {
    this.machine = this.replica()
    this.#timers = new Map()
    this.#apply(this.machine.loaded(this.now))
    return this.machine
  }

  #apply(effects: ReturnType<GroupMachine['decide']>): void {
    const offsets = effects.records.map(record => {
      const entry = this.machine.encode(record)
      if (!entry) return -1
      this.#listener.logged(record)
      return (
        this.log.push({ ...entry, offset: this.log.length, producerId: -1, isTransactional: false, marker: null }) - 1
      )
    })
    effects.records.forEach((record, i) => this.machine.replay(record, offsets[i] ?? -1))
    for (const timer of effects.timers ?? []) {
      if (timer.at === null) this.#timers.delete(timer.key)
      else this.#timers.set(timer.key, { at: timer.at, command: timer.command })
    }
    for (const [ticket, reply] of effects.replies) this.#listener.replied(ticket, reply)
  }
}
