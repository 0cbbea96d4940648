/**
 * `leader-epoch-checkpoint`: at which offset each leader epoch began (KIP-101, LeaderEpochFileCache.java), a checkpoint
 * file with lines `epoch startOffset`. Epochs and offsets both rise. LeaderEpochs is its content in memory; whoever changes
 * it (methods that say so return true) writes the file.
 */
import { formatCheckpoint, integer, parseCheckpoint } from './checkpoint.ts'
import { CorruptFileError } from './errors.ts'

export interface EpochEntry {
  readonly epoch: number
  readonly startOffset: number
}

export const UNDEFINED_EPOCH = -1
export const UNDEFINED_EPOCH_OFFSET = -1

export class LeaderEpochs {
  #entries: EpochEntry[] = []

  constructor(entries: readonly EpochEntry[] = []) {
    for (const { epoch, startOffset } of entries) this.assign(epoch, startOffset)
  }

  get entries(): readonly EpochEntry[] {
    return this.#entries
  }

  get latest(): EpochEntry | null {
    return this.#entries.at(-1) ?? null
  }

  /** -1 when none is known. */
  get latestEpoch(): number {
    return this.latest?.epoch ?? UNDEFINED_EPOCH
  }

  /**
   * The epoch begins at the offset. Entries that contradict it (a later epoch, or one that began there or later) go.
   * @returns whether anything changed
   */
  assign(epoch: number, startOffset: number): boolean {
    if (epoch < 0 || startOffset < 0) throw new RangeError(`leader epoch ${epoch} from offset ${startOffset}`)
    const { latest } = this
    if (latest !== null && latest.epoch === epoch && latest.startOffset <= startOffset) return false
    while (this.latest !== null && (this.latest.epoch >= epoch || this.latest.startOffset >= startOffset)) {
      this.#entries.pop()
    }
    this.#entries.push({ epoch, startOffset })
    return true
  }

  /** Drops the epochs that began at or behind the new end of the log. @returns whether anything changed */
  truncateFromEnd(endOffset: number): boolean {
    if (endOffset < 0) return false
    const before = this.#entries.length
    while (this.latest !== null && this.latest.startOffset >= endOffset) this.#entries.pop()
    return this.#entries.length < before
  }

  /**
   * Drops the epochs that ended at or before the new start of the log; the one in force there begins there.
   * @returns whether anything changed
   */
  truncateFromStart(startOffset: number): boolean {
    let count = 0
    while ((this.#entries[count]?.startOffset ?? Infinity) <= startOffset) count++
    const inForce = this.#entries[count - 1]
    if (inForce === undefined) return false
    this.#entries.splice(0, count, { epoch: inForce.epoch, startOffset })
    return count > 1 || inForce.startOffset !== startOffset
  }

  clear(): void {
    this.#entries = []
  }

  /**
   * The answer of OffsetForLeaderEpoch: the largest known epoch at or below the one asked for, and where the next one begins
   * (the end of the log for the latest); both -1 for an epoch that is not known yet.
   */
  endOffsetFor(epoch: number, logEndOffset: number): { epoch: number; endOffset: number } {
    const undefinedEnd = { epoch: UNDEFINED_EPOCH, endOffset: UNDEFINED_EPOCH_OFFSET }
    if (epoch === UNDEFINED_EPOCH) return undefinedEnd
    if (epoch === this.latestEpoch) return { epoch, endOffset: logEndOffset }
    const higher = this.#entries.findIndex(entry => entry.epoch > epoch)
    const next = this.#entries[higher]
    if (next === undefined) return undefinedEnd
    return { epoch: this.#entries[higher - 1]?.epoch ?? epoch, endOffset: next.startOffset }
  }

  /** The epoch a record at this offset was written in, -1 when unknown. */
  epochForOffset(offset: number): number {
    let epoch = UNDEFINED_EPOCH
    for (const entry of this.#entries) {
      if (entry.startOffset > offset) break
      ;({ epoch } = entry)
    }
    return epoch
  }

  /** Those that began before `end`. */
  format(end = Infinity): Buffer {
    return formatLeaderEpochs(this.#entries.filter(({ startOffset }) => startOffset < end))
  }
}

/** @throws CorruptFileError */
export function parseLeaderEpochs(data: Buffer, path: string): EpochEntry[] {
  return parseCheckpoint(data, path).map(line => {
    const [epoch, startOffset, ...more] = line.split(/\s+/).map(integer)
    if (epoch === undefined || startOffset === undefined || more.length > 0 || !(epoch >= 0) || !(startOffset >= 0)) {
      throw new CorruptFileError(path, `malformed line ${JSON.stringify(line)}`)
    }
    return { epoch, startOffset }
  })
}

export function formatLeaderEpochs(entries: readonly EpochEntry[]): Buffer {
  return formatCheckpoint(entries.map(({ epoch, startOffset }) => `${epoch} ${startOffset}`))
}
