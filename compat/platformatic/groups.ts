// Classic consumer groups: members that come and go, static members, commits, resuming.
import { deepEqual, equal } from 'node:assert/strict'
import { eventually, range, type Suite } from '../harness/index.ts'
import { admin, collect, consumer, errorOf, producer, text, topic, type Collector } from './client.ts'

const sorted = (numbers: number[]): number[] => numbers.toSorted((a, b) => a - b)

/** Resolves when these members together hold each partition once, and none holds nothing. */
async function balanced(members: Collector[], partitions: number): Promise<void> {
  await eventually(
    `${members.length} members share ${partitions} partitions`,
    () => {
      const held = members.map(member => member.partitions() ?? [])
      if (held.some(one => one.length === 0)) return false
      return JSON.stringify(sorted(held.flat())) === JSON.stringify(range(0, partitions))
    },
    { ms: 20_000 },
  )
}

export function groupScenarios(suite: Suite): void {
  suite.scenario('members of a group come and go while records flow; none is lost', async context => {
    const name = await topic(context, 'shared', 6)
    const client = producer(context)
    const group = context.name('shared')
    let sent = 0
    const send = async (): Promise<void> => {
      const messages = range(sent, sent + 60).map(i => text(name, String(i), i % 6))
      sent += 60
      await client.send({ messages })
    }
    const everyone: Collector[] = []
    const joins = async (): Promise<Collector> => {
      const made = await collect(context, [name], { group })
      everyone.push(made)
      return made
    }
    const first = await joins()
    await send()
    const second = await joins()
    const third = await joins()
    await balanced([first, second, third], 6)
    await send()
    await second.stop()
    await balanced([first, third], 6)
    await send()
    await first.stop()
    const fourth = await joins()
    await balanced([third, fourth], 6)
    await send()
    await eventually('every record was seen', () => {
      const values = new Set(everyone.flatMap(({ seen }) => seen.map(({ value }) => Number(value))))
      return values.size === sent
    })
  })

  suite.scenario('a static member comes back under its instance id and keeps its partitions', async context => {
    const name = await topic(context, 'static', 4)
    const group = context.name('static')
    const operator = admin(context)
    const join = async (groupInstanceId: string): Promise<Collector> =>
      collect(context, [name], { group, client: { groupInstanceId } })
    const [first, second] = [await join('one'), await join('two')]
    await balanced([first, second], 4)
    const members = async () =>
      [...((await operator.describeGroups({ groups: [group] })).get(group)?.members.values() ?? [])].map(member => ({
        instance: member.groupInstanceId,
        partitions: [...(member.assignments?.values() ?? [])].flatMap(({ partitions }) => partitions),
      }))
    const before = await members()
    deepEqual(new Set(before.map(({ instance }) => instance)), new Set(['one', 'two']))
    const held = second.consumer.assignments
    const again = await join('two')
    deepEqual(again.consumer.assignments, held)
    deepEqual(
      (await members()).toSorted((a, b) => String(a.instance).localeCompare(String(b.instance))),
      before.toSorted((a, b) => String(a.instance).localeCompare(String(b.instance))),
    )
  })

  suite.scenario('commit, leave, come back and go on exactly there', async context => {
    const name = await topic(context, 'resume')
    const group = context.name('resume')
    const client = producer(context)
    await client.send({ messages: range(0, 40).map(i => text(name, String(i))) })
    const first = await collect(context, [name], { group, autocommit: false })
    const seen = await first.count(40)
    await seen[24]!.commit()
    await first.stop()
    const [committed] = await admin(context).listConsumerGroupOffsets({ groups: [group] })
    deepEqual(
      committed?.topics[0]?.partitions.map(({ partitionIndex, committedOffset }) => [partitionIndex, committedOffset]),
      [[0, 25n]],
    )
    const second = await collect(context, [name], { group })
    deepEqual(
      (await second.count(15)).map(({ offset }) => Number(offset)),
      range(25, 40),
    )
    await eventually(
      'the automatic commit',
      async () =>
        (await second.consumer.listCommittedOffsets({ topics: [{ topic: name, partitions: [0] }] })).get(name)?.[0] ===
        40n,
    )
    await second.stop()
    const third = await collect(context, [name], { group })
    await client.send({ messages: [text(name, '40')] })
    equal(Number((await third.count(1))[0]?.offset), 40)
  })

  suite.scenario('a commit of a generation that is over is refused', async context => {
    const name = await topic(context, 'stale')
    const group = context.name('stale')
    const member = consumer(context, group, { retries: 0 })
    await member.joinGroup()
    member.generationId -= 1
    const offsets = [{ topic: name, partition: 0, offset: 1n, leaderEpoch: 0 }]
    equal(await errorOf(member.commit({ offsets })), 'ILLEGAL_GENERATION')
    member.generationId += 1
    await member.commit({ offsets })
  })

  suite.scenario('list, describe, alter offsets, remove members, delete', async context => {
    const name = await topic(context, 'managed', 2)
    const group = context.name('managed')
    const member = await collect(context, [name], { group })
    const operator = admin(context)
    const listed = (await operator.listGroups()).get(group)
    deepEqual([listed?.state, listed?.groupType, listed?.protocolType], ['STABLE', 'classic', 'consumer'])
    equal((await operator.listGroups({ states: ['EMPTY'] })).has(group), false)
    equal((await operator.listGroups({ types: ['consumer'] })).has(group), false)
    const described = (await operator.describeGroups({ groups: [group] })).get(group)
    deepEqual([described?.state, described?.members.size], ['STABLE', 1])
    equal([...(described?.members.values() ?? [])][0]?.clientId, 'compat')
    equal(await errorOf(operator.deleteGroups({ groups: [group] })), 'NON_EMPTY_GROUP')
    await member.stop()
    await operator.alterConsumerGroupOffsets({
      groupId: group,
      topics: [{ name, partitionOffsets: [{ partition: 1, offset: 5n }] }],
    })
    const [offsets] = await operator.listConsumerGroupOffsets({ groups: [{ groupId: group, topics: null }] })
    equal(offsets?.topics[0]?.partitions.find(({ partitionIndex }) => partitionIndex === 1)?.committedOffset, 5n)
    await operator.deleteGroups({ groups: [group] })
    equal((await operator.listGroups()).has(group), false)
  })

  suite.scenario('an operator removes a member', async context => {
    const group = context.name('removed')
    const member = consumer(context, group)
    await member.joinGroup()
    const operator = admin(context)
    await operator.removeMembersFromConsumerGroup({ groupId: group })
    equal((await operator.describeGroups({ groups: [group] })).get(group)?.state, 'EMPTY')
  })
}
