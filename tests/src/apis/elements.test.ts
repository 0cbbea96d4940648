// Frames as large as are allowed, full of the smallest elements: the broker closes the connection, and stays small.
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { requestHeaderVersion, type Api } from '../../../protocol/api.ts'
import { apis } from '../../../src/apis/index.ts'
import { createBroker } from '../../../src/index.ts'
import { smallest } from '../../fuzz/smallest.ts'

const MAX_BYTES = 1 << 20
const MAX_ELEMENTS = 40_000
const broker = createBroker({
  listen: '127.0.0.1:0',
  config: { 'odradek.request.max.bytes': MAX_BYTES, 'odradek.request.max.elements': MAX_ELEMENTS },
})
beforeAll(() => broker.listen())
afterAll(() => broker.close())

/** As many elements as fit into a frame, of the API's first array. */
function frame(api: Api, version: number): Buffer | null {
  const [one, two] = [smallest(api, version, 0, 1), smallest(api, version, 0, 2)]
  if (!one || !two) return null
  const count = Math.floor((MAX_BYTES - one.length - 100) / (two.length - one.length))
  const header = Buffer.alloc(13 + requestHeaderVersion(api, version))
  const body = smallest(api, version, 0, count)!
  header.writeInt32BE(header.length - 4 + body.length, 0)
  header.writeInt16BE(api.key, 4)
  header.writeInt16BE(version, 6)
  header.writeInt16BE(-1, 12)
  return count > MAX_ELEMENTS ? Buffer.concat([header, body]) : null
}

/** Resolves with the bytes of the answer when the connection is closed. */
function send(bytes: Buffer): Promise<number> {
  return new Promise(resolve => {
    let received = 0
    const socket = connect(Number(broker.bootstrap.split(':').at(-1)), '127.0.0.1')
    socket.on('data', chunk => (received += chunk.length))
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(received))
    socket.write(bytes)
  })
}

test('of every API and version that has such elements', async () => {
  const frames = apis.flatMap(({ api, versions }) =>
    [...new Set(versions)].map(version => frame(api, version)).filter(bytes => bytes !== null),
  )
  expect(frames.length).toBeGreaterThan(5)
  const before = process.memoryUsage().rss
  for (const bytes of frames) {
    // oxlint-disable-next-line no-await-in-loop -- what one leaves behind adds to the next
    expect(await send(bytes)).toBe(0)
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(150 << 20)
}, 30_000)
