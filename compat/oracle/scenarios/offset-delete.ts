// OffsetDelete: whose offsets may be taken back, and what is left of them.
import { scenario, type Case, type Topic } from '../scenario.ts'
import { LeaveGroup, OffsetCommit, OffsetDelete, OffsetFetch } from '../../../protocol/index.ts'
import { settle, type Member } from './requests.ts'

async function commit(on: Case, groupId: string, topic: Topic, member?: Member): Promise<void> {
  const partitions = Array.from({ length: topic.partitions }, (_, partitionIndex) => ({
    partitionIndex,
    committedOffset: 3 + partitionIndex,
    committedMetadata: null,
  }))
  await on.useVersion(OffsetCommit, 8, {
    groupId,
    ...(member && { memberId: member.memberId, generationIdOrMemberEpoch: member.generationId }),
    topics: [{ name: topic.name, partitions }],
  })
}

const remove = (on: Case, label: string, v: number, groupId: string, ...topics: [name: string, ...of: number[]][]) =>
  on.ask(label, OffsetDelete, v, {
    groupId,
    topics: topics.map(([name, ...of]) => ({ name, partitions: of.map(partitionIndex => ({ partitionIndex })) })),
  })

const left = (on: Case, label: string, groupId: string) =>
  on.ask(label, OffsetFetch, 7, { groupId, topics: null, groups: [] })

export const offsetDeleteScenarios = [
  scenario('offset delete/a group without members', OffsetDelete, async (on, v) => {
    const topic = await on.topic('t', { partitions: 3 })
    const other = await on.topic('other')
    const group = on.group('g')
    await commit(on, group, topic)
    await commit(on, group, other)
    await remove(on, 'one', v, group, [topic.name, 0])
    await left(on, 'the others are left', group)
    await remove(on, 'again', v, group, [topic.name, 0])
    await remove(on, 'unknown partition', v, group, [topic.name, 3])
    await remove(on, 'negative partition', v, group, [topic.name, -1])
    await remove(on, 'unknown topic', v, group, [on.name('nowhere'), 0])
    await remove(on, 'unknown topic, no partition', v, group, [on.name('nowhere')])
    await remove(on, 'no partition', v, group, [topic.name])
    await remove(on, 'no topic', v, group)
    await remove(on, 'known and unknown ones', v, group, [topic.name, 1, 3], [on.name('nowhere'), 0])
    await left(on, 'one of each is left', group)
    await remove(on, 'a partition twice', v, group, [topic.name, 2, 2])
    await remove(on, 'a topic twice', v, group, [other.name, 0], [other.name, 0])
    await left(on, 'none is left', group)
  }),

  scenario('offset delete/refused', OffsetDelete, async (on, v) => {
    const topic = await on.topic('t')
    await remove(on, 'unknown group', v, on.name('nobody'), [topic.name, 0])
    await remove(on, 'unknown group, unknown topic', v, on.name('nobody'), [on.name('nowhere'), 0])
    const connect = await settle(on, on.group('connect'), { protocolType: 'connect' })
    await commit(on, connect.groupId, topic, connect)
    await remove(on, 'members of another type', v, connect.groupId, [topic.name, 0])
    await remove(on, 'members of another type, unknown topic', v, connect.groupId, [on.name('nowhere'), 0])
    await on.useVersion(LeaveGroup, 4, { groupId: connect.groupId, members: [{ memberId: connect.memberId }] })
    await remove(on, 'its members have left', v, connect.groupId, [topic.name, 0])
  }),

  scenario('offset delete/subscriptions', OffsetDelete, async (on, v) => {
    const topic = await on.topic('t', { partitions: 2 })
    const other = await on.topic('other')
    const member = await settle(on, on.group('g'), { topic: topic.name })
    const group = member.groupId
    await commit(on, group, topic, member)
    await commit(on, group, other, member)
    await remove(on, 'subscribed', v, group, [topic.name, 0])
    await remove(on, 'subscribed, unknown partition', v, group, [topic.name, 0, 5])
    await remove(on, 'subscribed and not', v, group, [topic.name, 0, 1], [other.name, 0])
    await left(on, 'what is read is left', group)
    await on.useVersion(LeaveGroup, 4, { groupId: group, members: [{ memberId: member.memberId }] })
    await remove(on, 'the member has left', v, group, [topic.name, 1])
  }),
]
