// A log port in memory that commits when told to and fails when told to.
import type { LogEntry, LogPort, StoredRecord } from '../../../src/coordinators/machine.ts'

export class MemoryLog implements LogPort {
  readonly records: StoredRecord[] = []
  /** Sizes of the batches appended. */
  readonly batches: number[] = []
  /** Thrown by the next appends, one each. */
  readonly failures: Error[] = []
  /** Commits with the append itself, like a single replica without sync. */
  autoCommit = true
  committed = 0
  /** How often everything was asked to be committed. */
  commits = 0
  sliceSize = 2
  /** Thrown while reading after this many slices. */
  readFailure: { after: number; error: Error } | null = null

  get end(): number {
    return this.records.length
  }

  append(entries: readonly LogEntry[]): number {
    const failure = this.failures.shift()
    if (failure) throw failure
    this.batches.push(entries.length)
    for (const { key, value } of entries) this.store({ key, value })
    if (this.autoCommit) this.committed = this.end
    return this.end
  }

  commit(): void {
    this.commits++
  }

  store(record: Partial<StoredRecord>): void {
    const { length } = this.records
    this.records.push({
      offset: length,
      key: null,
      value: null,
      producerId: -1,
      isTransactional: false,
      marker: null,
      ...record,
    })
  }

  async *read(): AsyncGenerator<readonly StoredRecord[]> {
    const { end } = this
    for (let at = 0, slices = 0; at < end; at += this.sliceSize, slices++) {
      if (this.readFailure?.after === slices) throw this.readFailure.error
      yield this.records.slice(at, Math.min(at + this.sliceSize, end))
    }
  }
}
