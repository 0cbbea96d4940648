/**
 * Who may begin a transaction in a partition (KIP-890, VerificationStateEntry.java). Before the first batch of a transaction is
 * appended the coordinator is asked; until then a guard stands here. A marker that is written in between takes the guard
 * away, so that a late answer opens nothing that nobody would ever end. In memory only.
 */
import * as errors from '../protocol/errors.ts'
import { KafkaError } from '../protocol/errors.ts'

/** Its identity is all there is to it. */
export interface VerificationGuard {
  readonly producerId: number
}

export interface VerificationRequest {
  readonly producerId: number
  readonly producerEpoch: number
  /** Of the first batch. */
  readonly sequence: number
  /** The partition joins with the write: transaction.version 2. */
  readonly bumpsEpoch: boolean
  readonly now: number
}

interface Entry {
  readonly guard: VerificationGuard
  readonly bumpsEpoch: boolean
  readonly startedMs: number
  producerEpoch: number
  lowestSequence: number
}

export class Verifications {
  readonly #entries = new Map<number, Entry>()

  /** The guard to append with; the same for every batch that waits for its producer's transaction. */
  start({ producerId, producerEpoch, sequence, bumpsEpoch, now }: VerificationRequest): VerificationGuard {
    const known = this.#entries.get(producerId)
    if (!known) {
      const guard: VerificationGuard = { producerId }
      this.#entries.set(producerId, { guard, bumpsEpoch, startedMs: now, producerEpoch, lowestSequence: sequence })
      return guard
    }
    if (producerEpoch === known.producerEpoch) known.lowestSequence = Math.min(known.lowestSequence, sequence)
    else if (producerEpoch > known.producerEpoch) {
      known.producerEpoch = producerEpoch
      known.lowestSequence = sequence
    }
    return known.guard
  }

  /** @throws KafkaError INVALID_TXN_STATE unless `guard` still stands */
  require(producerId: number, guard: VerificationGuard | null): void {
    if (guard !== null && this.#entries.get(producerId)?.guard === guard) return
    throw new KafkaError(errors.INVALID_TXN_STATE, `Producer ${producerId} has no open transaction in this partition.`)
  }

  /**
   * A batch must not overtake an earlier one that is still being verified. `isNew`: nothing of the producer's epoch is here.
   * @throws KafkaError OUT_OF_ORDER_SEQUENCE_NUMBER
   */
  checkSequence(producerId: number, sequence: number, isNew: boolean): void {
    const entry = this.#entries.get(producerId)
    if (!entry) return
    const lowest = isNew && entry.bumpsEpoch ? 0 : entry.lowestSequence
    if (sequence <= lowest) return
    throw new KafkaError(
      errors.OUT_OF_ORDER_SEQUENCE_NUMBER,
      `Producer ${producerId} sent sequence ${sequence}, but ${lowest} is to come first.`,
    )
  }

  /** The transaction has begun here. */
  began(producerId: number): void {
    this.#entries.delete(producerId)
  }

  /** A marker was written. That of the transaction before leaves the next one's guard alone, if epochs tell them apart. */
  ended(producerId: number, producerEpoch: number): void {
    const entry = this.#entries.get(producerId)
    if (entry && !(entry.bumpsEpoch && entry.producerEpoch === producerEpoch)) this.#entries.delete(producerId)
  }

  expire(now: number, afterMs: number): void {
    for (const [producerId, { startedMs }] of this.#entries) {
      if (now - startedMs >= afterMs) this.#entries.delete(producerId)
    }
  }

  clear(): void {
    this.#entries.clear()
  }
}
