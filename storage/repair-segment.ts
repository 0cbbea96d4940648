/** Puts a segment together, from the pieces a survey finds, for a repair plan: what stays, what goes, and what is lost with it. */
import { lastOffsetOf, leaderEpochOf } from './batch-cursor.ts'
import type { BadPiece, SurveyedBatch } from './inspect-survey.ts'
import { epochAt, firstOffsetOf } from './inspect-verify.ts'
import type { EpochEntry } from './leader-epochs.ts'
import type { BadBytes, Part, SegmentRepair, WrongField } from './repair-plan.ts'

/** The offsets of all batches that stay in a log, which rise. Grows with the gaps between them. */
export class CarriedOffsets {
  readonly #ranges: { first: number; last: number }[] = []

  add(first: number, last: number): void {
    const latest = this.#ranges.at(-1)
    if (latest !== undefined && latest.last + 1 === first) latest.last = last
    else this.#ranges.push({ first, last })
  }

  /** From the first to the last of the offsets that no batch carries; null: there are none. */
  missingOf({ first, last }: { first: number; last: number }): { from: number; to: number } | null {
    let [from, to] = [first, last]
    for (const range of this.#ranges) if (range.first <= from && range.last >= from) from = range.last + 1
    for (const range of this.#ranges.toReversed()) if (range.first <= to && range.last >= to) to = range.first - 1
    return from <= to ? { from, to } : null
  }
}

/** Puts a segment together from what is right of it. */
export class PlannedSegment {
  /** Behind the last offset that has its place. */
  end: number
  readonly result = {
    bad: [] as BadBytes[],
    fields: [] as WrongField[],
    moved: [] as { position: number; first: number; last: number }[],
    parts: [] as Part[],
  }
  readonly #epochs: readonly EpochEntry[]
  readonly #carried: CarriedOffsets
  /** Bad bytes since the last batch. */
  #open: BadPiece[] = []
  /** Batches that are right, and have not found their place. */
  #held: BadPiece[] = []
  #latest = -1

  /** @param carried offsets of this segment's batches are added to those of the segments before */
  constructor(from: number, epochs: readonly EpochEntry[], carried: CarriedOffsets) {
    this.end = from
    this.#epochs = epochs
    this.#carried = carried
  }

  batch({ position, size, bytes }: SurveyedBatch): void {
    const first = firstOffsetOf(bytes)
    this.#closeBefore(first)
    const found = leaderEpochOf(bytes, 0)
    const expected = epochAt(this.#epochs, first)
    const isWrong = found >= 0 && expected >= 0 && found !== expected
    if (isWrong) this.result.fields.push({ position: position + 12, name: 'leader epoch', found, expected })
    this.#latest = isWrong ? expected : found
    this.#keep(position, size, first, lastOffsetOf(bytes, 0))
  }

  wrongOffset({ position, size }: BadPiece, { found, expected, lastDelta }: NonNullable<BadPiece['offset']>): void {
    this.#closeBefore(expected)
    this.result.fields.push({ position, name: 'base offset', found, expected })
    this.#keep(position, size, expected, expected + lastDelta)
  }

  bad(piece: BadPiece): void {
    if (piece.misplaced === undefined) this.#open.push(piece)
    else this.#held.push(piece)
  }

  /** @returns the offsets that no batch has at the end, though nothing was there that could have had them */
  finish(next: number | null, compacted: boolean): SegmentRepair['missing'] {
    let missing: SegmentRepair['missing'] = null
    if (next !== null) {
      const before = this.end
      const hadReason = this.#closeBefore(next)
      if (!hadReason && before < next && this.end < next && !compacted) {
        missing = { from: this.end, to: next - 1 }
        this.#fill(missing)
      }
    } else {
      this.#place(Infinity)
      for (const piece of this.#open) this.#note(piece, { from: this.end, to: null })
    }
    for (const piece of this.#held) {
      this.#note(piece, this.#carried.missingOf(piece.misplaced!))
    }
    return missing
  }

  /** Up to a batch that begins at `first`. @returns whether what is missing there has a reason */
  #closeBefore(first: number): boolean {
    this.#place(first)
    const inGap = this.#held.filter(({ misplaced }) => misplaced!.first >= this.end && misplaced!.last < first)
    const reasons = [...this.#open, ...inGap]
    const lost = reasons.length > 0 && first > this.end ? { from: this.end, to: first - 1 } : null
    for (const piece of reasons) this.#note(piece, lost)
    if (lost !== null) this.#fill(lost)
    this.#open = []
    this.#held = this.#held.filter(piece => !inGap.includes(piece))
    return reasons.length > 0
  }

  /** Batches that stood elsewhere, where they belong. */
  #place(before: number): void {
    for (;;) {
      const fits = this.#held.find(({ misplaced }) => misplaced!.first === this.end && misplaced!.last < before)
      if (fits === undefined || this.#open.length > 0) return
      this.#held.splice(this.#held.indexOf(fits), 1)
      this.#keep(fits.position, fits.size, fits.misplaced!.first, fits.misplaced!.last)
      this.result.moved.push({ position: fits.position, ...fits.misplaced! })
    }
  }

  #note({ position, size, problem }: BadPiece, lost: BadBytes['lost']): void {
    this.result.bad.push({ position, size, problem, lost })
  }

  #keep(position: number, size: number, first: number, last: number): void {
    this.#carried.add(first, last)
    this.end = last + 1
    const before = this.result.parts.at(-1)
    if (before !== undefined && 'copy' in before && before.copy.position + before.copy.size === position) {
      this.result.parts[this.result.parts.length - 1] = {
        copy: { position: before.copy.position, size: before.copy.size + size },
      }
    } else this.result.parts.push({ copy: { position, size } })
  }

  #fill({ from, to }: { from: number; to: number }): void {
    this.result.parts.push({ fill: { from, to, epoch: Math.max(this.#latest, epochAt(this.#epochs, from)) } })
  }
}
