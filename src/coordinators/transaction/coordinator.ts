// The transaction coordinator of a broker: routes each request to the shard of the id's partition, checks what needs no
// state, fetches producer ids, has markers written, and maps errors to what the caller's version knows
// (TransactionCoordinator.scala, KafkaApis.scala).
import type { ReplyOf, RequestOf } from '../../../protocol/api.ts'
import type { DescribeTransactions, InitProducerId, ListTransactions } from '../../../protocol/messages/index.ts'
import type { Runtime, Timer } from '../../runtime/index.ts'
import type { LogPort } from '../machine.ts'
import type {
  AddCommand,
  FetchProducerId,
  MarkersWrittenCommand,
  ProducerReply,
  Replies,
  TransactionCommand,
  TransactionConfig,
  TransactionRecord,
  TransactionReply,
  TransactionSend,
  VerifyCommand,
  WriteMarkers,
} from './commands.ts'
import type { LastingState, TopicPartition } from './state.ts'
import {
  COORDINATOR_LOAD_IN_PROGRESS,
  COORDINATOR_NOT_AVAILABLE,
  INVALID_PRODUCER_EPOCH,
  INVALID_REGULAR_EXPRESSION,
  INVALID_REQUEST,
  INVALID_TRANSACTION_TIMEOUT,
  KafkaError,
  NONE,
  NOT_COORDINATOR,
  TRANSACTION_COORDINATOR_FENCED,
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
  UNKNOWN_TOPIC_OR_PARTITION,
  UNSUPPORTED_VERSION,
} from '../../../protocol/errors.ts'
import { clientError } from '../group/errors.ts'
import { partitionForGroup } from '../group/partition.ts'
import { compilePattern, PatternError } from '../../../protocol/pattern.ts'
import { Shard } from '../shard.ts'
import { NEEDS_PRODUCER_ID } from './commands.ts'
import { TransactionMachine } from './machine.ts'
import { isCompleting, NO_PRODUCER_EPOCH, NO_PRODUCER_ID, STATES } from './state.ts'

/** The marker of one transaction as partitions get it. */
export interface Marker {
  readonly producerId: number
  readonly producerEpoch: number
  readonly commit: boolean
  readonly coordinatorEpoch: number
  readonly transactionVersion: number
}

export interface TransactionCoordinatorOptions {
  readonly config: TransactionConfig
  readonly runtime: Runtime
  /** Of __transaction_state. */
  readonly partitions: () => number
  /** The log of one of them; asked for on every election. */
  readonly log: (partition: number) => LogPort
  /** A producer id that nobody has; rejects with KafkaError. */
  readonly newProducerId: () => Promise<number>
  /** The finalized transaction.version of the cluster, as it is now. */
  readonly version: () => number
  /** Resolves with an error code per partition, in order, once those are durable; never rejects. */
  readonly writeMarkers: (marker: Marker, partitions: readonly TopicPartition[]) => Promise<readonly number[]>
}

export type AddRequest = Omit<AddCommand, 'type'>
export type VerifyRequest = Omit<VerifyCommand, 'type'>

export interface EndRequest {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
  readonly commit: boolean
  readonly clientTransactionVersion: number
}

type TransactionShard = Shard<TransactionRecord, TransactionCommand, TransactionReply>

interface Led {
  readonly partition: number
  readonly shard: TransactionShard
  readonly leaderEpoch: number
}

/** After this long a finished transaction whose end could not be recorded, or a time-out without an id, is tried again. */
const RETRY_MS = 500

/** Errors after which there is nothing left to write in a partition: the marker is there, the partition is gone, or the
 * producer's transaction there was ended by somebody else. */
const SETTLED = new Set<number>([NONE, UNKNOWN_TOPIC_OR_PARTITION, INVALID_PRODUCER_EPOCH])

export class TransactionCoordinator {
  readonly #o: TransactionCoordinatorOptions
  readonly #led = new Map<number, Led>()
  readonly #retries = new Set<Timer>()
  /** Who waits until the transaction of an id has ended. */
  readonly #endWaits = new Map<string, Set<() => void>>()
  #closed = false

  constructor(options: TransactionCoordinatorOptions) {
    this.#o = options
  }

  partitionFor(transactionalId: string): number {
    return partitionForGroup(transactionalId, this.#o.partitions())
  }

  /** With a transactional id. Decides before its first await unless a producer id has to be fetched. Never rejects. */
  async initProducerId(request: RequestOf<typeof InitProducerId>): Promise<ProducerReply> {
    const { transactionalId, transactionTimeoutMs, producerId, producerEpoch } = request
    const refusal = this.#refusalOf(request)
    if (refusal !== NONE || transactionalId === null) return withoutProducer(refusal)
    const expected = producerId === NO_PRODUCER_ID ? null : { producerId, producerEpoch }
    const timeoutMs = transactionTimeoutMs
    const command = { type: 'init' as const, transactionalId, timeoutMs, expected, newProducerId: null }
    return this.#withProducerId(transactionalId, command).catch((error: unknown) => withoutProducer(clientError(error)))
  }

  /** Resolves with NONE once the partitions are durably part of the transaction, or the error. */
  async addPartitions(request: AddRequest): Promise<number> {
    if (request.transactionalId === '') return INVALID_REQUEST
    try {
      await this.#ask(request.transactionalId, { type: 'add', ...request })
      return NONE
    } catch (error) {
      return clientError(error)
    }
  }

  /** Resolves when the transaction that is being ended may have ended, or after so long. */
  whenEnded(transactionalId: string, atMostMs: number): Promise<void> {
    const machine = this.#led.get(this.partitionFor(transactionalId))?.shard.machine
    const txn = machine instanceof TransactionMachine ? machine.transactions.get(transactionalId) : undefined
    if (!txn || !isCompleting(txn)) return Promise.resolve()
    const waits = this.#endWaits.get(transactionalId) ?? new Set()
    this.#endWaits.set(transactionalId, waits)
    return new Promise(resolve => {
      const done = (): void => {
        timer.cancel()
        waits.delete(done)
        if (waits.size === 0) this.#endWaits.delete(transactionalId)
        resolve()
      }
      const timer = this.#o.runtime.timers.after(atMostMs, done)
      waits.add(done)
    })
  }

  /** Resolves with an error code per partition, in order. */
  async verifyPartitions(request: VerifyRequest): Promise<readonly number[]> {
    const all = (code: number): number[] => request.partitions.map(() => code)
    if (request.transactionalId === '') return all(INVALID_REQUEST)
    try {
      return await this.#ask(request.transactionalId, { type: 'verify', ...request })
    } catch (error) {
      return all(clientError(error))
    }
  }

  /** Resolves once the decision is durable; the markers follow. Never rejects. */
  async endTransaction(request: EndRequest): Promise<ProducerReply> {
    if (request.transactionalId === '') return withoutProducer(INVALID_REQUEST)
    const command = { type: 'end' as const, ...request, newProducerId: null }
    return this.#withProducerId(request.transactionalId, command).catch((error: unknown) =>
      withoutProducer(clientError(error)),
    )
  }

  async describe(transactionalId: string): Promise<ReplyOf<typeof DescribeTransactions>['transactionStates'][number]> {
    const state = (errorCode: number) => ({
      errorCode,
      transactionalId,
      transactionState: '',
      transactionTimeoutMs: 0,
      transactionStartTimeMs: 0,
      producerId: 0,
      producerEpoch: 0,
      topics: [],
    })
    if (transactionalId === '') return state(INVALID_REQUEST)
    try {
      const txn = await this.#ask(transactionalId, { type: 'describe', transactionalId })
      return {
        errorCode: NONE,
        transactionalId,
        transactionState: txn.state,
        transactionTimeoutMs: txn.timeoutMs,
        transactionStartTimeMs: txn.startMs,
        producerId: txn.producerId,
        producerEpoch: txn.producerEpoch,
        topics: Array.from(txn.partitions, ([topic, partitions]) => ({ topic, partitions: [...partitions] })),
      }
    } catch (error) {
      return state(clientError(error))
    }
  }

  async list(request: RequestOf<typeof ListTransactions>): Promise<ReplyOf<typeof ListTransactions>> {
    const names = STATES as readonly string[]
    const unknownStateFilters = request.stateFilters.filter(name => !names.includes(name))
    const refuse = (errorCode: number) => ({ errorCode, unknownStateFilters: [], transactionStates: [] })
    if (this.#closed) return refuse(COORDINATOR_NOT_AVAILABLE)
    const shards = [...this.#led.values()].map(({ shard }) => shard)
    if (shards.some(({ state }) => state === 'loading')) return refuse(COORDINATOR_LOAD_IN_PROGRESS)
    try {
      const pattern = request.transactionalIdPattern
      const command = {
        type: 'list' as const,
        states: request.stateFilters.length > 0 ? (request.stateFilters as LastingState[]) : null,
        producerIds: request.producerIdFilters,
        durationMs: request.durationFilter,
        matches: pattern ? compilePattern(pattern) : null,
      }
      const active = shards.filter(({ state }) => state === 'active')
      const lists = await Promise.all(active.map(shard => this.#submit(shard, command)))
      return { errorCode: NONE, unknownStateFilters, transactionStates: lists.flat() }
    } catch (error) {
      if (error instanceof PatternError) return refuse(INVALID_REGULAR_EXPRESSION)
      return refuse(clientError(error))
    }
  }

  /** This broker leads the partition: reads its transactions back. Resolves when they are served, or cannot be. */
  async onElected(partition: number, leaderEpoch: number): Promise<void> {
    const known = this.#led.get(partition)
    if (this.#closed || (known && known.leaderEpoch > leaderEpoch)) return
    known?.shard.resign()
    const { config, runtime, log, version } = this.#o
    const shard: TransactionShard = new Shard({
      name: `__transaction_state-${partition}`,
      machine: () => new TransactionMachine({ config, version, log: runtime.log }),
      log: log(partition),
      runtime,
      writeTimeoutMs: config['request.timeout.ms'],
      send: message => this.#send(led, message as TransactionSend),
    })
    const led: Led = { partition, shard, leaderEpoch }
    this.#led.set(partition, led)
    await shard.load()
  }

  /** What all of them take in memory, roughly. */
  get stateBytes(): number {
    let bytes = 0
    for (const { shard } of this.#led.values()) bytes += shard.stateBytes
    return bytes
  }

  onResigned(partition: number): void {
    this.#led.get(partition)?.shard.resign()
    this.#led.delete(partition)
  }

  /** The partition's log is safe below this offset. */
  committed(partition: number, highWatermark: number): void {
    this.#led.get(partition)?.shard.committed(highWatermark)
  }

  /** Nothing is decided any more; later requests get COORDINATOR_NOT_AVAILABLE. */
  close(): void {
    this.#closed = true
    for (const timer of this.#retries) timer.cancel()
    this.#retries.clear()
    for (const { shard } of this.#led.values()) shard.finish()
  }

  #refusalOf(request: RequestOf<typeof InitProducerId>): number {
    const { config } = this.#o
    if (request.transactionalId === '') return INVALID_REQUEST
    // KIP-939 as a broker answers it that has two-phase commit switched off.
    if (request.enable2Pc) return TRANSACTIONAL_ID_AUTHORIZATION_FAILED
    if (request.keepPreparedTxn) return UNSUPPORTED_VERSION
    const timeoutMs = request.transactionTimeoutMs
    const fits = timeoutMs > 0 && timeoutMs <= config['transaction.max.timeout.ms']
    return fits ? NONE : INVALID_TRANSACTION_TIMEOUT
  }

  async #withProducerId(
    transactionalId: string,
    command: Extract<TransactionCommand, { type: 'init' | 'end' }>,
  ): Promise<ProducerReply> {
    const reply = await this.#ask(transactionalId, command)
    if (reply !== NEEDS_PRODUCER_ID) return reply
    const newProducerId = await this.#o.newProducerId()
    const second = await this.#ask(transactionalId, { ...command, newProducerId })
    if (second === NEEDS_PRODUCER_ID) throw new Error('a producer id was asked for twice')
    return second
  }

  #ask<C extends TransactionCommand>(transactionalId: string, command: C): Promise<Replies[C['type']]> {
    if (this.#closed) return Promise.reject(new KafkaError(COORDINATOR_NOT_AVAILABLE))
    const led = this.#led.get(this.partitionFor(transactionalId))
    if (!led) return Promise.reject(new KafkaError(NOT_COORDINATOR))
    return this.#submit(led.shard, command)
  }

  /** The machine answers every command with the reply of its type. */
  #submit<C extends TransactionCommand>(shard: TransactionShard, command: C): Promise<Replies[C['type']]> {
    return shard.submit(command) as Promise<Replies[C['type']]>
  }

  #send(led: Led, message: TransactionSend): void {
    if (this.#closed) return
    if (message.type === 'writeMarkers') void this.#writeMarkers(led, message)
    else void this.#fetchProducerId(led, message)
  }

  async #writeMarkers(led: Led, message: WriteMarkers): Promise<void> {
    const { transactionalId, producerId, producerEpoch, commit, transactionVersion, partitions } = message
    const marker = { producerId, producerEpoch, commit, transactionVersion, coordinatorEpoch: led.leaderEpoch }
    const codes = await this.#o.writeMarkers(marker, partitions)
    const withCode = (wanted: (code: number) => boolean) => partitions.filter((_, i) => wanted(codes[i]!))
    const fenced = withCode(code => code === TRANSACTION_COORDINATOR_FENCED)
    if (fenced.length > 0) {
      this.#o.runtime.log.error(
        { transactionalId, producerId, partitions: fenced },
        'Partitions have seen a later transaction coordinator: this one leaves the transaction to it',
      )
    }
    this.#report(led, {
      type: 'markersWritten',
      transactionalId,
      producerId,
      producerEpoch,
      written: withCode(code => SETTLED.has(code)),
      failed: withCode(code => !SETTLED.has(code) && code !== TRANSACTION_COORDINATOR_FENCED),
    })
  }

  async #fetchProducerId(led: Led, { command }: FetchProducerId): Promise<void> {
    try {
      const newProducerId = await this.#o.newProducerId()
      this.#report(led, { ...command, newProducerId })
    } catch (error) {
      // The next look for transactions past their time-out tries again.
      this.#o.runtime.log.warn({ err: error, transactionalId: command.transactionalId }, 'No producer id to be had')
    }
  }

  /** Tells the machine what came of something it sent; tried again while it cannot be recorded. */
  #report(led: Led, command: MarkersWrittenCommand | Extract<TransactionCommand, { type: 'timeout' }>): void {
    try {
      led.shard.tell(command)
      // The next transaction may begin, and its record shares the write and the sync of this one's end.
      for (const done of this.#endWaits.get(command.transactionalId) ?? []) done()
    } catch (error) {
      // Another load, by us or another broker, has begun again from the log.
      if (this.#closed || led.shard.state !== 'active') return
      this.#o.runtime.log.warn({ err: error, partition: led.partition }, 'A transaction could not be moved on, yet')
      const timer = this.#o.runtime.timers.after(RETRY_MS, () => {
        this.#retries.delete(timer)
        this.#report(led, command)
      })
      this.#retries.add(timer)
    }
  }
}

const withoutProducer = (errorCode: number): ProducerReply => ({
  errorCode,
  producerId: NO_PRODUCER_ID,
  producerEpoch: NO_PRODUCER_EPOCH,
})
