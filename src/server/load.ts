// What all connections together have taken on: requests that are not answered yet, and answers that have not left. Above
// a limit nobody reads on; who stopped for that goes on when it has come down.
import type { Timers } from '../runtime/index.ts'
import { MemoryMeter } from '../runtime/memory.ts'

export interface LoadLimits {
  /** odradek.broker.max.requests */
  readonly maxBrokerRequests: number
  /** odradek.broker.max.bytes */
  readonly maxBrokerBytes: number
  readonly maxAnswerBytes: number
}

/** Above this part of the room for answers it is looked who stands still. */
const ANSWERS_PRESSING = 0.5

export class Load {
  readonly unanswered = new MemoryMeter()
  readonly answers = new MemoryMeter()
  readonly #timers: Timers
  readonly #limits: LoadLimits
  readonly #stopped = new Set<() => void>()
  #requests = 0
  #isFull = false
  /** There is more than half of the answers that there may be, or somebody stopped. */
  onPressure: () => void = () => undefined

  constructor(timers: Timers, limits: LoadLimits) {
    this.#timers = timers
    this.#limits = limits
  }

  get requests(): number {
    return this.#requests
  }

  /** Bytes of requests that may still be taken. */
  get requestRoom(): number {
    return Math.max(0, this.#limits.maxBrokerBytes - this.unanswered.usedBytes)
  }

  /** Bytes of answers that may still be held. */
  get answerRoom(): number {
    return Math.max(0, this.#limits.maxAnswerBytes - this.answers.usedBytes)
  }

  /** Whether somebody waits until there is less. */
  get isStopped(): boolean {
    return this.#stopped.size > 0
  }

  /** Whether less requests are what they wait for: answers may be the cause as well. */
  get isStoppedByRequests(): boolean {
    return this.isStopped && this.#requestsAbove(0.5)
  }

  get isPressing(): boolean {
    return this.answers.usedBytes > this.#limits.maxAnswerBytes * ANSWERS_PRESSING
  }

  /** Whether no more is to be taken on: from when there are too many requests until there are half, or too many answers. */
  get isFull(): boolean {
    this.#isFull = this.#isAbove(this.#isFull ? 0.5 : 1)
    return this.#isFull
  }

  add(bytes: number): void {
    this.#requests++
    this.unanswered.add(bytes)
  }

  remove(requests: number, bytes: number): void {
    this.#requests -= requests
    this.unanswered.add(-bytes)
    this.#relieve()
  }

  /** Answers of so many bytes came; negative: left. */
  changeAnswers(bytes: number): void {
    this.answers.add(bytes)
    if (bytes < 0) this.#relieve()
    else if (this.isPressing) this.onPressure()
  }

  /** Calls back once when there is room; a second call with the same function changes nothing. */
  whenRelieved(goOn: () => void): void {
    this.#stopped.add(goOn)
    this.onPressure()
  }

  forget(goOn: () => void): void {
    this.#stopped.delete(goOn)
  }

  #isAbove(part: number): boolean {
    // Answers that stand still may hold all the room for a while.
    return this.#requestsAbove(part) || this.answers.usedBytes > this.#limits.maxAnswerBytes
  }

  #requestsAbove(part: number): boolean {
    const { maxBrokerRequests, maxBrokerBytes } = this.#limits
    return this.#requests > maxBrokerRequests * part || this.unanswered.usedBytes > maxBrokerBytes * part
  }

  /** In a turn of its own: whoever goes on may at once take on more. */
  #relieve(): void {
    if (this.#stopped.size === 0 || this.isFull) return
    const all = [...this.#stopped]
    this.#stopped.clear()
    this.#timers.defer(() => {
      for (const goOn of all) goOn()
    })
  }
}
