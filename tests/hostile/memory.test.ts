// What a client sends never makes the broker take more memory than its limits allow, measured from outside the process.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ChildBroker } from './child.ts'
import { Fetch, ListOffsets, encodeRequest } from '../../protocol/index.ts'
import { compress, codecReady, ZSTD } from '../../protocol/records/compression.ts'
import { HEADER_SIZE, LOG_OVERHEAD, computeCrc } from '../../protocol/records/batch.ts'
import { encodeBatch } from '../../protocol/records/record.ts'
import { apis } from '../../src/apis/index.ts'
import { childBroker } from './child.ts'
import { ask, createTopic, open, produce, send, works } from './peer.ts'
import { tinyFrames } from './tiny.ts'

const FRAME = 100 << 20
const REQUEST = 8 << 20
/** odradek.request.max.elements */
const BUDGET = 100_000
/** What the process may take over what it took when it started: one frame of 100 MiB is held whole. */
const PEAK_GROWTH_MB = 900
/** WebAssembly memory, zstd needs some, never shrinks; Node 24 keeps more than Node 20. */
const LASTING_GROWTH_MB = 350

let broker: ChildBroker
let startMb = 0

beforeAll(async () => {
  broker = await childBroker({ 'odradek.validate.compressed': 'true', 'offsets.topic.num.partitions': '1' })
  expect(await works(broker.port)).toBe(true)
  startMb = (await broker.figures()).rssMb
}, 30_000)

afterAll(() => broker[Symbol.asyncDispose]())

async function stillSmall(): Promise<void> {
  expect(await works(broker.port)).toBe(true)
  const { rssMb, peakMb, errors } = await broker.figures()
  expect(errors).toEqual([])
  expect(rssMb - startMb).toBeLessThan(LASTING_GROWTH_MB)
  expect(peakMb - startMb).toBeLessThan(PEAK_GROWTH_MB)
}

test(
  '100 MiB of the smallest elements to every API but Produce are refused at the size',
  { timeout: 60_000 },
  async () => {
    for (const { api, versions } of apis) {
      if (api.name === 'Produce') continue
      const [frame] = tinyFrames(api, versions[1], 64 * 1024)
      const head = Buffer.from(frame ?? Buffer.alloc(64 * 1024))
      head.writeInt32BE(FRAME)
      head.writeInt16BE(api.key, 4)
      // The connection is closed long before the frame is there.
      expect([api.name, await send(broker.port, head)]).toEqual([api.name, 'closed'])
    }
    await stillSmall()
  },
)

test('the largest frames of the smallest elements', { timeout: 60_000 }, async () => {
  const refused = new Set<string>()
  for (const { api, versions } of apis) {
    for (const frame of tinyFrames(api, versions[1], api.name === 'Produce' ? FRAME : REQUEST)) {
      if ((await send(broker.port, frame)) === 'closed') refused.add(api.name)
    }
  }
  // More partitions, topics and groups than a request may have.
  expect([...refused]).toEqual(expect.arrayContaining(['Produce', 'Fetch', 'Metadata', 'OffsetFetch', 'CreateTopics']))
  await stillSmall()
})

test('as many elements as are allowed', { timeout: 60_000 }, async () => {
  for (const name of [
    'Produce',
    'Fetch',
    'Metadata',
    'OffsetCommit',
    'OffsetFetch',
    'CreateTopics',
    'FindCoordinator',
  ]) {
    const { api, versions } = apis.find(handler => handler.api.name === name)!
    for (const frame of tinyFrames(api, versions[1], REQUEST, BUDGET - 100)) {
      const outcome = await send(broker.port, frame)
      expect(outcome === 'closed' || outcome > 0).toBe(true)
    }
  }
  await stillSmall()
})

test('readers that do not read', { timeout: 60_000 }, async () => {
  const value = Buffer.alloc(900_000, 'x')
  await createTopic(broker.port, 'wide')
  for (let i = 0; i < 12; i++) {
    await produce(broker.port, 'wide', encodeBatch({ timestamp: 1, records: [{ key: null, value }] }))
  }
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 12_000_000 }]
  const request = { maxWaitMs: 0, minBytes: 1, topics: [{ topic: 'wide', partitions }], forgottenTopicsData: [] }
  const frame = Buffer.concat(encodeRequest(Fetch, 12, 1, 'slow', request).chunks)
  const sockets = await Promise.all(Array.from({ length: 6 }, () => open(broker.port)))
  for (const socket of sockets) {
    socket.pause()
    socket.write(Buffer.concat(Array.from({ length: 500 }, () => frame)))
  }
  await stillSmall()
  for (const socket of sockets) socket.destroy()
  await stillSmall()
})

/** A batch that says it holds one record and whose payload expands to `bytes` zeros. */
function bomb(codec: number, payload: Buffer): Buffer {
  const batch = Buffer.concat([
    encodeBatch({ timestamp: 1, records: [{ key: null, value: null }] }).subarray(0, HEADER_SIZE),
    payload,
  ])
  batch.writeInt32BE(batch.length - LOG_OVERHEAD, 8)
  batch.writeInt16BE(codec, 21)
  batch.writeUInt32BE(computeCrc(batch, 0, batch.length), 17)
  return batch
}

test('decompression bombs', { timeout: 60_000 }, async () => {
  await codecReady(ZSTD)
  const zeros = Buffer.alloc(200 << 20)
  const sloppy = await childBroker({ 'odradek.validate.compressed': 'false' })
  try {
    const { rssMb } = await sloppy.figures()
    for (const codec of [1, 2, 3, 4]) {
      const batch = bomb(codec, compress(codec, codec === 2 ? zeros.subarray(0, 15 << 20) : zeros))
      await createTopic(broker.port, `bomb-${codec}`)
      expect([codec, await produce(broker.port, `bomb-${codec}`, batch)]).not.toEqual([codec, 0])
      // Without the check of what is inside, the batch is stored; looking for a time opens it.
      await createTopic(sloppy.port, `bomb-${codec}`)
      expect([codec, await produce(sloppy.port, `bomb-${codec}`, batch)]).toEqual([codec, 0])
      const partitions = [{ partitionIndex: 0, timestamp: 1 }]
      const reply = await ask(sloppy.port, ListOffsets, 7, {
        replicaId: -1,
        isolationLevel: 0,
        topics: [{ name: `bomb-${codec}`, partitions }],
      })
      expect(reply.topics[0]!.partitions).toHaveLength(1)
    }
    expect(await works(sloppy.port)).toBe(true)
    const after = await sloppy.figures()
    expect(after.peakMb - rssMb).toBeLessThan(PEAK_GROWTH_MB)
  } finally {
    await sloppy[Symbol.asyncDispose]()
  }
  await stillSmall()
})
