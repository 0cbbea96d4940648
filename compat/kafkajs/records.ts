// Producing and reading back: codecs, acks, kinds of records, seeks, times, long polls, idempotence, errors.
import { deepEqual, equal, ok } from 'node:assert/strict'
import {
  batchesOnDisk,
  eventually,
  megabyte,
  prose,
  range,
  samples,
  signal,
  within,
  type Suite,
} from '../harness/index.ts'
import { admin, collect, CompressionTypes, errorOf, kafka, messageOf, producer, sampleOf, topic } from './client.ts'

const codecs = Object.entries({ none: 'None', gzip: 'GZIP', snappy: 'Snappy', lz4: 'LZ4', zstd: 'ZSTD' } as const)
const numbered = (from: number, to: number) => range(from, to).map(i => ({ key: `k${i}`, value: String(i) }))

export function recordScenarios(suite: Suite): void {
  for (const [codec, type] of codecs) {
    for (const acks of [0, 1, -1]) {
      suite.scenario(`${codec}, acks=${acks}: keys, headers, nulls, a megabyte`, async context => {
        const name = await topic(context, codec)
        const sent = samples(Date.now())
        const big = megabyte(Date.now())
        const client = await producer(context)
        const send = (messages: ReturnType<typeof messageOf>[]) =>
          client.send({ topic: name, acks, compression: CompressionTypes[type], messages })
        const [answer] = await send(sent.map(messageOf))
        if (acks !== 0) deepEqual([answer?.baseOffset, answer?.logStartOffset], ['0', '0'])
        await send([messageOf(big)])
        const seen = await (await collect(context, [name])).count(sent.length + 1)
        deepEqual(seen.map(sampleOf), [...sent, big])
        deepEqual(
          seen.map(({ offset }) => Number(offset)),
          range(0, sent.length + 1),
        )
        const batches = await batchesOnDisk(context.broker, name)
        if (batches) deepEqual([...new Set(batches.map(batch => batch.codec))], [codec])
      })
    }
  }

  suite.scenario('a topic with compression.type=zstd recompresses what comes in gzip', async context => {
    const name = await topic(context, 'recompressed', 1, { 'compression.type': 'zstd' })
    const messages = range(0, 100).map(i => ({ key: `k${i}`, value: prose(100 + i) }))
    await (await producer(context)).send({ topic: name, compression: CompressionTypes.GZIP, messages })
    const seen = await (await collect(context, [name])).count(100)
    deepEqual(
      seen.map(({ value }) => value?.toString()),
      messages.map(({ value }) => value.toString()),
    )
    const batches = await batchesOnDisk(context.broker, name)
    if (batches) deepEqual([...new Set(batches.map(batch => batch.codec))], ['zstd'])
  })

  suite.scenario('LogAppendTime: records carry the time of the broker', async context => {
    const name = await topic(context, 'append-time', 1, { 'message.timestamp.type': 'LogAppendTime' })
    const before = Date.now()
    const messages = numbered(0, 10).map(message => ({ ...message, timestamp: '1000' }))
    await (await producer(context)).send({ topic: name, messages })
    const seen = await (await collect(context, [name])).count(10)
    for (const { timestamp } of seen) ok(Number(timestamp) >= before && Number(timestamp) <= Date.now(), timestamp)
  })

  suite.scenario('a hundred partitions, a thousand keyed records', async context => {
    const name = await topic(context, 'wide', 100)
    const client = await producer(context)
    await client.send({ topic: name, messages: numbered(0, 1000) })
    const { seen } = await collect(context, [name])
    await eventually(
      'a thousand different records',
      () => new Set(seen.map(({ value }) => Number(value))).size === 1000,
    )
    ok(new Set(seen.map(({ partition }) => partition)).size > 90)
    const ends = await (await admin(context)).fetchTopicOffsets(name)
    equal(
      ends.reduce((sum, { offset }) => sum + Number(offset), 0),
      1000,
    )
  })

  suite.scenario('several topics in one send and one fetch', async context => {
    const names = [await topic(context, 'a', 3), await topic(context, 'b', 2), await topic(context, 'c')]
    const client = await producer(context)
    await client.sendBatch({ topicMessages: names.map(name => ({ topic: name, messages: numbered(0, 60) })) })
    const seen = await (await collect(context, names)).count(180)
    for (const name of names) equal(seen.filter(record => record.topic === name).length, 60)
  })

  suite.scenario('seek into the middle of a batch, back and forth', async context => {
    for (const compression of [CompressionTypes.None, CompressionTypes.GZIP]) {
      const name = await topic(context, 'seek')
      await (await producer(context)).send({ topic: name, compression, messages: numbered(0, 100) })
      const reader = await collect(context, [name])
      await reader.count(100)
      for (const target of [50, 0, 99, 73]) {
        reader.seen.length = 0
        reader.consumer.seek({ topic: name, partition: 0, offset: String(target) })
        await eventually(`offset ${target}`, () => reader.seen.some(({ offset }) => offset === String(target)))
        await eventually('the end', () => reader.seen.at(-1)?.offset === '99')
      }
      await reader.stop()
    }
  })

  suite.scenario('offsets by time, also inside a compressed batch', async context => {
    const name = await topic(context, 'times')
    const base = Date.now() - 100_000
    const client = await producer(context)
    for (const batch of [0, 1]) {
      const messages = range(batch * 10, batch * 10 + 10).map(i => ({
        value: `${i}`,
        timestamp: String(base + i * 1000),
      }))
      // oxlint-disable-next-line no-await-in-loop -- two batches, in order
      await client.send({ topic: name, compression: CompressionTypes.ZSTD, messages })
    }
    const client2 = await admin(context)
    const at = async (timestamp: number) => (await client2.fetchTopicOffsetsByTimestamp(name, timestamp))[0]?.offset
    equal(await at(base - 1), '0')
    equal(await at(base + 3000), '3')
    equal(await at(base + 3001), '4')
    equal(await at(base + 15_000), '15')
    equal(await at(base + 19_001), '20')
    const [ends] = await client2.fetchTopicOffsets(name)
    deepEqual([ends?.low, ends?.high], ['0', '20'])
  })

  suite.scenario('a long poll ends when a record comes, and otherwise after its time', async context => {
    const name = await topic(context, 'poll')
    const client = await producer(context)
    const arrived = signal<number>()
    const reader = await collect(context, [name], {
      config: { maxWaitTimeInMs: 1500 },
      onMessage: () => arrived.resolve(performance.now()),
    })
    const durations: number[] = []
    reader.consumer.on('consumer.fetch', ({ payload }) => void durations.push(payload.duration))
    await eventually('two empty fetches', () => durations.length >= 2)
    ok(durations[1]! >= 1400 && durations[1]! < 3000, `an empty fetch took ${durations[1]} ms`)
    const started = performance.now()
    await client.send({ topic: name, messages: [{ value: 'now' }] })
    const waited = (await within(5000, 'the record', arrived.promise)) - started
    ok(waited < 1000, `the record took ${waited} ms`)
  })

  suite.scenario('one fetch brings no more than it asks for, but always something', async context => {
    const name = await topic(context, 'small-bites')
    const client = await producer(context)
    for (const i of range(0, 5)) await client.send({ topic: name, messages: [{ value: prose(50_000), key: `${i}` }] })
    const reader = await collect(context, [name], { config: { maxBytesPerPartition: 1000, maxBytes: 1000 } })
    deepEqual(
      (await reader.count(5)).map(({ key }) => key?.toString()),
      ['0', '1', '2', '3', '4'],
    )
  })

  suite.scenario('an idempotent producer', async context => {
    const name = await topic(context, 'idempotent', 3)
    const client = await producer(context, { idempotent: true, maxInFlightRequests: 1 })
    for (const i of range(0, 20)) {
      const messages = numbered(i * 10, i * 10 + 10)
      await client.send({ topic: name, acks: -1, compression: CompressionTypes.LZ4, messages })
    }
    const seen = await (await collect(context, [name])).count(200)
    deepEqual(
      seen.map(({ value }) => Number(value)).toSorted((a, b) => a - b),
      range(0, 200),
    )
    const batches = await batchesOnDisk(context.broker, name)
    if (batches) ok(batches.every(({ producerId }) => producerId >= 0))
  })

  suite.scenario('auto-creation by a producer and by a consumer', async context => {
    const made = [context.name('made-by-producer'), context.name('made-by-consumer')] as const
    const client = await producer(context, { allowAutoTopicCreation: true })
    await client.send({ topic: made[0], messages: [{ value: 'first' }] })
    deepEqual((await (await collect(context, [made[0]])).count(1))[0]?.value?.toString(), 'first')
    await collect(context, [made[1]], { config: { allowAutoTopicCreation: true } })
    const topics = await (await admin(context)).listTopics()
    for (const name of made) ok(topics.includes(name), name)
  })

  suite.scenario('errors: unknown topic, illegal names, too large a message', async context => {
    const client = await producer(context, {}, kafka(context, context.broker.bootstrap, 1))
    const value = Buffer.alloc(1_100_000)
    const send = (name: string, message = { value: Buffer.from('x') }) =>
      client.send({ topic: name, messages: [message] })
    equal((await errorOf(send(context.name('unknown')))).type, 'UNKNOWN_TOPIC_OR_PARTITION')
    equal((await errorOf(send('not legal!'))).type, 'INVALID_TOPIC_EXCEPTION')
    const name = await topic(context, 'small')
    equal((await errorOf(send(name, { value }))).type, 'MESSAGE_TOO_LARGE')
    await send(name)
    const tiny = await topic(context, 'tiny', 1, { 'max.message.bytes': '2000' })
    equal((await errorOf(send(tiny, { value: Buffer.alloc(3000) }))).type, 'MESSAGE_TOO_LARGE')
  })

  suite.scenario('min.insync.replicas asks for no more than the topic has, as in Kafka 4', async context => {
    const client = await producer(context, {}, kafka(context, context.broker.bootstrap, 1))
    const name = await topic(context, 'strict', 1, { 'min.insync.replicas': '2' })
    for (const acks of [-1, 1]) await client.send({ topic: name, acks, messages: [{ value: 'x' }] })
    await (await collect(context, [name])).count(2)
  })

  suite.scenario('transactions: committed records are seen, aborted ones are not', async context => {
    const client = kafka(context).producer({ transactionalId: context.name('tx'), maxInFlightRequests: 1 })
    context.after(() => client.disconnect())
    await client.connect()
    const name = await topic(context, 'tx')
    for (const outcome of ['abort', 'commit'] as const) {
      const transaction = await client.transaction()
      await transaction.send({ topic: name, messages: [{ value: outcome }] })
      await transaction[outcome]()
    }
    const [only] = await (await collect(context, [name])).count(1)
    equal(only?.value?.toString(), 'commit')
  })

  suite.scenario('records deleted: the earliest offset moves', async context => {
    const name = await topic(context, 'cut')
    const client = await producer(context)
    await client.send({ topic: name, messages: ['a', 'b', 'c'].map(value => ({ value })) })
    const operator = await admin(context)
    // Until it has asked for the topic's metadata, the client finds no leader to send the request to.
    await operator.fetchTopicOffsets(name)
    await operator.deleteTopicRecords({ topic: name, partitions: [{ partition: 0, offset: '2' }] })
    const [left] = await operator.fetchTopicOffsets(name)
    deepEqual([left?.low, left?.high], ['2', '3'])
    const [only] = await (await collect(context, [name])).count(1)
    equal(only?.value?.toString(), 'c')
  })
}
