// Transactions: producer ids with a transactional id, what may be added, produced, committed and ended, and who is
// fenced.
import type { AskOf } from '../../../protocol/api.ts'
import { scenario, type Case, type Topic } from '../scenario.ts'
import {
  AddOffsetsToTxn,
  AddPartitionsToTxn,
  DescribeProducers,
  DescribeTransactions,
  EndTxn,
  Fetch,
  FindCoordinator,
  InitProducerId,
  ListOffsets,
  ListTransactions,
  OffsetFetch,
  Produce,
  TxnOffsetCommit,
  WriteTxnMarkers,
} from '../../../protocol/index.ts'
import { batch, fetchFrom, produce, settle } from './requests.ts'

/** Markers have the time of the day, and records times long past: that would begin a new segment. */
export const ONE_SEGMENT = { 'segment.ms': '3153600000000' }

export interface Producer {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
}

/** What a client asks again after. */
const LATER = new Set([14, 15, 16, 51])

/** Initializes a transactional producer; waits until the coordinator can answer. */
export async function begin(on: Case, hint: string): Promise<Producer> {
  const transactionalId = on.name(hint)
  await on.until('a transaction coordinator', async () => {
    const { coordinators } = await on.useVersion(FindCoordinator, 4, { keyType: 1, coordinatorKeys: [transactionalId] })
    return coordinators[0]?.errorCode === 0
  })
  let producer: Producer | null = null
  await on.until('a transactional producer', async () => {
    const answer = await on.use(InitProducerId, { transactionalId, transactionTimeoutMs: 60_000 })
    if (answer.errorCode === 0) producer = { ...answer, transactionalId }
    else if (!LATER.has(answer.errorCode)) throw new Error(`InitProducerId: error ${answer.errorCode}`)
    return producer !== null
  })
  const { producerId, producerEpoch } = producer!
  return { transactionalId, producerId, producerEpoch }
}

/** Adds partitions as clients do, in version 3. */
export async function add(on: Case, p: Producer, topic: Topic, ...partitions: number[]): Promise<void> {
  await on.until('the partitions are added', async () => {
    const { resultsByTopicV3AndBelow } = await on.useVersion(
      AddPartitionsToTxn,
      3,
      addOf(3, p, topic.name, ...partitions),
    )
    const codes = resultsByTopicV3AndBelow.flatMap(({ resultsByPartition }) =>
      resultsByPartition.map(({ partitionErrorCode }) => partitionErrorCode),
    )
    const bad = codes.find(code => code !== 0 && !LATER.has(code))
    if (bad !== undefined) throw new Error(`AddPartitionsToTxn: error ${bad}`)
    return codes.every(code => code === 0)
  })
}

const addOf = (v: number, p: Producer, name: string, ...partitions: number[]): AskOf<typeof AddPartitionsToTxn> =>
  v < 4
    ? {
        v3AndBelowTransactionalId: p.transactionalId,
        v3AndBelowProducerId: p.producerId,
        v3AndBelowProducerEpoch: p.producerEpoch,
        v3AndBelowTopics: [{ name, partitions }],
      }
    : { transactions: [{ ...p, topics: [{ name, partitions }] }] }

/** Markers are written behind the answer to EndTxn. */
export const complete = (on: Case, p: Producer): Promise<void> =>
  on.until('the transaction is complete', async () => {
    const { transactionStates } = await on.use(DescribeTransactions, { transactionalIds: [p.transactionalId] })
    return transactionStates[0]?.transactionState.startsWith('Complete') ?? false
  })

export const end = (p: Producer, committed: boolean): AskOf<typeof EndTxn> => ({ ...p, committed })

const of = (p: Producer, baseSequence: number, ...values: string[]) =>
  batch(values, { ...p, baseSequence, isTransactional: true })

export const transactionScenarios = [
  scenario('transactions/InitProducerId', InitProducerId, async (on, v) => {
    const first = await begin(on, 'id')
    const { transactionalId, producerId, producerEpoch } = first
    const ask = (label: string, o: Partial<AskOf<typeof InitProducerId>>) =>
      on.ask(label, InitProducerId, v, { transactionalId, transactionTimeoutMs: 60_000, ...o })
    await ask('again', {})
    await ask('time-out 0', { transactionTimeoutMs: 0 })
    await ask('a negative time-out', { transactionTimeoutMs: -1 })
    await ask('the longest time-out', { transactionTimeoutMs: 900_000 })
    await ask('a longer one', { transactionTimeoutMs: 900_001 })
    await ask('an empty id', { transactionalId: '' })
    if (v < 3) return
    await ask('with an epoch of the past', { producerId, producerEpoch })
    await ask('with another producer id', { producerId: producerId + 1000, producerEpoch })
    await ask('with an epoch to come', { producerId, producerEpoch: producerEpoch + 20 })
    await ask('an unknown id with a producer', { transactionalId: on.name('other'), producerId: 5, producerEpoch: 0 })
    const now = await ask('the present one', {})
    const topic = await on.topic('t', { configs: ONE_SEGMENT })
    const open = await begin(on, 'open')
    await add(on, open, topic, 0)
    await ask('while a transaction is open', { transactionalId: open.transactionalId })
    await on.until('it is ended', async () => {
      const { transactionStates } = await on.useVersion(DescribeTransactions, 0, {
        transactionalIds: [open.transactionalId],
      })
      return transactionStates[0]?.transactionState === 'CompleteAbort'
    })
    await ask('when it was aborted', { transactionalId: open.transactionalId })
    await ask('with the present epoch', { producerId: now.producerId, producerEpoch: now.producerEpoch })
  }),

  scenario('transactions/AddPartitionsToTxn', AddPartitionsToTxn, async (on, v) => {
    const topic = await on.topic('t', { partitions: 3, configs: ONE_SEGMENT })
    const p = await begin(on, 'id')
    const ask = (label: string, by: Producer, name: string, ...partitions: number[]) =>
      on.ask(label, AddPartitionsToTxn, v, addOf(v, by, name, ...partitions))
    await ask('one', p, topic.name, 0)
    await ask('the same and another', p, topic.name, 0, 1)
    await ask('an unknown partition', p, topic.name, 9)
    await ask('a good and an unknown partition', p, topic.name, 2, 9)
    await ask('an unknown topic', p, on.name('nowhere'), 0)
    await ask('no partitions', p, topic.name)
    await ask('an older epoch', { ...p, producerEpoch: p.producerEpoch - 1 }, topic.name, 2)
    await ask('a newer epoch', { ...p, producerEpoch: p.producerEpoch + 1 }, topic.name, 2)
    await ask('another producer id', { ...p, producerId: p.producerId + 1000 }, topic.name, 2)
    await ask('an unknown transactional id', { ...p, transactionalId: on.name('other') }, topic.name, 2)
    await ask('an empty transactional id', { ...p, transactionalId: '' }, topic.name, 2)
    if (v < 4) return
    const verify = (label: string, by: Producer, ...partitions: number[]) =>
      on.ask(label, AddPartitionsToTxn, v, {
        transactions: [{ ...by, verifyOnly: true, topics: [{ name: topic.name, partitions }] }],
      })
    await verify('verify what is there', p, 0, 1)
    await verify('verify what is not', p, 2)
    await verify('verify with another epoch', { ...p, producerEpoch: p.producerEpoch + 1 }, 0)
  }),

  scenario('transactions/EndTxn', EndTxn, async (on, v) => {
    const topic = await on.topic('t', { configs: ONE_SEGMENT })
    const p = await begin(on, 'id')
    const ask = (label: string, by: Producer, committed: boolean) => on.ask(label, EndTxn, v, end(by, committed))
    await ask('commit of nothing', p, true)
    const q = await begin(on, 'other')
    await ask('abort of nothing', q, false)
    const r = await begin(on, 'third')
    await add(on, r, topic, 0)
    await ask('an older epoch', { ...r, producerEpoch: r.producerEpoch - 1 }, true)
    await ask('a newer epoch', { ...r, producerEpoch: r.producerEpoch + 1 }, true)
    await ask('another producer id', { ...r, producerId: r.producerId + 1000 }, true)
    await ask('an unknown transactional id', { ...r, transactionalId: on.name('nobody') }, true)
    await ask('an empty transactional id', { ...r, transactionalId: '' }, true)
    await ask('commit', r, true)
    await complete(on, r)
    await ask('commit again', r, true)
    await ask('abort after the commit', r, false)
    const s = await begin(on, 'fourth')
    await add(on, s, topic, 0)
    await ask('abort', s, false)
    await complete(on, s)
    await ask('abort again', s, false)
    await ask('commit after the abort', s, true)
    await on.ask('how it stands', DescribeTransactions, 0, { transactionalIds: [r.transactionalId, s.transactionalId] })
  }),

  scenario('transactions/offsets', TxnOffsetCommit, async (on, v) => {
    const topic = await on.topic('t', { configs: ONE_SEGMENT })
    const groupId = on.group('g')
    const p = await begin(on, 'id')
    await on.until('the group is added', async () => {
      const { errorCode } = await on.useVersion(AddOffsetsToTxn, 3, { ...p, groupId })
      return errorCode === 0
    })
    const ask = (label: string, by: Producer, o: Partial<AskOf<typeof TxnOffsetCommit>> = {}, partitionIndex = 0) =>
      on.ask(label, TxnOffsetCommit, v, {
        ...by,
        groupId,
        topics: [{ name: topic.name, partitions: [{ partitionIndex, committedOffset: 4, committedMetadata: 'm' }] }],
        ...o,
      })
    await ask('good', p)
    await ask('an unknown partition', p, {}, 7)
    await ask('an older epoch', { ...p, producerEpoch: p.producerEpoch - 1 })
    await ask('metadata too large', p, {
      topics: [
        {
          name: topic.name,
          partitions: [{ partitionIndex: 0, committedOffset: 4, committedMetadata: 'x'.repeat(4097) }],
        },
      ],
    })
    await ask('an empty group', p, { groupId: '' })
    if (v >= 3) {
      await ask('a generation of an empty group', p, { generationIdOrMemberEpoch: 1 })
      await ask('a member of an empty group', p, { memberId: 'm' })
      const member = await settle(on, on.group('members'))
      const by = { groupId: member.groupId, memberId: member.memberId }
      await ask('a member', p, { ...by, generationIdOrMemberEpoch: member.generationId })
      await ask('an older generation', p, { ...by, generationIdOrMemberEpoch: member.generationId - 1 })
      await ask('an unknown member', p, { ...by, memberId: 'nobody', generationIdOrMemberEpoch: member.generationId })
      await ask('an unknown instance', p, {
        ...by,
        generationIdOrMemberEpoch: member.generationId,
        groupInstanceId: 'i',
      })
      const still = await settle(on, on.group('static'), { instance: on.name('i') })
      await ask('another member of an instance', p, {
        groupId: still.groupId,
        memberId: 'another',
        generationIdOrMemberEpoch: still.generationId,
        groupInstanceId: on.name('i'),
      })
    }
    const topics = [{ name: topic.name, partitionIndexes: [0] }]
    await on.ask('pending', OffsetFetch, 7, { groupId, topics, groups: [], requireStable: false })
    await on.ask('pending, only stable ones', OffsetFetch, 7, { groupId, topics, groups: [], requireStable: true })
    await on.ask('commit', EndTxn, 4, end(p, true))
    await complete(on, p)
    await on.until('the offset is there', async () => {
      const { topics: found } = await on.useVersion(OffsetFetch, 7, {
        groupId,
        topics,
        groups: [],
        requireStable: true,
      })
      return found[0]?.partitions[0]?.committedOffset === 4
    })
  }),

  scenario('transactions/AddOffsetsToTxn', AddOffsetsToTxn, async (on, v) => {
    const p = await begin(on, 'id')
    const ask = (label: string, by: Producer, groupId = on.name('g')) =>
      on.ask(label, AddOffsetsToTxn, v, { ...by, groupId })
    await ask('a group', p)
    await ask('again', p)
    await ask('an empty group', p, '')
    await ask('an older epoch', { ...p, producerEpoch: p.producerEpoch - 1 })
    await ask('a newer epoch', { ...p, producerEpoch: p.producerEpoch + 1 })
    await ask('another producer id', { ...p, producerId: p.producerId + 1000 })
    await ask('an unknown transactional id', { ...p, transactionalId: on.name('other') })
    await ask('an empty transactional id', { ...p, transactionalId: '' })
  }),

  scenario(
    'transactions/produce',
    Produce,
    async (on, v) => {
      const topic = await on.topic('t', { partitions: 3, configs: ONE_SEGMENT })
      const p = await begin(on, 'id')
      const { transactionalId } = p
      await add(on, p, topic, 0)
      await produce(on, 'in the transaction', v, topic, of(p, 0, 'a'), { transactionalId })
      await produce(on, 'no batch of a transaction meanwhile', v, topic, batch(['b'], { ...p, baseSequence: 1 }), {
        transactionalId,
      })
      await produce(on, 'without the transactional id', v, topic, of(p, 1, 'c'))
      await produce(on, 'another epoch', v, topic, of({ ...p, producerEpoch: p.producerEpoch + 1 }, 0, 'd'), {
        transactionalId,
      })
      await produce(on, 'a producer of nobody', v, topic, of({ ...p, producerId: 999_999 }, 0, 'e'), {
        transactionalId,
        partition: 2,
      })
      await produce(on, 'a partition that was not added', v, topic, of(p, 0, 'f'), { transactionalId, partition: 1 })
      await produce(on, 'a duplicate', v, topic, of(p, 0, 'a'), { transactionalId })
      await on.ask('its producers', DescribeProducers, 0, {
        topics: [{ name: topic.name, partitionIndexes: [0, 1, 9] }],
      })
      const both = async (when: string): Promise<void> => {
        for (const isolationLevel of [0, 1]) {
          const label = `${when}, isolation ${isolationLevel}`
          await on.ask(label, Fetch, 12, fetchFrom(12, topic, { isolationLevel }))
          const partitions = [{ partitionIndex: 0, timestamp: -1 }]
          await on.ask(`${label}, latest`, ListOffsets, 7, {
            replicaId: -1,
            isolationLevel,
            topics: [{ name: topic.name, partitions }],
          })
        }
      }
      await both('open')
      await on.ask('abort', EndTxn, 4, end(p, false))
      await complete(on, p)
      await on.until('the marker is there', async () => {
        const { responses } = await on.useVersion(Fetch, 12, fetchFrom(12, topic, { isolationLevel: 1 }))
        const found = responses[0]?.partitions[0]
        return found !== undefined && found.lastStableOffset === found.highWatermark
      })
      await both('aborted')
    },
    { versions: [3, 99] },
  ),

  scenario('transactions/WriteTxnMarkers', WriteTxnMarkers, async (on, v) => {
    const topic = await on.topic('t', { configs: ONE_SEGMENT })
    const ask = (
      label: string,
      o: { producerId?: number; epoch?: number; coordinatorEpoch?: number; partition?: number; name?: string } = {},
    ) =>
      on.ask(label, WriteTxnMarkers, v, {
        markers: [
          {
            producerId: o.producerId ?? 777_000,
            producerEpoch: o.epoch ?? 3,
            transactionResult: true,
            topics: [{ name: o.name ?? topic.name, partitionIndexes: [o.partition ?? 0] }],
            coordinatorEpoch: o.coordinatorEpoch ?? 5,
          },
        ],
      })
    await ask('a producer that is not known')
    await ask('again')
    await ask('an older coordinator', { coordinatorEpoch: 4 })
    await ask('an older epoch', { epoch: 2 })
    await ask('an unknown partition', { partition: 7 })
    await ask('an unknown topic', { name: on.name('nowhere') })
    await on.ask('none', WriteTxnMarkers, v, { markers: [] })
  }),

  scenario('transactions/describe', DescribeTransactions, async (on, v) => {
    const topic = await on.topic('t', { partitions: 2, configs: ONE_SEGMENT })
    const empty = await begin(on, 'empty')
    const open = await begin(on, 'open')
    await add(on, open, topic, 0, 1)
    const ask = (label: string, ...transactionalIds: string[]) =>
      on.ask(label, DescribeTransactions, v, { transactionalIds })
    await ask('empty', empty.transactionalId)
    await ask('open', open.transactionalId)
    await ask('unknown', on.name('nobody'))
    await ask('an empty id', '')
    await ask('none')
    const producers = (label: string, name: string, ...partitionIndexes: number[]) =>
      on.ask(label, DescribeProducers, 0, { topics: [{ name, partitionIndexes }] })
    await producers('producers of an unknown topic', on.name('nowhere'), 0)
    await producers('producers of an illegal topic', 'not legal!', 0)
    await producers('producers of unknown partitions', topic.name, 7, -1)
    await on.ask('abort', EndTxn, 4, end(open, false))
    await complete(on, open)
  }),

  scenario('transactions/list', ListTransactions, async (on, v) => {
    const topic = await on.topic('t', { configs: ONE_SEGMENT })
    const empty = await begin(on, 'empty')
    const open = await begin(on, 'open')
    await add(on, open, topic, 0)
    const ask = (label: string, o: Partial<AskOf<typeof ListTransactions>>) =>
      on.attempt(label, ListTransactions, v, { stateFilters: [], producerIdFilters: [], ...o }, undefined, answer => ({
        ...answer,
        transactionStates: answer.transactionStates.filter(({ transactionalId }) =>
          transactionalId.startsWith(on.name('')),
        ),
      }))
    await ask('all', {})
    await ask('ongoing', { stateFilters: ['Ongoing'] })
    await ask('unknown states', { stateFilters: ['Nonsense', 'ongoing', ''] })
    await ask('known and unknown', { stateFilters: ['Empty', 'Nonsense'] })
    await ask('a producer', { producerIdFilters: [empty.producerId] })
    await ask('no such producer', { producerIdFilters: [-5] })
    if (v >= 1) await ask('longer than an hour', { durationFilter: 3_600_000 })
    if (v >= 1) await ask('longer than nothing', { durationFilter: 0 })
    if (v >= 2) {
      await ask('a pattern', { transactionalIdPattern: `${on.name('')}.*ty` })
      await ask('a pattern of nothing', { transactionalIdPattern: 'nothing' })
      await ask('an empty pattern', { transactionalIdPattern: '' })
      await ask('a bad pattern', { transactionalIdPattern: '(' })
    }
    await on.ask('abort', EndTxn, 4, end(open, false))
    await complete(on, open)
  }),
]
