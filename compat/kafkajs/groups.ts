// Consumer groups: members that come and go, commits, resuming, offsets that were set by hand.
import { deepEqual, equal } from 'node:assert/strict'
import { eventually, range, type Suite } from '../harness/index.ts'
import { admin, collect, kafka, producer, topic, type Collector } from './client.ts'

const sorted = (numbers: number[]): number[] => numbers.toSorted((a, b) => a - b)

/** Resolves when these members together hold each partition once, and none holds nothing. */
async function balanced(members: Collector[], partitions: number): Promise<void> {
  await eventually(
    `${members.length} members share ${partitions} partitions`,
    () => {
      const held = members.map(member => member.partitions())
      if (held.some(one => one === null || one.length === 0)) return false
      return JSON.stringify(sorted(held.flat() as number[])) === JSON.stringify(range(0, partitions))
    },
    { ms: 20_000 },
  )
}

export function groupScenarios(suite: Suite): void {
  suite.scenario('members of a group come and go while records flow; none is lost', async context => {
    const name = await topic(context, 'shared', 6)
    const client = await producer(context)
    const group = context.name('shared')
    let sent = 0
    const send = async (): Promise<void> => {
      const messages = range(sent, sent + 60).map(i => ({ value: String(i), partition: i % 6 }))
      sent += 60
      await client.send({ topic: name, messages })
    }
    const member = () => collect(context, [name], { group, config: { sessionTimeout: 10_000 } })
    const everyone: Collector[] = []
    const joins = async (): Promise<Collector> => {
      const made = await member()
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

  suite.scenario('three groups read the same topic, each all of it', async context => {
    const name = await topic(context, 'fan-out', 2)
    await (await producer(context)).send({ topic: name, messages: range(0, 50).map(i => ({ value: String(i) })) })
    const readers = await Promise.all([1, 2, 3].map(() => collect(context, [name])))
    for (const reader of readers) {
      deepEqual(sorted((await reader.count(50)).map(({ value }) => Number(value))), range(0, 50))
    }
  })

  suite.scenario('commit, leave, come back and go on exactly there', async context => {
    const name = await topic(context, 'resume')
    const group = context.name('resume')
    const client = await producer(context)
    await client.send({ topic: name, messages: range(0, 40).map(i => ({ value: String(i) })) })
    const first = await collect(context, [name], { group, autoCommit: false })
    await first.count(40)
    await first.consumer.commitOffsets([{ topic: name, partition: 0, offset: '25', metadata: 'left here' }])
    await first.stop()
    const operator = await admin(context)
    const [committed] = await operator.fetchOffsets({ groupId: group, topics: [name] })
    deepEqual(
      committed?.partitions.map(({ offset, metadata }) => [offset, metadata]),
      [['25', 'left here']],
    )
    const second = await collect(context, [name], { group })
    deepEqual(
      (await second.count(15)).map(({ offset }) => Number(offset)),
      range(25, 40),
    )
    await second.stop()
    const third = await collect(context, [name], { group })
    await client.send({ topic: name, messages: [{ value: '40' }] })
    equal((await third.count(1))[0]?.offset, '40')
  })

  suite.scenario('a new group starts at the end unless it asks for the beginning', async context => {
    const name = await topic(context, 'latest')
    const client = await producer(context)
    await client.send({ topic: name, messages: [{ value: 'old' }] })
    const reader = await collect(context, [name], { fromBeginning: false })
    let fetches = 0
    reader.consumer.on('consumer.fetch', () => void fetches++)
    await eventually('a fetch', () => fetches > 0)
    await client.send({ topic: name, messages: [{ value: 'new' }] })
    deepEqual((await reader.count(1))[0]?.value?.toString(), 'new')
  })

  suite.scenario('list, describe, set offsets, delete', async context => {
    const name = await topic(context, 'managed', 2)
    const groupId = context.name('managed')
    await (
      await producer(context)
    ).send({ topic: name, messages: range(0, 20).map(i => ({ value: `${i}`, partition: 0 })) })
    const member = await collect(context, [name], { group: groupId })
    await member.count(20)
    const operator = await admin(context)
    const { groups } = await operator.listGroups()
    deepEqual(
      groups.filter(group => group.groupId === groupId),
      [{ groupId, protocolType: 'consumer' }],
    )
    const described = (await operator.describeGroups([groupId])).groups[0]
    deepEqual(
      [described?.state, described?.protocol, described?.members.length, described?.members[0]?.clientId],
      ['Stable', 'RoundRobinAssigner', 1, 'compat'],
    )
    await member.stop()
    equal((await operator.describeGroups([groupId])).groups[0]?.state, 'Empty')
    await operator.setOffsets({ groupId, topic: name, partitions: [{ partition: 0, offset: '7' }] })
    const offset = async () => (await operator.fetchOffsets({ groupId, topics: [name] }))[0]?.partitions[0]?.offset
    equal(await offset(), '7')
    await operator.deleteGroups([groupId])
    const after = (await operator.listGroups()).groups.some(group => group.groupId === groupId)
    equal(after, false)
    equal((await operator.describeGroups([groupId])).groups[0]?.state, 'Dead')
    equal(await offset(), '-1')
  })

  suite.scenario('a group with members is not deleted', async context => {
    const name = await topic(context, 'in-use')
    const groupId = context.name('in-use')
    await collect(context, [name], { group: groupId })
    const operator = await admin(context, kafka(context, context.broker.bootstrap, 1))
    const failure = await operator.deleteGroups([groupId]).then(
      () => null,
      (error: { groups?: { error: { type?: string } }[] }) => error,
    )
    equal(failure?.groups?.[0]?.error.type, 'NON_EMPTY_GROUP')
  })
}
