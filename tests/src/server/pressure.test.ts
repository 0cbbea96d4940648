// Who is closed when shared memory is short: who holds it and stands still, the largest first, and nobody else.
import { describe, expect, it } from 'vitest'
import { virtualRuntime } from '../../../src/runtime/index.ts'
import { Pressure } from '../../../src/server/pressure.ts'

interface Peer {
  bytes: number
  progress: number
}

function shared(limit: number, peers: Peer[], stuck?: () => void) {
  const runtime = virtualRuntime()
  const closed: Peer[] = []
  const used = () => peers.reduce((sum, { bytes }) => sum + bytes, 0)
  const pressure = new Pressure<Peer>({
    timers: runtime.timers,
    now: () => runtime.clock.monotonic(),
    connections: peers,
    shared: [
      {
        name: 'bytes',
        isShort: () => used() > limit,
        heldBy: ({ bytes }) => bytes,
        progressOf: ({ progress }) => progress,
        leastProgress: bytes => bytes / 10,
        patienceMs: 2000,
        ...(stuck && { stuck }),
      },
    ],
    close(peer) {
      closed.push(peer)
      peers.splice(peers.indexOf(peer), 1)
    },
  })
  return { runtime, pressure, closed }
}

describe('pressure', () => {
  it('closes the largest of those that stand still, until there is enough', () => {
    const [busy, slow, small, large] = [100, 90, 20, 80].map(bytes => ({ bytes, progress: 0 })) as [
      Peer,
      Peer,
      Peer,
      Peer,
    ]
    const { runtime, pressure, closed } = shared(220, [busy, slow, small, large])
    pressure.watch()
    for (let second = 0; second < 3; second++) {
      expect(closed).toEqual([])
      runtime.advance(999)
      busy.progress += 20
      // Slower than a tenth of what it has in two seconds.
      slow.progress += 3
      runtime.advance(1)
    }
    expect(closed).toEqual([slow])
    runtime.advance(60_000)
    expect([closed, runtime.pendingTimers]).toEqual([[slow], 0])
  })

  it('does nothing while nothing is short, and nobody who holds nothing is at fault', () => {
    const idle = { bytes: 0, progress: 0 }
    const { runtime, pressure, closed } = shared(50, [idle, { bytes: 40, progress: 0 }])
    expect(runtime.pendingTimers).toBe(0)
    pressure.watch()
    runtime.advance(1000)
    expect([closed, runtime.pendingTimers]).toEqual([[], 0])
  })

  it('forgets how long somebody stood still when there was enough in between', () => {
    const peer = { bytes: 40, progress: 0 }
    const other = { bytes: 40, progress: 0 }
    const { runtime, pressure, closed } = shared(50, [peer, other])
    pressure.watch()
    runtime.advance(2000)
    other.bytes = 0
    runtime.advance(5000)
    other.bytes = 40
    pressure.watch()
    runtime.advance(2000)
    expect(closed).toEqual([])
    runtime.advance(1000)
    expect(closed).toEqual([peer])
  })

  it('says that it is stuck as long as it is short', () => {
    let said = 0
    const peer = { bytes: 100, progress: 0 }
    const { runtime, pressure } = shared(50, [peer], () => void said++)
    pressure.watch()
    for (let i = 0; i < 5; i++) {
      peer.progress += 100
      runtime.advance(1000)
    }
    expect(said).toBe(5)
    pressure.stop()
    expect(runtime.pendingTimers).toBe(0)
  })
})
