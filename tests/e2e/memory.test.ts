// One memory budget: what every pool holds stays within its limit, whoever takes nothing of what it asked for does not
// keep the others from theirs, and all of it comes back.
import { beforeEach, expect, test } from 'vitest'
import { encodeRequest, Fetch } from '../../protocol/index.ts'
import { encodeBatch } from '../../protocol/records/record.ts'
import type { MemoryPool, RunningBroker } from '../../src/index.ts'
import { ask, createTopic, open, produce } from '../hostile/peer.ts'
import { broker as running, folder } from './support.ts'

const MB = 1 << 20
const BATCHES = 18
const BATCH_BYTES = 256 * 1024

let broker: RunningBroker
let port: number

beforeEach(async () => {
  broker = await running({ dataDir: folder(), config: { 'odradek.memory.bytes': 128 * MB } })
  port = Number(broker.bootstrap.split(':').at(-1))
})

const pools = (): Record<string, MemoryPool> =>
  Object.fromEntries(broker.metrics().memory.pools.map(pool => [pool.name, pool]))

const fetchOf = (fetchOffset: number) => ({
  maxWaitMs: 500,
  minBytes: 1,
  maxBytes: 50 * MB,
  topics: [{ topic: 'wide', partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 50 * MB }] }],
  forgottenTopicsData: [],
})

/** Reads the topic to its end; returns how many bytes of records there were. */
async function readAll(): Promise<number> {
  let bytes = 0
  for (let offset = 0; offset < BATCHES;) {
    const reply = await ask(port, Fetch, 12, fetchOf(offset))
    const { errorCode, records } = reply.responses[0]!.partitions[0]!
    expect(errorCode).toBe(0)
    for (const part of records!.parts) {
      for (let at = 0; at < part.length; at += 12 + part.readInt32BE(at + 8)) offset++
      bytes += part.length
    }
  }
  return bytes
}

async function fill(): Promise<number> {
  await createTopic(port, 'wide')
  let bytes = 0
  for (let i = 0; i < BATCHES; i++) {
    const batch = encodeBatch({ timestamp: 1, records: [{ key: null, value: Buffer.alloc(BATCH_BYTES, i) }] })
    expect(await produce(port, 'wide', batch)).toBe(0)
    bytes += batch.length
  }
  return bytes
}

/** Resolves when the condition holds; looks after every turn of the event loop. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setImmediate(resolve))
}

test('the pools are told with their limits, which are no more than the budget together', () => {
  const { totalBytes, pools: all } = broker.metrics().memory
  expect(totalBytes).toBe(128 * MB)
  expect(all.map(({ name }) => name).toSorted()).toEqual([
    'answers',
    'client.metrics',
    'compaction',
    'decompression',
    'fetch.sessions',
    'groups',
    'log.reads',
    'log.tail',
    'producers',
    'requests.receiving',
    'requests.unanswered',
  ])
  expect(all.reduce((sum, { limitBytes }) => sum + limitBytes, 0)).toBeLessThanOrEqual(totalBytes)
  for (const { usedBytes, peakBytes, limitBytes } of all) {
    expect(usedBytes).toBeLessThanOrEqual(peakBytes)
    expect(peakBytes).toBeLessThanOrEqual(limitBytes)
  }
})

test('fifty consumers read on beside twenty that ask and do not read', { timeout: 60_000 }, async () => {
  const bytes = await fill()
  const slow = await Promise.all(Array.from({ length: 20 }, () => open(port)))
  const frame = Buffer.concat(encodeRequest(Fetch, 12, 1, 'slow', fetchOf(0)).chunks)
  for (const socket of slow) {
    socket.pause()
    socket.write(Buffer.concat(Array.from({ length: 50 }, () => frame)))
  }
  await until(() => pools()['answers']!.usedBytes > 4 * MB)
  const read = await Promise.all(Array.from({ length: 50 }, readAll))
  expect(read).toEqual(Array.from({ length: 50 }, () => bytes))
  for (const { name, peakBytes, limitBytes } of Object.values(pools())) {
    // An answer may go beyond the limit by one batch for each connection that had nothing.
    const more = name === 'answers' || name === 'log.reads' ? 50 * BATCH_BYTES : 0
    expect([name, peakBytes <= limitBytes + more]).toEqual([name, true])
  }
  for (const socket of slow) socket.destroy()
  await until(() => pools()['answers']!.usedBytes === 0)
  await broker.close()
  const { answers, 'requests.unanswered': unanswered } = pools()
  expect([answers!.usedBytes, unanswered!.usedBytes]).toEqual([0, 0])
})
