// Groups: commits from outside a group, pipelined, and groups whose members come and go, so that they rebalance all the time.
import type { Load } from './load.ts'
import type { Model, TopicModel } from './model.ts'
import { Heartbeat, JoinGroup, LeaveGroup, OffsetCommit, SyncGroup, errors, errorOf } from '../../protocol/index.ts'

/** Commits the offset after the last one tried. Generation -1: from outside the group. */
export async function commit(
  { wire, model }: Pick<Load, 'wire' | 'model'>,
  groupId: string,
  topic: TopicModel,
  partition: number,
  by = { generation: -1, id: '' },
): Promise<void> {
  const committed = topic.commit(groupId, partition)
  const offset = 1 + Math.max(committed.acknowledged, ...committed.open)
  committed.sent(offset)
  const reply = await wire.send(OffsetCommit, 8, {
    groupId,
    generationIdOrMemberEpoch: by.generation,
    memberId: by.id,
    topics: [
      {
        name: topic.name,
        partitions: [{ partitionIndex: partition, committedOffset: offset, committedMetadata: String(offset) }],
      },
    ],
  })
  if (!reply) return
  const { errorCode } = reply.topics[0]!.partitions[0]!
  committed.answered(offset, errorCode)
  if (errorCode !== 0 && !(by.id !== '' && LEFT_BEHIND.has(errorCode)) && !turnedAway(model, errorCode)) {
    model.problems.push(`OffsetCommit of ${groupId} for ${topic.name}-${partition}: ${errorOf(errorCode).name}`)
  }
}

const turnedAway = (model: Model, errorCode: number): boolean =>
  model.isStopping && (errorCode === errors.COORDINATOR_NOT_AVAILABLE || errorCode === errors.NOT_COORDINATOR)

const PROTOCOL = 'range'

/** What a member hears when the group went on without it. */
const LEFT_BEHIND = new Set<number>([errors.REBALANCE_IN_PROGRESS, errors.ILLEGAL_GENERATION, errors.UNKNOWN_MEMBER_ID])

/** Keeps commits of several partitions in flight. */
export async function commits(load: Load, groupId: string, topic: TopicModel): Promise<void> {
  const { wire, random, stopped, model } = load
  model.groups.add(groupId)
  while (!wire.isClosed && !stopped()) {
    if (wire.unanswered < 8) void commit(load, groupId, topic, random.int(0, topic.partitions.length - 1))
    else await wire.progress()
  }
}

/** A member that joins, commits for its own partition, and leaves or is sent back, over and over. */
export async function member(load: Load, groupId: string, topic: TopicModel, partition: number): Promise<void> {
  const { wire, random, stopped, model } = load
  model.groups.add(groupId)
  let id = ''
  while (!wire.isClosed && !stopped()) {
    const joined = await join(load, groupId, id)
    if (!joined) return
    id = joined.id
    if (joined.generation < 0) continue
    for (let left = random.int(1, 6); left > 0 && !stopped(); left--) {
      const own = { generation: joined.generation, id }
      const beat = wire.send(Heartbeat, 4, { groupId, generationId: joined.generation, memberId: id })
      await Promise.all([beat, ...[1, 2].map(() => commit(load, groupId, topic, partition, own))])
      if (LEFT_BEHIND.has((await beat)?.errorCode ?? 0)) break
    }
    if (!random.chance(0.3)) continue
    await wire.send(LeaveGroup, 5, { groupId, members: [{ memberId: id }] })
    id = ''
  }
}

interface Membership {
  readonly id: string
  /** -1: join again. */
  readonly generation: number
}

/** Null: the connection is lost. */
async function join({ wire, model }: Load, groupId: string, memberId: string): Promise<Membership | null> {
  const reply = await wire.send(JoinGroup, 9, {
    groupId,
    memberId,
    sessionTimeoutMs: 1000,
    rebalanceTimeoutMs: 200,
    protocolType: 'consumer',
    protocols: [{ name: PROTOCOL, metadata: Buffer.from('crash') }],
  })
  if (!reply) return null
  const { errorCode, generationId, memberId: id } = reply
  if (errorCode === errors.MEMBER_ID_REQUIRED) return { id, generation: -1 }
  if (LEFT_BEHIND.has(errorCode)) return { id: '', generation: -1 }
  if (errorCode !== 0) {
    model.problems.push(`JoinGroup of ${groupId}: ${errorOf(errorCode).name}`)
    return null
  }
  const assignments = reply.members.map(other => ({ memberId: other.memberId, assignment: Buffer.from('all') }))
  const synced = await wire.send(SyncGroup, 5, {
    groupId,
    generationId,
    memberId: id,
    protocolType: 'consumer',
    protocolName: PROTOCOL,
    assignments,
  })
  if (!synced) return null
  if (LEFT_BEHIND.has(synced.errorCode)) return { id, generation: -1 }
  if (synced.errorCode !== 0) model.problems.push(`SyncGroup of ${groupId}: ${errorOf(synced.errorCode).name}`)
  generation(model, groupId, generationId)
  return { id, generation: generationId }
}

/** Generations of which a member was told never come again, also not after a crash. */
function generation(model: Model, groupId: string, generationId: number): void {
  const before = model.lastGenerations.get(groupId) ?? 0
  if (generationId <= before) {
    model.problems.push(`${groupId} is at generation ${generationId}; before the crash it was at ${before}`)
  }
  model.generations.set(groupId, Math.max(generationId, model.generations.get(groupId) ?? 0))
}
