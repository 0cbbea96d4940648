// OffsetCommit, OffsetFetch, FindCoordinator.
import type { AskOf } from '../../../protocol/api.ts'
import { scenario, type Case, type Topic } from '../scenario.ts'
import { FindCoordinator, OffsetCommit, OffsetFetch } from '../../../protocol/index.ts'
import { NO_SUCH_ID, settle } from './requests.ts'

interface Commit {
  readonly group: string
  readonly generation?: number
  readonly member?: string
  readonly instance?: string
  readonly partition?: number
  readonly offset?: number
  readonly epoch?: number
  readonly metadata?: string | null
}

type Named = Pick<Topic, 'name' | 'id'>

const commitOf = (v: number, topic: Named, o: Commit): AskOf<typeof OffsetCommit> => ({
  groupId: o.group,
  ...(v >= 1 && { generationIdOrMemberEpoch: o.generation ?? -1, memberId: o.member ?? '' }),
  ...(v >= 7 && { groupInstanceId: o.instance ?? null }),
  topics: [
    {
      ...(v >= 10 ? { topicId: topic.id } : { name: topic.name }),
      partitions: [
        {
          partitionIndex: o.partition ?? 0,
          committedOffset: o.offset ?? 5,
          ...(v >= 6 && { committedLeaderEpoch: o.epoch ?? -1 }),
          committedMetadata: o.metadata === undefined ? 'meta' : o.metadata,
        },
      ],
    },
  ],
})

const fetchOf = (
  v: number,
  groups: readonly string[],
  topics: readonly (readonly [Named, ...number[]])[] | null,
  o: { requireStable?: boolean; memberId?: string | null; memberEpoch?: number } = {},
): AskOf<typeof OffsetFetch> => {
  const named = topics?.map(([topic, ...partitionIndexes]) => ({
    ...(v >= 10 ? { topicId: topic.id } : { name: topic.name }),
    partitionIndexes,
  }))
  return {
    ...(v >= 7 && { requireStable: o.requireStable ?? false }),
    ...(v < 8 && { groupId: groups[0] ?? '' }),
    topics: v < 8 ? ((named as { name: string; partitionIndexes: number[] }[] | undefined) ?? null) : [],
    ...(v >= 8 && {
      groups: groups.map(groupId => ({
        groupId,
        topics: named ?? null,
        ...(v >= 9 && { memberId: o.memberId ?? null, memberEpoch: o.memberEpoch ?? -1 }),
      })),
    }),
  }
}

const commit = (on: Case, label: string, v: number, topic: Named, o: Commit) =>
  on.ask(label, OffsetCommit, v, commitOf(v, topic, o))

export const offsetScenarios = [
  scenario('offset commit/from outside', OffsetCommit, async (on, v) => {
    const topic = await on.topic('t')
    const group = on.group('g')
    await commit(on, 'plain', v, topic, { group })
    await commit(on, 'again, lower', v, topic, { group, offset: 2, epoch: 0, metadata: 'other' })
    await commit(on, 'no metadata', v, topic, { group: on.group('no-metadata'), metadata: null })
    await commit(on, 'empty metadata', v, topic, { group: on.group('empty-metadata'), metadata: '' })
    await commit(on, 'metadata of the limit', v, topic, { group: on.group('long'), metadata: 'x'.repeat(4096) })
    await commit(on, 'metadata too large', v, topic, { group, metadata: 'x'.repeat(4097) })
    await commit(on, 'offset -1', v, topic, { group: on.group('negative'), offset: -1 })
    await commit(on, 'offset -100', v, topic, { group: on.group('more-negative'), offset: -100 })
    await commit(on, 'an unknown partition', v, topic, { group, partition: 1 })
    await commit(on, 'a negative partition', v, topic, { group, partition: -1 })
    const nowhere = { name: on.name('nowhere'), id: NO_SUCH_ID }
    await commit(on, 'an unknown topic', v, nowhere, { group })
    if (v < 10) await commit(on, 'an illegal name', v, { name: 'not legal!', id: '' }, { group })
    await commit(on, 'an empty group id', v, topic, { group: '' })
    const topics = [topic, nowhere].flatMap(of => commitOf(v, of, { group, offset: 9 }).topics)
    await on.ask('a good and an unknown topic', OffsetCommit, v, { ...commitOf(v, topic, { group }), topics })
    await on.ask('no topics', OffsetCommit, v, { ...commitOf(v, topic, { group }), topics: [] })
    if (v < 1) return
    await commit(on, 'generation 1 of an unknown group', v, topic, { group: on.name('new'), generation: 1 })
    await commit(on, 'a member of an unknown group', v, topic, { group: on.name('new'), member: 'm' })
    await commit(on, 'both of an unknown group', v, topic, { group: on.name('new'), member: 'm', generation: 1 })
  }),

  scenario(
    'offset commit/from within',
    OffsetCommit,
    async (on, v) => {
      const topic = await on.topic('t')
      const { groupId: group, memberId: member, generationId: generation } = await settle(on, on.group('g'))
      await commit(on, 'good', v, topic, { group, member, generation })
      await commit(on, 'from outside', v, topic, { group })
      await commit(on, 'an older generation', v, topic, { group, member, generation: generation - 1 })
      await commit(on, 'a newer generation', v, topic, { group, member, generation: generation + 1 })
      await commit(on, 'generation -1 with a member', v, topic, { group, member, generation: -1 })
      await commit(on, 'no member', v, topic, { group, generation })
      await commit(on, 'an unknown member', v, topic, { group, generation, member: 'nobody' })
      if (v >= 7) {
        await commit(on, 'an unknown instance', v, topic, { group, member, generation, instance: 'i' })
        const fixed = await settle(on, on.group('static'), { instance: 'i' })
        const by = { group: fixed.groupId, generation: fixed.generationId, instance: 'i' }
        await commit(on, 'a static member', v, topic, { ...by, member: fixed.memberId })
        await commit(on, 'another id for the instance', v, topic, { ...by, member: 'nobody' })
      }
    },
    { versions: [1, 99] },
  ),

  scenario(
    'offset fetch/topics',
    OffsetFetch,
    async (on, v) => {
      const topic = await on.topic('t', { partitions: 3 })
      const group = on.group('g')
      for (const partition of [0, 2]) {
        await on.useVersion(
          OffsetCommit,
          8,
          commitOf(8, topic, { group, partition, offset: 40 + partition, epoch: partition, metadata: `m${partition}` }),
        )
      }
      const fetch = (label: string, groups: readonly string[], topics: Parameters<typeof fetchOf>[2], o = {}) =>
        on.ask(label, OffsetFetch, v, fetchOf(v, groups, topics, o))
      await fetch('committed and not', [group], [[topic, 0, 1, 2]])
      await fetch('an unknown partition', [group], [[topic, 9]])
      await fetch('a negative partition', [group], [[topic, -1]])
      await fetch('no partitions', [group], [[topic]])
      await fetch('no topics', [group], [])
      const nowhere = { name: on.name('nowhere'), id: NO_SUCH_ID }
      await fetch('an unknown topic', [group], [[nowhere, 0]])
      await fetch(
        'a known and an unknown one',
        [group],
        [
          [topic, 0],
          [nowhere, 0],
        ],
      )
      await fetch('an unknown group', [on.name('new')], [[topic, 0]])
      await fetch('an empty group id', [''], [[topic, 0]])
      if (v >= 2) {
        await fetch('all', [group], null)
        await fetch('all of an unknown group', [on.name('new')], null)
        await fetch('all of the empty group id', [''], null)
      }
      if (v >= 7) await fetch('stable ones', [group], [[topic, 0]], { requireStable: true })
      if (v < 8) return
      await fetch('no groups', [], null)
      await fetch('several groups', [group, on.name('new'), ''], null)
      await fetch('a group twice', [group, group], [[topic, 0]])
      if (v < 9) return
      await fetch('with a member that is none', [group], [[topic, 0]], { memberId: 'm', memberEpoch: 1 })
      await fetch('with a member and epoch -1', [group], [[topic, 0]], { memberId: 'm' })
      await fetch('with an epoch alone', [group], [[topic, 0]], { memberEpoch: 3 })
      const member = await settle(on, on.group('classic'))
      await fetch('a classic member', [member.groupId], [[topic, 0]], {
        memberId: member.memberId,
        memberEpoch: member.generationId,
      })
      await fetch('a classic member, wrong epoch', [member.groupId], [[topic, 0]], {
        memberId: member.memberId,
        memberEpoch: 99,
      })
    },
    { versions: [1, 99] },
  ),

  scenario('find coordinator/keys and types', FindCoordinator, async (on, v) => {
    const ask = (label: string, keyType: number, ...keys: string[]) =>
      on.attempt(label, FindCoordinator, v, {
        ...(v >= 1 && { keyType }),
        ...(v >= 4 ? { coordinatorKeys: keys } : { key: keys[0]! }),
      })
    await ask('a group', 0, 'some-group')
    await ask('the empty group', 0, '')
    if (v >= 1) {
      await ask('type 3', 3, 'key')
      await ask('type -1', -1, 'key')
      await ask('type 9', 9, 'key')
    }
    if (v >= 4) {
      await ask('several groups', 0, 'a', 'b', '')
      await ask('a group twice', 0, 'a', 'a')
      await ask('none', 0)
    }
    if (v >= 1 && v < 6) await ask('a share partition before its version', 2, `g:${NO_SUCH_ID}:0`)
    if (v >= 6) {
      await ask('a share partition without colons', 2, 'key')
      await ask('a share partition with a bad id', 2, 'g:x:0')
    }
  }),
]
