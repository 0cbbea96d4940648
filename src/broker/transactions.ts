// Where transactions meet partitions: markers are written into local logs, and a producer's first batch in a partition is
// admitted by its coordinator (KIP-890; AddPartitionsToTxnManager.java, ReplicaManager.scala). With one broker the
// coordinator is in the same process, but all that is asked goes through its log, so that no crash can part the two.
import type { VerificationGuard } from '../../storage/verification.ts'
import type { Marker, TransactionCoordinator } from '../coordinators/transaction/coordinator.ts'
import type { TopicPartition } from '../coordinators/transaction/state.ts'
import type { GroupCoordinator } from '../coordinators/group/coordinator.ts'
import type { MetadataView } from '../cluster/image.ts'
import type { BrokerConfig } from '../config/index.ts'
import type { Runtime } from '../runtime/index.ts'
import type { PartitionTable } from './partition-table.ts'
import type { Durability } from './partition.ts'
import {
  CONCURRENT_TRANSACTIONS,
  COORDINATOR_LOAD_IN_PROGRESS,
  COORDINATOR_NOT_AVAILABLE,
  INVALID_PRODUCER_EPOCH,
  INVALID_REQUEST,
  INVALID_TXN_STATE,
  KafkaError,
  NONE,
  NOT_COORDINATOR,
  NOT_LEADER_OR_FOLLOWER,
  PRODUCER_FENCED,
  TRANSACTION_ABORTABLE,
} from '../../protocol/errors.ts'
import { ABORT, COMMIT, encodeTransactionMarker } from '../../protocol/records/control.ts'
import { GROUP_METADATA_TOPIC } from '../cluster/topic-names.ts'

/** What a client knows of KIP-890: nothing, TRANSACTION_ABORTABLE, or that partitions join with the first write. */
export type ClientKnowledge = 'nothing' | 'abortable' | 'implicit'

/** Produce: 11 brought TRANSACTION_ABORTABLE, 12 the implicit join. */
export const producerKnows = (apiVersion: number): ClientKnowledge =>
  apiVersion >= 12 ? 'implicit' : apiVersion === 11 ? 'abortable' : 'nothing'

/** TxnOffsetCommit: the same in 4 and 5. */
export const committerKnows = (apiVersion: number): ClientKnowledge =>
  apiVersion >= 5 ? 'implicit' : apiVersion === 4 ? 'abortable' : 'nothing'

/** How a batch may be appended: null where nobody checks, else with the guard of a verification, or of one that is over. */
export type Admission = { readonly guard: VerificationGuard | null } | null

export interface AdmissionRequest {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
  readonly knows: ClientKnowledge
  readonly now: number
}

/** One partition and the sequence of its batch, -1: none. */
export interface AskedPartition extends TopicPartition {
  readonly sequence: number
}

export interface TransactionsOptions {
  readonly config: BrokerConfig
  readonly runtime: Runtime
  readonly image: MetadataView
  readonly partitions: PartitionTable
  readonly durability: Durability
  readonly groups: () => GroupCoordinator
  readonly coordinator: () => TransactionCoordinator
}

/** While a group's partition is read back its coordinator says so; to those who write markers that means: later. */
const NOT_READY = new Set<number>([COORDINATOR_NOT_AVAILABLE, COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR])

export class Transactions {
  readonly #o: TransactionsOptions

  constructor(options: TransactionsOptions) {
    this.#o = options
  }

  /** Resolves with an error code per partition, in order, once all are durable or refused; never rejects. */
  writeMarkers(marker: Marker, partitions: readonly TopicPartition[]): Promise<readonly number[]> {
    return Promise.all(partitions.map(partition => this.#writeMarker(marker, partition)))
  }

  /**
   * May these batches be appended? Answers at once where the transaction is open in every partition; else a promise,
   * which resolves once the partitions are part of the transaction, durably. Per partition, in order.
   */
  admit(
    request: AdmissionRequest,
    partitions: readonly AskedPartition[],
  ): (Admission | KafkaError)[] | Promise<(Admission | KafkaError)[]> {
    const isImplicit = request.knows === 'implicit'
    if (!isImplicit && !this.#o.config['transaction.partition.verification.enable']) return partitions.map(() => null)
    const started = partitions.map(partition => this.#start(request, partition))
    const asked = partitions.filter((_, i) => isGuarded(started[i]!))
    if (asked.length === 0) return started
    return this.#ask(request, asked).then(codes => {
      const errors = asked.map((partition, i) => [partition, this.#errorOf(codes[i]!, request.knows)] as const)
      const refused = new Map(errors)
      return started.map((admission, i) => refused.get(partitions[i]!) ?? admission)
    })
  }

  async #writeMarker(marker: Marker, { topic, partition: index }: TopicPartition): Promise<number> {
    try {
      if (!isProducer(marker)) throw new KafkaError(INVALID_REQUEST, 'A marker needs a producer id and epoch.')
      if (topic === GROUP_METADATA_TOPIC && this.#o.image.partition(topic, index)) {
        await this.#o.groups().endTransaction(index, marker)
      } else {
        await this.#appendMarker(marker, topic, index)
      }
      return NONE
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      return NOT_READY.has(error.code) ? NOT_LEADER_OR_FOLLOWER : error.code
    }
  }

  #appendMarker(marker: Marker, topic: string, index: number): Promise<void> {
    const { partitions, runtime, durability } = this.#o
    const { producerId, producerEpoch, coordinatorEpoch, commit, transactionVersion } = marker
    const now = runtime.clock.now()
    const partition = partitions.require(topic, index)
    const type = commit ? COMMIT : ABORT
    const bytes = encodeTransactionMarker({ type, producerId, producerEpoch, coordinatorEpoch, timestamp: now })
    partition.append(bytes, { acks: -1, now, origin: 'coordinator', transactionVersion })
    return new Promise((resolve, reject) => {
      partition.whenDurable(durability, error => (error ? reject(error) : resolve()))
    })
  }

  /** A guard that has to be verified, an admission that has not, or why the batch will be refused. */
  #start(request: AdmissionRequest, { topic, partition, sequence }: AskedPartition): Admission | KafkaError {
    const { producerId, producerEpoch, knows, now } = request
    try {
      const { producers } = this.#o.partitions.require(topic, partition).log
      const bumpsEpoch = knows === 'implicit'
      return { guard: producers.startVerification({ producerId, producerEpoch, sequence, bumpsEpoch, now }) }
    } catch (error) {
      if (error instanceof KafkaError) return error
      throw error
    }
  }

  async #ask(request: AdmissionRequest, partitions: readonly TopicPartition[]): Promise<readonly number[]> {
    const { transactionalId, producerId, producerEpoch, knows } = request
    const identity = { transactionalId, producerId, producerEpoch, partitions }
    if (knows !== 'implicit') return this.#o.coordinator().verifyPartitions(identity)
    const { config, runtime } = this.#o
    const backoffMs = config['add.partitions.to.txn.retry.backoff.ms']
    const longest = Math.min(config['add.partitions.to.txn.retry.backoff.max.ms'], config['request.timeout.ms'])
    const deadline = runtime.clock.monotonic() + longest
    for (;;) {
      // The transaction before is often still being completed: to wait here is cheaper than to have it sent again.
      // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
      const code = await this.#o.coordinator().addPartitions({ ...identity, clientTransactionVersion: 2 })
      const isOver = runtime.clock.monotonic() >= deadline
      if (code !== CONCURRENT_TRANSACTIONS || isOver) return partitions.map(() => code)
      // oxlint-disable-next-line no-await-in-loop -- as above
      await this.#o.coordinator().whenEnded(transactionalId, backoffMs)
    }
  }

  #errorOf(code: number, knows: ClientKnowledge): KafkaError | undefined {
    if (code === NONE) return undefined
    if (code === PRODUCER_FENCED) return new KafkaError(INVALID_PRODUCER_EPOCH)
    if (code === TRANSACTION_ABORTABLE && knows === 'nothing') {
      return new KafkaError(INVALID_TXN_STATE, 'The partition is not part of the transaction.')
    }
    return new KafkaError(code)
  }
}

const isProducer = ({ producerId, producerEpoch }: Marker): boolean =>
  Number.isSafeInteger(producerId) && producerId >= 0 && producerEpoch >= 0

const isGuarded = (started: Admission | KafkaError): boolean =>
  started !== null && !(started instanceof KafkaError) && started.guard !== null
