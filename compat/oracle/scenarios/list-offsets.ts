// ListOffsets: places by name and offsets by time.
import type { AskOf } from '../../../protocol/api.ts'
import { scenario, type Case } from '../scenario.ts'
import { ListOffsets } from '../../../protocol/index.ts'
import { batch, fill, T0, utf8 } from './requests.ts'

interface Asked {
  readonly partition?: number
  readonly timestamp?: number
  readonly epoch?: number
  readonly count?: number
}

const request = (
  v: number,
  topic: string,
  partitions: readonly Asked[],
  o: { isolationLevel?: number; replicaId?: number } = {},
): AskOf<typeof ListOffsets> => ({
  replicaId: o.replicaId ?? -1,
  ...(v >= 2 && { isolationLevel: o.isolationLevel ?? 0 }),
  ...(v >= 10 && { timeoutMs: 1000 }),
  topics: [
    {
      name: topic,
      partitions: partitions.map(of => ({
        partitionIndex: of.partition ?? 0,
        timestamp: of.timestamp ?? -1,
        ...(v >= 4 && { currentLeaderEpoch: of.epoch ?? -1 }),
        ...(v === 0 && { maxNumOffsets: of.count ?? 1 }),
      })),
    },
  ],
})

const ask = (on: Case, label: string, v: number, topic: string, ...partitions: Asked[]) =>
  on.ask(label, ListOffsets, v, request(v, topic, partitions))

const special = [-1, -2, -3, -4, -5, -6, -7, -100]

export const listOffsetsScenarios = [
  scenario('list offsets/places', ListOffsets, async (on, v) => {
    const { name } = await on.topic('t')
    const empty = await on.topic('empty')
    for (const timestamp of special) await ask(on, `${timestamp} of an empty partition`, v, empty.name, { timestamp })
    await fill(on, { name, id: '', partitions: 1 }, batch(['a', 'b', 'c']))
    await fill(on, { name, id: '', partitions: 1 }, batch(['d'], { timestamp: T0 - 5 }))
    for (const timestamp of special) await ask(on, `${timestamp}`, v, name, { timestamp })
  }),

  scenario('list offsets/by time', ListOffsets, async (on, v) => {
    const topic = await on.topic('t')
    const at = (codec: number, ...times: number[]) =>
      batch([], { codec, records: times.map(timestamp => ({ key: null, value: utf8('x'), timestamp })) })
    await fill(on, topic, at(0, T0, T0 + 10, T0 + 20))
    await fill(on, topic, at(1, T0 + 50, T0 + 30, T0 + 60))
    await fill(on, topic, at(3, T0 + 40))
    for (const after of [-1000, 0, 1, 10, 20, 21, 30, 31, 50, 51, 60, 61]) {
      await ask(on, `T0 ${after}`, v, topic.name, { timestamp: T0 + after })
    }
    await ask(on, 'time 0', v, topic.name, { timestamp: 0 })
    await ask(on, 'the end of time', v, topic.name, { timestamp: 2 ** 63 })
    const without = await on.topic('without')
    await fill(on, without, at(0, -1, -1))
    await ask(on, 'records without a time, time 0', v, without.name, { timestamp: 0 })
    await ask(on, 'records without a time, the greatest', v, without.name, { timestamp: -3 })
  }),

  scenario(
    'list offsets/by the time of the append',
    ListOffsets,
    async (on, v) => {
      const topic = await on.topic('t', { configs: { 'message.timestamp.type': 'LogAppendTime' } })
      await fill(on, topic, batch(['a', 'b', 'c']))
      await ask(on, 'the greatest', v, topic.name, { timestamp: -3 })
      await ask(on, 'the first', v, topic.name, { timestamp: T0 })
      await fill(on, topic, batch(['d', 'e', 'f'], { codec: 1 }))
      await ask(on, 'the greatest is compressed', v, topic.name, { timestamp: -3 })
    },
    { versions: [1, 11] },
  ),

  scenario(
    'list offsets/where the header leaves the greatest time out',
    ListOffsets,
    async (on, v) => {
      for (const codec of [0, 1]) {
        const topic = await on.topic(`codec-${codec}`)
        const times = [T0 + 10, T0 + 30, T0 + 20]
        const records = times.map(timestamp => ({ key: null, value: utf8('x'), timestamp }))
        await fill(on, topic, batch([], { codec, records, maxTimestamp: -1 }))
        await fill(on, topic, batch(['y'], { codec, timestamp: T0 }))
        await ask(on, `${codec}: the greatest`, v, topic.name, { timestamp: -3 })
        for (const after of [10, 11, 20, 30, 31]) {
          await ask(on, `${codec}: T0 ${after}`, v, topic.name, { timestamp: T0 + after })
        }
      }
    },
    { versions: [1, 11] },
  ),

  scenario('list offsets/unknown', ListOffsets, async (on, v) => {
    const { name } = await on.topic('t')
    await ask(on, 'unknown topic', v, on.name('nowhere'), {})
    await ask(on, 'unknown partition', v, name, { partition: 1 })
    await ask(on, 'negative partition', v, name, { partition: -1 })
    await ask(on, 'an illegal name', v, 'not legal!', {})
    await ask(on, 'a partition twice', v, name, { timestamp: -1 }, { timestamp: -2 })
    await ask(on, 'a partition twice and another', v, name, { timestamp: -1 }, { timestamp: -2 }, { partition: 1 })
    await ask(on, 'no partitions', v, name)
    const topics = [...request(v, name, [{}]).topics, ...request(v, name, [{}]).topics]
    await on.ask('a topic twice', ListOffsets, v, { ...request(v, name, [{}]), topics })
    await on.ask('no topics', ListOffsets, v, { ...request(v, name, []), topics: [] })
  }),

  scenario('list offsets/epochs, isolation, replicas', ListOffsets, async (on, v) => {
    const { name } = await on.topic('t')
    await fill(on, { name, id: '', partitions: 1 }, batch(['a', 'b', 'c']))
    if (v >= 4) {
      await ask(on, 'the leader epoch', v, name, { epoch: 0 })
      await ask(on, 'a newer one', v, name, { epoch: 1 })
      await ask(on, 'a negative one', v, name, { epoch: -2 })
    }
    const by = (label: string, o: { isolationLevel?: number; replicaId?: number }) =>
      on.ask(label, ListOffsets, v, request(v, name, [{}], o))
    if (v >= 2) await by('read committed', { isolationLevel: 1 })
    if (v >= 2) await by('isolation level 2', { isolationLevel: 2 })
    await by('replica id -2', { replicaId: -2 })
    await by('replica id -3', { replicaId: -3 })
    await by('a follower that is none', { replicaId: 77 })
  }),

  scenario(
    'list offsets/several offsets',
    ListOffsets,
    async (on, v) => {
      const { name } = await on.topic('t')
      await fill(on, { name, id: '', partitions: 1 }, batch(['a', 'b', 'c']))
      for (const count of [0, 1, 2, 10, -1]) {
        await ask(on, `${count} from the end`, v, name, { timestamp: -1, count })
        await ask(on, `${count} from the start`, v, name, { timestamp: -2, count })
        await ask(on, `${count} by time`, v, name, { timestamp: T0, count })
        await ask(on, `${count} by the time now`, v, name, { timestamp: on.now + 60_000, count })
      }
    },
    { versions: [0, 0] },
  ),
]
