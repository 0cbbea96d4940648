// From bytes to frames, however they are cut; sizes that are refused.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Refusal } from '../../../src/server/frames.ts'
import { BufferPool } from '../../../src/runtime/buffer-pool.ts'
import { FrameSplitter } from '../../../src/server/frames.ts'

const MAX = 100 << 20
const PLAIN = 8 << 20

function framed(body: Buffer): Buffer {
  const size = Buffer.alloc(4)
  size.writeInt32BE(body.length)
  return Buffer.concat([size, body])
}

/** A splitter that keeps what it hands out; `stopAfter` says after which frames it is to stop. */
function splitter(stopAfter: (index: number) => boolean = () => false) {
  const pool = new BufferPool()
  const frames: Buffer[] = []
  const refusals: Refusal[] = []
  const limits = {
    maxFrameBytes: MAX,
    plainFrameBytes: PLAIN,
    maxBufferedBytes: Infinity,
    maxBytesOf: (key: number) => (key === 0 ? MAX : PLAIN),
  }
  const cut = new FrameSplitter(pool, limits, {
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

describe('frame splitter', () => {
  it('ends a stream that needs more than all streams together may hold, and no other', () => {
    const pool = new BufferPool()
    const refusals: Refusal[] = []
    const limits = { maxFrameBytes: MAX, plainFrameBytes: MAX, maxBufferedBytes: 4 << 20, maxBytesOf: () => MAX }
    const frames: number[] = []
    const make = () =>
      new FrameSplitter(pool, limits, {
        frame: (_buffer, start, end) => frames.push(end - start) > 0,
        refused: refusal => void refusals.push(refusal),
      })
    const [first, second, third] = [make(), make(), make()]
    // Each begins a frame of 3 MiB and sends the half of it.
    const begin = framed(Buffer.alloc(3 << 20)).subarray(0, 3 << 19)
    first.push(begin, begin.length)
    second.push(begin, begin.length)
    third.push(begin, begin.length)
    expect(refusals.map(({ kind }) => kind)).toEqual(['memory'])
    // Small requests are always taken.
    const small = framed(Buffer.alloc(100))
    const fourth = make()
    fourth.push(small.subarray(0, 50), 50)
    fourth.push(small.subarray(50), small.length - 50)
    expect(frames).toEqual([100])
    for (const cut of [first, second, third, fourth]) cut.close()
    expect([pool.outstanding, pool.outstandingBytes]).toEqual([0, 0])
  })

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
      expect([cut.bufferedBytes, pool.outstanding]).toEqual([0, 0])
    })
    fc.assert(property, { numRuns: 60 })
  })

  it('hands out whole frames as views on what was received', () => {
    const seen: Buffer[] = []
    const pool = new BufferPool()
    const cut = new FrameSplitter(
      pool,
      { maxFrameBytes: MAX, plainFrameBytes: PLAIN, maxBufferedBytes: Infinity, maxBytesOf: () => MAX },
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
    expect([cut.bufferedBytes, pool.outstanding]).toEqual([0, 0])
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
    const pool = new BufferPool()
    let count = 0
    const cut: FrameSplitter = new FrameSplitter(
      pool,
      { maxFrameBytes: MAX, plainFrameBytes: PLAIN, maxBufferedBytes: Infinity, maxBytesOf: () => MAX },
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
