// The answers of the real brokers, kept so that the comparison can be repeated without Java.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { Judge } from './keys.ts'
import type { Exchange, Ranges } from './scenario.ts'

export interface Fixture {
  readonly ranges: Ranges
  readonly cases: ReadonlyMap<string, readonly Exchange[]>
}

const folder = join(dirname(fileURLToPath(import.meta.url)), '../../tests/oracle/fixtures')
const pathOf = (judge: Judge): string => join(folder, `kafka-${judge}.json.gz`)

/** Null where nothing was recorded yet. */
export function readFixture(judge: Judge): Fixture | null {
  if (!existsSync(pathOf(judge))) return null
  const { ranges, cases } = JSON.parse(gunzipSync(readFileSync(pathOf(judge))).toString()) as {
    ranges: [number, readonly [number, number]][]
    cases: [string, Exchange[]][]
  }
  return { ranges: new Map(ranges), cases: new Map(cases) }
}

export function writeFixture(judge: Judge, { ranges, cases }: Fixture): void {
  mkdirSync(folder, { recursive: true })
  const sorted = [...cases].sort(([a], [b]) => (a < b ? -1 : 1))
  const text = JSON.stringify({ ranges: [...ranges], cases: sorted })
  writeFileSync(pathOf(judge), gzipSync(text, { level: 9 }))
}
