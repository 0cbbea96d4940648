// OffsetDelete (KIP-496): offsets of a group that nobody reads with at this moment, or of topics that the members of a
// consumer group do not subscribe to. Rules: OffsetMetadataManager.java (deleteOffsets), ClassicGroup.java
// (validateOffsetDelete), KafkaApis.scala (handleOffsetDeleteRequest).
import type { ReplyOf, RequestOf } from '../../../../protocol/api.ts'
import type { OffsetDelete } from '../../../../protocol/messages/index.ts'
import type { OffsetDeleteCommand, Replies } from '../commands.ts'
import type { Turn } from '../turn.ts'
import type { TopicLookup } from './resolve.ts'
import {
  GROUP_ID_NOT_FOUND,
  GROUP_SUBSCRIBED_TO_TOPIC,
  KafkaError,
  NONE,
  NON_EMPTY_GROUP,
  UNKNOWN_TOPIC_OR_PARTITION,
} from '../../../../protocol/errors.ts'
import { isSubscribedTo, usesConsumerProtocol } from '../classic/group.ts'

type Request = RequestOf<typeof OffsetDelete>

/** Refuses the whole request by KafkaError. */
export function deleteOffsets(turn: Turn, { request: { groupId, topics } }: OffsetDeleteCommand): void {
  const group = turn.view(groupId)
  if (!group) throw new KafkaError(GROUP_ID_NOT_FOUND)
  // What the members of other types read is not known here.
  if (group.state !== 'Empty' && !usesConsumerProtocol(group)) throw new KafkaError(NON_EMPTY_GROUP)
  turn.reply({
    errorCode: NONE,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => {
        if (isSubscribedTo(group, name)) return { partitionIndex, errorCode: GROUP_SUBSCRIBED_TO_TOPIC }
        const { offsets } = turn
        if (offsets.get(groupId, name, partitionIndex) || offsets.isUnstable(groupId, name, partitionIndex)) {
          turn.log({ kind: 'offset', groupId, topic: name, partition: partitionIndex, value: null, producerId: -1 })
        }
        return { partitionIndex, errorCode: NONE }
      }),
    })),
  })
}

/** The request with partitions that exist, and the whole answer made of the machine's. */
export function resolveDelete(
  request: Request,
  lookup: TopicLookup,
): { readonly request: Request; answer(deleted: Replies['offsetDelete']): ReplyOf<typeof OffsetDelete> } {
  const exists = (name: string, partition: number): boolean => lookup.exists(name, partition)
  const refused = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions
      .filter(({ partitionIndex }) => !exists(name, partitionIndex))
      .map(({ partitionIndex }) => ({ partitionIndex, errorCode: UNKNOWN_TOPIC_OR_PARTITION })),
    isKnown: lookup.topicId(name) !== undefined,
  }))
  const topics = request.topics
    .map(({ name, partitions }) => ({
      name,
      partitions: partitions.filter(({ partitionIndex }) => exists(name, partitionIndex)),
    }))
    .filter(({ partitions }) => partitions.length > 0)
  return {
    request: { ...request, topics },
    answer: deleted => {
      const found = new Map<string, { partitionIndex: number; errorCode: number }[]>()
      // A topic that does not exist is answered even where no partition of it was named.
      const told = refused.filter(({ partitions, isKnown }) => partitions.length > 0 || !isKnown)
      if (told.length === 0) return deleted
      for (const { name, partitions } of [...told, ...deleted.topics]) {
        found.set(name, [...(found.get(name) ?? []), ...partitions])
      }
      return { ...deleted, topics: [...found].map(([name, partitions]) => ({ name, partitions })) }
    },
  }
}
