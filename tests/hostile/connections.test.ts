// Noise, halves and crowds on the socket: the broker closes or answers, logs no error of its own, and serves the next client.
import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Metadata, Produce, encodeRequest } from '../../protocol/index.ts'
import { HEADER_SIZE, LOG_OVERHEAD, computeCrc } from '../../protocol/records/batch.ts'
import { encodeBatch } from '../../protocol/records/record.ts'
import { createBroker, type RunningBroker } from '../../src/index.ts'
import { recordingLogger, type LogLine } from '../../src/runtime/index.ts'
import { Random } from '../crash/random.ts'
import { createTopic, open, produce, send, works } from './peer.ts'

const lines: LogLine[] = []
let broker: RunningBroker
let port = 0

beforeAll(async () => {
  const config = { 'offsets.topic.num.partitions': 1, 'odradek.validate.compressed': true }
  broker = createBroker({ listen: '127.0.0.1:0', logger: recordingLogger(lines), config })
  await broker.listen()
  port = Number(broker.bootstrap.split(':').at(-1))
})

afterAll(() => broker.close())

async function stillServes(): Promise<void> {
  expect(await works(port)).toBe(true)
  expect(lines.filter(({ level }) => level === 'error')).toEqual([])
}

const metadata = Buffer.concat(encodeRequest(Metadata, 12, 1, 'x', { topics: null }).chunks)

test('random bytes', async () => {
  const random = new Random(1)
  for (let i = 0; i < 300; i++) {
    const noise = Buffer.from(Array.from({ length: random.int(1, 300) }, () => random.int(0, 255)))
    // Half of them with a size that fits, so that the header is read.
    if (random.chance(0.5) && noise.length > 12) noise.writeInt32BE(noise.length - 4)
    const socket = await open(port)
    socket.end(noise)
    socket.resume()
    await once(socket, 'close')
  }
  await stillServes()
})

test('every API key, also those there are none of, with versions around those that are served', async () => {
  const body = Buffer.alloc(40)
  for (let key = -1; key < 100; key++) {
    for (const version of [-1, 0, 1, 3, 9, 20, 32767]) {
      const head = Buffer.alloc(14)
      head.writeInt32BE(10 + body.length)
      head.writeInt16BE(key, 4)
      head.writeInt16BE(version, 6)
      head.writeInt16BE(-1, 12)
      const socket = await open(port)
      socket.end(Buffer.concat([head, body]))
      socket.resume()
      await once(socket, 'close')
    }
  }
  await stillServes()
})

test('frames cut off at every byte', async () => {
  for (let size = 0; size < metadata.length; size++) {
    const socket = await open(port)
    socket.resume()
    if (size % 2 === 0) socket.end(metadata.subarray(0, size))
    else socket.write(metadata.subarray(0, size), () => socket.resetAndDestroy())
    await once(socket, 'close')
  }
  await stillServes()
})

test('sizes that no frame has', async () => {
  for (const size of [-1, -(2 ** 31), 0, 1, 7, 2 ** 31 - 1, 100 * 2 ** 20 + 1]) {
    const frame = Buffer.from(metadata)
    frame.writeInt32BE(size)
    expect([size, await send(port, frame)]).toEqual([size, 'closed'])
  }
  await stillServes()
})

test('two thousand connections that come and go', async () => {
  for (let round = 0; round < 10; round++) {
    const sockets = await Promise.all(Array.from({ length: 200 }, () => open(port)))
    for (const [i, socket] of sockets.entries()) {
      if (i % 3 === 0) socket.write(metadata)
      if (i % 3 === 1) socket.write(metadata.subarray(0, 9))
    }
    await Promise.all(
      sockets.map(socket => {
        const closed = once(socket, 'close')
        socket.resetAndDestroy()
        return closed
      }),
    )
  }
  await stillServes()
})

test('batches whose records, lengths and counts are not what they say', async () => {
  const random = new Random(2)
  await createTopic(port, 'records')
  const records = [1, 2, 3].map(n => ({
    key: Buffer.from(`k${n}`),
    value: Buffer.from(`value ${n}`),
    headers: [{ key: 'h', value: null }],
  }))
  let refused = 0
  for (let i = 0; i < 600; i++) {
    const batch = encodeBatch({ timestamp: 1, codec: random.int(0, 3), records })
    const place = random.chance(0.7) ? random.int(HEADER_SIZE, batch.length - 1) : random.int(8, HEADER_SIZE - 1)
    const hostile = random.pick(['ff', '00', '80', 'ffffffff0f', 'feffffff0f', 'ffffffffffffffffff01', '7fffffff'])
    batch.write(hostile.slice(0, 2 * (batch.length - place)), place, 'hex')
    // The checksum is right, and mostly the length: it is the content that has to be looked at.
    if (random.chance(0.8)) batch.writeInt32BE(batch.length - LOG_OVERHEAD, 8)
    batch.writeUInt32BE(computeCrc(batch, 0, batch.length), 17)
    if ((await produce(port, 'records', batch)) !== 0) refused++
  }
  expect(refused).toBeGreaterThan(300)
  await stillServes()
})

test('records that are no batch at all', async () => {
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(1), Buffer.alloc(60), Buffer.alloc(61), Buffer.alloc(500, 0xff)]) {
    expect(await produce(port, 'records', bytes)).not.toBe(0)
  }
  const topicData = [{ name: 'records', partitionData: [{ index: 0, records: null }] }]
  const frame = encodeRequest(Produce, 9, 1, 'x', { acks: 1, timeoutMs: 1, topicData })
  expect(await send(port, Buffer.concat(frame.chunks))).toBeGreaterThan(0)
  await stillServes()
})
