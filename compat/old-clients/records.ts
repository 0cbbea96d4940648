// What every client of this folder produces, and how what consumers print is compared with it.
import { deepStrictEqual } from 'node:assert'

export interface Plain {
  readonly key: string | null
  readonly value: string | null
}

export const PER_CODEC = 10

/** Ten records for each codec: some without a key, a tombstone, a long one. The other programs have the same formula. */
export const recordsOf = (label: string, codecs: readonly string[]): Plain[] =>
  codecs.flatMap(codec =>
    Array.from({ length: PER_CODEC }, (_, i) => ({
      key: i % 5 === 0 ? null : `${codec}-${i}`,
      value: i === 7 ? null : `${label} ${codec} ${i}${i === 3 ? 'x'.repeat(3000) : ''}`,
    })),
  )

const text = (value: string | null): string => value ?? '\\N'

/** Fails unless the lines are these records, in this order, with consecutive offsets from `first` on. */
export function expectLines(output: string, expected: readonly Plain[], first = 0): void {
  const lines = output.split('\n').filter(line => /^\d+\t/.test(line))
  const wanted = expected.map(({ key, value }, i) => `${first + i}\t${text(key)}\t${text(value)}`)
  deepStrictEqual(lines, wanted)
}
