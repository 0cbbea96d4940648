// How two transcripts differ, line by line, and which differences are known, with their reasons.
import { readFileSync } from 'node:fs'
import type { Step } from './transcript.ts'

export interface Difference {
  readonly command: string
  /** `- ` and a line that only Kafka's tool printed against Apache Kafka, `+ ` and one that it printed against us. */
  readonly line: string
}

export interface Known {
  readonly line: number
  matches(scenario: string, difference: Difference): boolean
}

const reasons = /^(?:on purpose|needs more brokers|Kafka defect|changed since|not served yet): \S/

/** The table of differences.md: command, line, reason. `*` stands for anything. */
export function readDifferences(path: URL): Known[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((text, i) => {
      const cells = /^\| (.+?) \| `([-+] .+?)` \| (.+) \|$/.exec(text)
      if (cells === null) {
        if (/^\| (?!command|---)/.test(text)) throw new Error(`differences.md:${i + 1} is no line of the table`)
        return []
      }
      if (!reasons.test(cells[3]!)) throw new Error(`differences.md:${i + 1} gives no reason`)
      const [command, line] = [pattern(cells[1]!.replaceAll('`', '')), pattern(cells[2]!)]
      return [
        {
          line: i + 1,
          matches: (scenario: string, difference: Difference) =>
            command.test(`${scenario}: ${difference.command}`) && line.test(difference.line),
        },
      ]
    })
}

const pattern = (text: string): RegExp =>
  new RegExp(`^${text.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`)

export function compare(theirs: readonly Step[], ours: readonly Step[]): Difference[] {
  const count = Math.max(theirs.length, ours.length)
  return Array.from({ length: count }, (_, i) => [theirs[i], ours[i]] as const).flatMap(([one, other]) => {
    const command = (one ?? other)!.command
    if (one?.command !== other?.command) {
      return [
        ...(one === undefined ? [] : [{ command, line: `- $ ${one.command}` }]),
        ...(other === undefined ? [] : [{ command, line: `+ $ ${other.command}` }]),
      ]
    }
    return lineByLine(one!.lines, other!.lines).map(line => ({ command, line }))
  })
}

/** What is left of both beside their longest common subsequence. */
function lineByLine(a: readonly string[], b: readonly string[]): string[] {
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1))
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i]![j] = a[i] === b[j] ? lengths[i + 1]![j + 1]! + 1 : Math.max(lengths[i + 1]![j]!, lengths[i]![j + 1]!)
    }
  }
  const left: string[] = []
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      i++
      j++
    } else if (i < a.length && (j === b.length || lengths[i + 1]![j]! >= lengths[i]![j + 1]!)) left.push(`- ${a[i++]}`)
    else left.push(`+ ${b[j++]}`)
  }
  return left
}
