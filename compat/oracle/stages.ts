// Brokers that scenarios may ask for instead of the usual one: with several log directories, or in a directory of Apache Kafka's
// making whose voters are recorded (kraft.version 1). Each is started anew on both sides, for its scenarios alone.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Stage {
  /** Besides those of all brokers. */
  readonly keys: Readonly<Record<string, string>>
  /** How many log.dirs. */
  readonly dirs: number
  /** Formatted as `kafka-storage format --standalone` does: ours is opened in such a directory. */
  readonly standalone: boolean
}

const usual: Stage = { keys: {}, dirs: 1, standalone: false }

export const stages = {
  usual,
  'recorded voters': { ...usual, standalone: true },
  /** The usual one, whose kraft.version is raised. */
  'voters to record': usual,
  'two log directories': {
    ...usual,
    dirs: 2,
    // A directory that is gone is noticed with the next checkpoint at the latest.
    keys: { 'log.flush.offset.checkpoint.interval.ms': '500', 'log.initial.task.delay.ms': '100' },
  },
} satisfies Readonly<Record<string, Stage>>

export type StageName = keyof typeof stages
export const stageNames = Object.keys(stages) as StageName[]

/** What StorageTool of the newest judge wrote: contents by path, in base64. Its node is 1, as in keys.ts. */
const formatted = fileURLToPath(new URL('../../tests/oracle/fixtures/standalone.json', import.meta.url))

export function writeFormatted(files: ReadonlyMap<string, Buffer>): void {
  const entries = [...files].map(([path, bytes]) => [path, bytes.toString('base64')])
  writeFileSync(formatted, `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`)
}

/** Makes the log directories of our side; none where it is in memory. */
export function makeDirs({ dirs, standalone }: Stage): { dirs: string[]; remove: () => void } {
  if (dirs === 1 && !standalone) return { dirs: [], remove: () => {} }
  const folder = mkdtempSync(join(tmpdir(), 'odradek-oracle-ours-'))
  const paths = Array.from({ length: dirs }, (_, i) => join(folder, `data${i}`))
  for (const path of paths) mkdirSync(path)
  if (standalone) {
    for (const [name, bytes] of Object.entries(JSON.parse(readFileSync(formatted, 'utf8')) as Record<string, string>)) {
      const path = join(paths[0]!, name)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, Buffer.from(bytes, 'base64'))
    }
  }
  return { dirs: paths, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
