// A long poll fires once: for enough bytes, for time, for a nudge; never after it was cancelled.
import { expect, test } from 'vitest'
import { Wait, type WaitSet } from '../../../src/broker/wait.ts'
import { virtualRuntime } from '../../../src/runtime/virtual.ts'

function waiting(bytes: number, ms: number) {
  const runtime = virtualRuntime()
  const sets: WaitSet[] = [new Set(), new Set()]
  let fired = 0
  const wait = new Wait(runtime.timers, sets, bytes, ms, () => fired++)
  return { runtime, sets, wait, fired: () => fired }
}

test('fires when the bytes of all its partitions suffice, and leaves every set', async () => {
  const { sets, wait, fired } = waiting(10, 1000)
  wait.advanced(4)
  await Promise.resolve()
  expect(fired()).toBe(0)
  wait.advanced(6)
  await Promise.resolve()
  expect(fired()).toBe(1)
  expect(sets.map(set => set.size)).toEqual([0, 0])
})

test('fires at its time', async () => {
  const { runtime, fired } = waiting(10, 1000)
  runtime.advance(999)
  await Promise.resolve()
  expect(fired()).toBe(0)
  runtime.advance(1)
  await Promise.resolve()
  expect(fired()).toBe(1)
})

test('fires once, whatever comes after', async () => {
  const { runtime, wait, fired } = waiting(10, 1000)
  wait.nudge()
  wait.advanced(100)
  wait.nudge()
  runtime.advance(5000)
  await Promise.resolve()
  expect(fired()).toBe(1)
})

test('does not fire from within the call that made it due: a thousand of them do not lie on one stack', async () => {
  const { wait, fired } = waiting(1, 1000)
  wait.advanced(1)
  expect(fired()).toBe(0)
  await Promise.resolve()
  expect(fired()).toBe(1)
})

test('a cancelled one never fires', async () => {
  const { runtime, sets, wait, fired } = waiting(10, 1000)
  wait.cancel()
  wait.advanced(100)
  wait.nudge()
  runtime.advance(5000)
  await Promise.resolve()
  expect(fired()).toBe(0)
  expect(sets.map(set => set.size)).toEqual([0, 0])
})
