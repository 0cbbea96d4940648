// The transaction coordinator of one partition of __transaction_state as a pure machine: state, and who decides what.
import type { Logger } from '../../runtime/index.ts'
import type { LogEntry, Machine, StoredRecord } from '../machine.ts'
import type {
  ListCommand,
  TransactionCommand,
  TransactionConfig,
  TransactionRecord,
  TransactionReply,
} from './commands.ts'
import type { Transaction } from './state.ts'
import type { TransactionEffects } from './turn.ts'
import { KafkaError, TRANSACTIONAL_ID_NOT_FOUND } from '../../../protocol/errors.ts'
import { endTransaction, markersWritten, retryMarkers, sendMarkers } from './end.ts'
import { expireIds, findTimedOut, scheduleExpiry, scheduleTimeouts, timeOut } from './expiry.ts'
import { initProducerId } from './init.ts'
import { addPartitions, verifyPartitions } from './partitions.ts'
import { decodeRecord, encodeRecord } from './records.ts'
import { isCompleting } from './state.ts'
import { Turn } from './turn.ts'

export interface MachineOptions {
  readonly config: TransactionConfig
  readonly log: Logger
  /** The finalized transaction.version of the cluster, as it is now. */
  readonly version: () => number
}

/** One without partitions, and one partition of it. */
const TRANSACTION_BYTES = 1000
const PARTITION_BYTES = 50

export class TransactionMachine implements Machine<TransactionRecord, TransactionCommand, TransactionReply> {
  readonly #transactions = new Map<string, Transaction>()
  readonly #o: MachineOptions
  readonly #unknownTypes = new Set<number>()

  constructor(options: MachineOptions) {
    this.#o = options
  }

  get stateBytes(): number {
    let bytes = 0
    for (const { partitions } of this.#transactions.values()) {
      bytes += TRANSACTION_BYTES
      for (const { size } of partitions.values()) bytes += size * PARTITION_BYTES
    }
    return bytes
  }

  get transactions(): ReadonlyMap<string, Transaction> {
    return this.#transactions
  }

  decide(command: TransactionCommand, ticket: number, now: number): TransactionEffects {
    const turn = this.#turn(ticket, now)
    decide(turn, command)
    // Each tombstone stands for itself; everything else is all or nothing.
    return turn.effects(command.type === 'expire')
  }

  replay(record: TransactionRecord): void {
    const { transactionalId, value } = record
    if (value) this.#transactions.set(transactionalId, value)
    else this.#transactions.delete(transactionalId)
  }

  encode(record: TransactionRecord): LogEntry | null {
    return encodeRecord(record, this.#o.version())
  }

  decode(stored: StoredRecord): TransactionRecord | null {
    return decodeRecord(stored, type => {
      if (this.#unknownTypes.has(type)) return
      this.#unknownTypes.add(type)
      this.#o.log.warn({ type }, 'records of this type in __transaction_state are not served and left alone')
    })
  }

  /** What was decided and not completed goes on where it stopped. */
  loaded(now: number): TransactionEffects {
    const turn = this.#turn(-1, now)
    scheduleTimeouts(turn)
    scheduleExpiry(turn)
    for (const [transactionalId, txn] of this.#transactions) {
      if (isCompleting(txn)) sendMarkers(turn, transactionalId, txn)
    }
    return turn.effects()
  }

  #turn(ticket: number, now: number): Turn {
    const { config, version } = this.#o
    return new Turn({ transactions: this.#transactions, config, version: version(), ticket, now })
  }
}

function decide(turn: Turn, command: TransactionCommand): void {
  switch (command.type) {
    case 'init':
      return initProducerId(turn, command)
    case 'add':
      return addPartitions(turn, command)
    case 'verify':
      return verifyPartitions(turn, command)
    case 'end':
      return endTransaction(turn, command)
    case 'markersWritten':
      return markersWritten(turn, command)
    case 'sendMarkers':
      return retryMarkers(turn, command)
    case 'findTimedOut':
      return findTimedOut(turn)
    case 'timeout':
      return timeOut(turn, command)
    case 'expire':
      return expireIds(turn)
    case 'describe':
      return describe(turn, command.transactionalId)
    case 'list':
      return list(turn, command)
  }
}

function describe(turn: Turn, transactionalId: string): void {
  const txn = turn.transactions.get(transactionalId)
  if (!txn) throw new KafkaError(TRANSACTIONAL_ID_NOT_FOUND)
  turn.reply(txn)
}

function list(turn: Turn, { states, producerIds, durationMs, matches }: ListCommand): void {
  const found = [...turn.transactions].filter(
    ([transactionalId, { state, producerId, startMs }]) =>
      (producerIds.length === 0 || producerIds.includes(producerId)) &&
      (states === null || states.includes(state)) &&
      (durationMs < 0 || turn.now - startMs > durationMs) &&
      (matches === null || matches(transactionalId)),
  )
  turn.reply(
    found.map(([transactionalId, { producerId, state }]) => ({ transactionalId, producerId, transactionState: state })),
  )
}
