// Where two transcripts of a case differ, and which of those differences are known and have a reason.
import { readFileSync } from 'node:fs'
import type { Json } from './readable.ts'
import type { Exchange } from './scenario.ts'

export interface Difference {
  /** As in `produce/acks v9`. */
  readonly caseName: string
  /** Of the exchange. */
  readonly label: string
  /** `responses[0].errorCode`; empty for the whole answer. */
  readonly path: string
  readonly theirs: Json | undefined
  readonly ours: Json | undefined
}

/** A line of differences.md. */
export interface Known {
  readonly line: number
  readonly reason: string
  matches(difference: Difference): boolean
}

export function compare(caseName: string, theirs: readonly Exchange[], ours: readonly Exchange[]): Difference[] {
  const found: Difference[] = []
  for (let i = 0; i < Math.max(theirs.length, ours.length); i++) {
    const [their, our] = [theirs[i], ours[i]]
    const label = their?.label ?? our?.label ?? ''
    if (their === undefined || our === undefined || their.label !== our.label) {
      found.push({ caseName, label, path: 'label', theirs: their?.label, ours: our?.label })
      break
    }
    differ(their.answer, our.answer, '', (path, a, b) =>
      found.push({ caseName, label, path: path === '' ? 'answer' : path, theirs: a, ours: b }),
    )
  }
  return found
}

function differ(
  theirs: Json | undefined,
  ours: Json | undefined,
  path: string,
  found: (path: string, theirs: Json | undefined, ours: Json | undefined) => void,
): void {
  if (theirs === ours) return
  if (Array.isArray(theirs) && Array.isArray(ours)) {
    for (let i = 0; i < Math.max(theirs.length, ours.length); i++) differ(theirs[i], ours[i], `${path}[${i}]`, found)
  } else if (isObject(theirs) && isObject(ours)) {
    const names = [...new Set([...Object.keys(theirs), ...Object.keys(ours)])]
    for (const name of names) differ(theirs[name], ours[name], path === '' ? name : `${path}.${name}`, found)
  } else {
    found(path, theirs, ours)
  }
}

const isObject = (value: Json | undefined): value is { [name: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What a reason may be, and what it must name. */
const reasons: Readonly<Record<string, RegExp>> = {
  'on purpose': /\(\.\.\/\.\.\/docs\/[a-z-]+\.md(#[a-z0-9-]+)?\)/,
  'needs more brokers': /./,
  'Kafka defect': /KAFKA-\d+/,
  'changed since': /KAFKA-\d+|KIP-\d+|\.(java|scala)\b/,
}

/** Reads the tables of differences.md: case, exchange, field, reason; `*` stands for anything. */
export function readDifferences(path: string | URL): Known[] {
  const known: Known[] = []
  const lines = readFileSync(path, 'utf8').split('\n')
  lines.forEach((text, index) => {
    const cells = text.split('|').map(cell => cell.trim())
    if (cells.length !== 6 || cells[1]!.startsWith('---') || cells[1] === 'case') return
    const [, caseName, label, field, reason] = cells as [string, string, string, string, string, string]
    const kind = Object.keys(reasons).find(of => reason.startsWith(`${of}: `))
    if (kind === undefined || !reasons[kind]!.test(reason)) {
      throw new Error(`differences.md:${index + 1}: the reason is none of ${Object.keys(reasons).join(', ')}`)
    }
    const [inCase, inLabel, inField] = [caseName, label, field].map(pattern)
    known.push({
      line: index + 1,
      reason,
      matches: of => inCase!.test(of.caseName) && inLabel!.test(of.label) && inField!.test(of.path),
    })
  })
  return known
}

/** `code` marks of Markdown are left out; v4-12 at the end stands for these versions. */
function pattern(cell: string): RegExp {
  const range = / v(\d+)-(\d+)$/.exec(cell)
  if (range !== null) {
    const [from, to] = [Number(range[1]), Number(range[2])]
    const versions = Array.from({ length: to - from + 1 }, (_, i) => from + i).join('|')
    return new RegExp(`${source(cell.slice(0, range.index))} v(${versions})$`)
  }
  return new RegExp(`${source(cell)}$`)
}

function source(cell: string): string {
  const parts = cell
    .replaceAll('`', '')
    .split('*')
    .map(part => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`))
  return `^${parts.join('.*')}`
}

export const shown = (value: Json | undefined): string => {
  const text = value === undefined ? '(none)' : JSON.stringify(value)
  return text.length > 300 ? `${text.slice(0, 300)}… (${text.length} characters)` : text
}
