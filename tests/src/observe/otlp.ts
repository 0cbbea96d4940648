// Writes OTLP for tests: MetricsData with gauges and sums, field by field.

export type Value = string | number | boolean

const varint = (value: number): Buffer => {
  const bytes: number[] = []
  for (; value > 0x7f; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80)
  return Buffer.from([...bytes, value])
}

/** A field with a message, bytes or text. */
export const field = (number: number, content: Buffer | string): Buffer => {
  const bytes = Buffer.from(content)
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes])
}
export const int = (number: number, value: number): Buffer => Buffer.concat([varint(number * 8), varint(value)])
export const fixed = (number: number, value: bigint): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(value)
  return Buffer.concat([varint(number * 8 + 1), bytes])
}
export const double = (number: number, value: number): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleLE(value)
  return Buffer.concat([varint(number * 8 + 1), bytes])
}

export function attribute(number: number, key: string, value: Value): Buffer {
  const any =
    typeof value === 'string' ? field(1, value) : typeof value === 'boolean' ? int(2, Number(value)) : double(4, value)
  return field(number, Buffer.concat([field(1, key), field(2, any)]))
}

export interface TestMetric {
  readonly name: string
  readonly value: number
  readonly kind?: 'gauge' | 'sum'
  readonly delta?: boolean
  readonly attributes?: Readonly<Record<string, Value>>
  readonly timeMs?: number
}

export function metricsData(metrics: readonly TestMetric[], resource: Readonly<Record<string, Value>> = {}): Buffer {
  const labels = Object.entries(resource).map(([key, value]) => attribute(1, key, value))
  return field(1, Buffer.concat([field(1, Buffer.concat(labels)), field(2, Buffer.concat(metrics.map(metricField)))]))
}

function metricField({ name, value, kind = 'gauge', delta = false, attributes = {}, timeMs = 0 }: TestMetric): Buffer {
  const labels = Object.entries(attributes).map(([key, of]) => attribute(7, key, of))
  const number = Number.isInteger(value) ? fixed(6, BigInt(value)) : double(4, value)
  const point = field(1, Buffer.concat([fixed(3, BigInt(timeMs) * 1_000_000n), number, ...labels]))
  const data = Buffer.concat([point, ...(kind === 'sum' ? [int(2, delta ? 1 : 2), int(3, 1)] : [])])
  return field(2, Buffer.concat([field(1, name), field(kind === 'sum' ? 7 : 5, data)]))
}
