// The coordinator as handlers see it: routing, checks that need no group, shapes of each version, errors in words that
// clients know.
import { beforeEach, describe, expect, it } from 'vitest'
import type { RequestOf } from '../../../../protocol/api.ts'
import {
  COORDINATOR_LOAD_IN_PROGRESS,
  COORDINATOR_NOT_AVAILABLE,
  GROUP_ID_NOT_FOUND,
  INCONSISTENT_GROUP_PROTOCOL,
  INVALID_GROUP_ID,
  INVALID_SESSION_TIMEOUT,
  KafkaError,
  KAFKA_STORAGE_ERROR,
  MEMBER_ID_REQUIRED,
  MESSAGE_TOO_LARGE,
  NONE,
  NOT_COORDINATOR,
  NOT_ENOUGH_REPLICAS,
  UNKNOWN_MEMBER_ID,
  UNKNOWN_SERVER_ERROR,
  UNKNOWN_TOPIC_ID,
  UNKNOWN_TOPIC_OR_PARTITION,
} from '../../../../protocol/errors.ts'
import type { OffsetFetch } from '../../../../protocol/messages/index.ts'
import * as messages from '../../../../protocol/messages/index.ts'
import { encode } from '../../../../protocol/compile.ts'
import { ZERO_UUID } from '../../../../protocol/schema.ts'
import { Writer } from '../../../../protocol/writer.ts'
import { GroupCoordinator } from '../../../../src/coordinators/group/coordinator.ts'
import { javaHashCode, partitionForGroup } from '../../../../src/coordinators/group/partition.ts'
import { virtualRuntime } from '../../../../src/runtime/index.ts'
import { MemoryLog } from '../memory-log.ts'
import { commitRequest, context, joinRequest, syncRequest } from './requests.ts'
import { defaultConfig } from './world.ts'

const PARTITIONS = 4
const topicIds = new Map([
  ['t', 'topic-t-id-AAAAAAAAAAA'],
  ['u', 'topic-u-id-AAAAAAAAAAA'],
])
let runtime = virtualRuntime()
let logs: MemoryLog[] = []
let coordinator = newCoordinator()
const topics = new Map(topicIds)

function newCoordinator() {
  return new GroupCoordinator({
    config: defaultConfig,
    runtime,
    partitions: () => PARTITIONS,
    log: partition => logs[partition]!,
    topics: {
      topicId: name => topics.get(name),
      topicName: id => [...topics].find(([, each]) => each === id)?.[0],
      exists: (name, partition) => topics.has(name) && partition < 3,
    },
  })
}

async function elect(): Promise<void> {
  const loaded = Promise.all(logs.map((_, partition) => coordinator.onElected(partition, 0)))
  await runtime.settle()
  await loaded
}

const logOf = (groupId: string) => logs[coordinator.partitionFor(groupId)]!
const beat = (groupId: string) => ({ groupId, generationId: 1, memberId: 'm', groupInstanceId: null })

const fetchRequest = (
  asked: Record<string, number[]> | null,
  more: Partial<RequestOf<typeof OffsetFetch>> = {},
): RequestOf<typeof OffsetFetch> => {
  const list = asked && Object.entries(asked).map(([name, partitionIndexes]) => ({ name, partitionIndexes }))
  const groups = [
    {
      groupId: 'g',
      memberId: null,
      memberEpoch: -1,
      topics: list && list.map(topic => ({ ...topic, topicId: topicIds.get(topic.name) ?? ZERO_UUID })),
    },
  ]
  return { groupId: 'g', topics: list, groups, requireStable: false, ...more }
}

beforeEach(async () => {
  runtime = virtualRuntime()
  logs = Array.from({ length: PARTITIONS }, () => new MemoryLog())
  for (const [name, id] of topicIds) topics.set(name, id)
  coordinator = newCoordinator()
  await elect()
})

describe('routing', () => {
  it("is Java's", () => {
    expect(javaHashCode('')).toBe(0)
    expect(javaHashCode('hello')).toBe(99162322)
    expect(javaHashCode('polygenelubricants')).toBe(-2147483648)
    expect(partitionForGroup('polygenelubricants', 50)).toBe(0)
    expect(javaHashCode('größe-🎈')).toBe(hashByDefinition('größe-🎈'))
    // Where Kafka put the groups of tests/fixtures/kafka-dirs.
    expect(['group-b', 'tx-group', 'group-a'].map(groupId => partitionForGroup(groupId, 4))).toEqual([0, 2, 3])
  })

  it('goes to the partition of the group, and nowhere else', async () => {
    const groups = Array.from({ length: 20 }, (_, i) => `group-${i}`)
    for (const groupId of groups) await coordinator.joinGroup(joinRequest({ groupId }), context(9))
    const expected = Array.from({ length: PARTITIONS }, () => 0)
    for (const groupId of groups) expected[coordinator.partitionFor(groupId)]!++
    expect(logs.map(({ records }) => records.length)).toEqual(expected)
    const listed = await coordinator.listGroups({ statesFilter: [], typesFilter: [] }, context(5))
    expect(listed.groups.map(({ groupId }) => groupId).toSorted()).toEqual(groups.toSorted())
  })

  it('is refused where this broker does not lead', async () => {
    coordinator.onResigned(coordinator.partitionFor('g'))
    expect(await coordinator.heartbeat(beat('g'), context(4))).toEqual({ errorCode: NOT_COORDINATOR })
    const reply = await coordinator.joinGroup(joinRequest(), context(9))
    expect(reply).toMatchObject({ errorCode: NOT_COORDINATOR, memberId: '' })
    const listed = await coordinator.listGroups({ statesFilter: [], typesFilter: [] }, context(5))
    expect(listed.errorCode).toBe(NONE)
  })
})

describe('checks without a group', () => {
  it('of the group id: empty only for offsets and administration', async () => {
    const groupId = ''
    expect((await coordinator.joinGroup(joinRequest({ groupId }), context(9))).errorCode).toBe(INVALID_GROUP_ID)
    expect((await coordinator.syncGroup(syncRequest({ groupId }), context(5))).errorCode).toBe(INVALID_GROUP_ID)
    expect((await coordinator.heartbeat(beat(groupId), context(4))).errorCode).toBe(INVALID_GROUP_ID)
    const leave = { groupId, memberId: '', members: [] }
    expect((await coordinator.leaveGroup(leave, context(5))).errorCode).toBe(INVALID_GROUP_ID)
    const committed = await coordinator.offsetCommit(commitRequest({ 't-0': 5 }, { groupId }), context(9))
    expect(committed.topics[0]?.partitions).toEqual([{ partitionIndex: 0, errorCode: NONE }])
    const described = await coordinator.describeGroups({ groups: [''], includeAuthorizedOperations: false }, context(6))
    expect(described.groups[0]).toMatchObject({ groupId: '', groupState: 'Empty', errorCode: NONE })
  })

  it.each([
    [5999, INVALID_SESSION_TIMEOUT],
    [6000, MEMBER_ID_REQUIRED],
    [1_800_000, MEMBER_ID_REQUIRED],
    [1_800_001, INVALID_SESSION_TIMEOUT],
  ])('of the session timeout: %i ms (G66)', async (sessionTimeoutMs, errorCode) => {
    const reply = await coordinator.joinGroup(joinRequest({ sessionTimeoutMs }), context(9))
    expect(reply.errorCode).toBe(errorCode)
  })

  it('of SyncGroup 5: protocol type and name must be there', async () => {
    for (const missing of [{ protocolType: null }, { protocolName: null }]) {
      const request = syncRequest({ memberId: 'm', ...missing })
      expect((await coordinator.syncGroup(request, context(5))).errorCode).toBe(INCONSISTENT_GROUP_PROTOCOL)
      expect((await coordinator.syncGroup(request, context(4))).errorCode).toBe(UNKNOWN_MEMBER_ID)
    }
  })
})

describe('versions', () => {
  it('JoinGroup 0 takes the session timeout for the rebalance timeout (G65)', async () => {
    const first = coordinator.joinGroup(joinRequest({ rebalanceTimeoutMs: -1, sessionTimeoutMs: 7000 }), context(0))
    await runtime.advanceAsync(1)
    const { memberId } = await first
    void coordinator.joinGroup(joinRequest(), context(0))
    await runtime.advanceAsync(6999)
    expect(await coordinator.heartbeat({ ...beat('g'), memberId }, context(0))).not.toEqual({ errorCode: NONE })
    await runtime.advanceAsync(60_000)
    const described = await coordinator.describeGroups(
      { groups: ['g'], includeAuthorizedOperations: false },
      context(6),
    )
    expect(described.groups[0]?.members.map(member => member.memberId)).not.toContain(memberId)
  })

  it('JoinGroup gives ids of the client id and a random UUID, and no protocol is null or empty', async () => {
    const old = await coordinator.joinGroup(joinRequest(), context(6, 'me'))
    expect(old).toMatchObject({ errorCode: MEMBER_ID_REQUIRED, protocolName: '' })
    expect(old.memberId).toMatch(/^me-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    const recent = await coordinator.joinGroup(joinRequest(), context(7, 'me'))
    expect(recent).toMatchObject({ errorCode: MEMBER_ID_REQUIRED, protocolName: null })
    expect(recent.memberId).not.toBe(old.memberId)
  })

  it('LeaveGroup below 3 names one member and gets its error', async () => {
    const request = { groupId: 'g', memberId: 'm', members: [] }
    expect(await coordinator.leaveGroup(request, context(2))).toEqual({ errorCode: UNKNOWN_MEMBER_ID, members: [] })
    const several = { groupId: 'g', memberId: '', members: [{ memberId: 'm', groupInstanceId: null, reason: null }] }
    expect(await coordinator.leaveGroup(several, context(3))).toEqual({
      errorCode: NONE,
      members: [{ memberId: 'm', groupInstanceId: null, errorCode: UNKNOWN_MEMBER_ID }],
    })
  })

  it('OffsetFetch answers one group below 8, several from then on', async () => {
    await coordinator.offsetCommit(commitRequest({ 't-0': 5 }), context(9))
    const at5 = { partitionIndex: 0, committedOffset: 5, committedLeaderEpoch: -1, metadata: '', errorCode: NONE }
    const one = await coordinator.offsetFetch(fetchRequest({ t: [0] }), context(7))
    expect(one).toMatchObject({ errorCode: NONE, topics: [{ name: 't', partitions: [at5] }] })
    const all = await coordinator.offsetFetch(fetchRequest(null), context(2))
    expect(all.topics).toMatchObject([{ name: 't', partitions: [at5] }])
    const unknown = { groupId: 'h', memberId: null, memberEpoch: -1, topics: null }
    const { groups } = fetchRequest({ t: [0] })
    const several = await coordinator.offsetFetch(fetchRequest(null, { groups: [...groups, unknown] }), context(8))
    expect(several.groups).toMatchObject([
      { groupId: 'g', errorCode: NONE, topics: [{ name: 't', partitions: [at5] }] },
      { groupId: 'h', errorCode: NONE, topics: [] },
    ])
  })

  it('DeleteGroups and DescribeGroups answer each group once', async () => {
    const deleted = await coordinator.deleteGroups({ groupsNames: ['x', 'y', 'x'] }, context(2))
    expect(deleted.results).toMatchObject([
      { groupId: 'x', errorCode: GROUP_ID_NOT_FOUND },
      { groupId: 'y', errorCode: GROUP_ID_NOT_FOUND },
    ])
    const described = await coordinator.describeGroups(
      { groups: ['x'], includeAuthorizedOperations: false },
      context(5),
    )
    expect(described.groups).toMatchObject([{ groupId: 'x', groupState: 'Dead', errorCode: NONE }])
  })
})

describe('topics', () => {
  it('that are unknown are refused one by one, in the order of the request', async () => {
    const request = commitRequest({ 't-0': 1, 'gone-0': 1, 't-7': 1, 'u-2': 1 })
    const reply = await coordinator.offsetCommit(request, context(9))
    expect(reply.topics.map(({ name, partitions }) => [name, partitions[0]?.errorCode])).toEqual([
      ['t', NONE],
      ['gone', UNKNOWN_TOPIC_OR_PARTITION],
      ['t', UNKNOWN_TOPIC_OR_PARTITION],
      ['u', NONE],
    ])
    const none = await coordinator.offsetCommit(commitRequest({ 'gone-0': 1 }), context(9))
    expect(none.topics[0]?.partitions[0]?.errorCode).toBe(UNKNOWN_TOPIC_OR_PARTITION)
    expect(logOf('g').records).toHaveLength(2)
  })

  it('are given by id from version 10 on', async () => {
    const request = commitRequest({ '-0': 5, '-1': 6 })
    request.topics[0]!.topicId = topicIds.get('t')!
    request.topics[1]!.topicId = 'no-such-topic-id-AAAAA'
    const reply = await coordinator.offsetCommit(request, context(10))
    expect(reply.topics).toMatchObject([
      { topicId: topicIds.get('t'), partitions: [{ errorCode: NONE }] },
      { topicId: 'no-such-topic-id-AAAAA', partitions: [{ partitionIndex: 1, errorCode: UNKNOWN_TOPIC_ID }] },
    ])
    const fetched = await coordinator.offsetFetch(fetchRequest({ t: [0, 1], nothing: [0] }), context(10))
    expect(fetched.groups?.[0]?.topics).toMatchObject([
      { topicId: topicIds.get('t'), partitions: [{ committedOffset: 5 }, { committedOffset: -1 }] },
      { topicId: ZERO_UUID, partitions: [{ committedOffset: -1, errorCode: UNKNOWN_TOPIC_ID }] },
    ])
    const all = await coordinator.offsetFetch(fetchRequest(null), context(10))
    expect(all.groups?.[0]?.topics).toMatchObject([{ topicId: topicIds.get('t') }])
    topics.delete('t')
    const without = await coordinator.offsetFetch(fetchRequest(null), context(10))
    expect(without.groups?.[0]?.topics).toEqual([])
  })

  it('take their offsets with them when they are deleted, even if a crash comes between', async () => {
    await coordinator.offsetCommit(commitRequest({ 't-0': 5, 'u-0': 6 }), context(9))
    await coordinator.topicsDeleted([{ name: 't', topicId: topicIds.get('t')! }])
    const all = await coordinator.offsetFetch(fetchRequest(null), context(8))
    expect(all.groups?.[0]?.topics.map(({ name }) => name)).toEqual(['u'])
    topics.set('u', 'another-u-id-AAAAAAAAA')
    coordinator = newCoordinator()
    await elect()
    const afterwards = await coordinator.offsetFetch(fetchRequest(null), context(8))
    expect(afterwards.groups?.[0]?.topics).toEqual([])
    expect(logOf('g').records.at(-1)?.value).toBeNull()
  })
})

describe('errors of the log', () => {
  it.each([
    [NOT_ENOUGH_REPLICAS, COORDINATOR_NOT_AVAILABLE],
    [KAFKA_STORAGE_ERROR, NOT_COORDINATOR],
    [MESSAGE_TOO_LARGE, UNKNOWN_SERVER_ERROR],
  ])('%i is answered as %i', async (inside, outside) => {
    const fail = () => logOf('g').failures.push(new KafkaError(inside))
    fail()
    const committed = await coordinator.offsetCommit(commitRequest({ 't-0': 5 }), context(9))
    expect(committed.topics[0]?.partitions[0]?.errorCode).toBe(outside)
    fail()
    expect((await coordinator.joinGroup(joinRequest(), context(9))).errorCode).toBe(outside)
    expect((await coordinator.joinGroup(joinRequest(), context(9))).errorCode).toBe(MEMBER_ID_REQUIRED)
  })

  it('a commit that is not safe in time is COORDINATOR_NOT_AVAILABLE, a fetch NOT_COORDINATOR', async () => {
    logOf('g').autoCommit = false
    const commit = coordinator.offsetCommit(commitRequest({ 't-0': 5 }), context(9))
    const fetch = coordinator.offsetFetch(fetchRequest({ t: [0] }), context(8))
    await runtime.advanceAsync(5000)
    expect((await commit).topics[0]?.partitions[0]?.errorCode).toBe(COORDINATOR_NOT_AVAILABLE)
    expect((await fetch).groups?.[0]).toMatchObject({ groupId: 'g', errorCode: NOT_COORDINATOR, topics: [] })
  })

  it('an answer leaves once the partition has committed', async () => {
    const log = logOf('g')
    log.autoCommit = false
    let answered = false
    const commit = coordinator.offsetCommit(commitRequest({ 't-0': 5 }), context(9)).then(() => (answered = true))
    await runtime.settle()
    expect(answered).toBe(false)
    coordinator.committed(coordinator.partitionFor('g'), log.end)
    await commit
    expect(answered).toBe(true)
  })

  it('OffsetFetch 1 has errors only at partitions', async () => {
    coordinator.onResigned(coordinator.partitionFor('g'))
    const reply = await coordinator.offsetFetch(fetchRequest({ t: [0] }), context(1))
    expect(reply.topics).toMatchObject([
      { name: 't', partitions: [{ errorCode: NOT_COORDINATOR, committedOffset: -1 }] },
    ])
  })
})

describe('loading and closing', () => {
  it('while a partition is read back callers get COORDINATOR_LOAD_IN_PROGRESS; heartbeats are fine', async () => {
    const log = logOf('g')
    for (let i = 0; i < 1001; i++) log.store({})
    log.committed = log.end
    const loaded = coordinator.onElected(coordinator.partitionFor('g'), 1)
    await new Promise(resolve => setImmediate(resolve))
    expect((await coordinator.joinGroup(joinRequest(), context(9))).errorCode).toBe(COORDINATOR_LOAD_IN_PROGRESS)
    const fetched = await coordinator.offsetFetch(fetchRequest({ t: [0] }), context(8))
    expect(fetched.groups?.[0]?.errorCode).toBe(COORDINATOR_LOAD_IN_PROGRESS)
    expect(await coordinator.heartbeat(beat('g'), context(4))).toEqual({ errorCode: NONE })
    const listed = await coordinator.listGroups({ statesFilter: [], typesFilter: [] }, context(5))
    expect(listed.errorCode).toBe(COORDINATOR_LOAD_IN_PROGRESS)
    await runtime.settle()
    await loaded
    expect((await coordinator.joinGroup(joinRequest(), context(9))).errorCode).toBe(MEMBER_ID_REQUIRED)
  })

  it('an older election does not replace a newer one', async () => {
    const partition = coordinator.partitionFor('g')
    await coordinator.joinGroup(joinRequest(), context(9))
    await coordinator.onElected(partition, 5)
    const described = await coordinator.describeGroups(
      { groups: ['g'], includeAuthorizedOperations: false },
      context(6),
    )
    await coordinator.onElected(partition, 4)
    expect(described.groups[0]?.groupState).toBe('Empty')
    expect(logs[partition]!.records).toHaveLength(1)
  })

  it('closing answers everybody and leaves nothing behind', async () => {
    const parked = coordinator.joinGroup(joinRequest(), context(0))
    coordinator.close()
    expect((await parked).errorCode).toBe(NOT_COORDINATOR)
    expect((await coordinator.joinGroup(joinRequest(), context(9))).errorCode).toBe(COORDINATOR_NOT_AVAILABLE)
    const listed = await coordinator.listGroups({ statesFilter: [], typesFilter: [] }, context(5))
    expect(listed.errorCode).toBe(COORDINATOR_NOT_AVAILABLE)
    expect(runtime.pendingTimers).toBe(0)
  })
})

describe('every answer', () => {
  it('can be encoded in every version, good or bad', async () => {
    const { JoinGroup, SyncGroup, Heartbeat, LeaveGroup, OffsetCommit, DescribeGroups, ListGroups, DeleteGroups } =
      messages
    const calls = [
      [JoinGroup, (v: number) => coordinator.joinGroup(joinRequest({ sessionTimeoutMs: 1 }), context(v))],
      [SyncGroup, (v: number) => coordinator.syncGroup(syncRequest(), context(v))],
      [Heartbeat, (v: number) => coordinator.heartbeat(beat('g'), context(v))],
      [LeaveGroup, (v: number) => coordinator.leaveGroup({ groupId: 'g', memberId: 'm', members: [] }, context(v))],
      [OffsetCommit, (v: number) => coordinator.offsetCommit(commitRequest({ 't-0': 1 }), context(v))],
      [messages.OffsetFetch, (v: number) => coordinator.offsetFetch(fetchRequest({ t: [0] }), context(v))],
      [
        DescribeGroups,
        (v: number) => coordinator.describeGroups({ groups: ['g'], includeAuthorizedOperations: false }, context(v)),
      ],
      [ListGroups, (v: number) => coordinator.listGroups({ statesFilter: [], typesFilter: [] }, context(v))],
      [DeleteGroups, (v: number) => coordinator.deleteGroups({ groupsNames: ['none'] }, context(v))],
    ] as const
    for (const [api, call] of calls) {
      for (let version = Math.max(1, api.versions[0]); version <= api.versions[1]; version++) {
        const writer = new Writer()
        encode(api.response as never, version, (await call(version)) as never, writer)
        expect(writer.toBuffer().length).toBeGreaterThan(0)
      }
    }
  })
})

/** s[0]*31^(n-1) + … + s[n-1], in exact arithmetic. */
function hashByDefinition(text: string): number {
  let hash = 0n
  for (let i = 0; i < text.length; i++) hash = hash * 31n + BigInt(text.charCodeAt(i))
  return Number(BigInt.asIntN(32, hash))
}
