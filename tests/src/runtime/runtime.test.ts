// Clock, timers and randomness: the system's own, and the virtual ones that tests use.
import pino from 'pino'
import { describe, expect, it } from 'vitest'
import type { Logger } from '../../../src/runtime/index.ts'
import { seededRandom, silentLogger, systemRuntime, virtualRuntime } from '../../../src/runtime/index.ts'

function draw(seed: number) {
  const random = seededRandom(seed)
  return [random.uuid(), random.int(1000), random.bytes(4).toString('hex')]
}

describe('virtual runtime', () => {
  it('fires timers by due time, then by creation, each at its own moment', () => {
    const runtime = virtualRuntime({ now: 1000 })
    const seen: string[] = []
    const note = (name: string) => () => void seen.push(`${name}@${runtime.clock.now()}`)
    runtime.timers.after(20, note('c'))
    runtime.timers.after(10, note('a'))
    runtime.timers.after(10, note('b'))
    runtime.timers.after(31, note('late'))
    const cancelled = runtime.timers.after(5, note('never'))
    cancelled.cancel()
    cancelled.cancel()
    runtime.advance(30)
    expect(seen).toEqual(['a@1010', 'b@1010', 'c@1020'])
    expect([runtime.clock.now(), runtime.clock.monotonic(), runtime.pendingTimers]).toEqual([1030, 30, 1])
  })

  it('fires timers that a timer arms, if they fall due on the way', () => {
    const runtime = virtualRuntime()
    let ticks = 0
    const tick = () => {
      ticks++
      runtime.timers.after(10, tick)
    }
    runtime.timers.after(10, tick)
    runtime.advance(55)
    expect(ticks).toBe(5)
  })

  it('runs deferred functions before timers and what a timer defers before the next one', () => {
    const runtime = virtualRuntime()
    const seen: string[] = []
    runtime.timers.after(1, () => {
      seen.push('t1')
      runtime.timers.defer(() => void seen.push('d1'))
    })
    runtime.timers.after(1, () => void seen.push('t2'))
    runtime.timers.defer(() => {
      seen.push('d0')
      runtime.timers.defer(() => void seen.push('d0b'))
    })
    expect(seen).toEqual([])
    runtime.advance(1)
    expect(seen).toEqual(['d0', 'd0b', 't1', 'd1', 't2'])
  })

  it('lets promise reactions run between timers when advanced asynchronously', async () => {
    const runtime = virtualRuntime()
    const seen: number[] = []
    const wait = (ms: number) => new Promise<void>(resolve => void runtime.timers.after(ms, resolve))
    const loop = async () => {
      for (let i = 0; i < 3; i++) {
        await wait(10)
        seen.push(runtime.clock.monotonic())
      }
    }
    const done = loop()
    await runtime.advanceAsync(30)
    await done
    expect(seen).toEqual([10, 20, 30])
  })

  it('keeps log lines with the fields of child loggers', () => {
    const runtime = virtualRuntime()
    runtime.log.child({ partition: 1 }).warn({ offset: 2 }, 'cut')
    runtime.log.info('up')
    expect(runtime.lines).toEqual([
      { level: 'warn', fields: { partition: 1, offset: 2 }, message: 'cut' },
      { level: 'info', fields: {}, message: 'up' },
    ])
  })

  it('repeats itself from a seed', () => {
    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
  })
})

describe('system runtime', () => {
  const runtime = systemRuntime(silentLogger)

  it('makes version 4 ids without a leading dash', () => {
    const ids = Array.from({ length: 2000 }, () => runtime.random.uuid())
    expect(new Set(ids).size).toBe(2000)
    for (const id of ids) {
      expect(id).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/)
      expect(Buffer.from(id, 'base64url')[6]! >> 4).toBe(4)
    }
  })

  it('draws integers below the bound', () => {
    const drawn = new Set(Array.from({ length: 500 }, () => runtime.random.int(3)))
    expect(drawn).toEqual(new Set([0, 1, 2]))
  })

  it('defers in order, after promise reactions', async () => {
    const seen: string[] = []
    await new Promise<void>(resolve => {
      runtime.timers.defer(() => void seen.push('first'))
      runtime.timers.defer(resolve)
      void Promise.resolve().then(() => seen.push('reaction'))
    })
    expect(seen).toEqual(['reaction', 'first'])
  })

  it('does not fire a timer beyond 2^31 ms at once', async () => {
    const seen: string[] = []
    const far = runtime.timers.after(2 ** 31 + 5, () => void seen.push('far'))
    await new Promise<void>(resolve => {
      const keepAlive = setInterval(() => undefined, 1000)
      runtime.timers.after(5, () => {
        clearInterval(keepAlive)
        resolve()
      })
    })
    far.cancel()
    expect(seen).toEqual([])
  })

  it('takes a pino logger as it is', () => {
    const lines: string[] = []
    const log: Logger = pino({ base: null }, { write: line => void lines.push(line) })
    log.child({ id: 1 }).info({ a: 2 }, 'text')
    expect(JSON.parse(lines[0]!)).toMatchObject({ id: 1, a: 2, msg: 'text' })
  })
})
