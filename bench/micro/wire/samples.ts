// The three messages of the comparison, and how they are made. Values are such as a cluster in use would have.
import type { AskOf, ReplyOf } from '../../../protocol/api.ts'
import type { Fetch, Metadata, OffsetCommit } from '../../../protocol/messages/index.ts'

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

/** 5 topics of 10 partitions. */
export const offsetCommit: AskOf<typeof OffsetCommit> = {
  groupId: 'payments-consumer',
  generationIdOrMemberEpoch: 12,
  memberId: 'consumer-1-3f0e8a52-94ce-4a87-b8f4-6a1a7f6c1f0d',
  groupInstanceId: null,
  topics: range(5).map(topic => ({
    name: `payments.events.${topic}`,
    partitions: range(10).map(partitionIndex => ({
      partitionIndex,
      committedOffset: 1_000_000_000 + partitionIndex * 7919,
      committedLeaderEpoch: 3,
      committedMetadata: '',
    })),
  })),
}

/** 10 topics of 10 partitions. */
export const fetch: AskOf<typeof Fetch> = {
  replicaId: -1,
  maxWaitMs: 500,
  minBytes: 1,
  maxBytes: 52_428_800,
  isolationLevel: 1,
  sessionId: 1234567,
  sessionEpoch: 1,
  topics: range(10).map(topic => ({
    topic: `payments.events.${topic}`,
    partitions: range(10).map(partition => ({
      partition,
      currentLeaderEpoch: 3,
      fetchOffset: 1_000_000_000 + partition * 7919,
      lastFetchedEpoch: -1,
      logStartOffset: -1,
      partitionMaxBytes: 1_048_576,
    })),
  })),
  forgottenTopicsData: [],
  rackId: '',
}

/** 3 brokers, 10 topics of 10 partitions with 3 replicas. */
export const metadata: ReplyOf<typeof Metadata> = {
  throttleTimeMs: 0,
  brokers: range(3).map(nodeId => ({
    nodeId,
    host: `broker-${nodeId}.kafka.internal`,
    port: 9092,
    rack: `zone-${nodeId}`,
  })),
  clusterId: '4L6g3nShT-eMCtK--X86sw',
  controllerId: 1,
  topics: range(10).map(topic => ({
    errorCode: 0,
    name: `payments.events.${topic}`,
    topicId: Buffer.alloc(16, topic + 1).toString('base64url'),
    isInternal: false,
    partitions: range(10).map(partitionIndex => ({
      errorCode: 0,
      partitionIndex,
      leaderId: partitionIndex % 3,
      leaderEpoch: 3,
      replicaNodes: [0, 1, 2],
      isrNodes: [0, 1, 2],
      offlineReplicas: [],
    })),
    topicAuthorizedOperations: -0x80000000,
  })),
}
