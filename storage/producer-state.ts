/**
 * What a partition remembers about each producer: its epoch, its last five batches and its open transaction (KIP-98,
 * KIP-360; ProducerStateManager.java, ProducerAppendInfo.java, ProducerStateEntry.java). `check` judges a batch and writes
 * nothing; `apply` is the only code that writes, and runs alike for live appends and for the replay of a log.
 */

import * as header from '../protocol/records/batch.ts'
import * as errors from '../protocol/errors.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { AppendOrigin } from './log-config.ts'
import type { ProducerSnapshotEntry } from './producer-snapshot.ts'
import { Verifications, type VerificationGuard, type VerificationRequest } from './verification.ts'

/** How many batches a producer may have in flight and still be recognised when it sends them again. */
export const BATCHES_REMEMBERED = 5
const NO_EPOCH = -1
const NO_SEQUENCE = -1
const NO_OFFSET = -1
const MAX_SEQUENCE = 0x7fffffff

/** One remembered batch. `timestamp` is the batch's maxTimestamp. */
export interface BatchMetadata {
  lastSequence: number
  lastOffset: number
  offsetDelta: number
  timestamp: number
}

export interface ProducerEntry {
  readonly producerId: number
  producerEpoch: number
  /** Epoch of the transaction coordinator that wrote the last marker, -1: none seen. */
  coordinatorEpoch: number
  lastTimestamp: number
  /** First offset of the open transaction, -1: none open. */
  currentTxnFirstOffset: number
  /** Oldest first, at most BATCHES_REMEMBERED. */
  readonly batches: BatchMetadata[]
}

/** The end of a transaction: what the transaction index and the last stable offset need. */
export interface CompletedTxn {
  readonly producerId: number
  readonly firstOffset: number
  readonly lastOffset: number
  readonly aborted: boolean
}

/** The content of an end-of-transaction marker, decoded by the caller from a control batch. */
export interface TxnMarker {
  readonly aborted: boolean
  readonly coordinatorEpoch: number
  readonly timestamp: number
}

interface OpenTxn {
  readonly producerId: number
  readonly firstOffset: number
}

/** The sequence number `delta` places before `sequence`. */
export const decrementSequence = (sequence: number, delta: number): number =>
  sequence < delta ? MAX_SEQUENCE - (delta - sequence) + 1 : sequence - delta

const firstSequence = (batch: BatchMetadata): number =>
  batch.lastSequence === NO_SEQUENCE ? NO_SEQUENCE : decrementSequence(batch.lastSequence, batch.offsetDelta)

/** First offset of a remembered batch: what a producer gets again for a batch sent twice. */
export const firstOffsetOf = (batch: BatchMetadata): number => batch.lastOffset - batch.offsetDelta

export class ProducerState {
  /** The offset up to which (exclusive) the log is reflected here. */
  mapEndOffset = 0
  /** producer.id.expiration.ms */
  expirationMs: number
  readonly #producers = new Map<number, ProducerEntry>()
  /** Open transactions by first offset, ascending. */
  #open: OpenTxn[] = []
  /** Ended transactions whose marker is not yet below the high watermark: still unstable for readers. */
  #unreplicated: CompletedTxn[] = []
  #verifications = new Verifications()

  constructor(expirationMs: number) {
    this.expirationMs = expirationMs
  }

  get size(): number {
    return this.#producers.size
  }

  /** Every known producer, for DescribeProducers. */
  activeProducers(): IterableIterator<ProducerEntry> {
    return this.#producers.values()
  }

  entry(producerId: number): ProducerEntry | undefined {
    return this.#producers.get(producerId)
  }

  /** Whether a batch of this epoch belongs to a transaction that is open here. */
  hasOpenTransaction(producerId: number, producerEpoch: number): boolean {
    const entry = this.#producers.get(producerId)
    return entry?.producerEpoch === producerEpoch && entry.currentTxnFirstOffset !== NO_OFFSET
  }

  /**
   * The first batch of a transaction is about to be verified with the coordinator (KIP-890).
   * @returns what check() asks for then, or null if the transaction is open here already
   * @throws KafkaError INVALID_PRODUCER_EPOCH
   */
  startVerification(request: VerificationRequest): VerificationGuard | null {
    const { producerId, producerEpoch } = request
    const entry = this.#producers.get(producerId)
    if (entry !== undefined) checkEpoch(entry, producerEpoch)
    return this.hasOpenTransaction(producerId, producerEpoch) ? null : this.#verifications.start(request)
  }

  /** Those who wait for their transaction's coordinator go on here: the log has moved to another directory. */
  adoptVerifications(from: ProducerState): void {
    this.#verifications = from.#verifications
  }

  /**
   * Judges a data batch before it is appended; `at` is where its header starts. `verification`: the batch may begin a
   * transaction only with the guard of startVerification(); left out by those who answer for it themselves.
   * @returns the remembered batch if the client sent this one before, else null: append it
   * @throws KafkaError INVALID_PRODUCER_EPOCH, OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_TXN_STATE
   */
  check(
    buffer: Buffer,
    at: number,
    origin: AppendOrigin,
    verification?: { readonly guard: VerificationGuard | null },
  ): BatchMetadata | null {
    if (origin === 'replication') return null
    const producerId = header.producerId(buffer, at)
    const entry = this.#producers.get(producerId)
    const epoch = header.producerEpoch(buffer, at)
    const isTransactional = header.isTransactional(buffer, at)
    if (origin === 'client' && entry !== undefined) {
      const duplicate = this.#findDuplicate(entry, buffer, at, epoch)
      if (duplicate) return duplicate
    }
    if (entry !== undefined) checkEpoch(entry, epoch)
    if (verification !== undefined && isTransactional && !this.hasOpenTransaction(producerId, epoch)) {
      this.#verifications.require(producerId, verification.guard)
    }
    if (origin === 'client') {
      const sequence = header.baseSequence(buffer, at)
      this.#verifications.checkSequence(producerId, sequence, (entry?.batches.length ?? 0) === 0)
      // Nothing known, be it new, expired or deleted with its records: any epoch and any sequence will do.
      if (entry !== undefined) checkSequence(entry, epoch, sequence)
    }
    if (entry !== undefined && entry.currentTxnFirstOffset !== NO_OFFSET && !isTransactional) {
      throw new KafkaError(
        errors.INVALID_TXN_STATE,
        `Producer ${entry.producerId} has an open transaction and sent a batch outside of it.`,
      )
    }
    return null
  }

  /**
   * Judges an end-of-transaction marker. `transactionVersion` 2 (KIP-890) raises the epoch before each marker, so an
   * equal epoch is stale there, unless it repeats a marker that was already written.
   * @throws KafkaError INVALID_PRODUCER_EPOCH, TRANSACTION_COORDINATOR_FENCED
   */
  checkMarker(producerId: number, epoch: number, marker: TxnMarker, transactionVersion: number): void {
    const entry = this.#producers.get(producerId)
    if (entry === undefined) return
    const repeated =
      epoch === entry.producerEpoch && (entry.currentTxnFirstOffset === NO_OFFSET || epoch === 0x7fff) /* KAFKA-19999 */
    const stale = transactionVersion >= 2 ? epoch <= entry.producerEpoch && !repeated : epoch < entry.producerEpoch
    if (stale) {
      throw new KafkaError(
        errors.INVALID_PRODUCER_EPOCH,
        `A marker for producer ${producerId} carries epoch ${epoch}, the last one seen is ${entry.producerEpoch}.`,
      )
    }
    if (entry.coordinatorEpoch > marker.coordinatorEpoch) {
      throw new KafkaError(
        errors.TRANSACTION_COORDINATOR_FENCED,
        `A marker for producer ${producerId} comes from coordinator epoch ${marker.coordinatorEpoch}, ` +
          `the last one seen is ${entry.coordinatorEpoch}.`,
      )
    }
  }

  /** Takes in a data batch whose offsets are final. Batches without a producer id only move mapEndOffset. */
  apply(buffer: Buffer, at: number): void {
    const producerId = header.producerId(buffer, at)
    const lastOffset = header.lastOffset(buffer, at)
    this.mapEndOffset = lastOffset + 1
    if (producerId < 0) return
    const entry = this.#entryFor(producerId)
    setEpoch(entry, header.producerEpoch(buffer, at))
    const timestamp = header.maxTimestamp(buffer, at)
    remember(entry, header.lastSequence(buffer, at), lastOffset, header.lastOffsetDelta(buffer, at), timestamp)
    entry.lastTimestamp = timestamp
    if (!header.isTransactional(buffer, at)) return
    this.#verifications.began(producerId)
    if (entry.currentTxnFirstOffset === NO_OFFSET) {
      entry.currentTxnFirstOffset = header.baseOffset(buffer, at)
      this.#open.push({ producerId, firstOffset: entry.currentTxnFirstOffset })
    }
  }

  /**
   * Takes in an end-of-transaction marker at `offset`.
   * @returns the transaction that ended, or null if none was open: such a marker changes no reader's view
   */
  applyMarker(producerId: number, epoch: number, offset: number, marker: TxnMarker): CompletedTxn | null {
    this.mapEndOffset = offset + 1
    this.#verifications.ended(producerId, epoch)
    const entry = this.#entryFor(producerId)
    const firstOffset = entry.currentTxnFirstOffset
    setEpoch(entry, epoch)
    entry.coordinatorEpoch = marker.coordinatorEpoch
    entry.lastTimestamp = marker.timestamp
    entry.currentTxnFirstOffset = NO_OFFSET
    if (firstOffset === NO_OFFSET) return null
    const completed = { producerId, firstOffset, lastOffset: offset, aborted: marker.aborted }
    this.#open = this.#open.filter(txn => txn.firstOffset !== firstOffset)
    this.#unreplicated.push(completed)
    return completed
  }

  /** The last stable offset once `completed` has ended: the next open transaction, else what follows the marker. */
  lastStableOffsetAfter(completed: CompletedTxn): number {
    return this.#open[0]?.firstOffset ?? completed.lastOffset + 1
  }

  /** First offset of the oldest open transaction, or null. */
  get firstUndecidedOffset(): number | null {
    return this.#open[0]?.firstOffset ?? null
  }

  /**
   * First offset that readers of committed data may not pass, or null: the oldest transaction that is open, or whose
   * marker has not reached the high watermark.
   */
  firstUnstableOffset(highWatermark: number): number | null {
    while (this.#unreplicated.length > 0 && this.#unreplicated[0]!.lastOffset < highWatermark)
      this.#unreplicated.shift()
    let first = this.firstUndecidedOffset
    for (const txn of this.#unreplicated) if (first === null || txn.firstOffset < first) first = txn.firstOffset
    return first
  }

  /** Forgets producers that wrote nothing for producer.id.expiration.ms and have no open transaction. */
  expire(now: number): void {
    for (const entry of this.#producers.values()) {
      if (isExpired(entry, now, this.expirationMs)) this.#producers.delete(entry.producerId)
    }
    this.#verifications.expire(now, this.expirationMs)
  }

  /** After a move of the log start: ended transactions below it concern nobody. */
  onLogStartOffsetIncremented(logStartOffset: number): void {
    this.#unreplicated = this.#unreplicated.filter(txn => txn.lastOffset >= logStartOffset)
    if (this.mapEndOffset < logStartOffset) this.mapEndOffset = logStartOffset
  }

  clear(mapEndOffset: number): void {
    this.#producers.clear()
    this.#verifications.clear()
    this.#open = []
    this.#unreplicated = []
    this.mapEndOffset = mapEndOffset
  }

  /**
   * One entry for each remembered batch, a producer's last one last. Kafka writes that one alone and so takes a batch
   * before it, sent again after a restart, for one out of order; what it reads it keeps by producer, so that it ends
   * up with the same entry.
   */
  snapshot(): ProducerSnapshotEntry[] {
    return [...this.#producers.values()].flatMap(entry => {
      const { producerId, producerEpoch, coordinatorEpoch, currentTxnFirstOffset, lastTimestamp, batches } = entry
      const saved = { producerId, producerEpoch, coordinatorEpoch, currentTxnFirstOffset, timestamp: lastTimestamp }
      const last = batches.at(-1)
      if (last === undefined) return { ...saved, lastSequence: NO_SEQUENCE, lastOffset: NO_OFFSET, offsetDelta: 0 }
      return batches.map(batch => ({ ...saved, ...batch, timestamp: batch === last ? lastTimestamp : batch.timestamp }))
    })
  }

  /** Replaces everything by what a snapshot at `mapEndOffset` says, without the producers that have expired since. */
  load(entries: readonly ProducerSnapshotEntry[], mapEndOffset: number, now: number): void {
    this.clear(mapEndOffset)
    for (const { producerId, timestamp, lastOffset, ...saved } of entries) {
      const entry: ProducerEntry = {
        producerId,
        producerEpoch: saved.producerEpoch,
        coordinatorEpoch: saved.coordinatorEpoch,
        lastTimestamp: timestamp,
        currentTxnFirstOffset: saved.currentTxnFirstOffset,
        batches: [],
      }
      if (isExpired(entry, now, this.expirationMs)) continue
      const earlier = this.#producers.get(producerId)
      if (earlier?.producerEpoch === entry.producerEpoch) entry.batches.push(...earlier.batches)
      if (lastOffset >= 0) remember(entry, saved.lastSequence, lastOffset, saved.offsetDelta, timestamp)
      this.#producers.set(producerId, entry)
    }
    for (const { producerId, currentTxnFirstOffset: firstOffset } of this.#producers.values()) {
      if (firstOffset >= 0) this.#open.push({ producerId, firstOffset })
    }
    this.#open.sort((a, b) => a.firstOffset - b.firstOffset)
  }

  #findDuplicate(entry: ProducerEntry, buffer: Buffer, at: number, epoch: number): BatchMetadata | null {
    if (epoch !== entry.producerEpoch) return null
    const first = header.baseSequence(buffer, at)
    const last = header.lastSequence(buffer, at)
    for (const batch of entry.batches) if (batch.lastSequence === last && firstSequence(batch) === first) return batch
    return null
  }

  #entryFor(producerId: number): ProducerEntry {
    let entry = this.#producers.get(producerId)
    if (entry === undefined) {
      entry = {
        producerId,
        producerEpoch: NO_EPOCH,
        coordinatorEpoch: -1,
        lastTimestamp: -1,
        currentTxnFirstOffset: NO_OFFSET,
        batches: [],
      }
      this.#producers.set(producerId, entry)
    }
    return entry
  }
}

/** @throws KafkaError INVALID_PRODUCER_EPOCH below the last epoch seen */
function checkEpoch(entry: ProducerEntry, epoch: number): void {
  if (epoch >= entry.producerEpoch) return
  throw new KafkaError(
    errors.INVALID_PRODUCER_EPOCH,
    `Producer ${entry.producerId} sent epoch ${epoch}, the last one seen is ${entry.producerEpoch}.`,
  )
}

/** @throws KafkaError OUT_OF_ORDER_SEQUENCE_NUMBER unless `sequence` follows what the producer wrote last */
function checkSequence(entry: ProducerEntry, epoch: number, sequence: number): void {
  const last = entry.batches.at(-1)?.lastSequence ?? NO_SEQUENCE
  let expected: number
  if (epoch !== entry.producerEpoch) {
    // An entry without an epoch stems from a marker of a transaction that wrote nothing here.
    if (sequence === 0 || entry.producerEpoch === NO_EPOCH) return
    expected = 0
  } else {
    expected = header.incrementSequence(last, 1)
    if (sequence === expected) return
  }
  throw new KafkaError(
    errors.OUT_OF_ORDER_SEQUENCE_NUMBER,
    `Producer ${entry.producerId} epoch ${epoch} sent sequence ${sequence}, expected ${expected}.`,
  )
}

/** A new epoch starts with an empty window: its sequences begin at 0 again. */
function setEpoch(entry: ProducerEntry, epoch: number): void {
  if (entry.producerEpoch === epoch) return
  entry.batches.length = 0
  entry.producerEpoch = epoch
}

function remember(
  entry: ProducerEntry,
  lastSequence: number,
  lastOffset: number,
  offsetDelta: number,
  timestamp: number,
) {
  // The hot path of an idempotent producer: once the window is full its oldest object is used again.
  const reused = entry.batches.length === BATCHES_REMEMBERED ? entry.batches.shift()! : undefined
  const batch = reused ?? { lastSequence, lastOffset, offsetDelta, timestamp }
  if (reused) {
    batch.lastSequence = lastSequence
    batch.lastOffset = lastOffset
    batch.offsetDelta = offsetDelta
    batch.timestamp = timestamp
  }
  entry.batches.push(batch)
}

const isExpired = (entry: ProducerEntry, now: number, expirationMs: number): boolean =>
  entry.currentTxnFirstOffset === NO_OFFSET && now - entry.lastTimestamp >= expirationMs
