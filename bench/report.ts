// The table: of every measure of every row the median of each side with minimum and maximum, and the ratios.
import type { Side } from './brokers.ts'
import type { Measure, Row, Sample } from './row.ts'

export interface Result {
  readonly row: Row
  /** By the id of the side; the order is that of the runs. */
  readonly samples: ReadonlyMap<Side['id'], readonly Sample[]>
}

export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

export function spread(values: readonly number[]): Spread | null {
  if (values.length === 0) return null
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
  return { median, min: sorted[0]!, max: sorted.at(-1)! }
}

export function spreadOf(result: Result, side: Side['id'], measure: Measure): Spread | null {
  const samples = result.samples.get(side) ?? []
  return spread(samples.flatMap(({ values }) => values[measure.key] ?? []))
}

/** Lines of Markdown. `sides`: as columns, ours first. */
export function table(results: readonly Result[], all: readonly Side[]): string[] {
  const sides = all.filter(({ id }) => results.some(({ samples }) => samples.has(id)))
  const peers = sides.filter(({ id }) => id !== 'ours' && id !== 'defaults')
  const withDefaults = sides.some(({ id }) => id === 'defaults')
  const head = [
    'row',
    'measure',
    ...sides.map(({ title }) => title),
    ...peers.flatMap(({ title }) => [`ours / ${title}`, ...(withDefaults ? [`at our defaults / ${title}`] : [])]),
  ]
  const lines = results.flatMap(result =>
    result.row.measures.map((measure, index) => {
      const spreads = new Map(sides.map(({ id }) => [id, spreadOf(result, id, measure)]))
      const ratio = (of: Side['id'], to: Side['id']): string => {
        const [a, b] = [spreads.get(of), spreads.get(to)]
        return a && b && b.median > 0 ? `${(a.median / b.median).toFixed(2)}x` : ''
      }
      return [
        index === 0 ? result.row.name : '',
        `${measure.unit}${measure.better === 'less' ? ' (less is better)' : ''}`,
        ...sides.map(({ id }) => shown(spreads.get(id) ?? null)),
        ...peers.flatMap(({ id }) => [ratio('ours', id), ...(withDefaults ? [ratio('defaults', id)] : [])]),
      ]
    }),
  )
  return markdown([head, head.map(() => '---'), ...lines])
}

/** Who the client was of each row, how busy it was, and what was promised. */
export function clients(results: readonly Result[], sides: readonly Side[]): string[] {
  const head = [
    'row',
    'what it stands for',
    'client',
    'client: processors busy',
    'client: its limit',
    'others: processors',
  ]
  const lines = results.map(({ row, samples }) => {
    const each = (of: (sample: Sample) => number | undefined, text: (value: number) => string): string =>
      sides
        .map(({ id }) => spread((samples.get(id) ?? []).flatMap(sample => of(sample) ?? [])))
        .flatMap(found => (found === null ? [] : [text(found.median)]))
        .join(' / ')
    return [
      row.name,
      row.promise,
      row.client,
      each(
        ({ client }) => client?.cores,
        cores => cores.toFixed(2),
      ),
      each(({ client }) => client?.perCore, rateText),
      each(
        ({ othersCores }) => othersCores,
        cores => cores.toFixed(2),
      ),
    ]
  })
  return markdown([head, head.map(() => '---'), ...lines])
}

const markdown = (rows: readonly (readonly string[])[]): string[] => rows.map(cells => `| ${cells.join(' | ')} |`)

const rateText = (perCore: number): string => `${number(perCore)}/s per processor`

const shown = (found: Spread | null): string =>
  found === null ? '' : `${number(found.median)} (${number(found.min)} to ${number(found.max)})`

/** Three digits that count. */
export function number(value: number): string {
  if (value >= 999_500) return `${(value / 1e6).toPrecision(3)} M`
  if (value >= 9995) return `${Number((value / 1000).toPrecision(3))} k`
  if (value >= 100) return String(Math.round(value))
  return value === 0 ? '0' : value.toPrecision(value < 1 ? 2 : 3)
}
