// Fetch: offsets, limits, epochs, ids, isolation.
import { scenario, type Case, type Topic } from '../scenario.ts'
import { Fetch } from '../../../protocol/index.ts'
import { batch, fetchFrom, fetchLimits, fetchTopic, fill, NO_SUCH_ID, type FetchOptions } from './requests.ts'

const fetch = (on: Case, label: string, v: number, topic: Pick<Topic, 'name' | 'id'>, o: FetchOptions = {}) =>
  on.ask(label, Fetch, v, fetchFrom(v, topic, o))

/** Three batches: offsets 0-2, 3-4, 5. */
async function threeBatches(on: Case): Promise<Topic> {
  const topic = await on.topic('t')
  await fill(on, topic, batch(['a', 'b', 'c']))
  await fill(on, topic, batch(['d', 'e']))
  await fill(on, topic, batch(['f']))
  return topic
}

export const fetchScenarios = [
  scenario('fetch/offsets', Fetch, async (on, v) => {
    const topic = await threeBatches(on)
    await fetch(on, 'from the start', v, topic)
    await fetch(on, 'from within a batch', v, topic, { offset: 1 })
    await fetch(on, 'from the last batch', v, topic, { offset: 5 })
    await fetch(on, 'at the end', v, topic, { offset: 6 })
    await fetch(on, 'beyond the end', v, topic, { offset: 7 })
    await fetch(on, 'offset -1', v, topic, { offset: -1 })
    await fetch(on, 'offset -2', v, topic, { offset: -2 })
    const empty = await on.topic('empty')
    await fetch(on, 'an empty partition', v, empty)
    await fetch(on, 'an empty partition, offset 1', v, empty, { offset: 1 })
  }),

  scenario('fetch/unknown', Fetch, async (on, v) => {
    const topic = await on.topic('t')
    const nowhere = { name: on.name('nowhere'), id: NO_SUCH_ID }
    await fetch(on, 'unknown topic', v, nowhere)
    await fetch(on, 'unknown partition', v, topic, { partition: 1 })
    await fetch(on, 'negative partition', v, topic, { partition: -1 })
    await on.ask('a good and an unknown topic', Fetch, v, {
      ...fetchLimits(v),
      topics: [fetchTopic(v, nowhere, [{}]), fetchTopic(v, topic, [{}, { partition: 5 }])],
    })
    await on.ask('no topics', Fetch, v, { ...fetchLimits(v), topics: [] })
    await on.ask('a topic without partitions', Fetch, v, { ...fetchLimits(v), topics: [fetchTopic(v, topic, [])] })
    await on.ask('a partition twice', Fetch, v, { ...fetchLimits(v), topics: [fetchTopic(v, topic, [{}, {}])] })
    if (v >= 13) await fetch(on, 'the zero id', v, { name: '', id: 'AAAAAAAAAAAAAAAAAAAAAA' })
    if (v < 13) await fetch(on, 'an illegal name', v, { name: 'not legal!', id: '' })
    if (v < 13) await fetch(on, 'an empty name', v, { name: '', id: '' })
  }),

  scenario('fetch/limits', Fetch, async (on, v) => {
    const topic = await threeBatches(on)
    await fetch(on, 'partition max bytes 1', v, topic, { partitionMaxBytes: 1 })
    await fetch(on, 'partition max bytes 0', v, topic, { partitionMaxBytes: 0 })
    await fetch(on, 'partition max bytes -1', v, topic, { partitionMaxBytes: -1 })
    await fetch(on, 'partition max bytes of one batch', v, topic, { partitionMaxBytes: batch(['a', 'b', 'c']).length })
    await fetch(on, 'a byte more', v, topic, { partitionMaxBytes: batch(['a', 'b', 'c']).length + 1 })
    await fetch(on, 'max bytes 1', v, topic, { maxBytes: 1 })
    await fetch(on, 'max bytes 0', v, topic, { maxBytes: 0 })
    await fetch(on, 'max bytes -1', v, topic, { maxBytes: -1 })
    await fetch(on, 'min bytes 1 at the end, no wait', v, topic, { offset: 6, minBytes: 1, maxWaitMs: 0 })
    await fetch(on, 'min bytes 1 at the end, 20 ms', v, topic, { offset: 6, minBytes: 1, maxWaitMs: 20 })
    await fetch(on, 'more min bytes than there are', v, topic, { minBytes: 10_000, maxWaitMs: 20 })
    await fetch(on, 'negative wait', v, topic, { offset: 6, minBytes: 1, maxWaitMs: -1 })
    const other = await on.topic('other', { partitions: 2 })
    await fill(on, other, batch(['0']))
    await fill(on, other, batch(['1']), 1)
    const both = [{ partition: 0 }, { partition: 1 }]
    const ask = (label: string, o: FetchOptions) =>
      on.ask(label, Fetch, v, { ...fetchLimits(v, o), topics: [fetchTopic(v, other, both)] })
    await ask('two partitions', {})
    await ask('two partitions, max bytes 1', { maxBytes: 1 })
    await ask('two partitions, max bytes of one', { maxBytes: batch(['0']).length })
    await ask('two partitions, a byte less than both', { maxBytes: 2 * batch(['0']).length - 1 })
  }),

  scenario('fetch/leader epochs', Fetch, async (on, v) => {
    const topic = await threeBatches(on)
    if (v >= 9) {
      await fetch(on, 'the leader epoch', v, topic, { currentLeaderEpoch: 0 })
      await fetch(on, 'a newer one', v, topic, { currentLeaderEpoch: 1 })
      await fetch(on, 'a negative one', v, topic, { currentLeaderEpoch: -2 })
      await fetch(on, 'a newer one of an unknown partition', v, topic, { currentLeaderEpoch: 1, partition: 3 })
    }
    if (v >= 12) {
      await fetch(on, 'last fetched epoch 0', v, topic, { lastFetchedEpoch: 0, offset: 6 })
      await fetch(on, 'last fetched epoch 0, beyond the end', v, topic, { lastFetchedEpoch: 0, offset: 60 })
      await fetch(on, 'last fetched epoch 1', v, topic, { lastFetchedEpoch: 1, offset: 6 })
      await fetch(on, 'last fetched epoch 9, no news', v, topic, { lastFetchedEpoch: 9, offset: 2 })
      await fetch(on, 'last fetched epoch 0, both', v, topic, { lastFetchedEpoch: 0, currentLeaderEpoch: 0 })
    }
    await fetch(on, 'no epochs', v, topic)
  }),

  scenario('fetch/isolation and replicas', Fetch, async (on, v) => {
    const topic = await threeBatches(on)
    await fetch(on, 'read committed', v, topic, { isolationLevel: 1 })
    await fetch(on, 'read committed at the end', v, topic, { isolationLevel: 1, offset: 6 })
    await fetch(on, 'isolation level 2', v, topic, { isolationLevel: 2 })
    await fetch(on, 'isolation level -1', v, topic, { isolationLevel: -1 })
    if (v >= 15) return
    await fetch(on, 'replica id -2', v, topic, { replicaId: -2 })
    await fetch(on, 'a follower that is none', v, topic, { replicaId: 77 })
  }),

  scenario('fetch/compressed', Fetch, async (on, v) => {
    const topic = await on.topic('t')
    for (const codec of [1, 2, 3]) await fill(on, topic, batch(['aaaaaaaaaaaaaaaa', 'b'], { codec }))
    await fetch(on, 'gzip, snappy, lz4', v, topic)
    const zstd = await on.topic('zstd')
    await fill(on, zstd, batch(['aaaaaaaaaaaaaaaa', 'b'], { codec: 4 }))
    await fetch(on, 'zstd', v, zstd)
    const ofType = await on.topic('of-type', { configs: { 'compression.type': 'zstd' } })
    await fetch(on, 'an empty topic of type zstd', v, ofType)
  }),
]
