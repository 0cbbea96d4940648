/**
 * Watches the disk calls of one log. The first that fails takes the log offline for good: nobody knows what the disk holds
 * then, and a call that is repeated may seem to succeed (a second fsync reports no error for pages lost by the first).
 * Calls that only read are judged more mildly: what the disk did not report leaves the log as it was.
 */
import * as errors from '../protocol/errors.ts'
import { KafkaError } from '../protocol/errors.ts'
import { CorruptFileError, isShortage, isSystemError } from './errors.ts'

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

  /**
   * Runs disk calls that change nothing. Of their errors those that the disk reports take the log offline; a lack of
   * descriptors or memory, an allocation that is too large, or a bug of ours does not.
   * @throws KafkaError KAFKA_STORAGE_ERROR, with the log online where the process is short of something: to be asked again
   */
  read<T>(calls: () => T): T {
    try {
      return calls()
    } catch (error) {
      if (isShortage(error)) {
        throw new KafkaError(errors.KAFKA_STORAGE_ERROR, `${this.#what} cannot be read just now: ${error.message}`)
      }
      throw isDiskError(error) ? this.failed(error) : error
    }
  }

  /** As run, for work whose turn comes again: null while the process is short of descriptors or memory. */
  runOrLater<T>(calls: () => T): T | null {
    return this.run(() => {
      try {
        return calls()
      } catch (error) {
        if (isShortage(error)) return null
        throw error
      }
    })
  }

  /** What to throw for an error of a disk call. */
  failed(error: unknown): unknown {
    if (error instanceof KafkaError) return error
    if (this.#failure === null) {
      this.#failure = error instanceof Error ? error : new Error(String(error))
      this.#onFailure(this.#failure)
    }
    // A bug of ours leaves the log in an unknown state as well, but must not pass for a broken disk.
    return isDiskError(error) ? this.#error() : error
  }

  #error(): KafkaError {
    return new KafkaError(errors.KAFKA_STORAGE_ERROR, `The disk of ${this.#what} failed; the partition is offline.`)
  }
}

const isDiskError = (error: unknown): boolean => isSystemError(error) || error instanceof CorruptFileError
