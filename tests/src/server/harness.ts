// A server with fake handlers on real sockets, and a client that sees every byte.
import { connect, type Socket } from 'node:net'
import { afterEach } from 'vitest'
import type { Call, ConnectionInfo, Handler, Server, ServerLimits } from '../../../src/server/index.ts'
import { ApiVersions, Fetch, Heartbeat, Produce, decodeResponse, encodeRequest } from '../../../protocol/index.ts'
import { recordingLogger, systemRuntime, type LogLine, type Runtime } from '../../../src/runtime/index.ts'
import { createServer, defaultLimits } from '../../../src/server/index.ts'

export interface Context {
  readonly connection: ConnectionInfo
  readonly call: Call
}

export interface Harness {
  readonly server: Server
  readonly port: number
  readonly lines: LogLine[]
  readonly limits: ServerLimits
  /** Every connection a handler has seen. */
  readonly seen: Set<ConnectionInfo>
  readonly connect: () => Promise<Client>
}

/** How reads reach the server: both must behave alike. */
export type Mode = 'onread' | 'data'
export const modes: readonly Mode[] = ['onread', 'data']

const open: { close(): Promise<void> }[] = []

afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})

export async function serve(
  handlers: readonly Handler<Context>[],
  o: { limits?: Partial<ServerLimits>; mode?: Mode; runtime?: Runtime } = {},
): Promise<Harness> {
  const lines: LogLine[] = []
  const limits = { ...defaultLimits, ...o.limits }
  const seen = new Set<ConnectionInfo>()
  const server = createServer<Context>({
    runtime: o.runtime ?? systemRuntime(recordingLogger(lines)),
    handlers,
    limits,
    onread: o.mode !== 'data',
    context(connection, call) {
      seen.add(connection)
      return { connection, call }
    },
  })
  open.push(server)
  const [bound] = await server.listen('127.0.0.1', 0)
  const { port } = bound!
  return { server, port, lines, limits, seen, connect: () => Client.connect(port) }
}

export class Client {
  readonly socket: Socket
  /** Resolves when the connection is closed, however. */
  readonly closed: Promise<void>
  /** Everything received and not yet taken. */
  received: Buffer = Buffer.alloc(0)
  isClosed = false
  readonly #wakeups = new Set<() => void>()

  private constructor(socket: Socket) {
    this.socket = socket
    const wake = () => {
      for (const wakeup of this.#wakeups) wakeup()
    }
    socket.on('data', chunk => {
      this.received = this.received.length === 0 ? chunk : Buffer.concat([this.received, chunk])
      wake()
    })
    socket.on('end', () => socket.destroy())
    // A reset is an expected way to be closed here.
    socket.on('error', wake)
    this.closed = new Promise(resolve =>
      socket.on('close', () => {
        this.isClosed = true
        resolve()
        wake()
      }),
    )
  }

  static async connect(port: number, host = '127.0.0.1'): Promise<Client> {
    const socket = connect({ port, host, allowHalfOpen: true, noDelay: true })
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    const client = new Client(socket)
    open.push({ close: () => (socket.destroy(), client.closed) })
    return client
  }

  /** Resolves when the bytes are with the operating system. */
  send(...bytes: Buffer[]): Promise<void> {
    return new Promise(resolve => this.socket.write(Buffer.concat(bytes), () => resolve()))
  }

  /** The next answer frame without its size; null: the connection ended before it was complete. */
  async frame(): Promise<Buffer | null> {
    await this.#until(() => this.received.length >= 4 && this.received.length >= 4 + this.received.readInt32BE())
    if (this.received.length < 4) return null
    const end = 4 + this.received.readInt32BE()
    if (this.received.length < end) return null
    const frame = this.received.subarray(4, end)
    this.received = this.received.subarray(end)
    return frame
  }

  /** Correlation ids of the next `count` answers. */
  async ids(count: number): Promise<number[]> {
    const ids = []
    while (ids.length < count) {
      const frame = await this.frame()
      if (!frame) break
      ids.push(frame.readInt32BE())
    }
    return ids
  }

  async heartbeat(): Promise<{ correlationId: number; errorCode: number }> {
    const { correlationId, value } = decodeResponse(Heartbeat, 4, (await this.frame()) ?? Buffer.alloc(0))
    return { correlationId, errorCode: value.errorCode }
  }

  #until(condition: () => boolean): Promise<void> {
    return new Promise(resolve => {
      const check = () => {
        if (!condition() && !this.isClosed) return
        this.#wakeups.delete(check)
        resolve()
      }
      this.#wakeups.add(check)
      check()
    })
  }
}

function bytesOf({ chunks }: { chunks: Buffer[] }): Buffer {
  return Buffer.concat(chunks)
}

/** A Heartbeat request frame; fake handlers take the group id for a command. */
export function heartbeat(correlationId: number, groupId = 'g', memberId = 'm'): Buffer {
  return bytesOf(
    encodeRequest(Heartbeat, 4, correlationId, 'tester', { groupId, generationId: 1, memberId, groupInstanceId: null }),
  )
}

export function produce(correlationId: number, acks: number, records: Buffer): Buffer {
  const partitionData = [{ index: 0, records: { byteLength: records.length, parts: [records] } }]
  const topicData = [{ name: 't', partitionData }]
  const request = { transactionalId: null, acks, timeoutMs: 1000, topicData }
  return bytesOf(encodeRequest(Produce, 9, correlationId, 'tester', request))
}

export function fetch(correlationId: number): Buffer {
  const request = { maxWaitMs: 0, minBytes: 0, topics: [], forgottenTopicsData: [] }
  return bytesOf(encodeRequest(Fetch, 12, correlationId, 'tester', request))
}

/** A frame with a header of version 1 and an arbitrary body. */
export function raw(apiKey: number, version: number, correlationId: number, body: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(14)
  head.writeInt32BE(10 + body.length)
  head.writeInt16BE(apiKey, 4)
  head.writeInt16BE(version, 6)
  head.writeInt32BE(correlationId, 8)
  head.writeInt16BE(-1, 12)
  return Buffer.concat([head, body])
}

/** A Fetch reply that carries `parts` by reference. */
export function fetched(parts: Buffer[], release: () => void) {
  const byteLength = parts.reduce((sum, part) => sum + part.length, 0)
  const partitions = [{ partitionIndex: 0, errorCode: 0, highWatermark: 1, records: { byteLength, parts, release } }]
  return { errorCode: 0, sessionId: 0, responses: [{ topic: 't', partitions }] }
}

type HeartbeatRequest = { groupId: string; memberId: string }
export type Reply = { errorCode: number }

/** Heartbeat with a function of the test. */
export function onHeartbeat(
  handle: (request: HeartbeatRequest, context: Context) => Reply | null | Promise<Reply | null>,
  more: Partial<Handler<Context>> = {},
): Handler<Context> {
  return { api: Heartbeat, handle, ...more }
}

export const apiVersions: Handler<Context> = {
  api: ApiVersions,
  versions: [0, 4],
  handle: () => ({ errorCode: 0, apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }] }),
}

export const echo = onHeartbeat(() => ({ errorCode: 0 }))

/** A promise that the test settles. */
export function gate<T>() {
  let resolve!: (value: T) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<T>((a, b) => {
    resolve = a
    reject = b
  })
  return { promise, resolve, reject }
}
