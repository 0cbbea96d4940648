// DescribeGroups, ListGroups, DeleteGroups.
import type { AskOf, ResponseOf } from '../../../protocol/api.ts'
import { scenario, type Case } from '../scenario.ts'
import {
  DeleteGroups,
  DescribeGroups,
  JoinGroup,
  LeaveGroup,
  ListGroups,
  OffsetCommit,
} from '../../../protocol/index.ts'
import { joinOf, memberId, settle } from './requests.ts'

/** A group that has offsets and no members. */
async function withOffsets(on: Case, hint: string): Promise<string> {
  const topic = await on.topic(hint)
  const groupId = on.group(hint)
  const partitions = [{ partitionIndex: 0, committedOffset: 3, committedMetadata: null }]
  await on.useVersion(OffsetCommit, 8, { groupId, topics: [{ name: topic.name, partitions }] })
  return groupId
}

/** Empty, with offsets; Stable; left by its members; with a member that has an id and has not joined. */
async function groupsOfAllKinds(on: Case) {
  const offsets = await withOffsets(on, 'offsets')
  const stable = await settle(on, on.group('stable'))
  const left = await settle(on, on.group('left'))
  await on.useVersion(LeaveGroup, 4, { groupId: left.groupId, members: [{ memberId: left.memberId }] })
  const pending = on.group('pending')
  await memberId(on, pending)
  const joined = on.group('joined')
  const id = await memberId(on, joined)
  await on.useVersion(JoinGroup, 5, joinOf(5, joined, { memberId: id, protocols: ['range', 'roundrobin'] }))
  return {
    offsets,
    stable: stable.groupId,
    left: left.groupId,
    pending,
    joined,
    fixed: (await settle(on, on.group('static'), { instance: 'i' })).groupId,
  }
}

// The empty id is left out: other cases, which run at the same time, commit to that one group.
export const groupAdminScenarios = [
  scenario('groups/describe', DescribeGroups, async (on, v) => {
    const groups = await groupsOfAllKinds(on)
    const ask = (label: string, ids: string[], o: Partial<AskOf<typeof DescribeGroups>> = {}) =>
      on.attempt(label, DescribeGroups, v, { groups: ids, ...o })
    for (const [kind, id] of Object.entries(groups)) await ask(kind, [id])
    await ask('unknown', [on.name('nowhere')])
    await ask('none', [])
    await ask('several, one twice', [groups.stable, on.name('nowhere'), groups.stable])
    if (v >= 3) await ask('with operations', [groups.stable, on.name('nowhere')], { includeAuthorizedOperations: true })
  }),

  scenario('groups/list', ListGroups, async (on, v) => {
    await groupsOfAllKinds(on)
    const keep = (answer: ResponseOf<typeof ListGroups>): unknown => ({
      ...answer,
      groups: answer.groups.filter(({ groupId }) => groupId.startsWith(on.name(''))),
    })
    const ask = (label: string, o: AskOf<typeof ListGroups>) => on.attempt(label, ListGroups, v, o, undefined, keep)
    await ask('all', {})
    if (v >= 4) {
      for (const state of [
        'Stable',
        'Empty',
        'PreparingRebalance',
        'CompletingRebalance',
        'Dead',
        'stable',
        'Unknown',
        'Assigning',
        '',
      ]) {
        await ask(`state ${state}`, { statesFilter: [state] })
      }
      await ask('two states', { statesFilter: ['Stable', 'Empty'] })
    }
    if (v >= 5) {
      for (const type of ['classic', 'Classic', 'consumer', 'share', 'streams', 'unknown', 'nonsense', '']) {
        await ask(`type ${type}`, { typesFilter: [type] })
      }
      await ask('state and type', { statesFilter: ['Stable'], typesFilter: ['classic'] })
      await ask('state and another type', { statesFilter: ['Stable'], typesFilter: ['consumer'] })
    }
  }),

  scenario('groups/delete', DeleteGroups, async (on, v) => {
    const groups = await groupsOfAllKinds(on)
    const ask = (label: string, ...groupsNames: string[]) => on.attempt(label, DeleteGroups, v, { groupsNames })
    await ask('a stable one', groups.stable)
    await ask('a joining one', groups.joined)
    await ask('with an id that has not joined', groups.pending)
    await ask('unknown', on.name('nowhere'))
    await ask('none')
    await ask('left by its members', groups.left)
    await ask('again', groups.left)
    await ask('several: offsets, unknown, stable', groups.offsets, on.name('nowhere'), groups.stable)
    await ask('a group twice', groups.offsets, groups.offsets)
    for (const [kind, id] of Object.entries(groups))
      await on.attempt(`then ${kind}`, DescribeGroups, 5, { groups: [id] })
  }),
]
