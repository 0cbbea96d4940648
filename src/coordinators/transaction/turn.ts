// One decision in the making: reads the machine's state and collects the effects.
import type { Effects, TimerEffect } from '../machine.ts'
import type {
  TransactionCommand,
  TransactionConfig,
  TransactionRecord,
  TransactionReply,
  TransactionSend,
} from './commands.ts'
import type { Transaction } from './state.ts'
import { KafkaError, UNSUPPORTED_VERSION } from '../../../protocol/errors.ts'

export type TransactionEffects = Effects<TransactionRecord, TransactionCommand, TransactionReply>

export interface TurnOptions {
  readonly transactions: ReadonlyMap<string, Transaction>
  readonly config: TransactionConfig
  /** The finalized transaction.version of the cluster. */
  readonly version: number
  readonly ticket: number
  readonly now: number
}

export class Turn {
  readonly transactions: ReadonlyMap<string, Transaction>
  readonly config: TransactionConfig
  readonly version: number
  readonly now: number
  readonly #ticket: number
  readonly #records: TransactionRecord[] = []
  readonly #replies: [number, TransactionReply][] = []
  readonly #timers: TimerEffect<TransactionCommand>[] = []
  readonly #sends: TransactionSend[] = []

  constructor(o: TurnOptions) {
    this.transactions = o.transactions
    this.config = o.config
    this.version = o.version
    this.now = o.now
    this.#ticket = o.ticket
  }

  /** At level 0 records cannot carry which protocol the client follows: a client that follows a later one is refused. */
  checkClient(clientTransactionVersion: number): void {
    if (this.version === 0 && clientTransactionVersion > 0) throw new KafkaError(UNSUPPORTED_VERSION)
  }

  /** Adds a record for the log; null forgets the id. */
  log(transactionalId: string, value: Transaction | null): void {
    this.#records.push({ kind: 'transaction', transactionalId, value })
  }

  /** Changes what is in memory alone. */
  remember(transactionalId: string, value: Transaction): void {
    this.#records.push({ kind: 'progress', transactionalId, value })
  }

  reply(reply: TransactionReply): void {
    if (this.#ticket >= 0) this.#replies.push([this.#ticket, reply])
  }

  timer(key: string, afterMs: number, command: TransactionCommand): void {
    this.#timers.push({ key, at: this.now + afterMs, command })
  }

  cancelTimer(key: string): void {
    this.#timers.push({ key, at: null })
  }

  send(message: TransactionSend): void {
    this.#sends.push(message)
  }

  effects(divisible = false): TransactionEffects {
    return {
      records: this.#records,
      replies: this.#replies,
      timers: this.#timers,
      sends: this.#sends,
      divisible,
    }
  }
}
