// Back-pressure: reading stops above the bounds and goes on below them; what is written is released once.
import { describe, expect, it } from 'vitest'
import { Fetch, Produce } from '../../../protocol/index.ts'
import type { Reply } from './harness.ts'
import { echo, fetch, fetched, gate, heartbeat, modes, onHeartbeat, produce, serve } from './harness.ts'

const fine: Reply = { errorCode: 0 }
const chunk = Buffer.alloc(1 << 20, 5)

/** Serves Fetch replies of a megabyte by reference and counts those that are out. */
function megabytes() {
  const counts = { taken: 0, released: 0 }
  const handler = {
    api: Fetch,
    handle() {
      counts.taken++
      let isOut = true
      return fetched([chunk], () => {
        if (!isOut) throw new Error('released twice')
        isOut = false
        counts.released++
      })
    },
  }
  return { counts, handler }
}

/** Resolves when the condition holds; looks after every turn of the event loop. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setImmediate(resolve))
}

describe.each(modes)('back-pressure, read by %s', mode => {
  it('stops reading while too many requests are in flight, and goes on', async () => {
    const gates: ReturnType<typeof gate<Reply>>[] = []
    const handler = onHeartbeat(() => {
      gates.push(gate<Reply>())
      return gates.at(-1)!.promise
    })
    const { connect, server } = await serve([handler], { mode, limits: { maxInFlightRequests: 10 } })
    const client = await connect()
    const ids = Array.from({ length: 40 }, (_, i) => i)
    await client.send(...ids.map(id => heartbeat(id)))
    await until(() => server.counters.readingPaused === 1)
    expect(gates).toHaveLength(11)
    for (let next = 0; next < 40; next++) {
      await until(() => gates.length > next)
      expect(gates.length - next).toBeLessThanOrEqual(11)
      gates[next]!.resolve(fine)
      expect(await client.ids(1)).toEqual([next])
    }
    expect(server.buffersInUse).toBe(0)
  })

  it('stops reading from everybody while all together have too much in flight, and goes on with everybody', async () => {
    const gates: ReturnType<typeof gate<Reply>>[] = []
    const handler = onHeartbeat(() => {
      gates.push(gate<Reply>())
      return gates.at(-1)!.promise
    })
    const { connect, server } = await serve([handler], { mode, limits: { maxBrokerRequests: 10 } })
    const clients = await Promise.all([connect(), connect(), connect()])
    const ids = Array.from({ length: 8 }, (_, i) => i)
    for (const client of clients) await client.send(...ids.map(id => heartbeat(id)))
    await until(() => server.counters.readingPaused >= 1)
    let most = 0
    for (let next = 0; next < 24; next++) {
      await until(() => gates.length > next)
      most = Math.max(most, gates.length - next)
      gates[next]!.resolve(fine)
    }
    // One that is just being read may be taken beyond the limit, by each connection.
    expect(most).toBeLessThanOrEqual(13)
    for (const client of clients) expect(await client.ids(8)).toEqual(ids)
    expect(server.buffersInUse).toBe(0)
  })

  it('is not held back by those who are gone', async () => {
    const stuck = gate<Reply>()
    const handler = onHeartbeat(() => stuck.promise)
    const { connect } = await serve([handler], { mode, limits: { maxBrokerRequests: 3 } })
    const gone = await connect()
    await gone.send(...[0, 1, 2, 3].map(id => heartbeat(id)))
    const waiting = await connect()
    await waiting.send(heartbeat(7))
    gone.socket.destroy()
    await gone.closed
    stuck.resolve(fine)
    expect(await waiting.ids(1)).toEqual([7])
  })

  it('counts the bytes of requests in flight', async () => {
    const gates: ReturnType<typeof gate<object>>[] = []
    const handle = () => {
      gates.push(gate<object>())
      return gates.at(-1)!.promise
    }
    const limits = { maxInFlightBytes: 3 << 20 }
    const { connect, server } = await serve([{ api: Produce, handle }], { mode, limits })
    const client = await connect()
    const sent = client.send(...[1, 2, 3, 4, 5, 6].map(id => produce(id, 1, chunk)))
    await until(() => server.counters.readingPaused === 1)
    expect(gates).toHaveLength(3)
    for (let next = 0; next < 6; next++) {
      await until(() => gates.length > next)
      gates[next]!.resolve({ responses: [] })
    }
    expect(await client.ids(6)).toEqual([1, 2, 3, 4, 5, 6])
    await sent
    expect(server.buffersInUse).toBe(0)
  })

  it('takes no more requests from a client that does not read, and holds a bounded amount for it', async () => {
    const { counts, handler } = megabytes()
    const { connect, server } = await serve([handler], { mode, limits: { maxUnsentBytes: 4 << 20 } })
    const client = await connect()
    client.socket.pause()
    await client.send(...Array.from({ length: 60 }, (_, id) => fetch(id)))
    await until(() => server.counters.readingPaused > 0)
    // Kernel buffers take some megabytes more.
    expect(counts.taken).toBeLessThan(30)
    client.socket.resume()
    expect(await client.ids(60)).toHaveLength(60)
    await until(() => counts.released === 60)
    expect(counts.taken).toBe(60)
  })

  it('counts answers that wait for an earlier one', async () => {
    const first = gate<Reply>()
    const { counts, handler } = megabytes()
    const { connect, server } = await serve([onHeartbeat(() => first.promise), handler], {
      mode,
      limits: { maxUnsentBytes: 4 << 20 },
    })
    const client = await connect()
    await client.send(heartbeat(0), ...Array.from({ length: 10 }, (_, id) => fetch(id + 1)))
    await until(() => server.counters.readingPaused === 1)
    expect(counts).toEqual({ taken: 4, released: 0 })
    first.resolve(fine)
    expect(await client.ids(11)).toEqual(Array.from({ length: 11 }, (_, id) => id))
    await until(() => counts.released === 10)
  })
})

describe('release of what answers refer to', () => {
  it('comes once for each answer that a reset client never got', async () => {
    const { counts, handler } = megabytes()
    const { connect, server } = await serve([handler])
    const client = await connect()
    client.socket.pause()
    await client.send(...Array.from({ length: 40 }, (_, id) => fetch(id)))
    await until(() => server.counters.readingPaused > 0)
    client.socket.resetAndDestroy()
    await until(() => server.connections === 0)
    expect(counts.released).toBe(counts.taken)
    expect(server.buffersInUse).toBe(0)
  })

  it('comes for answers behind one that never settles, and for one that settles too late', async () => {
    const { counts, handler } = megabytes()
    const late = gate<unknown>()
    const slow = { ...handler, handle: () => late.promise }
    const first = onHeartbeat(({ groupId }) => (groupId === 'never' ? new Promise<Reply>(() => undefined) : fine))
    const { connect, server } = await serve([first, handler])
    const client = await connect()
    await client.send(heartbeat(1, 'never'), fetch(2), fetch(3))
    await until(() => counts.taken === 2)
    client.socket.resetAndDestroy()
    await until(() => server.connections === 0)
    expect(counts).toEqual({ taken: 2, released: 2 })

    const other = await serve([slow])
    const second = await other.connect()
    await second.send(fetch(1))
    await until(() => other.server.counters.apis.get('Fetch')!.requests === 1)
    second.socket.resetAndDestroy()
    await until(() => other.server.connections === 0)
    late.resolve(handler.handle())
    await until(() => counts.released === 3)
    expect(other.lines.filter(line => line.level !== 'debug')).toEqual([])
  })

  it('comes after the bytes have left, not before', async () => {
    let released = false
    const records = Buffer.alloc(3 << 20, 1)
    const handle = () =>
      fetched([records.subarray(0, 1 << 20), records.subarray(1 << 20)], () => {
        released = true
        records.fill(0)
      })
    const { connect } = await serve([{ api: Fetch, handle }])
    const client = await connect()
    client.socket.pause()
    await client.send(fetch(1))
    client.socket.resume()
    const frame = await client.frame()
    await until(() => released)
    const last = frame!.lastIndexOf(1)
    expect(frame!.subarray(last + 1 - records.length, last + 1).every(byte => byte === 1)).toBe(true)
  })

  it('comes for a reply that cannot be encoded', async () => {
    let released = 0
    const reply = fetched([chunk], () => void released++)
    const handle = () => ({ ...reply, responses: [...reply.responses, { topic: 5, partitions: [] }] })
    const { connect, lines } = await serve([{ api: Fetch, handle }])
    const client = await connect()
    await client.send(fetch(1))
    await client.closed
    expect([released, lines.length]).toEqual([1, 1])
  })
})

describe('a process under garbage', () => {
  it('does not grow with frames that claim to be big', async () => {
    const { connect, server } = await serve([echo, { api: Produce, handle: () => null }])
    const before = process.memoryUsage().rss
    for (let i = 0; i < 50; i++) {
      const client = await connect()
      // Produce of 100 MiB, of which a few bytes come.
      await client.send(Buffer.from([0x06, 0x40, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1]))
    }
    await until(() => server.buffersInUse === 50)
    expect(process.memoryUsage().rss - before).toBeLessThan(200 << 20)
  })
})
