// What a coordinator is made of: a pure machine (decide, then replay) and the log that keeps what it decided.
// Machines have no clock, no timers, no randomness and no I/O; shard.ts runs them.

/** One record for the log; a null value is a tombstone. */
export interface LogEntry {
  readonly key: Buffer
  readonly value: Buffer | null
}

/** One record of the log as it is read back. A marker is the end of a producer's transaction; its key and value are null. */
export interface StoredRecord {
  readonly offset: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** -1 unless the batch carries a producer. */
  readonly producerId: number
  readonly isTransactional: boolean
  readonly marker: 'commit' | 'abort' | null
}

/** Whose batch records are, where they belong to a transaction. */
export interface BatchProducer {
  readonly producerId: number
  readonly producerEpoch: number
  /** The batch ends the producer's transaction: its one record is the marker. */
  readonly isMarker: boolean
  /** Of a marker (KIP-890). */
  readonly transactionVersion?: number
  /** Lets the first batch of a transaction in (KIP-890); the log alone knows what it is. */
  readonly verification?: unknown
}

/**
 * The one partition that a shard lives in. The port decides what "committed" means (the acks=all rule). What nobody has asked
 * to be committed may wait for something that is.
 */
export interface LogPort {
  /**
   * Appends one batch and returns the offset after its last record.
   * Throws KafkaError when nothing was appended.
   */
  append(entries: readonly LogEntry[], now: number, producer?: BatchProducer): number
  /** Asks for everything appended so far to be committed. */
  commit(): void
  /** The offset after the last appended record. */
  readonly end: number
  /** Entries below this offset are safe; moves with calls of Shard.committed. */
  readonly committed: number
  /** Everything from the start of the log to the end as it was at the call, in slices of moderate size. */
  read(): AsyncIterable<readonly StoredRecord[]>
}

/** Sets (or with `at: null` cancels) the one timer of this name; when due, its command is decided like any other. */
export type TimerEffect<Command> =
  | { readonly key: string; readonly at: number; readonly command: Command }
  | { readonly key: string; readonly at: null }

export interface Effects<Record, Command, Reply> {
  /** To append (those that `encode` gives bytes for), then to replay, in this order. */
  readonly records: readonly Record[]
  /** Answers by ticket: to this caller, or to earlier ones that waited. */
  readonly replies: readonly (readonly [ticket: number, reply: Reply])[]
  readonly timers?: readonly TimerEffect<Command>[]
  /** To other brokers, once committed; answers come back as commands. */
  readonly sends?: readonly unknown[]
  /** The records are written in its name, as part of its transaction. */
  readonly producer?: BatchProducer | undefined
  /** The records may be split over several batches; default false: all or nothing. */
  readonly divisible?: boolean
}

export interface Machine<Record, Command, Reply> {
  /** What its state takes in memory, roughly; looked at now and then. */
  readonly stateBytes?: number
  /** Reads state, never writes it. Throws KafkaError to refuse the command with that code. Ticket -1: nobody waits. */
  decide(command: Command, ticket: number, now: number): Effects<Record, Command, Reply>
  /** The only code that writes state. `offset` is where the record stands, -1 if it is not in the log. */
  replay(record: Record, offset: number): void
  /** The bytes of a record; null for soft state, which lives in memory only. */
  encode(record: Record): LogEntry | null
  /** A record out of the log; null for one of no interest. Throws on bytes that make no sense. */
  decode(stored: StoredRecord): Record | null
  /** After the whole log was replayed: soft state such as timers. */
  loaded(now: number): Effects<Record, Command, Reply>
}
