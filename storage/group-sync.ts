/**
 * Group commit: at most one sync is under way; everybody who asks meanwhile shares the one after it, which covers what they
 * wrote.
 */
export class GroupSync {
  readonly #round: () => Promise<void>
  #running: Promise<void> | null = null
  #next: Promise<void> | null = null

  /** @param round one sync of everything written before it is called; must not throw before its promise exists */
  constructor(round: () => Promise<void>) {
    this.#round = round
  }

  /** Settles with a round that began after this call. */
  sync(): Promise<void> {
    if (this.#running === null) return this.#start()
    const start = () => this.#start()
    return (this.#next ??= this.#running.then(start, start))
  }

  /** Resolves when no round is under way, whatever became of it: those who asked for it know. */
  async idle(): Promise<void> {
    while (this.#running !== null) await Promise.allSettled([this.#running])
  }

  #start(): Promise<void> {
    this.#next = null
    const running = this.#round().finally(() => {
      this.#running = null
    })
    this.#running = running
    return running
  }
}
