// Who is let in, in which order and when, in virtual time: Kafka's ConnectionQuotas.
import { describe, expect, test } from 'vitest'
import { virtualRuntime } from '../../../src/runtime/index.ts'
import { Admission, type AdmissionLimits } from '../../../src/server/admission.ts'
import { ConnectionRate } from '../../../src/server/connection-rate.ts'

type Changeable<T> = { -readonly [P in keyof T]: T[P] }

function world(o: Partial<AdmissionLimits> = {}, listeners: readonly string[] = ['A']) {
  const runtime = virtualRuntime()
  const limits: Changeable<AdmissionLimits> = {
    maxConnections: 2 ** 31 - 1,
    maxConnectionRate: 2 ** 31 - 1,
    connectionRateWindow: { samples: 11, windowMs: 1000 },
    listenerLimits: new Map(),
    interBrokerListener: null,
    maxWaiting: 1000,
    ...o,
  }
  /** Those inside, in the order in which they came in, as `listener` and a number. */
  const inside: { listener: string; name: string }[] = []
  const entered: [string, number][] = []
  const refused: [string, string][] = []
  const displaced: string[] = []
  const leave = (name: string): void => {
    const at = inside.findIndex(one => one.name === name)
    admission.left(inside.splice(at, 1)[0]!.listener)
    runtime.flush()
  }
  const admission = new Admission(runtime, limits, (excess, isProtected) => {
    for (const { name } of inside.filter(({ listener }) => !isProtected(listener)).slice(0, excess)) {
      displaced.push(name)
      leave(name)
    }
  })
  for (const listener of listeners) admission.addListener(listener)
  const arrive = (listener: string, name: string, isWelcome = true): void =>
    admission.arrive(listener, {
      enter() {
        if (!isWelcome) return false
        inside.push({ listener, name })
        entered.push([name, runtime.clock.monotonic()])
        return true
      },
      refuse: reason => void refused.push([name, reason]),
    })
  return { runtime, limits, admission, arrive, leave, entered, refused, displaced }
}

const names = (entered: readonly [string, number][]) => entered.map(([name]) => name)

describe('max.connection.creation.rate', () => {
  test('lets a burst in at first, then one after the other, and nobody is refused', () => {
    const { runtime, arrive, entered, refused } = world({ maxConnectionRate: 5 })
    for (let n = 0; n < 60; n++) arrive('A', `${n}`)
    // Ten of the eleven samples count as over: 50 connections are five in a second.
    expect(entered).toHaveLength(50)
    runtime.advance(60_000)
    expect(names(entered)).toEqual(Array.from({ length: 60 }, (_, n) => `${n}`))
    expect(refused).toEqual([])
    const late = entered.slice(50).map(([, at]) => at)
    // Each waits for what the measured rate is above the limit, from when it was its turn.
    expect(late[0]).toBe(200)
    expect(late.every((at, n) => n === 0 || (at > late[n - 1]! && at - late[n - 1]! <= 1000))).toBe(true)
  })

  test('holds over a long time', () => {
    const { runtime, arrive, entered } = world({ maxConnectionRate: 5 })
    for (let n = 0; n < 1000; n++) arrive('A', `${n}`)
    runtime.advance(100_000)
    const rate = entered.length / 100
    expect(rate).toBeGreaterThan(4)
    expect(rate).toBeLessThan(6)
  })

  test('of one listener, beside that of all', () => {
    const { runtime, limits, arrive, entered } = world({}, ['A', 'B'])
    limits.listenerLimits = new Map([['A', { maxConnectionRate: 1 }]])
    for (let n = 0; n < 20; n++) {
      arrive('A', `a${n}`)
      arrive('B', `b${n}`)
    }
    expect(names(entered).filter(name => name.startsWith('a'))).toHaveLength(10)
    expect(names(entered).filter(name => name.startsWith('b'))).toHaveLength(20)
    runtime.advance(60_000)
    expect(entered).toHaveLength(40)
  })

  test('changes while some wait: the first keeps its time, the others are judged anew', () => {
    const { runtime, limits, admission, arrive, entered } = world({ maxConnectionRate: 1 })
    for (let n = 0; n < 20; n++) arrive('A', `${n}`)
    expect(entered).toHaveLength(10)
    limits.maxConnectionRate = 1000
    admission.changed()
    expect(entered).toHaveLength(10)
    runtime.advance(1000)
    expect(entered).toHaveLength(20)
  })

  test('of all does not count for the listener of brokers beside another', () => {
    const { limits, arrive, entered } = world({ maxConnectionRate: 1, interBrokerListener: 'B' }, ['A', 'B'])
    limits.listenerLimits = new Map([['B', { maxConnectionRate: 100 }]])
    for (let n = 0; n < 20; n++) arrive('A', `a${n}`)
    for (let n = 0; n < 20; n++) arrive('B', `b${n}`)
    expect(names(entered).filter(name => name.startsWith('b'))).toHaveLength(20)
  })

  test('is measured over the samples: what lies behind them is forgotten', () => {
    const rate = new ConnectionRate({ samples: 3, windowMs: 100 })
    // Two whole samples count, so that two connections in them are ten in a second.
    expect([rate.record(0, 10), rate.record(0, 10)]).toEqual([0, 0])
    expect(rate.record(0, 10)).toBe(100)
    expect(rate.record(350, 10)).toBe(0)
    expect(new ConnectionRate({ samples: 3, windowMs: 100 }).record(0, 0)).toBe(100)
  })
})

describe('max.connections', () => {
  test('makes others wait in the order of arrival, over all listeners', () => {
    const { arrive, leave, entered, refused } = world({ maxConnections: 2 }, ['A', 'B'])
    for (const name of ['1', '2', '3', '4', '5']) arrive(Number(name) % 2 ? 'A' : 'B', name)
    expect(names(entered)).toEqual(['1', '2'])
    leave('1')
    expect(names(entered)).toEqual(['1', '2', '3'])
    leave('3')
    leave('2')
    expect(names(entered)).toEqual(['1', '2', '3', '4', '5'])
    expect(refused).toEqual([])
  })

  test('of one listener does not hold up another', () => {
    const { limits, arrive, leave, entered } = world({}, ['A', 'B'])
    limits.listenerLimits = new Map([['A', { maxConnections: 1 }]])
    for (const name of ['1', '2']) arrive('A', name)
    arrive('B', '3')
    expect(names(entered)).toEqual(['1', '3'])
    leave('1')
    expect(names(entered)).toEqual(['1', '3', '2'])
  })

  test('the listener of brokers takes more, for which others are closed; alone it is as any other', () => {
    const two = world({ maxConnections: 2, interBrokerListener: 'B' }, ['A', 'B'])
    for (const name of ['1', '2', '3']) two.arrive('A', name)
    two.arrive('B', 'broker')
    expect([names(two.entered), two.displaced]).toEqual([['1', '2', 'broker'], ['1']])
    // There are as many as there may be of brokers alone.
    two.arrive('B', 'second')
    expect([names(two.entered), two.displaced]).toEqual([
      ['1', '2', 'broker', 'second'],
      ['1', '2'],
    ])
    two.arrive('B', 'third')
    expect(two.entered).toHaveLength(4)
    const one = world({ maxConnections: 1, interBrokerListener: 'A' })
    for (const name of ['1', '2']) one.arrive('A', name)
    expect(names(one.entered)).toEqual(['1'])
  })

  test('one that is refused after all takes no place', () => {
    const { arrive, leave, entered } = world({ maxConnections: 1 })
    arrive('A', '1')
    arrive('A', 'unwelcome', false)
    arrive('A', '2')
    leave('1')
    expect(names(entered)).toEqual(['1', '2'])
  })

  test('only so many wait, and none after the end', () => {
    const { runtime, admission, arrive, refused } = world({ maxConnections: 1, maxConnectionRate: 1, maxWaiting: 2 })
    for (const name of ['1', '2', '3', '4']) arrive('A', name)
    expect(refused).toEqual([['4', 'too many connections wait to be let in']])
    expect(admission.waiting).toBe(2)
    admission.close()
    arrive('A', '5')
    expect(names(refused.slice(1) as never)).toEqual(['2', '3', '5'])
    expect(runtime.pendingTimers).toBe(0)
  })
})
