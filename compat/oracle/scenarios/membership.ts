// Classic groups from the members' side: JoinGroup, SyncGroup, Heartbeat, LeaveGroup.
import type { AskOf } from '../../../protocol/api.ts'
import { pause, scenario, type Case } from '../scenario.ts'
import type { Wire } from '../../harness/wire.ts'
import { DescribeGroups, Heartbeat, JoinGroup, LeaveGroup, SyncGroup } from '../../../protocol/index.ts'
import { joinOf, memberId, settle, utf8, type JoinOptions, type Member } from './requests.ts'

const NOBODY = 'oracle-00000000-0000-4000-8000-000000000000'

const join = (on: Case, label: string, v: number, groupId: string, o: JoinOptions = {}, wire?: Wire) =>
  on.ask(label, JoinGroup, v, joinOf(v, groupId, o), wire)

interface SyncOptions {
  readonly instance?: string
  readonly type?: string | null
  readonly protocol?: string | null
  readonly to?: readonly string[]
}

const syncOf = (v: number, m: Member, o: SyncOptions = {}): AskOf<typeof SyncGroup> => ({
  ...m,
  ...(v >= 3 && { groupInstanceId: o.instance ?? null }),
  ...(v >= 5 && {
    protocolType: o.type === undefined ? 'consumer' : o.type,
    protocolName: o.protocol === undefined ? 'range' : o.protocol,
  }),
  assignments: (o.to ?? []).map(id => ({ memberId: id, assignment: utf8('assignment') })),
})

const beatOf = (v: number, m: Member, instance: string | null = null): AskOf<typeof Heartbeat> => ({
  ...m,
  ...(v >= 3 && { groupInstanceId: instance }),
})

const leaveOf = (v: number, groupId: string, ...members: { memberId: string; groupInstanceId?: string | null }[]) => ({
  groupId,
  ...(v < 3 ? { memberId: members[0]?.memberId ?? '' } : { members }),
})

export const membershipScenarios = [
  scenario('join/first steps', JoinGroup, async (on, v) => {
    const group = on.group('g')
    const first = await join(on, 'without a member id', v, group)
    await join(on, 'with the id given', v, group, { memberId: first.memberId })
    const again = await join(on, 'once more: the leader', v, group, { memberId: first.memberId })
    await join(on, 'with another protocol type', v, group, { memberId: first.memberId, protocolType: 'connect' })
    await join(on, 'with no common protocol', v, group, { memberId: first.memberId, protocols: ['else'] })
    await join(on, 'then as before', v, group, { memberId: again.memberId })
  }),

  scenario('join/refused', JoinGroup, async (on, v) => {
    const group = on.group('g')
    await join(on, 'an unknown member', v, group, { memberId: NOBODY })
    await join(on, 'an empty group id', v, '')
    await join(on, 'session time-out too short', v, group, { sessionTimeoutMs: 299 })
    await join(on, 'session time-out too long', v, group, { sessionTimeoutMs: 60_001 })
    await join(on, 'session time-out 0', v, group, { sessionTimeoutMs: 0 })
    await join(on, 'no protocols', v, group, { protocols: [] })
    await join(on, 'no protocol type', v, group, { protocolType: '' })
    await join(on, 'unknown member of an unknown group', v, on.name('other'), { memberId: NOBODY })
    if (v >= 5) {
      await join(on, 'an unknown static member with an id', v, group, { memberId: NOBODY, instance: 'i' })
      await join(on, 'an empty instance id', v, on.name('empty-instance'), { instance: '' })
    }
    const settled = await settle(on, on.group('taken'))
    await join(on, 'an unknown member of a living group', v, settled.groupId, { memberId: NOBODY })
    await join(on, 'another protocol type', v, settled.groupId, { protocolType: 'connect' })
    await join(on, 'no common protocol', v, settled.groupId, { protocols: ['else'] })
    await join(on, 'no protocols at all', v, settled.groupId, { protocols: [] })
  }),

  scenario('join/two members', JoinGroup, async (on, v) => {
    const groupId = on.group('g')
    const one = await settle(on, groupId, { protocols: ['range', 'roundrobin'] })
    const wire = await on.connect()
    const id = await memberId(on, groupId, {}, wire)
    const second = join(
      on,
      'the second joins',
      v,
      groupId,
      { memberId: id, topic: 'u', protocols: ['roundrobin', 'range'] },
      wire,
    )
    await on.until('the first is told', async () => {
      const { errorCode } = await on.use(Heartbeat, { ...one })
      return errorCode === 27
    })
    await join(on, 'the first joins again', v, groupId, { memberId: one.memberId, protocols: ['range', 'roundrobin'] })
    const joined = await second
    const sync = (m: string, generationId: number) => syncOf(3, { groupId, memberId: m, generationId })
    const waiting = on.ask('the follower syncs first', SyncGroup, 3, sync(id, joined.generationId), wire)
    const assigned = [one.memberId, id].map(to => ({ memberId: to, assignment: utf8(`part`) }))
    await on.ask('the leader syncs', SyncGroup, 3, {
      ...sync(one.memberId, joined.generationId),
      assignments: assigned,
    })
    await waiting
    await on.ask('a member leaves', LeaveGroup, 4, leaveOf(4, groupId, { memberId: id }))
    await on.ask('the other is told', Heartbeat, 3, {
      groupId,
      memberId: one.memberId,
      generationId: joined.generationId,
    })
    await join(on, 'alone again', v, groupId, { memberId: one.memberId })
  }),

  scenario(
    'join/a full group',
    JoinGroup,
    async (on, v) => {
      const groupId = on.name('g')
      const one = await settle(on, groupId)
      const forget = async (label: string): Promise<void> => {
        const { memberId: id } = await join(on, label, v, groupId)
        // A member that has an id and never joins would hold up the rebalance.
        await on.use(LeaveGroup, leaveOf(5, groupId, { memberId: id }))
      }
      await forget('an id while there is room')
      for (let i = 0; i < 2; i++) {
        const id = await memberId(on, groupId)
        // Answered when the first has joined again.
        void on
          .use(JoinGroup, joinOf(5, groupId, { memberId: id, topic: `u${i}`.slice(1) }), await on.connect())
          .catch(() => undefined)
      }
      await on.until('there are three', async () => {
        const { groups } = await on.use(DescribeGroups, { groups: [groupId] })
        return groups[0]?.members.length === 3
      })
      await forget('a fourth during the rebalance')
      await join(on, 'the first comes back', v, groupId, { memberId: one.memberId })
      await join(on, 'a fourth after it', v, groupId)
      if (v >= 5) await join(on, 'a static one', v, groupId, { instance: 'i' })
    },
    { versions: [4, 99] },
  ),

  scenario(
    'join/static members',
    JoinGroup,
    async (on, v) => {
      const groupId = on.group('g')
      const one = await settle(on, groupId, { instance: 'one' })
      const again = await join(on, 'the instance comes back', v, groupId, { instance: 'one' })
      await on.ask('the old member beats', Heartbeat, 3, beatOf(3, one, 'one'))
      await on.ask('the new member beats', Heartbeat, 3, beatOf(3, { ...one, memberId: again.memberId }, 'one'))
      await join(on, 'the old member joins', v, groupId, { instance: 'one', memberId: one.memberId })
      await join(on, 'an unknown id with the instance', v, groupId, { instance: 'one', memberId: NOBODY })
      await join(on, 'the new member without its instance', v, groupId, { memberId: again.memberId })
      await join(on, 'the new member joins', v, groupId, { instance: 'one', memberId: again.memberId })
      await on.ask('the old member syncs', SyncGroup, 3, syncOf(3, one, { instance: 'one' }))
      await join(on, 'the instance comes with other protocols', v, groupId, {
        instance: 'one',
        protocols: ['roundrobin'],
      })
    },
    { versions: [5, 99] },
  ),

  scenario(
    'join/session expires',
    JoinGroup,
    async (on, v) => {
      const groupId = on.group('g')
      const one = await settle(on, groupId, { sessionTimeoutMs: 300 })
      await pause(900)
      await on.ask('a heartbeat too late', Heartbeat, 3, beatOf(3, one))
      await join(on, 'a join too late', v, groupId, { memberId: one.memberId })
    },
    { versions: [5, 7] },
  ),

  scenario('sync/generations and members', SyncGroup, async (on, v) => {
    const sync = (label: string, m: Member, o: SyncOptions = {}) => on.ask(label, SyncGroup, v, syncOf(v, m, o))
    const one = await settle(on, on.group('g'))
    await sync('again', one)
    await sync('again with another assignment', one, { to: [one.memberId, NOBODY] })
    await sync('an older generation', { ...one, generationId: one.generationId - 1 })
    await sync('a newer generation', { ...one, generationId: one.generationId + 1 })
    await sync('generation -1', { ...one, generationId: -1 })
    await sync('an unknown member', { ...one, memberId: NOBODY })
    await sync('an empty member id', { ...one, memberId: '' })
    await sync('an unknown group', { ...one, groupId: on.name('nowhere') })
    await sync('an empty group id', { ...one, groupId: '' })
    if (v >= 3) await sync('an unknown instance', one, { instance: 'i' })
    if (v >= 5) {
      await sync('no protocol type and name', one, { type: null, protocol: null })
      await sync('another protocol type', one, { type: 'connect' })
      await sync('another protocol', one, { protocol: 'roundrobin' })
      await sync('no protocol name', one, { protocol: null })
      await sync('no protocol type', one, { type: null })
    }
    const groupId = on.group('fresh')
    const id = await memberId(on, groupId)
    await sync('a member that has not joined', { groupId, memberId: id, generationId: 0 })
    const { generationId } = await on.useVersion(JoinGroup, 5, joinOf(5, groupId, { memberId: id }))
    await sync('the leader without assignments', { groupId, memberId: id, generationId })
  }),

  scenario('heartbeat/generations and members', Heartbeat, async (on, v) => {
    const beat = (label: string, m: Member, instance?: string) => on.ask(label, Heartbeat, v, beatOf(v, m, instance))
    const one = await settle(on, on.group('g'))
    await beat('good', one)
    await beat('an older generation', { ...one, generationId: one.generationId - 1 })
    await beat('a newer generation', { ...one, generationId: one.generationId + 1 })
    await beat('generation -1', { ...one, generationId: -1 })
    await beat('an unknown member', { ...one, memberId: NOBODY })
    await beat('an empty member id', { ...one, memberId: '' })
    await beat('an unknown group', { ...one, groupId: on.name('nowhere') })
    await beat('an empty group id', { ...one, groupId: '' })
    if (v >= 3) await beat('an unknown instance', one, 'i')
    const groupId = on.group('fresh')
    const id = await memberId(on, groupId)
    await beat('a member that has not joined', { groupId, memberId: id, generationId: 0 })
    const { generationId } = await on.useVersion(JoinGroup, 5, joinOf(5, groupId, { memberId: id }))
    await beat('joined, not synced', { groupId, memberId: id, generationId })
    const fixed = await settle(on, on.group('static'), { instance: 'i' })
    await beat('a static member without its instance', fixed)
    if (v < 3) return
    await beat('a static member', fixed, 'i')
    await beat('another id for the instance', { ...fixed, memberId: NOBODY }, 'i')
  }),

  scenario('leave/members', LeaveGroup, async (on, v) => {
    const leave = (
      label: string,
      groupId: string,
      ...members: { memberId: string; groupInstanceId?: string | null }[]
    ) => on.ask(label, LeaveGroup, v, leaveOf(v, groupId, ...members))
    const one = await settle(on, on.group('g'))
    await leave('an unknown member', one.groupId, { memberId: NOBODY })
    await leave('an empty member id', one.groupId, { memberId: '' })
    await leave('an unknown group', on.name('nowhere'), { memberId: one.memberId })
    await leave('an empty group id', '', { memberId: one.memberId })
    const id = await memberId(on, on.group('fresh'))
    await leave('a member that has not joined', on.group('fresh'), { memberId: id })
    if (v >= 3) {
      await leave('nobody', one.groupId)
      await leave('an unknown instance', one.groupId, { memberId: '', groupInstanceId: 'i' })
      await leave('a member with an unknown instance', one.groupId, { memberId: one.memberId, groupInstanceId: 'i' })
      const fixed = await settle(on, on.group('static'), { instance: 'i' })
      await leave('another id for the instance', fixed.groupId, { memberId: NOBODY, groupInstanceId: 'i' })
      await leave('a static member by its instance', fixed.groupId, { memberId: '', groupInstanceId: 'i' })
      const both = await settle(on, on.group('both'), { instance: 'j' })
      await leave(
        'several at once',
        both.groupId,
        { memberId: NOBODY },
        { memberId: both.memberId, groupInstanceId: 'j' },
        { memberId: '', groupInstanceId: 'k' },
      )
    }
    await leave('the last one', one.groupId, { memberId: one.memberId })
    await leave('the last one again', one.groupId, { memberId: one.memberId })
    await on.ask('its heartbeat', Heartbeat, 3, beatOf(3, one))
  }),
]
