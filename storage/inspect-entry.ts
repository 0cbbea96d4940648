/** What the inspector tells of a file: its entries in order, what cannot be read of it, and what does not fit together. */

/** One line of text, and the same as an object; or something that cannot be read, where Kafka's tool would give up. */
export type Entry =
  | { readonly line: string; json(): { readonly [name: string]: unknown } }
  | { readonly problem: string; readonly position?: number }

type Pairs = Map<string, [bigint, bigint][]>

const into = (pairs: Pairs, path: string, first: bigint, second: bigint): void => {
  const found = pairs.get(path)
  if (found === undefined) pairs.set(path, [[first, second]])
  else found.push([first, second])
}

/** What DumpLogSegments tells at its end, on standard error. */
export class Findings {
  /** The file that is being read, as it is to be named. */
  path = ''
  readonly #gaps: Pairs = new Map()
  readonly #mismatches: Pairs = new Map()
  readonly #timestamps: Pairs = new Map()
  readonly #disorder: Pairs = new Map()
  readonly #missing: Pairs = new Map()

  /** A record does not follow the one before it in the file; -1: it is the first one. */
  gap(previous: bigint, offset: bigint): void {
    into(this.#gaps, this.path, previous, offset)
  }

  /** An index entry leads to a batch that ends with another offset. */
  mismatch(indexOffset: bigint, logOffset: bigint): void {
    into(this.#mismatches, this.path, indexOffset, logOffset)
  }

  timestampMismatch(indexTimestamp: bigint, logTimestamp: bigint): void {
    into(this.#timestamps, this.path, indexTimestamp, logTimestamp)
  }

  disorder(timestamp: bigint, previous: bigint): void {
    into(this.#disorder, this.path, timestamp, previous)
  }

  /** @param logOffset -1: no batch reaches that far */
  offsetNotFound(indexOffset: bigint, logOffset: bigint): void {
    into(this.#missing, this.path, indexOffset, logOffset)
  }

  lines(): string[] {
    const lines: string[] = []
    const add = (pairs: Pairs, title: string, line: (first: bigint, second: bigint) => string): void => {
      for (const [path, found] of pairs) lines.push(title + path, ...found.map(([a, b]) => line(a, b)))
    }
    const descending = new Map([...this.#mismatches].map(([path, pairs]) => [path, unique(pairs).toReversed()]))
    add(descending, 'Mismatches in :', (a, b) => `  Index offset: ${a}, log offset: ${b}`)
    add(this.#timestamps, 'Found timestamp mismatch in :', (a, b) => `  Index timestamp: ${a}, log timestamp: ${b}`)
    add(
      this.#disorder,
      'Found out of order timestamp in :',
      (a, b) => `  Index timestamp: ${a}, Previously indexed timestamp: ${b}`,
    )
    add(
      this.#missing,
      'The following indexed offsets are not found in :',
      (a, b) => `Indexed offset: ${a}, found log offset: ${b}`,
    )
    const gaps = new Map([...this.#gaps].map(([path, pairs]) => [path, unique(pairs)]))
    add(gaps, 'Non-consecutive offsets in ', (a, b) => `  ${a} is followed by ${b}`)
    return lines
  }
}

/** Ascending by the first of a pair, of which the last one counts. */
const unique = (pairs: readonly [bigint, bigint][]): [bigint, bigint][] =>
  [...new Map(pairs)].toSorted(([a], [b]) => (a < b ? -1 : 1))
