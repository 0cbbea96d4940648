// Requests start and answers leave in order, whatever finishes first; barriers hold the next one back.
import { describe, expect, it } from 'vitest'
import type { Reply } from './harness.ts'
import { Fetch } from '../../../protocol/index.ts'
import { echo, fetch, fetched, gate, heartbeat, modes, onHeartbeat, serve } from './harness.ts'

const fine: Reply = { errorCode: 0 }

describe.each(modes)('order of answers, read by %s', mode => {
  it('answers 1000 frames of one write in order', async () => {
    const { connect, server } = await serve([echo], { mode })
    const client = await connect()
    const ids = Array.from({ length: 1000 }, (_, i) => i)
    await client.send(...ids.map(id => heartbeat(id)))
    expect(await client.ids(1000)).toEqual(ids)
    expect(server.buffersInUse).toBe(0)
    expect(server.counters.apis.get('Heartbeat')).toMatchObject({ requests: 1000, failures: 0 })
  })

  it('answers frames that come byte by byte', async () => {
    const { connect } = await serve([echo], { mode })
    const client = await connect()
    for (const byte of Buffer.concat([heartbeat(1), heartbeat(2)])) await client.send(Buffer.from([byte]))
    expect(await client.ids(2)).toEqual([1, 2])
  })

  it('sends answers in order of requests, whatever order they settle in', async () => {
    const gates = new Map<string, ReturnType<typeof gate<Reply>>>()
    const handler = onHeartbeat(({ groupId }) => {
      if (groupId === 'now') return fine
      const opened = gate<Reply>()
      gates.set(groupId, opened)
      return opened.promise
    })
    const { connect } = await serve(
      [handler, { api: Fetch, handle: () => fetched([Buffer.alloc(9000)], () => undefined) }],
      { mode },
    )
    const client = await connect()
    await client.send(heartbeat(1, 'a'), heartbeat(2, 'now'), heartbeat(3, 'b'), fetch(4), heartbeat(5, 'c'))
    const other = await connect()
    await other.send(heartbeat(9, 'now'))
    expect(await other.ids(1)).toEqual([9])
    expect(gates.size).toBe(3)
    gates.get('c')!.resolve(fine)
    gates.get('b')!.resolve({ errorCode: 27 })
    await other.send(heartbeat(10, 'now'))
    expect(await other.ids(1)).toEqual([10])
    expect(client.received.length).toBe(0)
    gates.get('a')!.resolve(fine)
    expect(await client.ids(5)).toEqual([1, 2, 3, 4, 5])
  })

  it('sends nothing for null and keeps the order of the others', async () => {
    const first = gate<null>()
    const handler = onHeartbeat(({ groupId }) =>
      groupId === 'none' ? null : groupId === 'later' ? first.promise : fine,
    )
    const { connect } = await serve([handler], { mode })
    const client = await connect()
    await client.send(heartbeat(1, 'none'), heartbeat(2), heartbeat(3, 'later'), heartbeat(4, 'none'), heartbeat(5))
    expect(await client.ids(1)).toEqual([2])
    first.resolve(null)
    expect(await client.ids(1)).toEqual([5])
    expect(client.received.length).toBe(0)
  })

  it('sends all answers that are ready in one write', async () => {
    const { connect } = await serve(
      [onHeartbeat(({ groupId }) => (groupId === 'even' ? fine : Promise.resolve(fine)))],
      { mode },
    )
    const client = await connect()
    const sizes: number[] = []
    client.socket.on('data', chunk => sizes.push(chunk.length))
    await client.send(...Array.from({ length: 50 }, (_, id) => heartbeat(id, id % 2 ? 'odd' : 'even')))
    await client.ids(50)
    expect(sizes).toEqual([50 * 16])
  })
})

describe.each(modes)('barrier, read by %s', mode => {
  it('holds back the next frame until the answer is settled', async () => {
    const started: string[] = []
    const gates: ReturnType<typeof gate<Reply>>[] = []
    const handler = onHeartbeat(
      ({ groupId }) => {
        started.push(groupId)
        if (groupId !== 'change') return fine
        gates.push(gate<Reply>())
        return gates.at(-1)!.promise
      },
      { barrier: (request: { groupId: string }) => request.groupId === 'change' },
    )
    const { connect, server } = await serve([handler], { mode })
    const client = await connect()
    const big = 'x'.repeat(30_000)
    await client.send(heartbeat(1), heartbeat(2, 'change'), heartbeat(3, 'change'), heartbeat(4, 'after', big))
    expect(await client.ids(1)).toEqual([1])
    expect(started).toEqual(['g', 'change'])
    await client.send(heartbeat(5, 'after', big))
    gates[0]!.resolve(fine)
    expect(await client.ids(1)).toEqual([2])
    expect(started).toEqual(['g', 'change', 'change'])
    gates[1]!.resolve(fine)
    expect(await client.ids(3)).toEqual([3, 4, 5])
    expect(started).toEqual(['g', 'change', 'change', 'after', 'after'])
    expect(server.buffersInUse).toBe(0)
  })

  it('holds back nothing when it is answered at once or rejected', async () => {
    const handler = onHeartbeat(({ groupId }) => (groupId === 'fail' ? Promise.reject(new Error('no')) : fine), {
      barrier: () => true,
      onError: () => ({ errorCode: -1 }),
    })
    const { connect } = await serve([handler], { mode })
    const client = await connect()
    await client.send(heartbeat(1), heartbeat(2, 'fail'), heartbeat(3))
    expect(await client.ids(3)).toEqual([1, 2, 3])
  })

  it('gives a hundred held frames their turn one after the other', async () => {
    const handler = onHeartbeat(() => new Promise<Reply>(resolve => void setImmediate(() => resolve(fine))), {
      barrier: () => true,
    })
    const { connect, server } = await serve([handler], { mode })
    const client = await connect()
    const ids = Array.from({ length: 100 }, (_, i) => i)
    await client.send(...ids.map(id => heartbeat(id)))
    expect(await client.ids(100)).toEqual(ids)
    expect(server.buffersInUse).toBe(0)
  })
})
