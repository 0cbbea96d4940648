// When committed offsets end: by age (KIP-211: depends on the group's state and subscriptions), or with their topic.
// Groups that are empty and have no offsets left end with them.
import type { DeletedTopic, TopicsDeletedCommand } from '../commands.ts'
import type { Turn } from '../turn.ts'
import type { GroupView } from '../classic/group.ts'
import type { CommittedOffset } from './store.ts'
import { ZERO_UUID } from '../../../../protocol/schema.ts'
import { isSubscribedTo, usesConsumerProtocol } from '../classic/group.ts'

const OFFSETS_KEY = 'offsets'

export function scheduleExpiry(turn: Turn): void {
  turn.timer(OFFSETS_KEY, turn.config['offsets.retention.check.interval.ms'], { type: 'expireOffsets' })
}

const byCommit = (offset: CommittedOffset) => offset.commitTimestamp

/** From when on an offset ages; null: none of this group's does. */
function agesFrom(group: GroupView): ((offset: CommittedOffset) => number) | null {
  // Nobody ever joined: every commit counts for itself.
  if (group.protocolType === null) return byCommit
  // The last member's leaving counts, not the commit.
  if (group.state === 'Empty') return offset => group.stateTimestamp ?? offset.commitTimestamp
  // A consumer group at work: topics that it no longer subscribes to.
  const knowsTopics = usesConsumerProtocol(group) && group.subscribedTopics !== null
  return knowsTopics && group.state === 'Stable' ? byCommit : null
}

/** Timer: tombstones for what has expired, then the next look. */
export function expireOffsets(turn: Turn): void {
  const retentionMs = turn.config['offsets.retention.minutes'] * 60_000
  for (const group of turn.state.groups.values()) {
    const isDone = expireOffsetsOf(turn, group, retentionMs)
    // A member that was just given its id is about to join: Kafka would make it start anew.
    if (!isDone || group.state !== 'Empty' || group.pendingJoin.size > 0) continue
    turn.log({ kind: 'group', groupId: group.groupId, value: null })
  }
  scheduleExpiry(turn)
}

/** True if no offset is left, pending ones included. */
function expireOffsetsOf(turn: Turn, group: GroupView, retentionMs: number): boolean {
  const { groupId } = group
  const from = agesFrom(group)
  let isDone = !turn.offsets.hasOpenTransactions(groupId)
  for (const [topic, partitions] of turn.offsets.of(groupId)) {
    const isKept = from === null || isSubscribedTo(group, topic)
    for (const [partition, offset] of partitions) {
      const expired = !isKept && isExpired(offset, from(offset), turn.now, retentionMs)
      if (expired && !turn.offsets.isUnstable(groupId, topic, partition)) {
        turn.log({ kind: 'offset', groupId, topic, partition, value: null, producerId: -1 })
      } else {
        isDone = false
      }
    }
  }
  return isDone
}

/** A time that the client chose itself comes first. */
const isExpired = (offset: CommittedOffset, from: number, now: number, retentionMs: number) =>
  offset.expireTimestamp === -1 ? now - from >= retentionMs : now >= offset.expireTimestamp

/** Tombstones for all offsets of these topics; a topic of the same name with another id keeps its own. */
export function deleteTopicOffsets(turn: Turn, { topics }: TopicsDeletedCommand): void {
  const ids = new Map<string, Set<string>>()
  for (const { name, topicId } of topics) ids.set(name, (ids.get(name) ?? new Set()).add(topicId))
  const done = new Set<string>()
  for (const [groupId, topic, partition, topicId] of turn.offsets.all()) {
    const deleted = ids.get(topic)
    if (!deleted || (topicId !== ZERO_UUID && !deleted.has(topicId))) continue
    const key = JSON.stringify([groupId, topic, partition])
    if (done.has(key)) continue
    done.add(key)
    turn.log({ kind: 'offset', groupId, topic, partition, value: null, producerId: -1 })
  }
  turn.reply(null)
}

export function listCommittedTopics(turn: Turn): void {
  const topics = new Map<string, DeletedTopic>()
  for (const [, name, , topicId] of turn.offsets.all()) topics.set(`${topicId} ${name}`, { name, topicId })
  turn.reply([...topics.values()])
}
