// The budget: shares that never add up to more than there is, and what each pool tells of itself.
import { expect, test } from 'vitest'
import { measured, MemoryBudget, MemoryMeter } from '../../../src/runtime/memory.ts'

test('no more is reserved than there is, and no name twice', () => {
  const budget = new MemoryBudget(100)
  budget.reserve('a', 60, new MemoryMeter())
  expect(() => budget.reserve('b', 41, new MemoryMeter())).toThrow('no 41 bytes left for b')
  expect(() => budget.reserve('a', 1, new MemoryMeter())).toThrow('two pools are called a')
  budget.reserve('b', 40, new MemoryMeter())
  expect([budget.totalBytes, budget.limitBytes, budget.pools().map(({ name }) => name)]).toEqual([100, 100, ['a', 'b']])
})

test('a pool tells what it has, the most it had, and its limit', () => {
  const budget = new MemoryBudget(100)
  const meter = budget.reserve('a', 60, new MemoryMeter(60))
  meter.add(50)
  meter.add(-20)
  expect(meter.freeBytes).toBe(30)
  expect(budget.pools()).toEqual([{ name: 'a', usedBytes: 30, peakBytes: 50, limitBytes: 60 }])
  meter.add(40)
  expect(meter.freeBytes).toBe(0)
})

test('what is measured when somebody asks has its peak from that', () => {
  let bytes = 3
  const use = measured(() => bytes)
  expect([use.usedBytes, use.peakBytes]).toEqual([3, 3])
  bytes = 9
  expect(use.peakBytes).toBe(9)
  bytes = 1
  expect([use.usedBytes, use.peakBytes]).toEqual([1, 9])
})
