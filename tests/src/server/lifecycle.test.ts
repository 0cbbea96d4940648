// Listening, draining, closing, idle and too many connections.
import { createServer as createPlainServer, type AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { silentLogger, systemRuntime, virtualRuntime } from '../../../src/runtime/index.ts'
import { ListenError, createServer } from '../../../src/server/index.ts'
import type { Context, Reply } from './harness.ts'
import { Client, apiVersions, echo, gate, heartbeat, modes, onHeartbeat, serve } from './harness.ts'

const fine: Reply = { errorCode: 0 }

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setImmediate(resolve))
}

const bare = () =>
  createServer<Context>({
    runtime: systemRuntime(silentLogger),
    handlers: [echo, apiVersions],
    context: (connection, call) => ({ connection, call }),
  })

describe('listening', () => {
  it('binds localhost on 127.0.0.1 and ::1 with the same port', async () => {
    const server = bare()
    const bound = await server.listen('localhost', 0)
    expect(bound.map(({ address }) => address)).toEqual(['127.0.0.1', '::1'].slice(0, bound.length))
    expect(new Set(bound.map(({ port }) => port)).size).toBe(1)
    for (const { address, port } of bound) {
      const client = await Client.connect(port, address)
      await client.send(heartbeat(1))
      expect(await client.ids(1)).toEqual([1])
    }
    await server.close()
  })

  it('tells a handler the addresses, IPv4 as IPv4 on a socket that takes both', async () => {
    const server = createServer<Context>({
      runtime: systemRuntime(silentLogger),
      handlers: [
        onHeartbeat((_, { connection }) => {
          seen.push(connection)
          return fine
        }),
      ],
      context: (connection, call) => ({ connection, call }),
    })
    const seen: Context['connection'][] = []
    const [bound] = await server.listen('', 0, 'INSIDE')
    const client = await Client.connect(bound!.port)
    await client.send(heartbeat(1))
    await client.ids(1)
    expect(seen[0]).toMatchObject({
      localAddress: '127.0.0.1',
      localPort: bound!.port,
      remoteAddress: '127.0.0.1',
      remotePort: client.socket.localPort,
      listenerName: 'INSIDE',
    })
    await server.close()
  })

  it('says in one sentence that a port is in use, and leaves nothing behind', async () => {
    const other = createPlainServer().listen(0, '127.0.0.1')
    await new Promise(resolve => other.once('listening', resolve))
    const { port } = other.address() as AddressInfo
    const server = bare()
    const failure = server.listen('localhost', port)
    await expect(failure).rejects.toThrow(ListenError)
    await expect(failure).rejects.toThrow(
      `Cannot listen on 127.0.0.1:${port} because another program uses that port: stop it or choose another port.`,
    )
    await server.close()
    await new Promise(resolve => other.close(resolve))
  })

  it('gives the port back when only ::1 is taken', async () => {
    const other = createPlainServer().listen(0, '::1')
    const hasV6 = await new Promise(resolve => {
      other.once('listening', () => resolve(true))
      other.once('error', () => resolve(false))
    })
    if (!hasV6) return
    const { port } = other.address() as AddressInfo
    const server = bare()
    await expect(server.listen('localhost', port)).rejects.toThrow(`[::1]:${port}`)
    const again = createPlainServer().listen(port, '127.0.0.1')
    await new Promise((resolve, reject) => again.once('listening', resolve).once('error', reject))
    await new Promise(resolve => again.close(resolve))
    await new Promise(resolve => other.close(resolve))
    await server.close()
  })

  it.each([
    ['203.0.113.7', 0, 'EADDRNOTAVAIL'],
    ['127.0.0.1', 70_000, 'ERR_SOCKET_BAD_PORT'],
  ])('explains why %s:%i cannot be bound', async (host, port, code) => {
    const server = bare()
    await expect(server.listen(host, port)).rejects.toMatchObject({ name: 'ListenError', code })
    await server.close()
  })
})

describe.each(modes)('the end of a connection, read by %s', mode => {
  it('comes after the answers when the client closes its side', async () => {
    const { connect, server } = await serve([echo], { mode })
    const client = await connect()
    client.socket.end(Buffer.concat([heartbeat(1), heartbeat(2), Buffer.from([0, 0])]))
    expect(await client.ids(3)).toEqual([1, 2])
    await until(() => server.connections === 0)
    expect(server.buffersInUse).toBe(0)
  })

  it.each(['half-close', 'reset'])('is told to long polls (%s), once, and their late answers go nowhere', async how => {
    let told = 0
    const poll = gate<Reply>()
    const handler = onHeartbeat((_, { connection }) => {
      connection.onClose(() => void told++)
      connection.onClose(() => void (told += 100))()
      return poll.promise
    })
    const { connect, server, lines } = await serve([handler], { mode })
    const client = await connect()
    await client.send(heartbeat(1))
    await until(() => server.counters.apis.get('Heartbeat')!.requests === 1)
    if (how === 'reset') client.socket.resetAndDestroy()
    else client.socket.end()
    await until(() => server.connections === 0)
    expect(told).toBe(1)
    poll.resolve(fine)
    await poll.promise
    expect(lines.filter(line => line.level !== 'debug')).toEqual([])
  })

  it('is told soon to who asks when it is closed already', async () => {
    const { connect, seen, server } = await serve([echo], { mode })
    const client = await connect()
    await client.send(heartbeat(1))
    await client.ids(1)
    client.socket.resetAndDestroy()
    await until(() => server.connections === 0)
    let told = false
    for (const connection of seen) connection.onClose(() => void (told = true))
    expect(told).toBe(false)
    await until(() => told)
  })

  it('comes in the middle of a big frame without a leak', async () => {
    const { connect, server } = await serve([echo], { mode })
    const client = await connect()
    await client.send(heartbeat(1, 'g', 'x'.repeat(30_000)).subarray(0, 20_000))
    await until(() => server.buffersInUse === 1)
    client.socket.resetAndDestroy()
    await until(() => server.connections === 0)
    expect(server.buffersInUse).toBe(0)
  })
})

describe('limits on connections', () => {
  it('keeps more than max.connections waiting until one ends, and so many alone', async () => {
    const { connect, server, lines } = await serve([echo], { limits: { maxConnections: 2, maxWaiting: 1 } })
    const first = await connect()
    const second = await connect()
    const third = await connect()
    await third.send(heartbeat(3))
    await until(() => server.waiting === 1)
    const fourth = await connect()
    await fourth.closed
    await second.send(heartbeat(2))
    expect(await second.ids(1)).toEqual([2])
    expect(third.received).toHaveLength(0)
    first.socket.destroy()
    expect(await third.ids(1)).toEqual([3])
    expect(server.counters).toMatchObject({ connectionsAccepted: 3, connectionsRefused: 1, connectionsOpen: 2 })
    expect(lines).toHaveLength(1)
  })

  it('lets those that wait in when max.connections is raised, and closes the idlest when it is lowered', async () => {
    const runtime = virtualRuntime()
    const { connect, server, limits } = await serve([echo], { runtime, limits: { maxConnections: 1 } })
    const first = await connect()
    await first.send(heartbeat(1))
    await first.ids(1)
    const second = await connect()
    await until(() => server.waiting === 1)
    limits.maxConnections = 2
    server.limitsChanged()
    await second.send(heartbeat(2))
    expect(await second.ids(1)).toEqual([2])
    runtime.advance(10)
    await first.send(heartbeat(3))
    expect(await first.ids(1)).toEqual([3])
    limits.maxConnections = 1
    server.limitsChanged()
    await second.closed
    await until(() => server.connections === 1)
    await first.send(heartbeat(4))
    expect(await first.ids(1)).toEqual([4])
    expect(server.counters.connectionsDisplaced).toBe(1)
  })

  it('spaces connections out by max.connection.creation.rate, and forgets those that wait when it ends', async () => {
    const runtime = virtualRuntime()
    const window = { samples: 2, windowMs: 1000 }
    const limits = { maxConnectionRate: 1, connectionRateWindow: window }
    const { connect, server } = await serve([echo], { runtime, limits })
    const first = await connect()
    await first.send(heartbeat(1))
    expect(await first.ids(1)).toEqual([1])
    const second = await connect()
    await second.send(heartbeat(2))
    await until(() => server.waiting === 1)
    runtime.advance(999)
    expect(second.received).toHaveLength(0)
    runtime.advance(1)
    expect(await second.ids(1)).toEqual([2])
    const third = await connect()
    await until(() => server.waiting === 1)
    const ended = server.close()
    await third.closed
    await ended
    expect(runtime.pendingTimers).toBe(0)
  })

  it('refuses more than max.connections.per.ip, with overrides', async () => {
    const limits = { maxConnectionsPerIp: 0, maxConnectionsPerIpOverrides: new Map([['127.0.0.1', 1]]) }
    const { connect } = await serve([echo], { limits })
    const first = await connect()
    await (
      await connect()
    ).closed
    await first.send(heartbeat(1))
    expect(await first.ids(1)).toEqual([1])
  })

  it('closes connections on which nothing happens for connections.max.idle.ms', async () => {
    const runtime = virtualRuntime()
    const { connect, server } = await serve([echo], { runtime, limits: { maxIdleMs: 80_000 } })
    const idle = await connect()
    const busy = await connect()
    for (let i = 0; i < 4; i++) {
      await busy.send(heartbeat(i))
      expect(await busy.ids(1)).toEqual([i])
      runtime.advance(30_000)
    }
    await idle.closed
    expect([server.connections, server.counters.connectionsExpired]).toEqual([1, 1])
  })
})

describe('the end of the server', () => {
  it('answers what is in flight, then closes everything', async () => {
    const slow = gate<Reply>()
    const { connect, server, port } = await serve([onHeartbeat(() => slow.promise)])
    const client = await connect()
    const idle = await connect()
    await client.send(heartbeat(1))
    await until(() => server.counters.apis.get('Heartbeat')!.requests === 1)
    const drained = server.drain(60_000)
    await idle.closed
    await expect(Client.connect(port)).rejects.toThrow('ECONNREFUSED')
    expect(client.isClosed).toBe(false)
    slow.resolve(fine)
    expect(await client.ids(2)).toEqual([1])
    await drained
    expect(server.connections).toBe(0)
    await server.close()
    await server.close()
  })

  it('does not wait longer than it is told', async () => {
    const runtime = virtualRuntime()
    const { connect, server } = await serve([onHeartbeat(() => new Promise<Reply>(() => undefined))], { runtime })
    const client = await connect()
    await client.send(heartbeat(1))
    await until(() => server.counters.apis.get('Heartbeat')!.requests === 1)
    const drained = server.drain(1000)
    await runtime.advanceAsync(1000)
    await drained
    await server.close()
    await client.closed
    expect([server.connections, runtime.pendingTimers]).toEqual([0, 0])
  })

  it('stops accepting but goes on serving', async () => {
    const { connect, server, port } = await serve([echo])
    const client = await connect()
    server.stopAccepting()
    await client.send(heartbeat(1))
    expect(await client.ids(1)).toEqual([1])
    await expect(Client.connect(port)).rejects.toThrow('ECONNREFUSED')
  })

  it('leaves no handle open', async () => {
    const handles = () => process.getActiveResourcesInfo().filter(name => /TCP|Timeout/.test(name))
    const before = handles()
    const server = bare()
    const bound = await server.listen('localhost', 0)
    const client = await Client.connect(bound[0]!.port)
    await client.send(heartbeat(1))
    await client.ids(1)
    await server.close()
    await client.closed
    expect(handles()).toEqual(before)
  })
})
