// A client of a few lines: requests of any API and version on one connection, answers in order. It looks at bytes that
// libraries hide: correlation ids, left-over bytes, closed connections.
import { connect, type Socket } from 'node:net'
import type { Api, AskOf, ResponseOf } from '../../protocol/api.ts'
import { ApiVersions, decodeResponse, encodeRequest } from '../../protocol/index.ts'

export interface Wire {
  /** Sends and decodes the answer; rejects when the answer has another correlation id, bytes left over, or never comes. */
  request<A extends Api>(api: A, version: number, ask: AskOf<A>): Promise<ResponseOf<A>>
  /** Sends bytes as they are. The answer is the next frame without its size, null when the connection was closed. */
  raw(frame: Uint8Array): Promise<Buffer | null>
  /** Sends bytes to which no answer is expected. */
  post(frame: Uint8Array): void
  /** Resolves when the broker has closed the connection. */
  readonly closed: Promise<void>
  close(): void
}

export function hostAndPort(address: string): { host: string; port: number } {
  const at = address.lastIndexOf(':')
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(address.slice(at + 1)) }
}

/** Opens a connection to `host:port`. */
export function open(address: string): Promise<Wire> {
  const socket = connect({ ...hostAndPort(address), noDelay: true })
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once('connect', () => resolve(wire(socket)))
  })
}

function wire(socket: Socket): Wire {
  const waiting: ((frame: Buffer | null) => void)[] = []
  let received: Buffer = Buffer.alloc(0)
  let correlationId = 0
  socket.on('error', () => socket.destroy())
  socket.on('data', chunk => {
    received = Buffer.concat([received, chunk])
    while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
      const end = 4 + received.readInt32BE(0)
      waiting.shift()?.(received.subarray(4, end))
      received = received.subarray(end)
    }
  })
  const closed = new Promise<void>(resolve => {
    socket.once('close', () => {
      for (const answer of waiting.splice(0)) answer(null)
      resolve()
    })
  })
  const raw = (frame: Uint8Array): Promise<Buffer | null> =>
    new Promise(resolve => {
      if (socket.destroyed) return resolve(null)
      waiting.push(resolve)
      socket.write(frame)
    })
  return {
    raw,
    closed,
    post: frame => void socket.write(frame),
    close: () => void socket.destroy(),
    async request(api, version, ask) {
      const id = ++correlationId
      const answer = await raw(bytesOf(encodeRequest(api, version, id, 'wire', ask).chunks))
      if (answer === null) throw new Error(`${api.name} ${version}: the connection was closed`)
      const decoded = decodeResponse(api, version, answer)
      if (decoded.correlationId !== id) throw new Error(`${api.name} ${version}: answer to ${decoded.correlationId}`)
      return decoded.value
    },
  }
}

export const bytesOf = (chunks: readonly Uint8Array[]): Buffer => Buffer.concat(chunks)

/** Whether a broker answers ApiVersions at this address; rejects when nothing listens. */
export async function answers(address: string): Promise<boolean> {
  const client = await open(address)
  try {
    const { errorCode } = await client.request(ApiVersions, 3, {
      clientSoftwareName: 'odradek-compat',
      clientSoftwareVersion: '1',
    })
    return errorCode === 0
  } finally {
    client.close()
  }
}
