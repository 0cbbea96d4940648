// How much of each API the recorded exchanges show: how many there are, how many are refused, and which of the error codes
// that Kafka can answer. Printed as coverage.md by `npm run oracle -- --coverage` and with every recording, and checked by tests/oracle/coverage.test.ts.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Handler } from '../../src/apis/handler.ts'
import { errorOf } from '../../protocol/errors.ts'
import { servedApis } from '../../src/apis/served.ts'
import { readFixture } from './fixtures.ts'
import { versionGroup } from './groups-of-versions.ts'
import { judges } from './keys.ts'
import { notShown, notShownOf, possibleErrors } from './possible-errors.ts'
import type { Json } from './readable.ts'
import type { Exchange, Ranges } from './scenario.ts'
import { unjudged } from './sides.ts'

export interface ApiCoverage {
  readonly api: string
  /** Distinct in group of versions and behaviour. */
  readonly exchanges: number
  /** Those with an error code in the answer, or with none because the connection was closed. */
  readonly refused: number
  /** Names of codes with the first exchange that shows each. */
  readonly shown: ReadonlyMap<string, string>
}

export const served: readonly Handler[] = servedApis({
  'odradek.as.version': null,
  'unstable.api.versions.enable': true,
})

const fixtures = () => judges.flatMap(judge => readFixture(judge) ?? [])

/** Every API that is served, in the order of their keys. */
export function coverage(): ApiCoverage[] {
  const byApi = new Map<string, { caseName: string; exchange: Exchange }[]>(served.map(({ api }) => [api.name, []]))
  for (const { cases } of fixtures())
    for (const [caseName, exchanges] of cases)
      for (const exchange of exchanges) byApi.get(exchange.api)?.push({ caseName, exchange })
  return served.map(({ api }) => {
    const all = new Set<string>()
    const refused = new Set<string>()
    const shown = new Map<string, string>()
    for (const { caseName, exchange } of byApi.get(api.name)!) {
      const { label, version, answer } = exchange
      const scenarioName = caseName.replace(/ v\d+$/, '')
      const behaviour = [scenarioName, versionGroup(api, version), label].join('\n')
      all.add(behaviour)
      const codes = errorCodes(answer)
      if (answer === 'closed' || codes.length > 0) refused.add(behaviour)
      for (const code of codes) {
        const { name } = errorOf(code)
        if (!shown.has(name)) shown.set(name, `${scenarioName}: ${label}`)
      }
    }
    return { api: api.name, exchanges: all.size, refused: refused.size, shown }
  })
}

function errorCodes(answer: Json): number[] {
  if (Array.isArray(answer)) return answer.flatMap(errorCodes)
  if (typeof answer !== 'object' || answer === null) return []
  return Object.entries(answer).flatMap(([name, value]) =>
    /errorCode$/i.test(name) && typeof value === 'number' ? (value === 0 ? [] : [value]) : errorCodes(value),
  )
}

/** Names of the codes that Kafka can answer. */
export const possibleOf = (api: string): string[] => possibleErrors[api]?.split(' ') ?? []

export const reasonOf = (api: string, code: string): string | undefined =>
  notShownOf[`${api} ${code}`] ?? notShown[code]

/** Versions that no Apache Kafka that can be had serves. */
export function unjudgedVersions(): string[] {
  const ranges: Ranges[] = fixtures().map(fixture => fixture.ranges)
  return unjudged(ranges)
}

export function page(): string {
  const found = coverage()
  const possible = found.flatMap(({ api, shown }) => possibleOf(api).map(code => ({ api, code, by: shown.get(code) })))
  const distinct = new Set(possible.map(({ code }) => code))
  const distinctShown = new Set(possible.filter(({ by }) => by !== undefined).map(({ code }) => code))
  const sum = (of: (line: ApiCoverage) => number): number => found.reduce((total, line) => total + of(line), 0)
  const count = (api: string): number => possible.filter(line => line.api === api).length
  const countShown = (api: string): number => possible.filter(line => line.api === api && line.by !== undefined).length
  const pairsShown = possible.filter(({ by }) => by !== undefined).length
  return [
    '# What the exchanges with Apache Kafka cover',
    '<!-- Printed by `npm run oracle -- --coverage` from the recorded exchanges; do not edit. -->',
    'Exchanges are distinct in API, group of versions and behaviour. *Refused* are those that answer an error code or close ' +
      'the connection. *Codes* are the error codes that Apache Kafka can answer for an API, as far as exchanges show them.',
    table(
      ['API', 'exchanges', 'refused', 'codes shown', 'codes possible'],
      [
        ...found.map(({ api, exchanges, refused }) => [api, exchanges, refused, countShown(api), count(api)]),
        ['**all**', sum(line => line.exchanges), sum(line => line.refused), pairsShown, possible.length],
        ['**distinct codes**', '', '', distinctShown.size, distinct.size],
      ],
    ),
    '## Served, and judged by no Apache Kafka that can be had',
    unjudgedVersions()
      .map(line => `- ${line}`)
      .join('\n'),
    '## Error codes and the exchanges that show them',
    table(
      ['API', 'code', 'shown by, or why not'],
      possible.map(({ api, code, by }) => [api, code, by ?? `*${reasonOf(api, code) ?? 'missing'}*`]),
    ),
    '',
  ].join('\n\n')
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string =>
    `| ${cells.map(cell => String(cell).replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

const path = fileURLToPath(new URL('coverage.md', import.meta.url))

export const writtenPage = (): string => readFileSync(path, 'utf8')

export function writePage(): void {
  writeFileSync(path, page())
  console.log('Wrote compat/oracle/coverage.md')
}
