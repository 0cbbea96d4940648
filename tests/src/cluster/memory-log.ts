/** A metadata log in memory that loses what was not committed when it crashes, and fails on command. */
import * as batch from '../../../protocol/records/batch.ts'
import type { MetadataLog, QuorumStateFile } from '../../../src/cluster/metadata-log.ts'

export class MemoryLog implements MetadataLog {
  readonly snapshot: MetadataLog['snapshot'] = null
  #batches: Buffer[] = []
  #durable = 0
  /** Called before each append and commit; throws to make it fail. */
  fault: (call: 'append' | 'commit') => void = () => {}
  /** Held commits wait here until `release`. */
  hold = false
  #waiting: (() => void)[] = []
  commits = 0

  constructor(bytes: Buffer = Buffer.alloc(0)) {
    for (const at of batch.batchesOf(bytes)) this.#batches.push(bytes.subarray(at, at + batch.sizeInBytes(bytes, at)))
    this.#durable = this.#batches.length
  }

  get endOffset(): number {
    const last = this.#batches.at(-1)
    return last === undefined ? 0 : batch.nextOffset(last, 0)
  }
  get batchCount(): number {
    return this.#batches.length
  }
  append(bytes: Buffer, leaderEpoch: number): void {
    this.fault('append')
    const copy = Buffer.from(bytes)
    batch.setBaseOffset(copy, 0, this.endOffset)
    batch.setLeaderEpoch(copy, 0, leaderEpoch)
    this.#batches.push(copy)
  }
  async commit(): Promise<void> {
    const upTo = this.#batches.length
    this.commits++
    if (this.hold) await new Promise<void>(resolve => this.#waiting.push(resolve))
    this.fault('commit')
    this.#durable = Math.max(this.#durable, upTo)
  }
  release(): void {
    this.hold = false
    for (const resume of this.#waiting.splice(0)) resume()
  }
  *read(): Iterable<Buffer> {
    for (const bytes of this.#batches) yield bytes
  }
  /** The log as a power cut leaves it: what was committed, and `torn` of the batches behind. */
  crashed(torn = 0): MemoryLog {
    return new MemoryLog(Buffer.concat(this.#batches.slice(0, this.#durable + torn)))
  }
  /** Only the first `count` batches. */
  first(count: number): MemoryLog {
    return new MemoryLog(Buffer.concat(this.#batches.slice(0, count)))
  }
}

export class MemoryQuorumState implements QuorumStateFile {
  data: Buffer | null = null
  read(): Buffer | null {
    return this.data
  }
  async write(data: Buffer): Promise<void> {
    this.data = data
  }
}
