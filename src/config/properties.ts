// Reads Java's .properties format (java.util.Properties.load): comments, `=`, `:` or white space as separator,
// continuation lines, and the escapes \t \n \r \f \uXXXX.

import { ConfigError } from './values.ts'

export interface Property {
  readonly key: string
  readonly value: string
  /** Line on which the entry starts, counted from 1. */
  readonly line: number
}

/**
 * All entries in file order; a key that stands twice comes twice, the last one counts.
 * @throws ConfigError for an escape \u without four hexadecimal digits
 */
export function parseProperties(text: string): Property[] {
  const entries: Property[] = []
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)
  for (let at = 0; at < lines.length; at++) {
    let line = lines[at]!.replace(/^[ \t\f]+/, '')
    if (line === '' || line.startsWith('#') || line.startsWith('!')) continue
    const start = at + 1
    while (endsInEscape(line)) line = line.slice(0, -1) + (lines[++at] ?? '').replace(/^[ \t\f]+/, '')
    entries.push(split(line, start))
  }
  return entries
}

/** An odd number of backslashes at the end joins the next line. */
function endsInEscape(line: string): boolean {
  return /\\*$/.exec(line)![0].length % 2 === 1
}

function split(line: string, start: number): Property {
  let end = 0
  while (end < line.length && !/[ \t\f=:]/.test(line[end]!)) end += line[end] === '\\' ? 2 : 1
  const rest = line.slice(end).replace(/^[ \t\f]*[=:]?[ \t\f]*/, '')
  return { key: unescape(line.slice(0, end), start), value: unescape(rest, start), line: start }
}

const controls: Record<string, string> = { t: '\t', n: '\n', r: '\r', f: '\f' }

function unescape(text: string, line: number): string {
  return text.replaceAll(/\\(u[\da-fA-F]{4}|[^])/g, (_, escape: string) => {
    if (escape.length > 1) return String.fromCharCode(Number.parseInt(escape.slice(1), 16))
    if (escape === 'u') throw new ConfigError(`line ${line}: \\u must be followed by four hexadecimal digits.`)
    return controls[escape] ?? escape
  })
}
