// OffsetFetch tells how far groups have read; several groups since version 8 (KIP-709), topics by id since 10. Kafka:
// KafkaApis.scala (handleOffsetFetchRequest), OffsetFetchResponse.java (error shapes by version).
import { OffsetFetch } from '../../protocol/messages/09-offset-fetch.ts'
import { groupContext } from './group-context.ts'
import { handler } from './handler.ts'

export const offsetFetch = handler(
  OffsetFetch,
  {
    versions: [1, 10],
    onError: (request, error) => ({
      errorCode: error.code,
      // Version 1 has no error of its own: each partition carries it.
      topics: (request.topics ?? []).map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map(partitionIndex => ({
          partitionIndex,
          committedOffset: -1,
          committedLeaderEpoch: -1,
          metadata: '',
          errorCode: error.code,
        })),
      })),
      groups: request.groups.map(({ groupId }) => ({ groupId, topics: [], errorCode: error.code })),
    }),
  },
  (request, context) => {
    // A group that is named again is answered once: the answer may be much longer than its name.
    const groups = [...new Map(request.groups.map(group => [group.groupId, group])).values()]
    return context.broker.groups.offsetFetch({ ...request, groups }, groupContext(context))
  },
)
