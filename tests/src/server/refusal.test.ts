// Unknown APIs and versions, malformed requests, handlers that throw: what the client gets and what is logged.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ApiVersions, KafkaError, Produce, decodeResponse } from '../../../protocol/index.ts'
import type { Reply } from './harness.ts'
import { apiVersions, echo, gate, heartbeat, modes, onHeartbeat, produce, raw, serve } from './harness.ts'

const fine: Reply = { errorCode: 0 }

describe('requests that are not served', () => {
  it.each([5, 99, 32_767, -1])('answers ApiVersions %i in version 0 with error 35 and its own range', async version => {
    const { connect } = await serve([apiVersions])
    const client = await connect()
    await client.send(raw(18, version, 7, Buffer.from([0, 2, 3])), raw(18, 0, 8))
    const { correlationId, value } = decodeResponse(ApiVersions, 0, (await client.frame())!)
    expect(correlationId).toBe(7)
    expect(value.errorCode).toBe(35)
    expect(value.apiKeys).toEqual([{ apiKey: 18, minVersion: 0, maxVersion: 4 }])
    expect(await client.ids(1)).toEqual([8])
  })

  it.each([
    ['an unknown API', raw(999, 0, 7), '999', 0],
    ['a negative API', raw(-1, 0, 7), '-1', 0],
    ['an API without a handler', raw(3, 1, 7), 'Metadata', 1],
    ['a version above', raw(12, 5, 7), 'Heartbeat', 5],
    ['a negative version', raw(12, -1, 7), 'Heartbeat', -1],
  ])('closes on %s after the earlier answers, with one line', async (_, frame, api, version) => {
    const { connect, lines, server, seen } = await serve([echo, apiVersions])
    const client = await connect()
    await client.send(heartbeat(1))
    expect(await client.ids(1)).toEqual([1])
    for (const connection of seen) connection.softwareName = 'test-client'
    await client.send(heartbeat(2), frame, heartbeat(3))
    expect(await client.ids(9)).toEqual([2])
    await client.closed
    const again = await connect()
    await again.send(frame)
    await again.closed
    expect(lines.map(line => line.level)).toEqual(['warn'])
    expect(lines[0]!.fields).toMatchObject({ api, version, clientId: '', softwareName: 'test-client' })
    expect(server.counters.requestsRefused).toBe(2)
  })

  it('waits for what was asked before, then closes', async () => {
    const slow = gate<Reply>()
    const { connect } = await serve([onHeartbeat(() => slow.promise)])
    const client = await connect()
    await client.send(heartbeat(1), raw(999, 0, 2))
    const other = await connect()
    await other.send(raw(999, 0, 2))
    await other.closed
    expect(client.isClosed).toBe(false)
    slow.resolve(fine)
    expect(await client.ids(2)).toEqual([1])
  })

  it('does not wait longer than the grace period', async () => {
    const never = gate<Reply>()
    const { connect } = await serve([onHeartbeat(() => never.promise)], { limits: { closeGraceMs: 20 } })
    const client = await connect()
    await client.send(heartbeat(1), raw(999, 0, 2))
    expect(await client.frame()).toBe(null)
  })
})

describe.each(modes)('malformed input, read by %s', mode => {
  it.each([
    ['an empty frame', Buffer.alloc(4)],
    ['a cut header', Buffer.from([0, 0, 0, 3, 0, 12, 0])],
    ['a body that ends too early', raw(12, 0, 7, Buffer.from([0, 9, 65]))],
    ['a string of negative length', raw(12, 0, 7, Buffer.from([255, 240, 0, 0, 0, 1, 0, 0]))],
  ])('closes on %s with one line', async (_, bytes) => {
    const { connect, lines, server } = await serve([echo], { mode })
    const client = await connect()
    await client.send(bytes, heartbeat(1))
    expect(await client.frame()).toBe(null)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatchObject({ level: 'warn', message: 'malformed request: connection closed' })
    expect([server.counters.requestsMalformed, server.buffersInUse]).toEqual([1, 0])
  })

  it.each([
    ['a negative size', Buffer.from([255, 255, 255, 255])],
    ['a size above socket.request.max.bytes', Buffer.from([0x06, 0x40, 0, 1])],
    ['a TLS hello', Buffer.from('16030100c4010000c00303', 'hex')],
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a size that only Produce may have', Buffer.from([0, 0x90, 0, 0, 0, 12])],
  ])('closes on %s before more of it comes', async (_, bytes) => {
    const { connect, lines, server } = await serve([echo], { mode })
    const client = await connect()
    await client.send(bytes)
    expect(await client.frame()).toBe(null)
    expect(lines).toHaveLength(1)
    expect([server.counters.requestsRefused, server.buffersInUse]).toEqual([1, 0])
  })

  it('takes a big Produce, in one copy', async () => {
    let size = 0
    const handle = (request: { topicData: { partitionData: { records: { parts: Buffer[] } | null }[] }[] }) => {
      size = request.topicData[0]!.partitionData[0]!.records!.parts[0]!.length
      return { responses: [] }
    }
    const { connect, server } = await serve([{ api: Produce, handle }], { mode })
    const client = await connect()
    await client.send(produce(4, 1, Buffer.alloc(9 << 20, 1)))
    expect(await client.ids(1)).toEqual([4])
    expect([size, server.buffersInUse]).toEqual([9 << 20, 0])
  })

  it('refuses more elements than allowed', async () => {
    const { connect, lines } = await serve([{ api: Produce, handle: () => null }], { mode, limits: { maxElements: 1 } })
    const client = await connect()
    await client.send(produce(4, 1, Buffer.alloc(10)))
    expect(await client.frame()).toBe(null)
    expect(lines[0]!.fields).toMatchObject({ api: 'Produce', version: 9, clientId: 'tester' })
  })

  it('survives random bytes and random damage to real requests', async () => {
    const { connect, server, port } = await serve([echo, apiVersions, { api: Produce, handle: () => null }], { mode })
    expect(port).toBeGreaterThan(0)
    const request = fc.constantFrom(
      heartbeat(1, 'group', 'member'),
      raw(18, 3, 1),
      produce(1, 1, Buffer.alloc(3000, 9)),
    )
    const damage = fc.array(fc.tuple(fc.nat(4000), fc.nat(255)), { maxLength: 4 })
    const damaged = fc.tuple(request, damage).map(([bytes, spots]) => {
      const copy = Buffer.from(bytes)
      for (const [at, value] of spots) copy[at % copy.length] = value
      return copy
    })
    const random = fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes))
    const property = fc.asyncProperty(
      fc.array(fc.oneof(random, damaged), { minLength: 1, maxLength: 6 }),
      async all => {
        const client = await connect()
        await client.send(...all)
        client.socket.end()
        await client.closed
      },
    )
    await fc.assert(property, { numRuns: 80 })
    const client = await connect()
    await client.send(heartbeat(5))
    expect(await client.ids(1)).toEqual([5])
    expect([server.buffersInUse, server.connections]).toEqual([0, 1])
  })
})

describe('handlers that fail', () => {
  const failing = (error: unknown) =>
    onHeartbeat(
      ({ groupId }) => {
        if (groupId === 'later') return Promise.reject(error)
        throw error
      },
      { onError: (_: never, { code }: KafkaError) => ({ errorCode: code }) },
    )

  it.each(['now', 'later'])('answers a KafkaError through onError (%s)', async when => {
    const { connect, lines, server } = await serve([failing(new KafkaError(27))])
    const client = await connect()
    await client.send(heartbeat(1, when))
    expect(await client.heartbeat()).toEqual({ correlationId: 1, errorCode: 27 })
    expect(lines).toEqual([])
    expect(server.counters.apis.get('Heartbeat')!.failures).toBe(1)
  })

  it.each(['now', 'later'])('answers UNKNOWN_SERVER_ERROR for any other error and logs it (%s)', async when => {
    const error = new TypeError('our bug')
    const { connect, lines } = await serve([failing(error)])
    const client = await connect()
    await client.send(heartbeat(1, when), heartbeat(2, when))
    expect(await client.heartbeat()).toEqual({ correlationId: 1, errorCode: -1 })
    expect(await client.heartbeat()).toEqual({ correlationId: 2, errorCode: -1 })
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatchObject({ level: 'error', fields: { api: 'Heartbeat', clientId: 'tester', err: error } })
  })

  it.each([
    ['has no error answer', {}, new KafkaError(27)],
    [
      'fails in its error answer',
      {
        onError: () => {
          throw new Error('again')
        },
      },
      new KafkaError(27),
    ],
  ])('closes the connection where the API %s', async (_, more, error) => {
    const { connect, lines } = await serve([
      onHeartbeat(({ groupId }) => (groupId === 'fail' ? Promise.reject(error) : fine), more),
    ])
    const client = await connect()
    await client.send(heartbeat(1), heartbeat(2, 'fail'), heartbeat(3))
    expect(await client.ids(2)).toEqual([1])
    await client.closed
    expect(lines.map(line => line.level)).toEqual(['error'])
  })

  it('closes the connection for a reply that does not fit, and lives on', async () => {
    const handler = onHeartbeat(({ groupId }) => ({ errorCode: groupId === 'wide' ? 100_000 : 0 }))
    const { connect, lines } = await serve([handler])
    const client = await connect()
    await client.send(heartbeat(2, 'wide'))
    await client.closed
    expect(lines[0]).toMatchObject({ level: 'error', fields: { api: 'Heartbeat' } })
    const other = await connect()
    await other.send(heartbeat(3))
    expect(await other.ids(1)).toEqual([3])
  })

  it('closes without an answer when the handler says so, after the earlier answers', async () => {
    const { connect, server } = await serve([
      onHeartbeat(({ groupId }, { call }) => {
        if (groupId !== 'close') return Promise.resolve(fine)
        call.closeConnection()
        return null
      }),
    ])
    const client = await connect()
    await client.send(heartbeat(1), heartbeat(2, 'close'), heartbeat(3))
    expect(await client.ids(3)).toEqual([1])
    await client.closed
    expect(server.counters.apis.get('Heartbeat')!.requests).toBe(2)
  })
})
