// What happens over time: topics deleted and made again, rebalances half way, members that are too slow.
import type { AskOf } from '../../../protocol/api.ts'
import { pause, scenario, type Case, type Topic } from '../scenario.ts'
import {
  DeleteTopics,
  DescribeGroups,
  Fetch,
  Heartbeat,
  JoinGroup,
  Metadata,
  OffsetCommit,
  OffsetFetch,
  Produce,
  SyncGroup,
} from '../../../protocol/index.ts'
import { batch, fetchFrom, fill, joinOf, memberId, produceTo, producer, settle, utf8, type Member } from './requests.ts'

/** Deletes a topic, and waits until nobody knows it. */
async function remove(on: Case, topic: Topic): Promise<void> {
  await on.useVersion(DeleteTopics, 5, { topicNames: [topic.name], timeoutMs: 30_000 })
  await on.until('the topic is gone', async () => {
    const { topics } = await on.use(Metadata, { topics: [{ name: topic.name }], allowAutoTopicCreation: false })
    return topics[0]?.errorCode === 3
  })
}

const commitOf = (m: Member, topic: Topic): AskOf<typeof OffsetCommit> => ({
  groupId: m.groupId,
  generationIdOrMemberEpoch: m.generationId,
  memberId: m.memberId,
  topics: [{ name: topic.name, partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: null }] }],
})

/** A second member joins, so that the group prepares a rebalance; resolves when the first is told. */
async function disturb(on: Case, one: Member, rebalanceTimeoutMs = 30_000): Promise<{ joined: Promise<unknown> }> {
  const wire = await on.connect()
  const id = await memberId(on, one.groupId, {}, wire)
  const o = { memberId: id, topic: 'u', rebalanceTimeoutMs }
  const joining = on.ask('a second member joins', JoinGroup, 5, joinOf(5, one.groupId, o), wire)
  await on.until('the first is told', async () => (await on.use(Heartbeat, one)).errorCode === 27)
  return { joined: joining }
}

export const lifecycleScenarios = [
  scenario('lifecycle/a topic made again: Fetch', Fetch, async (on, v) => {
    const old = await on.topic('t')
    await fill(on, old, batch(['old']))
    const session = v < 7 ? 0 : (await on.ask('open', Fetch, v, fetchFrom(v, old, { sessionEpoch: 0 }))).sessionId
    await remove(on, old)
    const next = (sessionEpoch: number): AskOf<typeof Fetch> => ({
      ...fetchFrom(v, old, { sessionId: session, sessionEpoch }),
      topics: [],
    })
    await on.ask('deleted', Fetch, v, fetchFrom(v, old))
    if (v >= 7) await on.ask('deleted, in the session', Fetch, v, next(1))
    const young = await on.topic('t')
    await fill(on, young, batch(['young']))
    await on.ask('made again, asked as before', Fetch, v, fetchFrom(v, old))
    await on.ask('made again', Fetch, v, fetchFrom(v, young))
    if (v >= 7) await on.ask('made again, in the session', Fetch, v, next(2))
  }),

  scenario(
    'lifecycle/a topic made again: Produce',
    Produce,
    async (on, v) => {
      const old = await on.topic('t')
      const id = await producer(on)
      const of = (baseSequence: number) => batch(['x'], { producerId: id, producerEpoch: 0, baseSequence })
      await on.ask('before', Produce, v, produceTo(v, old, of(0)))
      await remove(on, old)
      await on.ask('deleted', Produce, v, produceTo(v, old, of(1)))
      const young = await on.topic('t')
      await on.ask('made again, asked as before', Produce, v, produceTo(v, old, of(1)))
      await on.ask('made again, the first sequence', Produce, v, produceTo(v, young, of(0)))
      await on.ask('made again, a sequence in the middle', Produce, v, produceTo(v, young, of(7)))
    },
    { versions: [3, 99] },
  ),

  scenario(
    'lifecycle/offsets of a deleted topic',
    OffsetFetch,
    async (on, v) => {
      const topic = await on.topic('t')
      const other = await on.topic('other')
      const one = await settle(on, on.group('g'))
      await on.useVersion(OffsetCommit, 8, commitOf(one, topic))
      await on.useVersion(OffsetCommit, 8, commitOf(one, other))
      await remove(on, topic)
      await on.until('its offsets are gone', async () => {
        const { topics } = await on.useVersion(OffsetFetch, 7, { groupId: one.groupId, topics: null, groups: [] })
        return topics.length === 1
      })
      const topics = [topic, other].map(({ name }) => ({ name, partitionIndexes: [0] }))
      await on.ask(
        'both',
        OffsetFetch,
        v,
        v < 8
          ? { groupId: one.groupId, topics, groups: [] }
          : { topics: [], groups: [{ groupId: one.groupId, topics }] },
      )
    },
    { versions: [1, 9] },
  ),

  scenario('lifecycle/while a rebalance is prepared', JoinGroup, async (on, v) => {
    const topic = await on.topic('t')
    const one = await settle(on, on.name('g'))
    const { joined } = await disturb(on, one)
    await on.ask('the first commits', OffsetCommit, 8, commitOf(one, topic))
    await on.ask('the first syncs', SyncGroup, 3, { ...one, assignments: [] })
    await on.ask('an unknown member joins', JoinGroup, v, joinOf(v, one.groupId, { memberId: 'nobody' }))
    await on.ask('another protocol type joins', JoinGroup, v, joinOf(v, one.groupId, { protocolType: 'connect' }))
    const again = await on.ask(
      'the first joins again',
      JoinGroup,
      v,
      joinOf(v, one.groupId, { memberId: one.memberId }),
    )
    await joined
    const now = { ...one, generationId: again.generationId }
    await on.ask('the first commits while it completes', OffsetCommit, 8, commitOf(now, topic))
    await on.ask('the first commits with the old generation', OffsetCommit, 8, commitOf(one, topic))
    await on.ask('the first beats while it completes', Heartbeat, 3, now)
    await on.ask('the first joins once more', JoinGroup, v, joinOf(v, one.groupId, { memberId: one.memberId }))
    await on.ask('the leader syncs', SyncGroup, 3, {
      ...now,
      assignments: [{ memberId: one.memberId, assignment: utf8('all') }],
    })
    await on.ask('the first commits then', OffsetCommit, 8, commitOf(now, topic))
  }),

  scenario(
    'lifecycle/too slow to join again',
    JoinGroup,
    async (on, v) => {
      const one = await settle(on, on.name('g'), { rebalanceTimeoutMs: 400 })
      const { joined } = await disturb(on, one, 400)
      await joined
      await on.ask('the slow one beats', Heartbeat, 3, one)
      await on.ask('the slow one joins', JoinGroup, v, joinOf(v, one.groupId, { memberId: one.memberId }))
      await on.attempt(
        'the members',
        DescribeGroups,
        5,
        { groups: [one.groupId] },
        undefined,
        ({ groups }) => groups[0]?.members.length,
      )
    },
    { versions: [4, 6] },
  ),

  scenario(
    'lifecycle/too slow to sync',
    JoinGroup,
    async (on, v) => {
      const groupId = on.name('g')
      const id = await memberId(on, groupId)
      const joined = await on.ask('joins', JoinGroup, v, joinOf(v, groupId, { memberId: id, rebalanceTimeoutMs: 300 }))
      await pause(1200)
      await on.ask('beats', Heartbeat, 3, { groupId, memberId: id, generationId: joined.generationId })
      await on.ask('syncs', SyncGroup, 3, { groupId, memberId: id, generationId: joined.generationId, assignments: [] })
    },
    { versions: [5, 6] },
  ),
]
