// Settings that only a whole broker shows: its directories, descriptors, sockets and its end.
import { existsSync, readdirSync, readlinkSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { hostAndPort, open, type Wire } from '../../compat/harness/wire.ts'
import {
  ApiVersions,
  CreateTopics,
  encodeRequest,
  Fetch,
  IncrementalAlterConfigs,
  Produce,
} from '../../protocol/index.ts'
import { encodeBatch } from '../../protocol/records/record.ts'
import { ZERO_UUID } from '../../protocol/schema.ts'
import { broker, folder } from './support.ts'

async function connected(bootstrap: string): Promise<Wire> {
  const client = await open(bootstrap)
  onTestFinished(() => client.close())
  return client
}

async function create(client: Wire, name: string, numPartitions: number): Promise<void> {
  const topic = { name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }
  const { topics } = await client.request(CreateTopics, 7, { topics: [topic], timeoutMs: 5000 })
  expect(topics[0]!.errorCode).toBe(0)
}

async function produce(client: Wire, topic: string, index: number, bytes: number): Promise<void> {
  const batch = encodeBatch({ timestamp: Date.now(), records: [{ key: null, value: Buffer.alloc(bytes) }] })
  const partitionData = [{ index, records: { byteLength: batch.length, parts: [batch] } }]
  const request = { transactionalId: null, acks: -1, timeoutMs: 5000, topicData: [{ name: topic, partitionData }] }
  const { responses } = await client.request(Produce, 9, request)
  expect(responses[0]!.partitionResponses[0]!.errorCode).toBe(0)
}

async function set(client: Wire, name: string, value: string): Promise<void> {
  const configs = [{ name, configOperation: 0, value }]
  const resources = [{ resourceType: 4, resourceName: '', configs }]
  const { responses } = await client.request(IncrementalAlterConfigs, 1, { resources, validateOnly: false })
  expect(responses[0]!.errorMessage).toBe(null)
}

it('metadata.log.dir is where the metadata log is, and nothing else', async () => {
  const [data, metadata] = [folder(), folder()]
  const running = await broker({ dataDir: data, config: { 'metadata.log.dir': metadata } })
  const client = await connected(running.bootstrap)
  await create(client, 't', 1)
  await produce(client, 't', 0, 10)
  expect(existsSync(join(data, 't-0'))).toBe(true)
  expect(existsSync(join(data, '__cluster_metadata-0'))).toBe(false)
  expect(existsSync(join(metadata, '__cluster_metadata-0'))).toBe(true)
  expect(existsSync(join(metadata, 't-0'))).toBe(false)
})

it.runIf(existsSync('/proc/self/fd'))('odradek.max.open.files bounds the files of segments that are open', async () => {
  const openIn = (path: string): number => {
    let count = 0
    for (const name of readdirSync('/proc/self/fd')) {
      try {
        if (readlinkSync(join('/proc/self/fd', name)).startsWith(join(path, 't-'))) count++
      } catch {
        // Closed since it was listed.
      }
    }
    return count
  }
  const counts: number[] = []
  for (const config of [{}, { 'odradek.max.open.files': 16 }]) {
    const dataDir = folder()
    const running = await broker({ dataDir, config })
    const client = await connected(running.bootstrap)
    await create(client, 't', 40)
    // One after the other: what is not synced stays open in any case.
    for (let index = 0; index < 40; index++) await produce(client, 't', index, 10)
    counts.push(openIn(dataDir))
    await running.close()
  }
  expect(counts[0]).toBeGreaterThanOrEqual(40)
  expect(counts[1]).toBeLessThanOrEqual(16)
})

it.each([
  ['max.connections', '1', '2'],
  ['listener.name.plaintext.max.connections', '1', '2'],
])('%s holds a connection until it is changed by a client', async (key, few, more) => {
  const running = await broker({ config: { [key]: few } })
  const first = await connected(running.bootstrap)
  await first.request(ApiVersions, 3, { clientSoftwareName: 'first', clientSoftwareVersion: '1' })
  const second = await connected(running.bootstrap)
  let isAnswered = false
  const answer = second
    .request(ApiVersions, 3, { clientSoftwareName: 'second', clientSoftwareVersion: '1' })
    .then(({ errorCode }) => {
      isAnswered = true
      return errorCode
    })
  // The second one has been accepted before this is answered.
  for (let n = 0; n < 20; n++)
    await first.request(ApiVersions, 3, { clientSoftwareName: 'first', clientSoftwareVersion: '1' })
  expect(isAnswered).toBe(false)
  await set(first, key, more)
  expect(await answer).toBe(0)
})

it('max.connection.creation.rate lets connections in one after the other', async () => {
  const config = { 'max.connection.creation.rate': 4, 'quota.window.num': 2, 'quota.window.size.seconds': 1 }
  const running = await broker({ config })
  const from = performance.now()
  await Promise.all(
    Array.from({ length: 6 }, async () => {
      const client = await connected(running.bootstrap)
      await client.request(ApiVersions, 3, { clientSoftwareName: 'x', clientSoftwareVersion: '1' })
    }),
  )
  // Four of them come at once; the others wait for what the rate is above the limit, a quarter of a second at least.
  expect(performance.now() - from).toBeGreaterThan(240)
})

it('connections.max.idle.ms closes a connection on which nothing happens', async () => {
  const running = await broker({ config: { 'connections.max.idle.ms': 200 } })
  const socket = net.connect(hostAndPort(running.bootstrap))
  await new Promise(resolve => socket.once('close', resolve).resume())
})

it('socket.request.max.bytes closes a connection that announces more', async () => {
  const running = await broker({ config: { 'socket.request.max.bytes': 1000 } })
  const socket = net.connect(hostAndPort(running.bootstrap))
  onTestFinished(() => void socket.destroy())
  const size = Buffer.alloc(4)
  size.writeInt32BE(1001)
  socket.write(size)
  await new Promise(resolve => socket.once('close', resolve).resume())
})

it('odradek.shutdown.timeout.ms bounds how long an answer that nobody takes holds up the end', async () => {
  const running = await broker({ config: { 'odradek.shutdown.timeout.ms': 300 } })
  const client = await connected(running.bootstrap)
  await create(client, 't', 1)
  for (let n = 0; n < 20; n++) await produce(client, 't', 0, 900_000)
  const socket = net.connect(hostAndPort(running.bootstrap))
  onTestFinished(() => void socket.destroy())
  socket.pause()
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 50_000_000 }]
  const topics = [{ topic: 't', topicId: ZERO_UUID, partitions }]
  const request = { maxWaitMs: 0, minBytes: 0, maxBytes: 50_000_000, topics, forgottenTopicsData: [] }
  const frame = Buffer.concat(encodeRequest(Fetch, 12, 1, 'slow', request).chunks)
  socket.write(Buffer.concat([frame, frame, frame]))
  await vi.waitFor(() => expect(socket.bytesWritten).toBeGreaterThan(0), { timeout: 10_000 })
  // The broker has taken them when it has answered somebody who came later.
  for (let n = 0; n < 20; n++)
    await client.request(ApiVersions, 3, { clientSoftwareName: 'x', clientSoftwareVersion: '1' })
  const from = performance.now()
  await running.close()
  const ms = performance.now() - from
  expect(ms).toBeGreaterThan(290)
  expect(ms).toBeLessThan(8000)
})
