// What one connection has of the load that all share, and whether that is too much for it to take on more.
import type { Socket } from '../runtime/net.ts'
import type { Load } from './load.ts'
import type { ServerLimits } from './types.ts'

/** One connection gets no more than these parts of the room that is left to all: there is some for the next one, always. */
const REQUESTS_PART = 1 / 4
const ANSWERS_PART = 1 / 8

export class Share {
  readonly #load: Load
  readonly #limits: ServerLimits
  readonly #socket: Socket
  /** Requests that are not answered yet. */
  #waiting = 0
  #waitingBytes = 0
  /** Settled answers that wait for an earlier one. */
  #blockedBytes = 0
  #answerBytes = 0
  #settled = 0

  constructor(load: Load, limits: ServerLimits, socket: Socket) {
    this.#load = load
    this.#limits = limits
    this.#socket = socket
  }

  get waitingBytes(): number {
    return this.#waitingBytes
  }

  /** Of answers that have not left. */
  get answerBytes(): number {
    return this.#answerBytes
  }

  /** Requests that were answered after a while. */
  get settled(): number {
    return this.#settled
  }

  /** Bytes of answers that have left. */
  get leftBytes(): number {
    return this.#socket.leftBytes
  }

  /** Bytes that one more answer should not exceed; `gathered` are written and not handed to the socket. */
  answerRoom(gathered: number): number {
    const most = Math.min(this.#limits.maxUnsentBytes, this.#load.answerRoom * ANSWERS_PART)
    return Math.max(0, Math.floor(most - this.#unsentBytes(gathered)))
  }

  /** Whether it has more than `part` of what it may have. Who has nothing never has too much. */
  exceeds(part: number, gathered: number): boolean {
    const { maxInFlightRequests, maxInFlightBytes, maxUnsentBytes } = this.#limits
    return (
      this.#waiting > maxInFlightRequests * part ||
      this.#waitingBytes > Math.min(maxInFlightBytes, this.#load.requestRoom * REQUESTS_PART) * part ||
      this.#unsentBytes(gathered) > Math.min(maxUnsentBytes, this.#load.answerRoom * ANSWERS_PART) * part
    )
  }

  add(bytes: number): void {
    this.#waiting++
    this.#waitingBytes += bytes
    this.#load.add(bytes)
  }

  remove(bytes: number): void {
    this.#waiting--
    this.#settled++
    this.#waitingBytes -= bytes
    this.#load.remove(1, bytes)
  }

  /** An answer must wait for an earlier one; negative: no longer. */
  block(bytes: number): void {
    this.#blockedBytes += bytes
    this.countAnswers()
  }

  /** The socket has more to send, or less. */
  countAnswers(): void {
    const bytes = this.#socket.unsentBytes + this.#blockedBytes
    const change = bytes - this.#answerBytes
    this.#answerBytes = bytes
    if (change !== 0) this.#load.changeAnswers(change)
  }

  /** Nothing of the connection is answered any more; what the socket has may still be leaving. */
  close(): void {
    this.#load.remove(this.#waiting, this.#waitingBytes)
    this.#waiting = this.#waitingBytes = this.#blockedBytes = 0
    this.countAnswers()
  }

  #unsentBytes(gathered: number): number {
    return this.#socket.unsentBytes + gathered + this.#blockedBytes
  }
}
