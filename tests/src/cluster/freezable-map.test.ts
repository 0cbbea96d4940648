// A frozen map against Maps: what is read beside the changes, what stands still, and what is there after the thaw, in order.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { FreezableMap } from '../../../src/cluster/freezable-map.ts'

interface Value {
  readonly n: number
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('set' as const), key: fc.nat(7), n: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('delete' as const), key: fc.nat(7) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('freeze' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('thaw' as const) }) },
)

test('any history', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const map = new FreezableMap<number, Value>()
      const model = new Map<number, Value>()
      let frozen: { view: ReadonlyMap<number, Value>; before: [number, Value][] } | null = null
      for (const one of steps) {
        if (one.do === 'set') {
          map.set(one.key, { n: one.n })
          model.set(one.key, { n: one.n })
        } else if (one.do === 'delete') {
          map.delete(one.key)
          model.delete(one.key)
        } else if (one.do === 'freeze' && frozen === null) frozen = { view: map.freeze(), before: [...model] }
        else if (one.do === 'thaw') {
          map.thaw()
          frozen = null
        }
        expect([...map.entries()]).toEqual([...model])
        expect([...map.keys()]).toEqual([...model.keys()])
        expect([...map.values()]).toEqual([...model.values()])
        expect(map.size).toBe(model.size)
        for (let key = 0; key < 8; key++) {
          expect(map.get(key)).toEqual(model.get(key))
          expect(map.has(key)).toBe(model.has(key))
        }
        if (frozen !== null) expect([...frozen.view]).toEqual(frozen.before)
      }
    }),
  )
})

test('one reader at a time', () => {
  const map = new FreezableMap<number, Value>([[1, { n: 1 }]])
  map.freeze()
  expect(() => map.freeze()).toThrow('frozen')
  map.thaw()
  expect(map.freeze().get(1)).toEqual({ n: 1 })
})
