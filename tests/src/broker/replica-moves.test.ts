// A partition moves to another log directory while clients use it: nothing acknowledged is lost, whatever stops it wherever.
import { describe, expect, test } from 'vitest'
import { KAFKA_STORAGE_ERROR, NONE } from '../../../protocol/errors.ts'
import { DeleteTopics, OffsetCommit, OffsetFetch } from '../../../protocol/messages/index.ts'
import { ZERO_UUID } from '../../../protocol/schema.ts'
import { crashFiles, type CrashFiles, type Chooser } from '../../../storage/files-crash.ts'
import { below, layout, move, produce, read, recorded } from './directories.ts'
import { testBroker, type TestBroker } from './harness.ts'

/** Both directories on one disk, so that all of it stops at once. */
const onOne = (disk: CrashFiles, seed = 1, config = {}): Promise<TestBroker> =>
  testBroker({ files: below(disk, 'a'), more: { other: below(disk, 'b') }, seed, config })

/** Small segments: a move has several to copy. */
const SMALL = { 'internal.segment.bytes': '300' }

async function filled(disk: CrashFiles, count = 8): Promise<{ broker: TestBroker; values: string[] }> {
  const broker = await onOne(disk)
  await broker.createTopic('t', 1, SMALL)
  const values = Array.from({ length: count }, (_, n) => `v${n}`)
  for (const value of values) expect(await produce(broker, 't', value)).toBe(NONE)
  return { broker, values }
}

async function stop(broker: TestBroker): Promise<void> {
  broker.opened.quiesce()
  await broker.opened.close()
}

const isMoved = async (broker: TestBroker): Promise<boolean> => {
  const lines = await layout(broker)
  return lines[0] === 'test:' && lines[1] === 'other: t-0'
}

test('what is in a partition goes to the other directory, what comes meanwhile too', async () => {
  const disk = crashFiles()
  const { broker, values } = await filled(disk)
  const release = disk.holdSyncs()
  expect(await move(broker, 't', 'other')).toBe(NONE)
  await broker.runtime.settle()
  for (const value of ['held', 'too']) {
    values.push(value)
    expect(await produce(broker, 't', value, 1)).toBe(NONE)
  }
  expect(await layout(broker)).toEqual(['test: t-0', 'other: t-0(2)'])
  release()
  for (const value of ['x', 'y', 'z']) {
    values.push(value)
    expect(await produce(broker, 't', value)).toBe(NONE)
    expect(await read(broker, 't')).toEqual(values)
  }
  await broker.runtime.settle()
  expect(await isMoved(broker)).toBe(true)
  expect(recorded(broker, 't')).toBe('other')
  expect(await read(broker, 't')).toEqual(values)
  expect(await produce(broker, 't', 'after')).toBe(NONE)
  expect(disk.list('a').filter(name => name.startsWith('t-0'))).toMatchObject([
    expect.stringMatching(/^t-0\..*-delete$/),
  ])
  await broker.runtime.advanceAsync(120_000)
  expect(disk.list('a').filter(name => name.startsWith('t-0'))).toEqual([])
  expect(disk.list('b').filter(name => name.startsWith('t-0'))).toEqual(['t-0'])
  await stop(broker)
  const again = await onOne(disk, 2)
  expect(await read(again, 't')).toEqual([...values, 'after'])
  // And back again, where it was deleted before.
  expect(await move(again, 't', 'test')).toBe(NONE)
  await again.runtime.settle()
  expect(await layout(again)).toEqual(['test: t-0', 'other:'])
  disk.crash(() => 0)
  expect(await read(await onOne(disk, 3), 't')).toEqual([...values, 'after'])
})

test('the start of the log moves along, and what is below it stays deleted after a crash', async () => {
  const disk = crashFiles()
  const { broker, values } = await filled(disk)
  const partition = broker.opened.broker.partitions.get('t', 0)!
  partition.deleteRecords(5)
  expect(await move(broker, 't', 'other')).toBe(NONE)
  await broker.runtime.settle()
  expect(await isMoved(broker)).toBe(true)
  expect(partition.log.logStartOffset).toBe(5)
  disk.crash(() => 0)
  const again = await onOne(disk, 2)
  expect(again.opened.broker.partitions.get('t', 0)!.log.logStartOffset).toBe(5)
  expect(await read(again, 't', 0, 5)).toEqual(values.slice(5))
})

test('an idempotent producer goes on where it was', async () => {
  const { broker } = await filled(crashFiles(), 1)
  const partition = broker.opened.broker.partitions.get('t', 0)!
  const { records } = await import('./harness.ts')
  const append = (baseSequence: number) => {
    const batch = records(['i'], { producerId: 7, producerEpoch: 0, baseSequence })
    return partition.append(batch, { acks: -1, now: broker.runtime.clock.now(), origin: 'client' })
  }
  expect(append(0).duplicate).toBe(false)
  expect(append(1).duplicate).toBe(false)
  expect(await move(broker, 't', 'other')).toBe(NONE)
  await broker.runtime.settle()
  expect(await isMoved(broker)).toBe(true)
  expect(append(1).duplicate).toBe(true)
  expect(append(2).duplicate).toBe(false)
  expect(() => append(9)).toThrow(/sequence/i)
})

test('a coordinator keeps its groups while its partition moves', async () => {
  const disk = crashFiles()
  const broker = await onOne(disk, 1, { 'offsets.topic.num.partitions': 1 })
  await broker.createTopic('t')
  await broker.opened.broker.ensureInternalTopic('__consumer_offsets')
  const commit = async (committedOffset: number) => {
    const partitions = [{ partitionIndex: 0, committedOffset, committedMetadata: '' }]
    const reply = await broker.ask(OffsetCommit, { groupId: 'g', memberId: '', topics: [{ name: 't', partitions }] }, 9)
    return reply!.topics[0]!.partitions[0]!.errorCode
  }
  expect(await commit(1)).toBe(NONE)
  const from = (await layout(broker)).findIndex(line => line.includes('__consumer_offsets'))
  const to = ['other', 'test'][from]!
  expect(await move(broker, '__consumer_offsets', to)).toBe(NONE)
  expect(await commit(2)).toBe(NONE)
  await broker.runtime.settle()
  expect((await layout(broker)).find(line => line.startsWith(to))).toContain('__consumer_offsets-0')
  expect(await commit(3)).toBe(NONE)
  disk.crash(() => 0)
  const again = await onOne(disk, 2, { 'offsets.topic.num.partitions': 1 })
  await again.opened.broker.coordinatorsLoaded()
  const topics = [{ name: 't', partitionIndexes: [0] }]
  const fetched = await again.ask(OffsetFetch, { groups: [{ groupId: 'g', topics }], topics: null }, 9)
  expect(fetched!.groups[0]!.topics[0]!.partitions[0]).toMatchObject({ committedOffset: 3 })
})

test('how far a log is compacted moves along', async () => {
  const disk = crashFiles()
  const { broker, values } = await filled(disk, 3)
  const offsets = (folder: string): string =>
    disk.exists(`${folder}/cleaner-offset-checkpoint`)
      ? String(disk.readAll(`${folder}/cleaner-offset-checkpoint`))
      : ''
  await broker.opened.close()
  disk.writeAtomic('a/cleaner-offset-checkpoint', Buffer.from('0\n1\nt 0 2\n'))
  const again = await onOne(disk, 2)
  expect(await move(again, 't', 'other')).toBe(NONE)
  await again.runtime.settle()
  expect(await isMoved(again)).toBe(true)
  expect(offsets('b')).toMatch(/t 0 \d/)
  expect(offsets('a')).not.toContain('t 0')
  expect(await read(again, 't')).toEqual(values)
})

describe('a move', () => {
  test('is given up for another one, and for the directory where the partition is', async () => {
    const disk = crashFiles()
    const { broker, values } = await filled(disk)
    const release = disk.holdSyncs()
    expect(await move(broker, 't', 'other')).toBe(NONE)
    await broker.runtime.settle()
    expect(await layout(broker)).toEqual(['test: t-0', 'other: t-0(0)'])
    expect(await move(broker, 't', 'other')).toBe(NONE)
    expect(await move(broker, 't', 'test')).toBe(NONE)
    release()
    await broker.runtime.settle()
    expect(await layout(broker)).toEqual(['test: t-0', 'other:'])
    expect([recorded(broker, 't'), await read(broker, 't')]).toEqual(['test', values])
    expect(await move(broker, 't', 'other')).toBe(NONE)
    await broker.runtime.settle()
    expect(await isMoved(broker)).toBe(true)
  })

  test('ends with its topic', async () => {
    const disk = crashFiles()
    const { broker } = await filled(disk)
    const release = disk.holdSyncs()
    await move(broker, 't', 'other')
    await broker.runtime.settle()
    const topics = [{ name: 't', topicId: ZERO_UUID }]
    const deleting = broker.ask(DeleteTopics, { topics, topicNames: [], timeoutMs: 1000 })
    release()
    await deleting
    await broker.runtime.settle()
    expect(await layout(broker)).toEqual(['test:', 'other:'])
    await broker.createTopic('t', 1)
    await produce(broker, 't', 'new')
    await broker.runtime.advanceAsync(120_000)
    expect(await read(broker, 't')).toEqual(['new'])
  })

  test('goes on after an orderly stop and after a kill', async () => {
    for (const orderly of [true, false]) {
      const disk = crashFiles()
      const { broker, values } = await filled(disk)
      await broker.opened.broker.metadata.submit(() => ({ records: [], reply: 0 }))
      const release = disk.holdSyncs()
      await move(broker, 't', 'other')
      await broker.runtime.settle()
      expect(await layout(broker)).toEqual(['test: t-0', 'other: t-0(0)'])
      if (orderly) {
        const stopped = stop(broker)
        release()
        await stopped
      } else disk.kill()
      const again = await onOne(disk, 2)
      expect(await read(again, 't')).toEqual(values)
      await again.runtime.settle()
      expect(await isMoved(again)).toBe(true)
      expect(await read(again, 't')).toEqual(values)
    }
  })

  test('keeps to replica.alter.log.dirs.io.max.bytes.per.second', async () => {
    const disk = crashFiles()
    const { broker } = await filled(disk)
    const { config } = broker.opened.broker
    Object.assign(config, { 'replica.alter.log.dirs.io.max.bytes.per.second': 100 })
    await move(broker, 't', 'other')
    await broker.runtime.advanceAsync(2000)
    expect(await isMoved(broker)).toBe(false)
    await broker.runtime.advanceAsync(60_000)
    expect(await isMoved(broker)).toBe(true)
  })

  test('all moves share that rate', async () => {
    const disks = { files: crashFiles(), more: { other: crashFiles() } }
    const broker = await testBroker(disks)
    const pathOf = (topic: string): string => broker.opened.broker.dirs.of(topic, 0)!.path
    const took = async (...topics: string[]): Promise<number> => {
      const { runtime } = broker
      Object.assign(broker.opened.broker.config, { 'replica.alter.log.dirs.io.max.bytes.per.second': 100 })
      const began = runtime.clock.now()
      await Promise.all(topics.map(topic => move(broker, topic, 'other')))
      while (topics.some(topic => pathOf(topic) !== 'other')) {
        if (runtime.clock.now() - began > 600_000) throw new Error('it takes too long')
        await runtime.advanceAsync(500)
      }
      return runtime.clock.now() - began
    }
    const names = ['t', 'u', 'v', 'w', 'x', 'y']
    for (const topic of names) {
      await broker.createTopic(topic, 1, SMALL)
      for (let i = 0; i < 10; i++) await produce(broker, topic, 'value')
    }
    const [first, ...others] = names.filter(topic => pathOf(topic) === 'test')
    const one = await took(first!)
    expect(others).toHaveLength(2)
    expect(await took(...others)).toBeGreaterThan(1.6 * one)
  })

  test('into a directory that fails leaves the partition where it is', async () => {
    const disks = { files: crashFiles(), more: { other: crashFiles() } }
    const broker = await testBroker(disks)
    await broker.createTopic('t', 1, SMALL)
    for (const value of ['a', 'b', 'c']) await produce(broker, 't', value)
    for (let n = 1; n < 40; n++) {
      disks.more.other.failAt(n, { code: 'EIO', sticky: true })
      const error = await move(broker, 't', 'other')
      await broker.runtime.settle()
      if (await isMoved(broker)) break
      expect([NONE, KAFKA_STORAGE_ERROR]).toContain(error)
      expect(broker.opened.broker.dirs.hasOffline).toBe(true)
      break
    }
    expect(await produce(broker, 't', 'd')).toBe(NONE)
    expect(await read(broker, 't')).toEqual(['a', 'b', 'c', 'd'])
    expect(recorded(broker, 't')).toBe('test')
  })
})

/** Moves there while clients write; what was acknowledged, acks=1 and acks=all apart. */
async function life(
  disk: CrashFiles,
  seed: number,
  haltsAt: number,
): Promise<{ kept: string[]; written: string[]; isDone: boolean }> {
  const kept: string[] = []
  const written: string[] = []
  const put = async (broker: TestBroker, value: string, acks: number): Promise<void> => {
    if ((await produce(broker, 't', value, acks)) !== NONE) throw new Error('refused')
    written.push(value)
    if (acks === -1) kept.push(...written.splice(0))
  }
  try {
    const broker = await onOne(disk, seed)
    await broker.createTopic('t', 1, SMALL)
    for (let n = 0; n < 5; n++) await put(broker, `v${n}`, n % 2 === 0 ? -1 : 1)
    await move(broker, 't', 'other')
    for (let n = 5; n < 12; n++) {
      await put(broker, `v${n}`, n % 2 === 0 ? -1 : 1)
      // One turn of the copy at a time.
      await new Promise(resolve => setImmediate(resolve))
    }
    await broker.runtime.settle()
    const isDone = await isMoved(broker)
    await put(broker, 'last', -1)
    return { kept, written, isDone }
  } catch (error) {
    // Only the disk that halted may end it.
    if (disk.calls < haltsAt) throw error
    return { kept, written, isDone: false }
  }
}

describe('at any call', () => {
  const worst: Chooser = () => 0
  const best: Chooser = choices => choices - 1
  test.each<[string, Chooser | null, number]>([
    ['the process is killed', null, 2],
    ['the machine stops, what was not synced is lost', worst, 1],
    ['the machine stops, all was synced', best, 3],
    ['the machine stops, half was synced', choices => choices >>> 1, 3],
  ])(
    '%s: nothing that was acknowledged is lost, and the move goes on',
    { timeout: 120_000 },
    async (_, choose, step) => {
      const whole = crashFiles()
      const { kept, isDone } = await life(whole, 1, Infinity)
      expect([kept.length, isDone]).toEqual([13, true])
      for (let n = 1; n <= whole.calls; n += step) {
        const disk = crashFiles()
        disk.failAt(n, { code: 'EHALT' })
        const lived = await life(disk, 1, n)
        if (choose === null) disk.kill()
        else disk.crash(choose)
        const expected = choose === null ? [...lived.kept, ...lived.written] : lived.kept
        const again = await onOne(disk, 2 + n)
        if (!again.opened.broker.metadata.image.topicByName('t')) {
          expect(expected, `call ${n}`).toEqual([])
          continue
        }
        const found = await read(again, 't')
        expect(found.slice(0, expected.length), `call ${n}`).toEqual(expected)
        expect(found, `call ${n}`).toEqual([...new Set(found)])
        await again.runtime.settle()
        expect(await produce(again, 't', 'new'), `call ${n}`).toBe(NONE)
        const lines = (await layout(again)).join(' ')
        expect(lines.match(/t-0/g), `call ${n}: ${lines}`).toHaveLength(1)
        expect(await read(again, 't'), `call ${n}`).toEqual([...found, 'new'])
        disk.crash(worst)
        const third = await onOne(disk, 900 + n)
        expect(await read(third, 't'), `call ${n}`).toEqual([...found, 'new'])
      }
    },
  )
})
