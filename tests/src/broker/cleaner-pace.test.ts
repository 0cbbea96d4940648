// The pace of compaction in virtual time: whoever stops it does not wait for bytes to be paid for.
import { expect, test } from 'vitest'
import { cleanerPace } from '../../../src/broker/cleaner-pace.ts'
import { virtualRuntime } from '../../../src/runtime/virtual.ts'

test.each(['before a rest', 'at its beginning', 'in the middle of it'])('a stop %s ends it', async when => {
  const runtime = virtualRuntime()
  const pace = cleanerPace(runtime, { threads: 1, maxBytesPerSecond: 1000 })
  pace.moved(1_000_000)
  if (when === 'before a rest') pace.stop()
  let rested = false
  const rest = pace.rest().then(() => (rested = true))
  if (when === 'at its beginning') pace.stop()
  await runtime.settle()
  expect(rested).toBe(when !== 'in the middle of it')
  pace.stop()
  await rest
  expect(runtime.pendingTimers).toBe(0)
})
