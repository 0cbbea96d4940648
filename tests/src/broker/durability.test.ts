// What an acknowledgement is worth: acks=1 after the write, acks=all after the sync, nothing acknowledged lost in a crash,
// and a failing disk takes its partition offline alone.
import { describe, expect, test } from 'vitest'
import { KAFKA_STORAGE_ERROR, NONE, REQUEST_TIMED_OUT } from '../../../protocol/errors.ts'
import { Fetch, InitProducerId, OffsetCommit, OffsetFetch, Produce } from '../../../protocol/messages/index.ts'
import { decodeRecords } from '../../../protocol/records/record.ts'
import { crashFiles, type CrashFiles } from '../../../storage/files-crash.ts'
import { records, testBroker, type TestBroker } from './harness.ts'

const produceTo = (topic: string, value: string, acks: number, more: object = {}, timeoutMs = 30_000) => ({
  transactionalId: null,
  acks,
  timeoutMs,
  topicData: [{ name: topic, partitionData: [{ index: 0, records: records([value], more) }] }],
})

/** Version 12 is the last that names topics. */
const VERSION = 12
async function produce(broker: TestBroker, topic: string, value: string, acks: number, more: object = {}) {
  const reply = await broker.ask(Produce, produceTo(topic, value, acks, more), VERSION)
  return reply!.responses[0]!.partitionResponses[0]!
}

async function read(broker: TestBroker, topic: string): Promise<string[]> {
  const partition = { partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }
  const request = { maxWaitMs: 0, minBytes: 1, topics: [{ topic, partitions: [partition] }], forgottenTopicsData: [] }
  const reply = await broker.ask(Fetch, request, 12)
  const found = reply!.responses[0]!.partitions[0]!
  if (found.errorCode !== NONE) throw new Error(`fetch: ${found.errorCode}`)
  const bytes = Buffer.concat(found.records?.parts ?? [])
  const values: string[] = []
  for (let at = 0; at < bytes.length; at += bytes.readInt32BE(at + 8) + 12) {
    for (const { value } of decodeRecords(bytes, at)) values.push(String(value))
  }
  return values
}

/** Everything that was not synced is lost. */
const worst = (): number => 0

/** The promise's state once everything that can happen without the disk has happened. */
async function isSettled(broker: TestBroker, promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  const done = () => {
    settled = true
  }
  promise.then(done, done)
  await broker.runtime.settle()
  return settled
}

describe('acks=all', () => {
  test('is answered after the sync, and the record may be read before', async () => {
    const files = crashFiles()
    const broker = await testBroker({ files })
    await broker.createTopic('t')
    const release = files.holdSyncs()
    const answer = produce(broker, 't', 'one', -1)
    expect(await isSettled(broker, answer)).toBe(false)
    expect(await read(broker, 't')).toEqual(['one'])
    release()
    expect(await answer).toMatchObject({ errorCode: NONE, baseOffset: 0 })
  })

  test('with odradek.flush.on.acks.all=false is answered after the write', async () => {
    const files = crashFiles()
    const broker = await testBroker({ files, config: { 'odradek.flush.on.acks.all': false } })
    await broker.createTopic('t')
    files.holdSyncs()
    expect(await produce(broker, 't', 'one', -1)).toMatchObject({ errorCode: NONE, baseOffset: 0 })
  })

  test('survives a power cut, though it was the first record of a new file', async () => {
    const files = crashFiles()
    const broker = await testBroker({ files })
    await broker.createTopic('t')
    expect(await produce(broker, 't', 'one', -1)).toMatchObject({ errorCode: NONE })
    files.crash(worst)
    expect(await read(await testBroker({ files }), 't')).toEqual(['one'])
  })

  test('many requests share the syncs', async () => {
    const files = crashFiles()
    const broker = await testBroker({ files })
    await broker.createTopic('t')
    const release = files.holdSyncs()
    const answers = Array.from({ length: 50 }, (_, n) => produce(broker, 't', String(n), -1))
    await broker.runtime.settle()
    const before = files.calls
    release()
    expect((await Promise.all(answers)).map(({ baseOffset }) => baseOffset)).toEqual([...Array(50).keys()])
    expect(files.calls - before).toBeLessThan(10)
  })

  test('gives up at the time-out of the request', async () => {
    const files = crashFiles()
    const broker = await testBroker({ files })
    await broker.createTopic('t')
    files.holdSyncs()
    const answer = broker.ask(Produce, produceTo('t', 'one', -1, {}, 500), VERSION)
    expect(await isSettled(broker, answer)).toBe(false)
    await broker.runtime.advanceAsync(500)
    expect((await answer)!.responses[0]!.partitionResponses[0]!.errorCode).toBe(REQUEST_TIMED_OUT)
  })

  test('needs no more in-sync replicas than the topic has, as in Kafka', async () => {
    const broker = await testBroker({ files: crashFiles() })
    await broker.createTopic('t', 1, { 'min.insync.replicas': '2' })
    expect((await produce(broker, 't', 'one', -1)).errorCode).toBe(NONE)
    expect((await produce(broker, 't', 'two', 1)).errorCode).toBe(NONE)
    expect(await read(broker, 't')).toEqual(['one', 'two'])
  })
})

describe('acks=1', () => {
  test('is answered before any sync and survives the end of the process', async () => {
    const files = crashFiles()
    const broker = await testBroker({ files })
    await broker.createTopic('t')
    files.holdSyncs()
    expect(await produce(broker, 't', 'one', 1)).toMatchObject({ errorCode: NONE, baseOffset: 0 })
    files.kill()
    expect(await read(await testBroker({ files }), 't')).toEqual(['one'])
  })

  test('waits for the sync where flush.messages=1 asks for it', async () => {
    const files = crashFiles()
    const broker = await testBroker({ files })
    await broker.createTopic('t', 1, { 'flush.messages': '1' })
    const release = files.holdSyncs()
    const answer = produce(broker, 't', 'one', 1)
    expect(await isSettled(broker, answer)).toBe(false)
    release()
    expect((await answer).errorCode).toBe(NONE)
    files.crash(worst)
    expect(await read(await testBroker({ files }), 't')).toEqual(['one'])
  })
})

test('a batch sent again is not acknowledged before its original is synced, where flush.messages asks for that', async () => {
  const files = crashFiles()
  const broker = await testBroker({ files })
  await broker.createTopic('t', 1, { 'flush.messages': '1' })
  const { producerId } = (await broker.ask(InitProducerId, { transactionalId: null, transactionTimeoutMs: 0 }))!
  const batch = { producerId, producerEpoch: 0, baseSequence: 0 }
  const release = files.holdSyncs()
  const first = produce(broker, 't', 'one', 1, batch)
  await broker.runtime.settle()
  const again = produce(broker, 't', 'one', 1, batch)
  expect(await isSettled(broker, again)).toBe(false)
  release()
  expect(await Promise.all([first, again])).toMatchObject([{ baseOffset: 0 }, { errorCode: NONE, baseOffset: 0 }])
})

test('flush.ms syncs what acks=1 left in memory', async () => {
  const files = crashFiles()
  const broker = await testBroker({ files })
  await broker.createTopic('t', 1, { 'flush.ms': '2000' })
  await produce(broker, 't', 'one', 1)
  await broker.runtime.advanceAsync(4000)
  await broker.runtime.settle()
  files.crash(worst)
  expect(await read(await testBroker({ files }), 't')).toEqual(['one'])
})

test('acks=0 is never answered; an error closes the connection', async () => {
  const broker = await testBroker({ files: crashFiles() })
  await broker.createTopic('t')
  expect(await broker.ask(Produce, produceTo('t', 'one', 0), VERSION)).toBeNull()
  expect(broker.connection.closed).toBe(false)
  expect(await read(broker, 't')).toEqual(['one'])
  expect(await broker.ask(Produce, produceTo('absent', 'one', 0), VERSION)).toBeNull()
  expect(broker.connection.closed).toBe(true)
})

describe('half a megabyte', () => {
  const large = 'x'.repeat(512 * 1024)
  const logOf = (broker: TestBroker) => broker.opened.broker.partitions.require('t', 0).log

  test.each([0, 1, -1])('is written before the turn ends, less is not (acks=%i)', async acks => {
    const files = crashFiles()
    const broker = await testBroker({ files })
    await broker.createTopic('t')
    const answers = broker.turn(() => {
      const first = broker.ask(Produce, produceTo('t', 'small', acks), VERSION)
      expect(logOf(broker).writtenOffset).toBe(0)
      const second = broker.ask(Produce, produceTo('t', large, acks), VERSION)
      expect(logOf(broker).writtenOffset).toBe(2)
      const third = broker.ask(Produce, produceTo('t', 'small', acks), VERSION)
      expect(logOf(broker).writtenOffset).toBe(2)
      return [first, second, third]
    })
    const codes = (await Promise.all(answers)).map(
      reply => reply && reply.responses[0]!.partitionResponses[0]!.errorCode,
    )
    expect(codes).toEqual(Array(3).fill(acks === 0 ? null : NONE))
    if (acks === -1) files.crash(worst)
    else files.kill()
    expect(await read(await testBroker({ files }), 't')).toHaveLength(3)
  })

  test('that cannot be written is not acknowledged, nor what the turn had before', async () => {
    const files = crashFiles()
    const broker = await testBroker({ files })
    await broker.createTopic('t')
    await produce(broker, 't', 'kept', -1)
    files.failAt(1, { code: 'EIO', partial: true })
    const answers = broker.turn(() => [produce(broker, 't', 'small', 1), produce(broker, 't', large, 1)])
    expect((await Promise.all(answers)).map(({ errorCode }) => errorCode)).toEqual([
      KAFKA_STORAGE_ERROR,
      KAFKA_STORAGE_ERROR,
    ])
    files.kill()
    expect(await read(await testBroker({ files }), 't')).toEqual(['kept'])
  })
})

describe('a failing disk', () => {
  async function failing(code: 'EIO' | 'ENOSPC', partial: boolean): Promise<{ files: CrashFiles; broker: TestBroker }> {
    const files = crashFiles()
    const broker = await testBroker({ files })
    await broker.createTopic('bad')
    await broker.createTopic('good')
    await produce(broker, 'bad', 'kept', -1)
    files.failAt(1, { code, partial })
    return { files, broker }
  }

  test.each([
    ['EIO', false],
    ['ENOSPC', true],
  ] as const)('%s (partial: %s) takes the partition offline, alone, until a restart', async (code, partial) => {
    const { files, broker } = await failing(code, partial)
    expect((await produce(broker, 'bad', 'lost', 1)).errorCode).toBe(KAFKA_STORAGE_ERROR)
    expect((await produce(broker, 'bad', 'later', 1)).errorCode).toBe(KAFKA_STORAGE_ERROR)
    await expect(read(broker, 'bad')).rejects.toThrow(String(KAFKA_STORAGE_ERROR))
    expect((await produce(broker, 'good', 'fine', -1)).errorCode).toBe(NONE)
    expect(broker.runtime.lines.filter(({ level }) => level === 'error')).toHaveLength(1)
    files.kill()
    const again = await testBroker({ files })
    expect(await read(again, 'bad')).toEqual(['kept'])
    expect((await produce(again, 'bad', 'new', -1)).errorCode).toBe(NONE)
    expect(await read(again, 'bad')).toEqual(['kept', 'new'])
  })

  test('fails also those who appended before, in the same turn, when the log cannot begin a new segment', async () => {
    const files = crashFiles()
    const broker = await testBroker({ files })
    await broker.createTopic('t', 1, { 'internal.segment.bytes': '100' })
    const answers = broker.turn(() => {
      const first = produce(broker, 't', 'one', 1)
      files.failAt(1, { code: 'EIO' })
      return [first, produce(broker, 't', 'two', 1)]
    })
    expect((await Promise.all(answers)).map(({ errorCode }) => errorCode)).toEqual([
      KAFKA_STORAGE_ERROR,
      KAFKA_STORAGE_ERROR,
    ])
  })

  test('a sync that fails is never reported as success later', async () => {
    const files = crashFiles()
    const broker = await testBroker({ files })
    await broker.createTopic('t')
    await produce(broker, 't', 'kept', -1)
    // The write is one call, the sync the next.
    files.failAt(2, { code: 'EIO' })
    expect((await produce(broker, 't', 'lost', -1)).errorCode).toBe(KAFKA_STORAGE_ERROR)
    expect((await produce(broker, 't', 'later', -1)).errorCode).toBe(KAFKA_STORAGE_ERROR)
  })
})

test('committed offsets and producer ids follow the acks=all rule', async () => {
  const files = crashFiles()
  const broker = await testBroker({ files })
  await broker.createTopic('t')
  await broker.opened.broker.ensureInternalTopic('__consumer_offsets')
  const partitions = [{ partitionIndex: 0, committedOffset: 7, committedMetadata: 'm' }]
  const commit = { groupId: 'g', memberId: '', topics: [{ name: 't', partitions }] }
  const release = files.holdSyncs()
  const answer = broker.ask(OffsetCommit, commit, 9)
  expect(await isSettled(broker, answer)).toBe(false)
  release()
  expect((await answer)!.topics[0]!.partitions[0]!.errorCode).toBe(NONE)
  const first = (await broker.ask(InitProducerId, { transactionalId: null, transactionTimeoutMs: 0 }))!.producerId
  files.crash(worst)

  const again = await testBroker({ files, seed: 2 })
  await again.opened.broker.coordinatorsLoaded()
  const topics = [{ name: 't', partitionIndexes: [0] }]
  const fetched = await again.ask(OffsetFetch, { groups: [{ groupId: 'g', topics }], topics: null }, 9)
  expect(fetched!.groups[0]!.topics[0]!.partitions[0]).toMatchObject({ committedOffset: 7, metadata: 'm' })
  const next = (await again.ask(InitProducerId, { transactionalId: null, transactionTimeoutMs: 0 }))!.producerId
  expect(next).toBeGreaterThan(first)
})

test('an orderly stop leaves nothing to recover', async () => {
  const files = crashFiles()
  const broker = await testBroker({ files })
  await broker.createTopic('t')
  await produce(broker, 't', 'one', 1)
  broker.opened.quiesce()
  await broker.opened.close()
  files.crash(worst)
  expect(files.exists('.kafka_cleanshutdown')).toBe(true)
  expect(await read(await testBroker({ files }), 't')).toEqual(['one'])
})
