// Two log directories with a real client, and a process that is killed while a partition moves from one to the other.
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Kafka, logLevel } from 'kafkajs'
import { expect, it, onTestFinished, vi } from 'vitest'
import { open, type Wire } from '../../compat/harness/wire.ts'
import {
  AlterReplicaLogDirs,
  CreateTopics,
  DescribeLogDirs,
  Fetch,
  IncrementalAlterConfigs,
  Produce,
} from '../../protocol/index.ts'
import { batchesOf } from '../../protocol/records/batch.ts'
import { decodeRecords, encodeBatch } from '../../protocol/records/record.ts'
import { broker, folder } from './support.ts'

const TOPIC = 't'

async function move(client: Wire, path: string): Promise<number> {
  const dirs = [{ path, topics: [{ name: TOPIC, partitions: [0] }] }]
  const answer = await client.request(AlterReplicaLogDirs, 2, { dirs })
  return answer.results[0]!.partitions[0]!.errorCode
}

/** The directories that hold the partition, `path` or `path (future)`. */
async function whereabouts(client: Wire): Promise<string[]> {
  const { results } = await client.request(DescribeLogDirs, 4, { topics: null })
  return results.flatMap(({ logDir, topics }) =>
    topics
      .filter(({ name }) => name === TOPIC)
      .flatMap(({ partitions }) => partitions.map(({ isFutureKey }) => (isFutureKey ? `${logDir} (future)` : logDir))),
  )
}

it('KafkaJS produces and consumes while the partition moves there and back', async () => {
  const [a, b] = [folder(), folder()]
  const running = await broker({ config: { 'log.dirs': `${a},${b}` } })
  const kafka = new Kafka({ brokers: [running.bootstrap], logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  const producer = kafka.producer()
  const consumer = kafka.consumer({ groupId: 'g' })
  onTestFinished(async () => {
    await Promise.all([admin.disconnect(), producer.disconnect(), consumer.disconnect()])
  })
  await Promise.all([admin.connect(), producer.connect(), consumer.connect()])
  await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 1 }] })
  await consumer.subscribe({ topic: TOPIC, fromBeginning: true })
  const seen: string[] = []
  await consumer.run({ eachMessage: async ({ message }) => void seen.push(String(message.value)) })
  const client = await open(running.bootstrap)
  onTestFinished(() => client.close())
  const sent: string[] = []
  const send = async (): Promise<void> => {
    const value = `v${sent.length}`
    await producer.send({ topic: TOPIC, messages: [{ value }] })
    sent.push(value)
  }
  for (let n = 0; n < 20; n++) await send()
  for (const to of [b, a, b]) {
    if ((await whereabouts(client))[0] !== to) expect(await move(client, to)).toBe(0)
    do await send()
    while ((await whereabouts(client)).join() !== to)
    for (let n = 0; n < 5; n++) await send()
  }
  await vi.waitFor(() => expect(seen).toHaveLength(sent.length), { timeout: 20_000 })
  expect(seen).toEqual(sent)
  expect(existsSync(join(b, `${TOPIC}-0`))).toBe(true)
})

it('a process that is killed while a partition moves loses nothing, and the next one ends the move', async () => {
  const dirs = [folder(), folder()]
  const first = await start(dirs)
  const client = await open(first.bootstrap)
  const topics = [{ name: TOPIC, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]
  await client.request(CreateTopics, 7, { topics, timeoutMs: 5000, validateOnly: false })
  const acknowledged: number[] = []
  const produce = async (n: number, padding: number): Promise<void> => {
    const value = Buffer.concat([Buffer.from(`${n} `), Buffer.alloc(padding, 120)])
    const bytes = encodeBatch({ timestamp: Date.now(), records: [{ key: null, value }] })
    const partitionData = [{ index: 0, records: { byteLength: bytes.length, parts: [bytes] } }]
    const request = { transactionalId: null, acks: -1, timeoutMs: 10_000, topicData: [{ name: TOPIC, partitionData }] }
    const answer = await client.request(Produce, 9, request)
    if (answer.responses[0]!.partitionResponses[0]!.errorCode === 0) acknowledged.push(n)
  }
  for (let n = 0; n < 60; n++) await produce(n, 100_000)
  const from = (await whereabouts(client))[0]!
  const to = dirs.find(path => path !== from)!
  await limitMoves(client, '1000000')
  expect(await move(client, to)).toBe(0)
  // A slice is copied, the next one waits.
  for (let n = 60; n < 100; n++) await produce(n, 10)
  expect((await whereabouts(client)).toSorted()).toEqual([from, `${to} (future)`].toSorted())
  expect(readdirSync(to).some(name => name.endsWith('-future'))).toBe(true)
  first.child.kill('SIGKILL')
  await first.ended

  const second = await start(dirs)
  const again = await open(second.bootstrap)
  onTestFinished(() => again.close())
  expect(await valuesOf(again)).toEqual(acknowledged)
  await limitMoves(again, null)
  await vi.waitFor(async () => expect(await whereabouts(again)).toEqual([to]), { timeout: 20_000 })
  expect(await valuesOf(again)).toEqual(acknowledged)
  second.child.kill('SIGTERM')
  expect(await second.ended).toBe(0)
})

/** replica.alter.log.dirs.io.max.bytes.per.second of all brokers; null: no limit. */
async function limitMoves(client: Wire, value: string | null): Promise<void> {
  const name = 'replica.alter.log.dirs.io.max.bytes.per.second'
  const configs = [{ name, configOperation: value === null ? 1 : 0, value }]
  const resources = [{ resourceType: 4, resourceName: '', configs }]
  const answer = await client.request(IncrementalAlterConfigs, 1, { resources, validateOnly: false })
  expect(answer.responses[0]).toMatchObject({ errorCode: 0 })
}

async function valuesOf(client: Wire): Promise<number[]> {
  const values: number[] = []
  for (let fetchOffset = 0; ;) {
    const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: 4_000_000 }]
    const wanted = { maxWaitMs: 0, minBytes: 1, topics: [{ topic: TOPIC, partitions }], forgottenTopicsData: [] }
    const answer = await client.request(Fetch, 12, wanted)
    const { errorCode, records } = answer.responses[0]!.partitions[0]!
    expect(errorCode).toBe(0)
    const bytes = Buffer.concat(records?.parts ?? [])
    const before = fetchOffset
    for (const at of batchesOf(bytes)) {
      for (const { value, offset } of decodeRecords(bytes, at)) {
        values.push(Number.parseInt(String(value?.subarray(0, 10)), 10))
        fetchOffset = offset + 1
      }
    }
    if (fetchOffset === before) return values
  }
}

/** A broker of its own process. */
async function start(
  dirs: readonly string[],
): Promise<{ child: ChildProcess; bootstrap: string; ended: Promise<number | null> }> {
  const root = join(import.meta.dirname, '../..')
  const program = `
    const { createBroker } = await import(${JSON.stringify(pathToFileURL(join(root, 'src/index.ts')).href)})
    const broker = createBroker({ listen: '127.0.0.1:0', config: { 'log.dirs': ${JSON.stringify(dirs.join(','))} } })
    process.on('SIGTERM', () => broker.close().then(() => process.exit(0)))
    await broker.listen()
    console.log('bootstrap ' + broker.bootstrap)
  `
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const ended = new Promise<number | null>(resolve => void child.once('close', resolve))
  const bootstrap = await new Promise<string>((resolve, reject) => {
    let output = ''
    child.stdout.on('data', chunk => {
      output += String(chunk)
      const found = /bootstrap (\S+)\n/.exec(output)
      if (found) resolve(found[1]!)
    })
    void ended.then(() => reject(new Error(`the broker ended: ${output}`)))
  })
  return { child, bootstrap, ended }
}
