// What `odradek protocol` prints: the list of APIs, and the layout of one version of an API.
import { requestHeaderVersion, responseHeaderVersion, type Api, type Message } from '../../../protocol/api.ts'
import { describeMessage, type FieldLine } from '../../../protocol/describe.ts'
import type { Shape } from '../../../protocol/schema.ts'

interface Served {
  readonly api: Api
  readonly versions: readonly [number, number]
  readonly advertised: readonly [number, number]
}

/** `3-13`, or `0` where there is one version. */
export const rangeText = ([min, max]: readonly [number, number]): string => (min === max ? `${min}` : `${min}-${max}`)

export function listText(served: readonly Served[], known: number): string {
  const rows = served.map(({ api, versions, advertised }) => [
    String(api.key),
    api.name,
    rangeText(versions),
    rangeText(advertised),
    api.flexible === Infinity ? 'none' : String(api.flexible),
  ])
  return `${columns([['key', 'API', 'served', 'advertised', 'flexible since'], ...rows])}
${served.length} APIs are served; odradek protocol API VERSION prints any version of the ${known} that are known.
`
}

export function layoutText(api: Api, version: number): string {
  const flexible = version >= api.flexible
  const first = flexible && version === api.flexible && version > api.versions[0]
  const form = flexible
    ? `flexible${first ? ', as the first version' : ''} (each struct ends with a section of tagged fields)`
    : 'not flexible'
  const unstable = version > api.latestStable ? '; Kafka calls it unstable' : ''
  return `${api.name} ${version}: API key ${api.key}, ${form}${unstable}

${messageText('Request', requestHeaderVersion(api, version), api.request, version)}
${messageText('Response', responseHeaderVersion(api, version), api.response, version)}`
}

function messageText(title: string, header: number, message: Message<Shape>, version: number): string {
  const { fields, gone } = describeMessage(message, version)
  const body = fields.length === 0 ? '  (empty)\n' : columns(fields.map(row))
  const lost = gone.length === 0 ? '' : `  gone since version ${version - 1}: ${gone.join(', ')}\n`
  return `${title}, header version ${header}\n${body}${lost}`
}

const row = ({ depth, name, type, notes }: FieldLine): string[] => [
  `${'  '.repeat(depth + 1)}${name}`,
  type,
  notes.join(', '),
]

/** Left-aligned columns, two spaces apart. */
function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(cells => cells[column]!.length)))
  return rows
    .map(cells =>
      cells
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .map(line => `${line}\n`)
    .join('')
}
