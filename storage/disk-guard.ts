/**
 * Watches the disk calls of one log. The first that fails takes the log offline for good: nobody knows what the disk holds
 * then, and a call that is repeated may seem to succeed (a second fsync reports no error for pages lost by the first).
 */
import * as errors from '../protocol/errors.ts'
import { KafkaError } from '../protocol/errors.ts'
import { CorruptFileError, errorCode } from './errors.ts'

export class DiskGuard {
  readonly #what: string
  readonly #onFailure: (error: Error) => void
  #failure: Error | null = null

  /** @param onFailure told once */
  constructor(what: string, onFailure: (error: Error) => void) {
    this.#what = what
    this.#onFailure = onFailure
  }

  /** Why the log is offline, null while all is well. */
  get failure(): Error | null {
    return this.#failure
  }

  /** @throws KafkaError KAFKA_STORAGE_ERROR once something has failed */
  check(): void {
    if (this.#failure !== null) throw this.#error()
  }

  /** Runs disk calls. A KafkaError is an answer, not a failure, and passes. @throws KafkaError KAFKA_STORAGE_ERROR */
  run<T>(calls: () => T): T {
    try {
      return calls()
    } catch (error) {
      throw this.failed(error)
    }
  }

  /** What to throw for an error of a disk call. */
  failed(error: unknown): unknown {
    if (error instanceof KafkaError) return error
    if (this.#failure === null) {
      this.#failure = error instanceof Error ? error : new Error(String(error))
      this.#onFailure(this.#failure)
    }
    // A bug of ours leaves the log in an unknown state as well, but must not pass for a broken disk.
    const isDisk = errorCode(error) !== undefined || error instanceof CorruptFileError
    return isDisk ? this.#error() : error
  }

  #error(): KafkaError {
    return new KafkaError(errors.KAFKA_STORAGE_ERROR, `The disk of ${this.#what} failed; the partition is offline.`)
  }
}
