// A scenario: commands in an order, on a broker that is fresh.
import type { Tool } from '../runner.ts'
import type { Options, Transcript } from '../transcript.ts'

export interface ToolScenario {
  readonly name: string
  /** For our broker alone. */
  readonly keys?: Readonly<Record<string, string>>
  /** For both. */
  readonly sharedKeys?: Readonly<Record<string, string>>
  run(on: Transcript): Promise<void>
}

/** An entry for each line of text, as arguments divided by spaces. `'…'` keeps spaces. */
export const words = (line: string): string[] =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(match => match[1] ?? match[2]!)

/** `count` records with the keys `k0`, `k1`, …, which decide on their partitions, into a new topic. */
export async function filled(on: Transcript, topic: string, count: number, partitions = 1): Promise<void> {
  await on.quietly('kafka-topics', words(`--create --topic ${topic} --partitions ${partitions}`))
  const stdin = Array.from({ length: count }, (_, i) => `k${i}:v${i}\n`).join('')
  const reader = words('--reader-property parse.key=true --reader-property key.separator=:')
  await on.quietly('kafka-console-producer', [...words(`--topic ${topic}`), ...reader], { stdin })
}

/** Commands of one tool, one a line. `!` before one: it fails with the broker's words, which are its own. `~`: sorted. */
export async function runLines(on: Transcript, tool: Tool, lines: string, options: Options = {}): Promise<void> {
  for (const line of lines.trim().split('\n')) {
    const [, flags, command] = /^([!~]*)\s*(.*)$/.exec(line)!
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await on.run(tool, words(command!), {
      ...options,
      ...(flags!.includes('!') && { words: true }),
      ...(flags!.includes('~') && { sorted: true }),
    })
  }
}
