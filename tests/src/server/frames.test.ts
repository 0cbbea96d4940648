// From bytes to frames, however they are cut; sizes that are refused.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Refusal } from '../../../src/server/frames.ts'
import { virtualRuntime } from '../../../src/runtime/index.ts'
import { FrameSplitter } from '../../../src/server/frames.ts'
import { ReceiveMemory } from '../../../src/server/receive-memory.ts'

const MAX = 100 << 20
const PLAIN = 8 << 20

function framed(body: Buffer): Buffer {
  const size = Buffer.alloc(4)
  size.writeInt32BE(body.length)
  return Buffer.concat([size, body])
}

const runtime = virtualRuntime()
const memoryOf = (maxBufferedBytes = Infinity) => new ReceiveMemory(runtime.timers, { maxBufferedBytes })

/** A splitter that keeps what it hands out; `stopAfter` says after which frames it is to stop. */
function splitter(stopAfter: (index: number) => boolean = () => false) {
  const memory = memoryOf()
  const { pool } = memory
  const frames: Buffer[] = []
  const refusals: Refusal[] = []
  const limits = {
    maxFrameBytes: MAX,
    plainFrameBytes: PLAIN,
    maxBytesOf: (key: number) => (key === 0 ? MAX : PLAIN),
  }
  const cut = new FrameSplitter(memory, limits, {
    frame(buffer, start, end) {
      frames.push(Buffer.from(buffer.subarray(start, end)))
      return !stopAfter(frames.length - 1)
    },
    refused: refusal => void refusals.push(refusal),
  })
  return { cut, pool, frames, refusals }
}

/** Feeds a stream as a socket would: into the target where there is one, else into a buffer that is spoilt afterwards. */
function feed(cut: FrameSplitter, stream: Buffer, pieces: Iterator<number>): void {
  const stage = Buffer.alloc(256 * 1024)
  let target = cut.target()
  for (let at = 0; at < stream.length;) {
    const buffer = target ?? stage
    const length = Math.min(pieces.next().value ?? buffer.length, buffer.length, stream.length - at)
    stream.copy(buffer, 0, at, at + length)
    cut.push(buffer, length)
    if (buffer === stage) stage.fill(0xee)
    at += length
    target = cut.target()
    while (cut.paused && at === stream.length) cut.resume()
  }
}

/** Streams that share one memory. */
function sharing(maxBufferedBytes: number) {
  const memory = memoryOf(maxBufferedBytes)
  const frames: number[] = []
  const refusals: Refusal[] = []
  const limits = { maxFrameBytes: MAX, plainFrameBytes: MAX, maxBytesOf: () => MAX }
  const stream = () => {
    const cut: FrameSplitter = new FrameSplitter(memory, limits, {
      frame: (_buffer, start, end) => frames.push(end - start) > 0,
      refused: refusal => void refusals.push(refusal),
    })
    return cut
  }
  return { memory, frames, refusals, stream }
}

/** Bytes of a frame in the pieces that a socket would read. */
function push(cut: FrameSplitter, bytes: Buffer): void {
  for (let at = 0; at < bytes.length && !cut.paused;) {
    const target = cut.target()
    const length = Math.min(target?.length ?? 65_536, bytes.length - at)
    const piece = target ?? Buffer.alloc(length)
    bytes.copy(piece, 0, at, at + length)
    cut.push(piece, length)
    at += length
  }
}

describe('memory that streams share', () => {
  const MB = 1 << 20
  const most = 2.5 * MB
  const begun = framed(Buffer.alloc(most)).subarray(0, 1.5 * MB)
  const rest = Buffer.alloc(most + 4 - begun.length)

  it('is waited for by who begins a large request, and it goes on with what it sent when there is room', () => {
    const { memory, frames, refusals, stream } = sharing(16 * MB)
    const streams = Array.from({ length: 5 }, stream)
    const [first, last] = [streams[0]!, streams.at(-1)!]
    // Half of it is for those who begin: four buffers.
    for (const cut of streams) push(cut, begun)
    expect(streams.map(({ isShort }) => isShort)).toEqual([false, false, false, false, true])
    expect(memory.pool.outstandingBytes).toBeLessThanOrEqual(9 * MB)
    let called = 0
    memory.whenRoom(() => called++)
    push(first, rest)
    runtime.flush()
    expect([frames, called, refusals]).toEqual([[most], 1, []])
    last.resume()
    push(last, framed(Buffer.alloc(most)).subarray(65_536))
    for (const cut of streams.slice(1, -1)) push(cut, rest)
    expect(frames).toEqual(streams.map(() => most))
    for (const cut of streams) cut.close()
    expect([memory.pool.outstanding, memory.pool.outstandingBytes]).toEqual([0, 0])
  })

  it('is left for small requests, and for large ones that need no more than one buffer', () => {
    const { memory, frames, stream } = sharing(8 * MB)
    const large = Array.from({ length: 10 }, stream)
    for (const cut of large) push(cut, begun)
    const cut = stream()
    for (const bytes of [100, MB]) {
      push(cut, framed(Buffer.alloc(bytes)).subarray(0, 50))
      push(cut, Buffer.alloc(bytes - 46))
    }
    expect(frames).toEqual([100, MB])
    for (const one of [...large, cut]) one.close()
    expect(memory.pool.outstandingBytes).toBe(0)
  })

  it.each([
    [8 * MB, 4 * MB, true],
    [8 * MB, 4 * MB + 1, false],
    [256 * MB, 100 * MB, true],
    [64 * MB, 33 * MB, false],
    [1000, 500, false],
  ])('%i bytes hold a frame of %i: %s', (limit, size, can) => {
    const { refusals, stream } = sharing(limit)
    const cut = stream()
    const head = Buffer.alloc(10)
    head.writeInt32BE(size)
    if (size > 65_536) push(cut, head)
    expect(memoryOf(limit).canHold(size)).toBe(can)
    expect(refusals).toEqual(can || size <= 65_536 ? [] : [{ kind: 'memory', size, limit }])
    cut.close()
  })

  it('is never exceeded, whatever comes, and all of it comes back', () => {
    const step = fc.record({ at: fc.nat(11), bytes: fc.integer({ min: 1, max: 300_000 }) })
    const property = fc.property(
      fc.array(step, { maxLength: 120 }),
      fc.array(fc.nat(3 * MB), { minLength: 12 }),
      (steps, sizes) => {
        const { memory, stream } = sharing(6 * MB)
        const streams = sizes.slice(0, 12).map(bytes => ({ cut: stream(), left: framed(Buffer.alloc(bytes)) }))
        for (const { at, bytes } of steps) {
          const one = streams[at % streams.length]!
          one.cut.resume()
          const taken = one.cut.paused ? 0 : Math.min(bytes, one.left.length)
          push(one.cut, one.left.subarray(0, taken))
          one.left = one.left.subarray(taken)
          expect(memory.usedBytes).toBeLessThanOrEqual(6 * MB)
        }
        for (const { cut } of streams) cut.close()
        expect([memory.pool.outstanding, memory.pool.outstandingBytes]).toEqual([0, 0])
        expect(memory.peakBytes).toBeLessThanOrEqual(6 * MB)
      },
    )
    fc.assert(property, { numRuns: 60 })
  })
})

describe('frame splitter', () => {
  it('hands out frames whatever the pieces and stops, and leaks no buffer', () => {
    const bodies = fc.array(
      fc.oneof(fc.nat(40), fc.nat(5000), fc.nat(70_000), fc.nat(600_000)).map(n => Buffer.alloc(n, n)),
      { maxLength: 12 },
    )
    const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 300_000 })), {
      minLength: 1,
      maxLength: 20,
    })
    const property = fc.property(bodies, sizes, fc.array(fc.nat(11)), (all, pieces, stops) => {
      const { cut, pool, frames } = splitter(index => stops.includes(index))
      const cycle = (function* () {
        for (let i = 0; i < 3000; i++) yield pieces[i % pieces.length]!
      })()
      feed(cut, Buffer.concat(all.map(framed)), cycle)
      expect(frames.map(frame => frame.length)).toEqual(all.map(body => body.length))
      expect(frames.every((frame, i) => frame.equals(all[i]!))).toBe(true)
      expect([cut.takenBytes, pool.outstanding]).toEqual([0, 0])
    })
    fc.assert(property, { numRuns: 60 })
  })

  it('hands out whole frames as views on what was received', () => {
    const seen: Buffer[] = []
    const cut = new FrameSplitter(
      memoryOf(),
      { maxFrameBytes: MAX, plainFrameBytes: PLAIN, maxBytesOf: () => MAX },
      { frame: buffer => seen.push(buffer) > 0, refused: () => undefined },
    )
    const stream = Buffer.concat([framed(Buffer.from('one')), framed(Buffer.from('two'))])
    cut.push(stream, stream.length)
    expect(seen).toEqual([stream, stream])
    expect(seen[0]).toBe(stream)
  })

  it('takes a frame byte by byte', () => {
    const { cut, frames, pool } = splitter()
    const stream = framed(Buffer.from('hello'))
    for (const byte of stream) cut.push(Buffer.from([byte]), 1)
    expect(frames.map(String)).toEqual(['hello'])
    expect(pool.outstanding).toBe(0)
  })

  it('reads the rest of a big frame in place, and that of a small one not', () => {
    const { cut } = splitter()
    const big = framed(Buffer.alloc(1 << 20, 7))
    cut.push(big.subarray(0, 100), 100)
    expect(cut.target()?.length).toBe((1 << 20) - 96)
    cut.close()
    const small = splitter()
    small.cut.push(framed(Buffer.alloc(1000)).subarray(0, 100), 100)
    expect(small.cut.target()).toBe(null)
  })

  it('does not believe a size before the bytes come', () => {
    const { cut, pool } = splitter()
    cut.push(Buffer.from([0x06, 0x40, 0, 0, 0, 0]), 6)
    expect(cut.target()!.length).toBeLessThanOrEqual(2 << 20)
    cut.close()
    expect(pool.outstanding).toBe(0)
  })

  it.each([-1, -(2 ** 31), MAX + 1, 2 ** 31 - 1])('refuses the size %i at once, and all that follows', size => {
    const { cut, frames, refusals, pool } = splitter()
    const head = Buffer.alloc(4)
    head.writeInt32BE(size)
    cut.push(Buffer.concat([framed(Buffer.from('ok')), head, framed(Buffer.from('no'))]), 17)
    cut.push(framed(Buffer.from('no')), 6)
    expect(frames.map(String)).toEqual(['ok'])
    expect(refusals).toEqual([{ kind: 'size', size, limit: MAX }])
    expect([cut.takenBytes, pool.outstanding]).toEqual([0, 0])
  })

  it('refuses a big frame of an API that may not have one as soon as its key is there', () => {
    const { cut, refusals } = splitter()
    const head = Buffer.alloc(6)
    head.writeInt32BE(PLAIN + 1)
    head.writeInt16BE(18, 4)
    cut.push(head.subarray(0, 5), 5)
    expect([refusals.length, cut.target()]).toEqual([0, null])
    cut.push(head.subarray(5), 1)
    expect(refusals).toEqual([{ kind: 'api', apiKey: 18, size: PLAIN + 1, limit: PLAIN }])
  })

  it('takes a big frame of an API that may have one, growing as it comes', () => {
    const { cut, frames, pool } = splitter()
    const body = Buffer.alloc(PLAIN + 12_345, 3)
    body.writeInt16BE(0)
    feed(cut, framed(body), [][Symbol.iterator]())
    expect(frames[0]!.equals(body)).toBe(true)
    expect(pool.outstanding).toBe(0)
    expect(pool.keptBytes).toBeLessThanOrEqual(32 << 20)
  })

  it('hands out nothing after it was closed from within', () => {
    const memory = memoryOf()
    const { pool } = memory
    let count = 0
    const cut: FrameSplitter = new FrameSplitter(
      memory,
      { maxFrameBytes: MAX, plainFrameBytes: PLAIN, maxBytesOf: () => MAX },
      {
        frame() {
          count++
          cut.close()
          return true
        },
        refused: () => undefined,
      },
    )
    const stream = Buffer.concat([framed(Buffer.from('a')), framed(Buffer.from('b')), Buffer.from([0, 0])])
    cut.push(stream, stream.length)
    cut.push(stream, stream.length)
    expect([count, pool.outstanding]).toEqual([1, 0])
  })
})
