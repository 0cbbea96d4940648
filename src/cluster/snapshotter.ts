/**
 * When a snapshot of the metadata is due (SnapshotGenerator.java): once so many bytes of records were committed since the
 * last one, or some were and so much time has passed. One is written at a time, from an image that stands still meanwhile.
 */
import type { FrozenImage } from './image.ts'
import type { SnapshotToWrite } from './snapshot.ts'

export interface SnapshotRules {
  /** `metadata.log.max.record.bytes.between.snapshots` */
  readonly maxBytes: number
  /** `metadata.log.max.snapshot.interval.ms`; 0: time alone asks for none. */
  readonly intervalMs: number
}

/** Its image is released when it is written, or could not be. */
export type SnapshotTaken = SnapshotToWrite & { readonly image: FrozenImage }

export interface SnapshotterOptions {
  readonly rules: SnapshotRules
  /** Milliseconds. */
  readonly now: () => number
  readonly write: (snapshot: SnapshotToWrite) => Promise<void>
  /** Told of every failure. The records stay in the log; the next one is tried when it is due. */
  readonly onError: (error: Error) => void
}

export class Snapshotter {
  readonly #o: SnapshotterOptions
  #bytes: number
  #since: number
  #writing: Promise<void> | null = null

  /** `bytes`: what the log holds behind the newest snapshot. */
  constructor(options: SnapshotterOptions, bytes: number) {
    this.#o = options
    this.#bytes = bytes
    this.#since = options.now()
  }

  committed(bytes: number): void {
    this.#bytes += bytes
  }

  /** Begins to write what `take` gives, if it is due. Null from `take`: there is none to be had at this moment. */
  writeIfDue(take: () => SnapshotTaken | null): void {
    const { rules, now } = this.#o
    const waited = rules.intervalMs > 0 && this.#bytes > 0 && now() - this.#since >= rules.intervalMs
    if (this.#bytes >= rules.maxBytes || waited) void this.write(take)
  }

  /** Resolves when it is written, or could not be. */
  async write(take: () => SnapshotTaken | null): Promise<void> {
    if (this.#writing !== null) return
    const snapshot = take()
    if (snapshot === null) return
    this.#bytes = 0
    this.#since = this.#o.now()
    this.#writing = this.#write(snapshot)
    await this.#writing
    this.#writing = null
  }

  async #write(snapshot: SnapshotTaken): Promise<void> {
    try {
      await this.#o.write(snapshot)
    } catch (error) {
      this.#o.onError(error instanceof Error ? error : new Error(String(error)))
    } finally {
      snapshot.image.release()
    }
  }

  async idle(): Promise<void> {
    await this.#writing
  }
}
