// Settings of the offsets topic: how it is written and read back.
import { expect, test } from 'vitest'
import { NONE } from '../../../protocol/errors.ts'
import { OffsetCommit, OffsetFetch } from '../../../protocol/messages/index.ts'
import * as batch from '../../../protocol/records/batch.ts'
import { memoryFiles } from '../../../storage/files-memory.ts'
import { parse } from '../../../src/config/index.ts'
import { testBroker, type TestBroker } from './harness.ts'

async function commit(broker: TestBroker, committedOffset: number): Promise<number> {
  const partitions = [{ partitionIndex: 0, committedOffset, committedMetadata: 'm'.repeat(200) }]
  const reply = await broker.ask(OffsetCommit, { groupId: 'g', memberId: '', topics: [{ name: 't', partitions }] }, 9)
  return reply!.topics[0]!.partitions[0]!.errorCode
}

async function committed(broker: TestBroker): Promise<number> {
  const groups = [{ groupId: 'g', topics: [{ name: 't', partitionIndexes: [0] }] }]
  const reply = await broker.ask(OffsetFetch, { groups, topics: null }, 9)
  return reply!.groups[0]!.topics[0]!.partitions[0]!.committedOffset
}

const offsetsLog = (broker: TestBroker) => broker.opened.broker.partitions.get('__consumer_offsets', 0)!.log

function codecs(broker: TestBroker): number[] {
  const log = offsetsLog(broker)
  const found = log.read(0, { maxBytes: 1 << 20, maxOffset: log.logEndOffset, minOneBatch: true })
  const bytes = Buffer.concat(found.parts)
  found.release?.()
  return [...batch.batchesOf(bytes)].map(at => batch.codec(bytes, at))
}

test.each([0, 1, 2, 3, 4])(
  'offsets.topic.compression.codec=%i is how commits are written, and read back',
  async codec => {
    const files = memoryFiles()
    const config = { 'offsets.topic.num.partitions': 1, 'offsets.topic.compression.codec': codec }
    const first = await testBroker({ files, config })
    await first.createTopic('t')
    await first.opened.broker.ensureInternalTopic('__consumer_offsets')
    await first.opened.broker.coordinatorsLoaded()
    expect([await commit(first, 1), await commit(first, 2)]).toEqual([NONE, NONE])
    expect(codecs(first)).toEqual([codec, codec])
    await first.opened.close()

    const plain = await testBroker({ files, config: { 'offsets.topic.num.partitions': 1 } })
    await plain.opened.broker.coordinatorsLoaded()
    expect(await committed(plain)).toBe(2)
    expect(await commit(plain, 3)).toBe(NONE)
    expect(codecs(plain)).toEqual([codec, codec, 0])
    await plain.opened.close()
  },
)

test.each([-1, 5])('offsets.topic.compression.codec=%i does not exist', codec => {
  expect(() => parse({ flags: { 'offsets.topic.compression.codec': codec } })).toThrow('between 0 and 4')
})

test.each([
  [1, 20],
  [5_242_880, 1],
])('offsets.load.buffer.size=%i: a load reads twenty commits in %i slices', async (size, slices) => {
  const files = memoryFiles()
  const config = { 'offsets.topic.num.partitions': 1, 'offsets.load.buffer.size': size }
  const first = await testBroker({ files, config })
  await first.createTopic('t')
  await first.opened.broker.ensureInternalTopic('__consumer_offsets')
  await first.opened.broker.coordinatorsLoaded()
  // oxlint-disable-next-line no-await-in-loop -- one after the other
  for (let n = 1; n <= 20; n++) expect(await commit(first, n)).toBe(NONE)
  await first.opened.close()

  let reads = 0
  const counting = new Proxy(files, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (name !== 'open') return typeof value === 'function' ? value.bind(target) : value
      return (path: string, mode: 'read' | 'write') => {
        const handle = target.open(path, mode)
        return new Proxy(handle, {
          get(of, key) {
            const member: unknown = Reflect.get(of, key)
            if (typeof member !== 'function') return member
            return (...args: unknown[]) => {
              if (key === 'readAt' && path.includes('__consumer_offsets-0') && path.endsWith('.log')) reads++
              return member.apply(of, args)
            }
          },
        })
      }
    },
  })
  const again = await testBroker({ files: counting, config })
  await again.opened.broker.coordinatorsLoaded()
  expect(await committed(again)).toBe(20)
  expect(reads).toBeGreaterThanOrEqual(slices)
  if (slices === 1) expect(reads).toBeLessThan(20)
  await again.opened.close()
})
