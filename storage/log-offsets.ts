/**
 * How far a log has come: appended, written, synced. At any time
 *   syncedOffset <= writtenOffset <= logEndOffset
 * which is asserted at every move.
 */
import assert from 'node:assert'
import { KafkaError, OFFSET_OUT_OF_RANGE } from '../protocol/errors.ts'

export class LogOffsets {
  readonly #name: string
  #start: number
  #end: number
  #written: number
  #synced: number
  /** How far the sync under way will have come; a truncation takes it back. */
  #syncTarget = 0
  /** When the oldest unsynced record was appended, at the latest; -1: all are synced. */
  #unsyncedSince: number
  #lastAppend: number
  #syncStartedAfter = -1

  /** Of a log that was opened at `now`: what it holds is written, but after a crash perhaps not synced. */
  constructor(name: string, start: number, end: number, synced: number, now: number) {
    this.#name = name
    this.#start = start
    this.#end = this.#written = end
    this.#synced = synced
    this.#lastAppend = now
    this.#unsyncedSince = synced < end ? now : -1
    this.#check()
  }

  get start(): number {
    return this.#start
  }

  get end(): number {
    return this.#end
  }

  get written(): number {
    return this.#written
  }

  get synced(): number {
    return this.#synced
  }

  /** @throws KafkaError OFFSET_OUT_OF_RANGE: nothing can be read from there */
  mustHold(offset: number): void {
    if (offset >= this.#start && offset <= this.#end) return
    const message = `Offset ${offset} is outside the log, which has ${this.#start} to ${this.#end}.`
    throw new KafkaError(OFFSET_OUT_OF_RANGE, message)
  }

  /** @throws KafkaError OFFSET_OUT_OF_RANGE: the log cannot start there */
  mustBeWritten(offset: number): void {
    if (offset <= this.#written) return
    throw new KafkaError(OFFSET_OUT_OF_RANGE, `The log cannot start at ${offset}: it ends at ${this.#written}.`)
  }

  appended(end: number, now: number): void {
    this.#end = end
    this.#lastAppend = now
    if (this.#unsyncedSince < 0) this.#unsyncedSince = now
  }

  /** Everything appended is in the file. */
  wrote(): void {
    this.#written = this.#end
    this.#check()
  }

  syncStarts(): void {
    this.#syncTarget = this.#written
    this.#syncStartedAfter = this.#lastAppend
  }

  syncEnded(): void {
    this.#synced = Math.max(this.#synced, this.#syncTarget)
    this.#unsyncedSince = this.#synced < this.#end ? this.#syncStartedAfter : -1
    this.#check()
  }

  /** Whether a record waits for its sync since before `now` - `ms`. */
  hasWaited(now: number, ms: number): boolean {
    return this.#unsyncedSince >= 0 && now - this.#unsyncedSince >= ms
  }

  startAt(offset: number): void {
    this.#start = offset
  }

  /** The log was cut, or begins anew: offsets from `end` on will be given out (again). */
  moveEnd(end: number): void {
    this.#end = this.#written = end
    this.#synced = Math.min(this.#synced, end)
    this.#syncTarget = Math.min(this.#syncTarget, end)
    this.#start = Math.min(this.#start, end)
    this.#check()
  }

  #check(): void {
    assert(
      this.#synced <= this.#written && this.#written <= this.#end,
      `${this.#name}: synced ${this.#synced}, written ${this.#written}, end ${this.#end}`,
    )
  }
}
