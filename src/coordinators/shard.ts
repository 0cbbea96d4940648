// Runs one machine on one partition: command -> decide -> append -> replay -> reply once committed. Timers are commands.
// Nothing leaves before everything it could have seen is committed, so machines need no snapshots of their state.
import type { Runtime } from '../runtime/index.ts'
import type { BatchProducer, Effects, LogEntry, LogPort, Machine } from './machine.ts'
import {
  COORDINATOR_LOAD_IN_PROGRESS,
  KafkaError,
  NOT_COORDINATOR,
  REQUEST_TIMED_OUT,
  UNKNOWN_SERVER_ERROR,
} from '../../protocol/errors.ts'
import { Alarms } from './alarms.ts'

export interface ShardOptions<Record, Command, Reply> {
  readonly name: string
  /** A fresh machine for every load. */
  readonly machine: () => Machine<Record, Command, Reply>
  readonly log: LogPort
  readonly runtime: Runtime
  /** How long an answer waits for its records to be committed before REQUEST_TIMED_OUT. */
  readonly writeTimeoutMs: number
  /** Takes what machines send to other brokers, once committed. */
  readonly send?: (message: unknown) => void
}

interface Waiter<Reply> {
  resolve(reply: Reply): void
  reject(error: KafkaError): void
}

/** Answers and messages that leave once the log is committed up to `end`. */
interface Parked<Reply> {
  readonly end: number
  readonly deadline: number
  readonly replies: readonly (readonly [number, Reply])[]
  readonly sends: readonly unknown[]
}

/** A timer whose command could not be appended is tried again after this long. */
const TIMER_RETRY_MS = 500
/** Records and bytes of one batch when the effects are divisible; records replayed in one go while loading. */
const SLICE_RECORDS = 1000
const SLICE_BYTES = 256 * 1024

type State = 'resigned' | 'loading' | 'active' | 'failed'

export class Shard<Record, Command, Reply> {
  readonly #options: ShardOptions<Record, Command, Reply>
  readonly #alarms: Alarms<Command>
  readonly #waiters = new Map<number, Waiter<Reply>>()
  #state: State = 'resigned'
  #machine: Machine<Record, Command, Reply> | null = null
  #parked: Parked<Reply>[] = []
  #timeout: { cancel(): void } | null = null
  #nextTicket = 0
  /** Counts loads and resignations: a load that was overtaken stops. */
  #term = 0

  constructor(options: ShardOptions<Record, Command, Reply>) {
    this.#options = options
    this.#alarms = new Alarms(options.runtime, (key, command) => this.#fire(key, command))
  }

  get state(): State {
    return this.#state
  }

  /** How many callers wait for an answer. */
  get waiting(): number {
    return this.#waiters.size
  }

  /** What it remembers, roughly. */
  get stateBytes(): number {
    return this.#machine?.stateBytes ?? 0
  }

  /** The machine while the shard is active, for reading its state. */
  get machine(): Machine<Record, Command, Reply> | null {
    return this.#state === 'active' ? this.#machine : null
  }

  /**
   * Decides at once, before returning; the promise settles when the answer may leave.
   * Rejects with KafkaError: NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS, REQUEST_TIMED_OUT, what the log's append
   * threw, or what the machine refused the command with. A refused command changes nothing.
   */
  submit(command: Command): Promise<Reply> {
    return new Promise<Reply>((resolve, reject) => {
      const refusal = this.#refusal()
      if (refusal) return reject(refusal)
      const ticket = this.#nextTicket++
      this.#waiters.set(ticket, { resolve, reject })
      const error = this.#run(command, ticket)
      if (error) this.#reject(ticket, error)
    })
  }

  /**
   * As submit, for a command whose answer nobody waits for: what it records is safe at the latest with the next answer of
   * this shard. Throws what submit rejects with.
   */
  tell(command: Command): void {
    const error = this.#refusal() ?? this.#run(command, -1)
    if (error) throw error
  }

  /** The log is safe below `highWatermark`: lets go of every answer that waited for that. */
  committed(highWatermark: number): void {
    let released = 0
    while (released < this.#parked.length && this.#parked[released]!.end <= highWatermark) released++
    if (released === 0) return
    const ready = this.#parked.splice(0, released)
    if (this.#parked.length === 0) this.#cancelTimeout()
    for (const parked of ready) this.#release(parked)
  }

  /**
   * Elected: replays the log into a fresh machine, slice by slice, while callers get COORDINATOR_LOAD_IN_PROGRESS.
   * Resolves when the shard is active (true), or has failed or was overtaken by another call (false); never rejects.
   */
  async load(): Promise<boolean> {
    this.#drop('loading', NOT_COORDINATOR)
    const term = this.#term
    const { log, runtime, name } = this.#options
    const machine = this.#options.machine()
    const startMs = runtime.clock.monotonic()
    let records = 0
    let unbroken = 0
    try {
      for await (const slice of log.read()) {
        if (term !== this.#term) return false
        for (const stored of slice) {
          const record = machine.decode(stored)
          if (record !== null) machine.replay(record, stored.offset)
        }
        records += slice.length
        unbroken += slice.length
        if (unbroken < SLICE_RECORDS) continue
        // Other work of the process gets its turn.
        unbroken = 0
        await new Promise<void>(resolve => runtime.timers.defer(resolve))
      }
      if (term !== this.#term) return false
      this.#machine = machine
      this.#state = 'active'
      this.#apply(machine.loaded(runtime.clock.now()))
    } catch (error) {
      if (term !== this.#term) return false
      this.#drop('failed', NOT_COORDINATOR)
      runtime.log.error({ err: error, shard: name }, 'coordinator shard failed to load')
      return false
    }
    const tookMs = Math.round(runtime.clock.monotonic() - startMs)
    runtime.log.debug({ shard: name, records, tookMs }, 'coordinator shard loaded')
    return true
  }

  /** No longer the leader, or the log lost what was appended: every caller gets NOT_COORDINATOR, the state is dropped. */
  resign(): void {
    this.#drop('resigned', NOT_COORDINATOR)
  }

  /**
   * The broker stops: nothing is decided any more. Answers that only wait for their records to be committed still
   * leave; every other caller gets NOT_COORDINATOR.
   */
  finish(): void {
    this.#term++
    this.#state = 'resigned'
    this.#machine = null
    this.#alarms.clear()
    const decided = new Set(this.#parked.flatMap(({ replies }) => replies.map(([ticket]) => ticket)))
    for (const ticket of this.#waiters.keys()) {
      if (!decided.has(ticket)) this.#reject(ticket, new KafkaError(NOT_COORDINATOR))
    }
  }

  #refusal(): KafkaError | null {
    if (this.#state === 'active') return null
    return new KafkaError(this.#state === 'loading' ? COORDINATOR_LOAD_IN_PROGRESS : NOT_COORDINATOR)
  }

  /** Decides and applies; returns the error that refused the command. */
  #run(command: Command, ticket: number): KafkaError | null {
    const { clock, log } = this.#options.runtime
    const machine = this.#machine!
    try {
      this.#apply(machine.decide(command, ticket, clock.now()))
      return null
    } catch (error) {
      if (error instanceof KafkaError) return error
      // Our own bug: the caller learns of it; what was decided is gone, and the state is as it was.
      log.error({ err: error, shard: this.#options.name }, 'coordinator command failed')
      return new KafkaError(UNKNOWN_SERVER_ERROR)
    }
  }

  #apply(effects: Effects<Record, Command, Reply>): void {
    for (const slice of this.#slices(effects)) this.#append(slice, effects.producer)
    for (const timer of effects.timers ?? []) {
      if (timer.at === null) this.#alarms.cancel(timer.key)
      else this.#alarms.set(timer.key, timer.at, timer.command)
    }
    this.#park(effects)
  }

  /** Appends one batch, then replays it. Throws KafkaError before anything changed. */
  #append(records: readonly Record[], producer: BatchProducer | undefined): void {
    const { log, runtime } = this.#options
    const machine = this.#machine!
    const entries: LogEntry[] = []
    const logged = records.map(record => {
      const entry = machine.encode(record)
      if (entry) entries.push(entry)
      return entry !== null
    })
    let offset = entries.length > 0 ? log.append(entries, runtime.clock.now(), producer) - entries.length : -1
    try {
      for (const [i, record] of records.entries()) machine.replay(record, logged[i] ? offset++ : -1)
    } catch (error) {
      // The log holds what the state lacks: only a reload can bring them together.
      runtime.log.error({ err: error, shard: this.#options.name }, 'coordinator record could not be replayed')
      void this.load()
      throw new KafkaError(NOT_COORDINATOR)
    }
  }

  #slices(effects: Effects<Record, Command, Reply>): readonly (readonly Record[])[] {
    const { records } = effects
    if (!effects.divisible || records.length === 0) return records.length > 0 ? [records] : []
    const slices: Record[][] = [[]]
    let bytes = 0
    for (const record of records) {
      const entry = this.#machine!.encode(record)
      const size = entry ? entry.key.length + (entry.value?.length ?? 0) : 0
      if (slices.at(-1)!.length === SLICE_RECORDS || (bytes > 0 && bytes + size > SLICE_BYTES)) {
        slices.push([])
        bytes = 0
      }
      slices.at(-1)!.push(record)
      bytes += size
    }
    return slices
  }

  #park(effects: Effects<Record, Command, Reply>): void {
    const sends = effects.sends ?? []
    if (effects.replies.length === 0 && sends.length === 0) return
    const { log, runtime, writeTimeoutMs } = this.#options
    const deadline = runtime.clock.monotonic() + writeTimeoutMs
    const parked = { end: log.end, deadline, replies: effects.replies, sends }
    // An answer never overtakes an earlier one, even if the log got committed in between.
    if (this.#parked.length === 0 && parked.end <= log.committed) return this.#release(parked)
    this.#parked.push(parked)
    log.commit()
    if (this.#parked.length > 0 && this.#parked.at(-1)!.end <= log.committed) return this.committed(log.committed)
    this.#armTimeout()
  }

  #release(parked: Parked<Reply>): void {
    for (const [ticket, reply] of parked.replies) {
      this.#waiters.get(ticket)?.resolve(reply)
      this.#waiters.delete(ticket)
    }
    for (const message of parked.sends) this.#options.send?.(message)
  }

  #reject(ticket: number, error: KafkaError): void {
    this.#waiters.get(ticket)?.reject(error)
    this.#waiters.delete(ticket)
  }

  #fire(key: string, command: Command): void {
    if (this.#state !== 'active') return
    const error = this.#run(command, -1)
    if (!error || this.#state !== 'active') return
    const { runtime, name } = this.#options
    runtime.log.warn({ err: error, shard: name, timer: key }, 'coordinator timer failed, trying again')
    this.#alarms.set(key, runtime.clock.now() + TIMER_RETRY_MS, command)
  }

  #armTimeout(): void {
    const first = this.#parked.find(parked => parked.replies.length > 0)
    if (this.#timeout || !first) return
    const { clock, timers } = this.#options.runtime
    const delay = Math.max(0, first.deadline - clock.monotonic())
    this.#timeout = timers.after(delay, () => this.#expireParked())
  }

  /** The records stay in the log and may still be committed; only the callers stop waiting. */
  #expireParked(): void {
    this.#timeout = null
    const now = this.#options.runtime.clock.monotonic()
    const expired = this.#parked.filter(parked => parked.deadline <= now)
    // Messages to other brokers wait on: what they tell becomes true once it is committed.
    this.#parked = this.#parked
      .map(parked => (parked.deadline <= now ? { ...parked, replies: [] } : parked))
      .filter(parked => parked.replies.length > 0 || parked.sends.length > 0)
    for (const { replies } of expired) {
      for (const [ticket] of replies) this.#reject(ticket, new KafkaError(REQUEST_TIMED_OUT))
    }
    this.#armTimeout()
  }

  #cancelTimeout(): void {
    this.#timeout?.cancel()
    this.#timeout = null
  }

  #drop(state: State, code: number): void {
    this.#term++
    this.#state = state
    this.#machine = null
    this.#parked = []
    this.#cancelTimeout()
    this.#alarms.clear()
    const waiters = [...this.#waiters.values()]
    this.#waiters.clear()
    for (const waiter of waiters) waiter.reject(new KafkaError(code))
  }
}
