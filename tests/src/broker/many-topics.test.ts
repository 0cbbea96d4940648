// Topics made, deleted and made again while they are written to: whatever call the machine stops at, what was acknowledged
// is there afterwards and no partition is lost; and thousands of them cost no disk before they are used.
import { describe, expect, test } from 'vitest'
import { NONE, UNKNOWN_TOPIC_OR_PARTITION } from '../../../protocol/errors.ts'
import { CreateTopics, DeleteTopics, Fetch, Metadata, Produce } from '../../../protocol/messages/index.ts'
import { ZERO_UUID } from '../../../protocol/index.ts'
import { decodeRecords } from '../../../protocol/records/record.ts'
import { crashFiles } from '../../../storage/files-crash.ts'
import { memoryFiles } from '../../../storage/files-memory.ts'
import { records, testBroker, type TestBroker } from './harness.ts'

async function create(broker: TestBroker, names: readonly string[]): Promise<Map<string, string>> {
  const topics = names.map(name => ({ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }))
  const reply = await broker.ask(CreateTopics, { topics, timeoutMs: 1000, validateOnly: false })
  for (const { errorCode } of reply!.topics) if (errorCode !== NONE) throw new Error(`create: ${errorCode}`)
  return new Map(reply!.topics.map(({ name, topicId }) => [name, topicId]))
}

async function produce(broker: TestBroker, name: string, value: string, acks: number): Promise<void> {
  const topicData = [{ name, partitionData: [{ index: 0, records: records([value]) }] }]
  const reply = await broker.ask(Produce, { transactionalId: null, acks, timeoutMs: 30_000, topicData }, 12)
  const { errorCode } = reply!.responses[0]!.partitionResponses[0]!
  if (errorCode !== NONE) throw new Error(`produce: ${errorCode}`)
}

async function remove(broker: TestBroker, name: string): Promise<void> {
  const reply = await broker.ask(DeleteTopics, { topics: [{ name, topicId: ZERO_UUID }], timeoutMs: 1000 })
  if (reply!.responses[0]!.errorCode !== NONE) throw new Error(`delete: ${reply!.responses[0]!.errorCode}`)
}

/** Null: there is no such topic. */
async function read(broker: TestBroker, topic: string): Promise<string[] | null> {
  const partition = { partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }
  const request = { maxWaitMs: 0, minBytes: 1, topics: [{ topic, partitions: [partition] }], forgottenTopicsData: [] }
  const found = (await broker.ask(Fetch, request, 12))!.responses[0]!.partitions[0]!
  if (found.errorCode === UNKNOWN_TOPIC_OR_PARTITION) return null
  if (found.errorCode !== NONE) throw new Error(`fetch: ${found.errorCode}`)
  const bytes = Buffer.concat(found.records?.parts ?? [])
  const values: string[] = []
  for (let at = 0; at < bytes.length; at += bytes.readInt32BE(at + 8) + 12) {
    for (const { value } of decodeRecords(bytes, at)) values.push(String(value))
  }
  return values
}

/** What each topic may hold; null: that it is not there. It grows while a step is under way, and is cut when it is done. */
type Expected = Map<string, (string[] | null)[]>

async function life(broker: TestBroker, may: Expected): Promise<void> {
  const step = async (
    name: string,
    after: string[] | null,
    work: Promise<unknown>,
    isDurable = true,
  ): Promise<void> => {
    const before = may.get(name) ?? [null]
    may.set(name, [...before, after])
    await work
    may.set(name, isDurable ? [after] : [...before, after])
  }
  const made = create(broker, ['a', 'b', 'c'])
  await Promise.all(['a', 'b', 'c'].map(name => step(name, [], made)))
  await step('a', ['a1'], produce(broker, 'a', 'a1', -1))
  await step('b', ['b1'], produce(broker, 'b', 'b1', 1), false)
  await step('a', null, remove(broker, 'a'))
  await step('a', [], create(broker, ['a']))
  await step('a', ['a2'], produce(broker, 'a', 'a2', -1))
  await step('c', ['c1'], produce(broker, 'c', 'c1', -1))
  await step('c', null, remove(broker, 'c'))
  await step('c', [], create(broker, ['c']))
  await step('c', ['c2'], produce(broker, 'c', 'c2', 1), false)
}

describe.each([
  ['worst', () => 0],
  ['half', (choices: number) => choices >> 1],
  ['best', (choices: number) => choices - 1],
])('a crash at any call, the %s of what was not synced survives', (_name, choose) => {
  test('leaves what was acknowledged, and every partition led', { timeout: 60_000 }, async () => {
    let stopped = 0
    for (let failAt = 1; ; failAt++) {
      const files = crashFiles()
      const broker = await testBroker({ files })
      const may: Expected = new Map()
      files.failAt(failAt, { code: 'EHALT', partial: true })
      const haltsAt = files.calls + failAt
      const failed = await life(broker, may).then(
        () => false,
        (error: unknown) => {
          // Only the disk that halted may end it.
          if (files.calls < haltsAt) throw error
          return true
        },
      )
      stopped += failed ? 1 : 0
      files.crash(choose)
      const again = await testBroker({ files, seed: 2 })
      for (const [name, expected] of may) {
        const found = await read(again, name)
        expect(expected, `${name} after call ${failAt}`).toContainEqual(found)
        if (found !== null) await produce(again, name, 'more', -1)
      }
      if (!failed) break
    }
    expect(stopped).toBeGreaterThan(20)
  })
})

test('a thousand topics cost one write of the metadata log, and a start after an orderly stop no folder', async () => {
  const files = crashFiles()
  const broker = await testBroker({ files })
  const names = Array.from({ length: 1000 }, (_, n) => `t${n}`)
  const before = files.calls
  await create(broker, names)
  expect(files.calls - before).toBeLessThan(10)
  for (const name of names.slice(0, 100)) await produce(broker, name, 'x', 1)
  await broker.opened.close()

  const calls = files.calls
  const again = await testBroker({ files, seed: 2 })
  expect(files.calls - calls).toBeLessThan(40)
  const request = { topics: null, allowAutoTopicCreation: false }
  const { topics } = (await again.ask(Metadata, request))!
  expect(topics.filter(({ partitions }) => partitions[0]?.errorCode === NONE)).toHaveLength(1000)
  expect([...again.opened.broker.partitions.all()].filter(({ log }) => log.isOpen)).toEqual([])
  expect([await read(again, 't7'), await read(again, 't700')]).toEqual([['x'], []])
  expect([...again.opened.broker.partitions.all()].filter(({ log }) => log.isOpen)).toHaveLength(1)
})

test('topics are deleted and made again under load', async () => {
  const broker = await testBroker({ files: memoryFiles(), durable: false })
  const names = Array.from({ length: 20 }, (_, n) => `t${n}`)
  await create(broker, names)
  const kept = new Map<string, string[]>(names.map(each => [each, []]))
  for (let round = 0; round < 20; round++) {
    const name = names[round % names.length]!
    // In one turn: writes on the way meet the deletion; each is written, or refused.
    const answers = broker.turn(() => [
      ...names.map(each => produce(broker, each, `r${round}`, -1)),
      remove(broker, name),
      ...names.map(each => produce(broker, each, `s${round}`, -1)),
    ])
    const results = await Promise.allSettled(answers)
    expect(results[names.length]!.status).toBe('fulfilled')
    for (const [n, each] of names.entries()) {
      for (const [result, value] of [
        [results[n]!, `r${round}`],
        [results[names.length + 1 + n]!, `s${round}`],
      ] as const) {
        if (result.status === 'fulfilled') kept.get(each)!.push(value)
        else expect([each, String(result.reason)]).toEqual([name, `Error: produce: ${UNKNOWN_TOPIC_OR_PARTITION}`])
      }
    }
    kept.set(name, ['first'])
    await create(broker, [name])
    expect(await read(broker, name)).toEqual([])
    await produce(broker, name, 'first', -1)
    expect(await read(broker, name)).toEqual(['first'])
    await broker.runtime.advanceAsync(30_000)
  }
  for (const each of names)
    expect({ name: each, records: await read(broker, each) }).toEqual({ name: each, records: kept.get(each) })
  expect([...broker.opened.broker.partitions.all()]).toHaveLength(names.length)
})
