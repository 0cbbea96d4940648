// A socket that has much to say leaves others their turn, loses nothing by it, and stays paused when it is told to.
import net from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { listen, type Listening, type AcceptedSocket, type Socket } from '../../../src/runtime/net.ts'

const MIB = 1 << 20
const SENT = 48 * MIB
/** A rest after 4 MiB; the read that reaches them may be one MiB. */
const MOST_AT_ONCE = 5 * MIB

let listening: Listening | null = null
let client: net.Socket | null = null
afterEach(async () => {
  client?.destroy()
  await listening?.close()
})

interface Seen {
  total: number
  /** Most bytes between two runs of setImmediate. */
  mostAtOnce: number
  socket: Socket
}

/** Sends zeros to a receiver that takes a MiB at a time; resolves when `until` says so, or the peer has ended. */
function receive(onBytes: (seen: Seen) => boolean): Promise<Seen> {
  const buffer = Buffer.alloc(MIB)
  return new Promise((resolve, reject) => {
    let sinceImmediate = 0
    const accept = (socket: AcceptedSocket) => {
      const seen: Seen = { total: 0, mostAtOnce: 0, socket }
      socket.start({
        target: () => buffer,
        received(_: Buffer, length: number) {
          if (sinceImmediate === 0) setImmediate(() => void (sinceImmediate = 0))
          sinceImmediate += length
          seen.total += length
          seen.mostAtOnce = Math.max(seen.mostAtOnce, sinceImmediate)
          if (onBytes(seen)) resolve(seen)
        },
        flushing: () => undefined,
        sent: () => undefined,
        ended: () => resolve(seen),
        closed: () => undefined,
      })
    }
    listen({ host: '127.0.0.1', port: 0, stage: buffer, accept, acceptFailed: reject }).then(found => {
      listening = found
      client = net.connect(found.port, found.address)
      client.on('error', reject)
      client.end(Buffer.alloc(SENT))
    }, reject)
  })
}

test('everything arrives, the end included, and no turn takes more than its share', async () => {
  const seen = await receive(() => false)
  expect(seen.total).toBe(SENT)
  expect(seen.mostAtOnce).toBeLessThanOrEqual(MOST_AT_ONCE)
})

test('a pause in the read that begins a rest lasts beyond it, and resume goes on', async () => {
  const seen = await receive(({ total, socket }) => {
    if (total < 4 * MIB) return false
    socket.pause()
    return true
  })
  const before = seen.total
  for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
  expect(seen.total).toBe(before)
  seen.socket.resume()
  while (seen.total === before) await new Promise(resolve => setImmediate(resolve))
  expect(seen.total).toBeGreaterThan(before)
})

test('what a slow peer takes of one large write is told bit by bit', async () => {
  const accepted = new Promise<Socket>((resolve, reject) => {
    const accept = (socket: AcceptedSocket) => {
      socket.start({
        target: () => null,
        received: () => undefined,
        flushing: () => undefined,
        sent: () => undefined,
        ended: () => undefined,
        closed: () => undefined,
      })
      resolve(socket)
    }
    listen({ host: '127.0.0.1', port: 0, stage: Buffer.alloc(MIB), accept, acceptFailed: reject }).then(found => {
      listening = found
      client = net.connect(found.port, found.address)
      client.pause()
    }, reject)
  })
  const socket = await accepted
  const chunks = Array.from({ length: SENT / MIB }, () => Buffer.alloc(MIB))
  socket.write({ chunks, release: () => undefined })
  const left: number[] = [socket.leftBytes]
  client!.resume()
  while (client!.bytesRead < SENT) {
    await new Promise(resolve => setImmediate(resolve))
    if (socket.leftBytes > left.at(-1)!) left.push(socket.leftBytes)
    expect(socket.leftBytes).toBeGreaterThanOrEqual(left.at(-1)!)
  }
  expect([left[0], left.at(-1), socket.unsentBytes]).toEqual([0, SENT, 0])
  // It was one write, of which nothing was given back before all of it had left.
  expect(left.length).toBeGreaterThan(3)
})

test('a socket that is closed before it starts tells its receiver so', async () => {
  const told = new Promise<Error | null>((resolve, reject) => {
    const accept = async (socket: AcceptedSocket): Promise<void> => {
      const gone = new Promise(closed => client!.once('close', closed))
      socket.destroy()
      await gone
      await new Promise(later => setImmediate(later))
      socket.start({
        target: () => null,
        received: reject,
        flushing: () => undefined,
        sent: () => undefined,
        ended: reject,
        closed: resolve,
      })
    }
    const taken = (socket: AcceptedSocket): void => void accept(socket)
    listen({ host: '127.0.0.1', port: 0, stage: Buffer.alloc(MIB), accept: taken, acceptFailed: reject }).then(
      found => {
        listening = found
        client = net.connect(found.port, found.address)
        client.resume()
      },
      reject,
    )
  })
  expect(await told).toBe(null)
})
