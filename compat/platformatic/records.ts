// Producing and reading back: codecs, acks, kinds of records, offsets of all kinds, long polls, idempotence, errors.
import { deepEqual, equal, ok } from 'node:assert/strict'
import { batchesOnDisk, eventually, megabyte, prose, range, samples, type Suite } from '../harness/index.ts'
import { admin, collect, consumer, errorOf, messageOf, producer, sampleOf, text, topic } from './client.ts'

const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

export function recordScenarios(suite: Suite): void {
  for (const compression of codecs) {
    for (const acks of [0, 1, -1]) {
      suite.scenario(`${compression}, acks=${acks}: keys, headers, nulls, a megabyte`, async context => {
        const name = await topic(context, compression)
        const sent = samples(Date.now())
        const big = megabyte(Date.now())
        const client = producer(context, { partitioner: () => 0 })
        const send = (messages: ReturnType<typeof messageOf>[]) => client.send({ messages, acks, compression })
        const { offsets } = await send(sent.map(sample => messageOf(name, sample)))
        if (acks !== 0) deepEqual(offsets, [{ topic: name, partition: 0, offset: 0n }])
        await send([messageOf(name, big)])
        const seen = await (await collect(context, [name])).count(sent.length + 1)
        deepEqual(seen.map(sampleOf), [...sent, big])
        deepEqual(
          seen.map(({ offset }) => Number(offset)),
          range(0, sent.length + 1),
        )
        const batches = await batchesOnDisk(context.broker, name)
        if (batches) deepEqual([...new Set(batches.map(batch => batch.codec))], [compression])
      })
    }
  }

  suite.scenario('topics whose compression.type is a codec recompress, and uncompress', async context => {
    for (const [from, to] of [
      ['gzip', 'lz4'],
      ['none', 'gzip'],
      ['snappy', 'uncompressed'],
    ] as const) {
      const name = await topic(context, 'recompressed', 1, { 'compression.type': to })
      const sent = range(0, 50).map(i => ({ ...text(name, `${i} ${String(prose(100))}`), key: Buffer.from(`k${i}`) }))
      await producer(context).send({ messages: sent, compression: from, acks: -1 })
      const seen = await (await collect(context, [name])).count(50)
      deepEqual(
        seen.map(({ key, value }) => [String(key), String(value)]),
        sent.map(({ key, value }) => [String(key), String(value)]),
      )
      const batches = await batchesOnDisk(context.broker, name)
      if (batches) deepEqual([...new Set(batches.map(({ codec }) => codec))], [to === 'uncompressed' ? 'none' : to])
    }
  })

  suite.scenario('LogAppendTime: records carry the time of the broker', async context => {
    const name = await topic(context, 'append-time', 1, { 'message.timestamp.type': 'LogAppendTime' })
    const before = Date.now()
    await producer(context).send({
      messages: range(0, 5).map(i => ({ ...text(name, `${i}`), timestamp: 1000n })),
      acks: 1,
    })
    // This client takes the batch's first timestamp, which Kafka leaves as the producer set it; the broker's clock
    // shows in the offsets by time.
    await (await collect(context, [name])).count(5)
    const byTime = (timestamp: number) =>
      consumer(context, 'times').listOffsets({ topics: [name], timestamp: BigInt(timestamp) })
    deepEqual((await byTime(before)).get(name), [0n])
    deepEqual((await byTime(Date.now() + 60_000)).get(name), [-1n])
  })

  suite.scenario('a hundred partitions, a thousand keyed records, many topics in one send', async context => {
    const wide = await topic(context, 'wide', 100)
    const narrow = await topic(context, 'narrow')
    const client = producer(context)
    const messages = range(0, 1000).map(i => ({ topic: wide, key: Buffer.from(`k${i}`), value: Buffer.from(`${i}`) }))
    const { offsets } = await client.send({ messages: [...messages, text(narrow, 'one')], acks: -1 })
    ok((offsets?.length ?? 0) > 90)
    const reader = await collect(context, [wide, narrow])
    await reader.count(1001)
    equal(new Set(reader.seen.map(({ topic: name, value }) => `${name} ${String(value)}`)).size, 1001)
    const ends = await reader.consumer.listOffsets({ topics: [wide] })
    equal(
      ends.get(wide)?.reduce((sum, end) => sum + Number(end), 0),
      1000,
    )
  })

  suite.scenario('read from the middle of a batch', async context => {
    for (const compression of ['none', 'gzip'] as const) {
      const name = await topic(context, 'middle')
      await producer(context).send({ messages: range(0, 100).map(i => text(name, String(i))), compression, acks: -1 })
      for (const target of [50, 0, 99, 73]) {
        const offsets = [{ topic: name, partition: 0, offset: BigInt(target) }]
        const reader = await collect(context, [name], { mode: 'manual', offsets })
        const seen = await reader.count(100 - target)
        deepEqual(
          seen.map(({ offset }) => Number(offset)),
          range(target, 100),
        )
        await reader.stop()
      }
    }
  })

  suite.scenario('offsets by time, earliest, latest and of the highest timestamp', async context => {
    const name = await topic(context, 'times')
    const start = Date.now() - 100_000
    const client = producer(context)
    for (const batch of [0, 1]) {
      const messages = range(batch * 10, batch * 10 + 10).map(i => ({
        ...text(name, String(i)),
        // The second of each batch is the latest of it.
        timestamp: BigInt(start + (i % 10 === 1 ? 50 + i : i) * 1000),
      }))
      await client.send({ messages, compression: 'lz4', acks: -1 })
    }
    const operator = admin(context)
    const at = async (timestamp: number): Promise<number[]> => {
      const topics = [{ name, partitions: [{ partitionIndex: 0, timestamp: BigInt(timestamp) }] }]
      const partition = (await operator.listOffsets({ topics }))[0]?.partitions[0]
      return [Number(partition?.offset), Number(partition?.timestamp) < 0 ? -1 : Number(partition?.timestamp) - start]
    }
    deepEqual(await at(start - 1), [0, 0])
    deepEqual(await at(start + 2000), [1, 51_000])
    deepEqual(await at(start + 51_001), [11, 61_000])
    deepEqual(await at(start + 61_001), [-1, -1])
    deepEqual((await at(-1))[0], 20)
    deepEqual((await at(-2))[0], 0)
    deepEqual(await at(-3), [11, 61_000])
  })

  suite.scenario('a long poll ends when a record comes, and otherwise after its time', async context => {
    const name = await topic(context, 'poll')
    const client = producer(context)
    const member = consumer(context, context.name('poll'), { maxWaitTime: 1000 })
    const stream = await member.consume({ topics: [name], mode: 'earliest', autocommit: false })
    const fetched: number[] = []
    let arrived = 0
    stream.on('fetch', () => void fetched.push(performance.now()))
    stream.on('data', () => {
      arrived = performance.now()
    })
    await eventually('two empty fetches', () => fetched.length >= 2)
    const waited = fetched[1]! - fetched[0]!
    ok(waited >= 900 && waited < 2500, `an empty fetch took ${waited} ms`)
    const sent = performance.now()
    await client.send({ messages: [text(name, 'now')], acks: 1 })
    await eventually('the record', () => arrived > 0)
    ok(arrived - sent < 800, `the record took ${arrived - sent} ms`)
  })

  suite.scenario('one fetch brings no more than it asks for, but always something', async context => {
    const name = await topic(context, 'small-bites')
    const client = producer(context)
    for (const i of range(0, 5)) await client.send({ messages: [text(name, `${i}${String(prose(50_000))}`)], acks: 1 })
    const reader = await collect(context, [name], { maxBytes: 1000, maxBytesPerPartition: 1000 })
    deepEqual(
      (await reader.count(5)).map(({ value }) => String(value)[0]),
      ['0', '1', '2', '3', '4'],
    )
  })

  suite.scenario('an idempotent producer', async context => {
    const name = await topic(context, 'idempotent', 3)
    const client = producer(context, { idempotent: true })
    for (const i of range(0, 20)) {
      await client.send({ messages: range(0, 9).map(j => text(name, String(i * 9 + j), j % 3)), compression: 'snappy' })
    }
    ok((client.producerId ?? -1n) >= 0n)
    const seen = await (await collect(context, [name])).count(180)
    deepEqual(
      seen.map(({ value }) => Number(value)).toSorted((a, b) => a - b),
      range(0, 180),
    )
    const batches = await batchesOnDisk(context.broker, name)
    if (batches) ok(batches.every(({ producerId }) => BigInt(producerId) === client.producerId))
  })

  suite.scenario('a stream of records into the producer', async context => {
    const name = await topic(context, 'stream')
    const client = producer(context)
    const stream = client.asStream({ batchSize: 100, batchTime: 10 })
    const finished = new Promise((resolve, reject) => void stream.once('finish', resolve).once('error', reject))
    for (const i of range(0, 1000)) stream.write(text(name, String(i)))
    stream.end()
    await finished
    const seen = await (await collect(context, [name])).count(1000)
    deepEqual(
      seen.map(({ value }) => Number(value)),
      range(0, 1000),
    )
  })

  suite.scenario('auto-creation by a producer', async context => {
    const name = context.name('made-by-producer')
    await producer(context, { autocreateTopics: true }).send({ messages: [text(name, 'first')], acks: 1 })
    equal(String((await (await collect(context, [name])).count(1))[0]?.value), 'first')
  })

  suite.scenario('errors: unknown topic, illegal names, too large a message', async context => {
    const client = producer(context, { retries: 0 })
    const send = (name: string, length = 1) =>
      errorOf(client.send({ acks: -1, messages: [text(name, 'x'.repeat(length))] }))
    ok(/UNKNOWN_TOPIC_OR_PARTITION|Unknown topic/.test(await send(context.name('unknown'))))
    equal(await send('not legal!'), 'INVALID_TOPIC_EXCEPTION')
    equal(await send(await topic(context, 'small'), 1_100_000), 'MESSAGE_TOO_LARGE')
    equal(await send(await topic(context, 'tiny', 1, { 'max.message.bytes': '2000' }), 3000), 'MESSAGE_TOO_LARGE')
  })

  suite.scenario('transactions: committed records are seen, aborted ones are not', async context => {
    const client = producer(context, { transactionalId: context.name('tx'), idempotent: true, retries: 100 })
    const name = await topic(context, 'tx')
    for (const outcome of ['abort', 'commit'] as const) {
      const transaction = await client.beginTransaction()
      await transaction.send({ messages: [text(name, outcome)] })
      await transaction[outcome]()
    }
    const [only] = await (await collect(context, [name])).count(1)
    equal(String(only?.value), 'commit')
  })
}
