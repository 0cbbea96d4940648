// DeleteRecords and OffsetForLeaderEpoch: where logs start, and where leader epochs end.
import type { AskOf } from '../../../protocol/api.ts'
import { scenario, type Case } from '../scenario.ts'
import { DeleteRecords, ListOffsets, OffsetForLeaderEpoch } from '../../../protocol/index.ts'
import { batch, fill, produce } from './requests.ts'

type Deleted = readonly [partition: number, offset: number]

const deletion = (name: string, ...partitions: Deleted[]): AskOf<typeof DeleteRecords> => ({
  timeoutMs: 10_000,
  topics: [{ name, partitions: partitions.map(([partitionIndex, offset]) => ({ partitionIndex, offset })) }],
})

const cut = (on: Case, label: string, v: number, name: string, ...partitions: Deleted[]) =>
  on.ask(label, DeleteRecords, v, deletion(name, ...partitions))

const earliest = (on: Case, label: string, name: string) =>
  on.ask(label, ListOffsets, 5, {
    replicaId: -1,
    isolationLevel: 0,
    topics: [{ name, partitions: [{ partitionIndex: 0, timestamp: -2, currentLeaderEpoch: -1 }] }],
  })

interface Asked {
  readonly partition?: number
  readonly epoch: number
  readonly current?: number
}

const ends = (v: number, topic: string, ...partitions: Asked[]): AskOf<typeof OffsetForLeaderEpoch> => ({
  ...(v >= 3 && { replicaId: -1 }),
  topics: [
    {
      topic,
      partitions: partitions.map(({ partition = 0, epoch, current = -1 }) => ({
        partition,
        leaderEpoch: epoch,
        ...(v >= 2 && { currentLeaderEpoch: current }),
      })),
    },
  ],
})

const askEnds = (on: Case, label: string, v: number, topic: string, ...partitions: Asked[]) =>
  on.ask(label, OffsetForLeaderEpoch, v, ends(v, topic, ...partitions))

export const logStartScenarios = [
  scenario('delete records/offsets', DeleteRecords, async (on, v) => {
    const topic = await on.topic('t', { partitions: 2 })
    const { name } = topic
    await cut(on, 'of an empty partition, all', v, name, [0, -1])
    await cut(on, 'of an empty partition, 1', v, name, [0, 1])
    await fill(on, topic, batch(['a', 'b', 'c']))
    await fill(on, topic, batch(['d']))
    await cut(on, 'to 0', v, name, [0, 0])
    await cut(on, 'beyond the end', v, name, [0, 5])
    await cut(on, 'to -2', v, name, [0, -2])
    await cut(on, 'into a batch', v, name, [0, 2])
    await earliest(on, 'starts there', name)
    await cut(on, 'back', v, name, [0, 1])
    await cut(on, 'two partitions', v, name, [0, 3], [1, 1])
    await cut(on, 'all', v, name, [0, -1])
    await earliest(on, 'starts at the end', name)
    await cut(on, 'all again', v, name, [0, -1])
    await produce(on, 'goes on behind it', 9, topic, batch(['e']))
  }),

  scenario('delete records/refused', DeleteRecords, async (on, v) => {
    const topic = await on.topic('t')
    const { name } = topic
    await fill(on, topic, batch(['a', 'b', 'c']))
    await cut(on, 'unknown topic', v, on.name('nowhere'), [0, -1])
    await cut(on, 'an illegal name', v, 'not legal!', [0, -1])
    await cut(on, 'unknown partition', v, name, [1, -1], [0, 1])
    await cut(on, 'negative partition', v, name, [-1, -1])
    await cut(on, 'an internal topic', v, '__consumer_offsets', [0, 0])
    await cut(on, 'an internal topic, unknown partition', v, '__consumer_offsets', [77, 0])
    await cut(on, 'a partition twice', v, name, [0, 1], [0, 2])
    await cut(on, 'a partition twice, wrong at last', v, name, [0, 3], [0, 9])
    await cut(on, 'no partitions', v, name)
    const topics = [...deletion(name, [0, 2]).topics, ...deletion(name, [0, 3]).topics]
    await on.ask('a topic twice', DeleteRecords, v, { timeoutMs: 1000, topics })
    await on.ask('no topics', DeleteRecords, v, { timeoutMs: 1000, topics: [] })
    await on.ask('no time', DeleteRecords, v, { ...deletion(name, [0, 3]), timeoutMs: 0 })
    await on.ask('negative time', DeleteRecords, v, { ...deletion(name, [0, 3]), timeoutMs: -1 })
  }),

  scenario('leader epochs/ends', OffsetForLeaderEpoch, async (on, v) => {
    const topic = await on.topic('t', { partitions: 2 })
    const { name } = topic
    for (const epoch of [0, -1, 1]) await askEnds(on, `${epoch} of an empty partition`, v, name, { epoch })
    await fill(on, topic, batch(['a', 'b', 'c']))
    for (const epoch of [0, -1, 1, -2, 2 ** 31 - 1]) await askEnds(on, `${epoch}`, v, name, { epoch })
    await askEnds(on, 'two partitions', v, name, { epoch: 0 }, { epoch: 0, partition: 1 })
    await askEnds(on, 'a partition twice', v, name, { epoch: 0 }, { epoch: 1 })
    await cut(on, 'records go', 2, name, [0, 2])
    await askEnds(on, 'of what is left', v, name, { epoch: 0 })
    await cut(on, 'all records go', 2, name, [0, -1])
    await askEnds(on, 'of nothing', v, name, { epoch: 0 })
  }),

  scenario('leader epochs/refused', OffsetForLeaderEpoch, async (on, v) => {
    const { name } = await on.topic('t')
    await askEnds(on, 'unknown topic', v, on.name('nowhere'), { epoch: 0 })
    await askEnds(on, 'an illegal name', v, 'not legal!', { epoch: 0 })
    await askEnds(on, 'unknown partition', v, name, { epoch: 0, partition: 1 })
    await askEnds(on, 'negative partition', v, name, { epoch: 0, partition: -1 })
    await askEnds(on, 'no partitions', v, name)
    await on.ask('no topics', OffsetForLeaderEpoch, v, { ...ends(v, name), topics: [] })
    const topics = [...ends(v, name, { epoch: 0 }).topics, ...ends(v, name, { epoch: 1 }).topics]
    await on.ask('a topic twice', OffsetForLeaderEpoch, v, { ...ends(v, name), topics })
    if (v >= 2) {
      for (const current of [0, 1, -2, 2 ** 31 - 1])
        await askEnds(on, `current epoch ${current}`, v, name, { epoch: 0, current })
    }
    if (v >= 3) {
      for (const replicaId of [-2, 0, 1, 77])
        await on.ask(`replica ${replicaId}`, OffsetForLeaderEpoch, v, { ...ends(v, name, { epoch: 0 }), replicaId })
    }
  }),
]
