// Reads what clients push: an OpenTelemetry MetricsData message in protobuf, of which the gauges and sums with numbers are
// taken (Kafka clients send no others), the rest is skipped. Never trusts a length, reads a bounded number of fields, and
// takes at most `maxPoints`. OTLP: opentelemetry/proto/metrics/v1/metrics.proto.
import { isUtf8 } from 'node:buffer'

export type Attribute = string | number | boolean
export type Attributes = Readonly<Record<string, Attribute>>

export interface Point {
  readonly name: string
  readonly kind: 'gauge' | 'sum'
  /** Of sums: what was added since the last push, not since the beginning. */
  readonly isDelta: boolean
  readonly attributes: Attributes
  readonly value: number
  /** Milliseconds since the epoch; 0: not told. */
  readonly startMs: number
  readonly timeMs: number
}

export interface MetricsData {
  /** Of all resources together; Kafka clients send one. */
  readonly resource: Attributes
  readonly points: readonly Point[]
  /** Points beyond the limit. */
  readonly omitted: number
}

/** The bytes are no MetricsData. */
export class OtlpError extends Error {
  override readonly name = 'OtlpError'
}

/** A megabyte may hold half a million fields, each of which takes its time; a push of Kafka's clients has some thousands. */
const MAX_FIELDS = 100_000

const DELTA = 1
const [VARINT, FIXED64, LENGTH, FIXED32] = [0, 1, 2, 5]
const NANOS = 1_000_000n

/** Called with the number and wire type of a field; what it does not read is skipped. */
type Field = (number: number, type: number, from: Proto) => void

/** Fields that may still be read, in all messages of a push together. */
interface Budget {
  fields: number
}

/** One protobuf message. */
class Proto {
  readonly #bytes: Buffer
  #at: number
  readonly #end: number
  readonly #budget: Budget

  constructor(bytes: Buffer, at: number, end: number, budget: Budget) {
    this.#bytes = bytes
    this.#at = at
    this.#end = end
    this.#budget = budget
  }

  copy(): Proto {
    return new Proto(this.#bytes, this.#at, this.#end, this.#budget)
  }

  /** Calls `field` for each field. It reads the value with one of the functions below, or leaves it. */
  each(field: Field): void {
    while (this.#at < this.#end) {
      if (--this.#budget.fields < 0) throw new OtlpError(`More than ${MAX_FIELDS} fields`)
      const tag = this.varint()
      const [number, type] = [Number(tag >> 3n), Number(tag & 7n)]
      if (number === 0 || tag > 0xffffffffn) throw new OtlpError('A field without a number')
      const start = this.#at
      field(number, type, this)
      if (this.#at === start) this.#skip(type)
    }
  }

  varint(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#take(1)]!
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    throw new OtlpError('A number of more than ten bytes')
  }

  fixed64(): bigint {
    return this.#bytes.readBigUInt64LE(this.#take(8))
  }

  double(): number {
    return this.#bytes.readDoubleLE(this.#take(8))
  }

  text(): string {
    const length = this.#length()
    const at = this.#take(length)
    const bytes = this.#bytes.subarray(at, at + length)
    if (!isUtf8(bytes)) throw new OtlpError('A text that is not UTF-8')
    return bytes.toString('utf8')
  }

  message(): Proto {
    const length = this.#length()
    const at = this.#take(length)
    return new Proto(this.#bytes, at, at + length, this.#budget)
  }

  #length(): number {
    const length = this.varint()
    if (length > 0x7fffffffn) throw new OtlpError('A length beyond the end')
    return Number(length)
  }

  #take(count: number): number {
    const at = this.#at
    if (at + count > this.#end) throw new OtlpError('A field beyond the end')
    this.#at += count
    return at
  }

  #skip(type: number): void {
    if (type === VARINT) this.varint()
    else if (type === FIXED64) this.#take(8)
    else if (type === LENGTH) this.#take(this.#length())
    else if (type === FIXED32) this.#take(4)
    else throw new OtlpError(`A field of wire type ${type}`)
  }
}

/** @throws OtlpError */
export function decodeMetrics(bytes: Buffer, maxPoints: number): MetricsData {
  const resource: Record<string, Attribute> = Object.create(null) as Record<string, Attribute>
  const points: Point[] = []
  let omitted = 0
  const add = (point: Point): void => {
    if (points.length < maxPoints) points.push(point)
    else omitted++
  }
  new Proto(bytes, 0, bytes.length, { fields: MAX_FIELDS }).each(
    of(1, resourceMetrics =>
      resourceMetrics.each((number, type, from) => {
        if (type !== LENGTH) return
        if (number === 1) from.message().each(attribute(1, resource))
        if (number === 2) from.message().each(of(2, metric => readMetric(metric, add)))
      }),
    ),
  )
  return { resource, points, omitted }
}

/** The messages of one field. */
const of =
  (wanted: number, read: (message: Proto) => void): Field =>
  (number, type, from) => {
    if (number === wanted && type === LENGTH) read(from.message())
  }

/** Of several kinds of data the last one counts, as protobuf has it. */
function readMetric(metric: Proto, add: (point: Point) => void): void {
  let name = ''
  let kind: Point['kind'] = 'gauge'
  let data: Proto | null = null
  metric.each((number, type, from) => {
    if (type !== LENGTH) return
    if (number === 1) name = from.text()
    if (number !== 5 && number !== 7) return
    kind = number === 5 ? 'gauge' : 'sum'
    data = from.message()
  })
  if (data !== null) readPoints(data, kind, name, add)
}

/** Twice over the data, rather than to hold points until it is known whether they are deltas. */
function readPoints(data: Proto, kind: Point['kind'], name: string, add: (point: Point) => void): void {
  let isDelta = false
  data.copy().each((number, type, from) => {
    if (number === 2 && type === VARINT && kind === 'sum') isDelta = Number(from.varint()) === DELTA
  })
  data.each(of(1, point => add({ ...readPoint(point), name, kind, isDelta })))
}

function readPoint(data: Proto): Omit<Point, 'name' | 'kind' | 'isDelta'> {
  const attributes: Record<string, Attribute> = Object.create(null) as Record<string, Attribute>
  const read = attribute(7, attributes)
  let [value, startMs, timeMs] = [0, 0, 0]
  data.each((number, type, from) => {
    if (type === FIXED64) {
      if (number === 2) startMs = Number(from.fixed64() / NANOS)
      if (number === 3) timeMs = Number(from.fixed64() / NANOS)
      if (number === 4) value = from.double()
      if (number === 6) value = Number(BigInt.asIntN(64, from.fixed64()))
    } else read(number, type, from)
  })
  return { attributes, value, startMs, timeMs }
}

/** Key-value pairs of one field; values that are no scalars are left out. */
const attribute = (wanted: number, into: Record<string, Attribute>): Field =>
  of(wanted, pair => {
    let key = ''
    let value: Attribute | null = null
    pair.each((number, type, from) => {
      if (type !== LENGTH) return
      if (number === 1) key = from.text()
      if (number === 2) value = scalar(from.message())
    })
    if (value !== null) into[key] = value
  })

function scalar(data: Proto): Attribute | null {
  let value: Attribute | null = null
  data.each((number, type, from) => {
    if (number === 1 && type === LENGTH) value = from.text()
    if (number === 2 && type === VARINT) value = from.varint() !== 0n
    if (number === 3 && type === VARINT) value = Number(BigInt.asIntN(64, from.varint()))
    if (number === 4 && type === FIXED64) value = from.double()
  })
  return value
}
