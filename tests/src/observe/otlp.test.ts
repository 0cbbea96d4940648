// OTLP as Kafka clients send it, and bytes that are none.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeMetrics, OtlpError } from '../../../src/observe/otlp.ts'
import { attribute, double, field, fixed, int, metricsData } from './otlp.ts'

describe('metrics data', () => {
  test('gauges and sums with their attributes, times and resource', () => {
    const bytes = metricsData(
      [
        { name: 'a', value: 1.5, attributes: { topic: 't', n: 2.5, ok: true }, timeMs: 1_700_000_000_000 },
        { name: 'b', value: -7, kind: 'sum', delta: true },
        { name: 'c', value: 2 ** 40, kind: 'sum' },
      ],
      { client_id: 'me' },
    )
    expect(decodeMetrics(bytes, 10)).toEqual({
      resource: { client_id: 'me' },
      omitted: 0,
      points: [
        {
          name: 'a',
          kind: 'gauge',
          isDelta: false,
          value: 1.5,
          attributes: { topic: 't', n: 2.5, ok: true },
          startMs: 0,
          timeMs: 1_700_000_000_000,
        },
        { name: 'b', kind: 'sum', isDelta: true, value: -7, attributes: {}, startMs: 0, timeMs: 0 },
        { name: 'c', kind: 'sum', isDelta: false, value: 2 ** 40, attributes: {}, startMs: 0, timeMs: 0 },
      ],
    })
  })

  test('what is not known is skipped, also histograms and values that are no scalars', () => {
    const list = field(7, Buffer.concat([field(1, 'list'), field(2, field(5, 'x'))]))
    const point = field(1, Buffer.concat([double(4, 1), list, attribute(7, 'a', 'b'), int(8, 1), field(5, 'exemplar')]))
    const gauge = field(2, Buffer.concat([field(1, 'g'), field(3, 'unit'), field(5, point)]))
    const histogram = field(2, Buffer.concat([field(1, 'h'), field(9, field(1, fixed(4, 3n)))]))
    const bytes = field(1, Buffer.concat([field(3, 'url'), field(2, Buffer.concat([gauge, histogram]))]))
    const fixed32 = Buffer.from([(9 << 3) | 5, 1, 2, 3, 4])
    expect(decodeMetrics(Buffer.concat([bytes, fixed32]), 10).points).toEqual([
      { name: 'g', kind: 'gauge', isDelta: false, value: 1, attributes: { a: 'b' }, startMs: 0, timeMs: 0 },
    ])
  })

  test('points beyond the limit are counted', () => {
    const bytes = metricsData([1, 2, 3].map(value => ({ name: `m${value}`, value })))
    expect(decodeMetrics(bytes, 2)).toMatchObject({ omitted: 1, points: [{ name: 'm1' }, { name: 'm2' }] })
  })

  test('names of objects are names like others', () => {
    const { points } = decodeMetrics(
      metricsData([{ name: '__proto__', value: 1, attributes: { ['__proto__']: 'x' } }]),
      1,
    )
    expect(Object.entries(points[0]!.attributes)).toEqual([['__proto__', 'x']])
  })
})

describe('bytes that are no metrics data', () => {
  test.each<[string, Buffer]>([
    ['a length beyond the end', Buffer.from([10, 5, 1])],
    ['a huge length', Buffer.from([10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1])],
    ['a number without an end', Buffer.alloc(11, 0xff)],
    ['field 0', Buffer.from([2, 0])],
    ['a group', Buffer.from([11, 12])],
    [
      'half a million empty points',
      field(1, field(2, field(2, field(5, Buffer.alloc(1 << 20, Buffer.from([10, 0])))))),
    ],
    ['half a fixed number', Buffer.from([9, 1, 2])],
    ['a name that is not UTF-8', field(1, field(2, field(2, field(1, Buffer.from([0xc0, 0x80])))))],
  ])('%s', (_, bytes) => {
    expect(() => decodeMetrics(bytes, 10)).toThrow(OtlpError)
  })

  test('cut anywhere, or with any byte changed: an OtlpError or metrics', () => {
    const whole = metricsData(
      [
        { name: 'a.b', value: 1.5, attributes: { topic: 't' }, timeMs: 5 },
        { name: 'c', value: 3, kind: 'sum', delta: true },
      ],
      { k: 'v' },
    )
    const read = (bytes: Buffer): void => {
      try {
        decodeMetrics(bytes, 100)
      } catch (error) {
        expect(error).toBeInstanceOf(OtlpError)
      }
    }
    for (let end = 0; end < whole.length; end++) read(whole.subarray(0, end))
    const change = fc.record({ at: fc.nat(whole.length - 1), to: fc.nat(255) })
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), changes => {
        const bytes = Buffer.from(whole)
        for (const { at, to } of changes) bytes[at] = to
        read(bytes)
      }),
      { numRuns: 300 },
    )
  })
})
