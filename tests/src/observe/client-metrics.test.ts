// What is kept of what clients push, and for how long.
import { describe, expect, test } from 'vitest'
import { KeptClientMetrics } from '../../../src/observe/client-metrics.ts'
import { decodeMetrics } from '../../../src/observe/otlp.ts'
import { metricsData, type TestMetric } from './otlp.ts'

const client = (clientInstanceId: string) => ({
  clientInstanceId,
  clientId: 'c',
  softwareName: 's',
  softwareVersion: '1',
  address: '127.0.0.1',
  port: 1,
})
const data = (metrics: readonly TestMetric[], resource = {}) => decodeMetrics(metricsData(metrics, resource), 1000)
const at = (now: number, isTerminating = false) => ({ now, isTerminating })
const values = (kept: KeptClientMetrics) =>
  kept.list().map(({ clientInstanceId, metrics }) => [clientInstanceId, metrics.map(({ value }) => value)])

describe('kept client metrics', () => {
  test('the newest of a gauge, the total of deltas, the newest of a total', () => {
    const kept = new KeptClientMetrics()
    for (const value of [1, 2, 3])
      kept.record(
        client('a'),
        data([
          { name: 'g', value },
          { name: 'd', value, kind: 'sum', delta: true },
          { name: 't', value, kind: 'sum' },
        ]),
        at(value),
      )
    expect(values(kept)).toEqual([['a', [3, 6, 3]]])
    expect(kept.list()[0]).toMatchObject({ pushes: 3, lastPushMs: 3, isTerminated: false, omitted: 0 })
  })

  test('attributes in any order make a series', () => {
    const kept = new KeptClientMetrics()
    kept.record(client('a'), data([{ name: 'g', value: 1, attributes: { x: '1', y: '2' } }]), at(1))
    kept.record(client('a'), data([{ name: 'g', value: 2, attributes: { y: '2', x: '1' } }]), at(2))
    kept.record(client('a'), data([{ name: 'g', value: 3, attributes: { x: '2', y: '1' } }]), at(3, true))
    expect(values(kept)).toEqual([['a', [2, 3]]])
    expect(kept.list()[0]!.isTerminated).toBe(true)
  })

  test('the clients that pushed longest ago are forgotten first, the last one never', () => {
    const kept = new KeptClientMetrics({ totalBytes: 5000, clientBytes: 5000 })
    const one = data([{ name: 'g', value: 1 }])
    for (const [now, id] of ['a', 'b', 'a', 'c'].entries()) kept.record(client(id), one, at(now))
    expect(kept.list().map(({ clientInstanceId }) => clientInstanceId)).toEqual(['c', 'a', 'b'])
    kept.record(client('d'), one, at(9))
    expect(kept.list().map(({ clientInstanceId }) => clientInstanceId)).toEqual(['d', 'c', 'a'])
  })

  test('what a client calls itself counts too', () => {
    const kept = new KeptClientMetrics({ totalBytes: 100_000, clientBytes: 2000 })
    const none = data([])
    for (let n = 0; n < 10; n++) kept.record({ ...client(`c${n}`), clientId: 'x'.repeat(20_000) }, none, at(n))
    expect(kept.list().length).toBe(2)
    // Its name is counted once, however often it pushes.
    for (let n = 10; n < 20; n++) kept.record({ ...client('c9'), clientId: 'x'.repeat(20_000) }, none, at(n))
    expect(kept.list().length).toBe(2)
  })

  test('what is beyond the share of a client is counted, and the rest kept', () => {
    const kept = new KeptClientMetrics({ totalBytes: 1 << 20, clientBytes: 2000 })
    const many = Array.from({ length: 20 }, (_, value) => ({ name: `g${value}`, value }))
    kept.record(client('a'), data(many, { label: 'x'.repeat(2000) }), at(1))
    const [found] = kept.list()
    expect(found!.resource).toEqual({})
    expect(found!.metrics.length).toBeGreaterThan(0)
    expect(found!.metrics.length + found!.omitted).toBe(21)
  })
})
