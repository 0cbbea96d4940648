// DescribeTopicPartitions tells topics' partitions page by page, with eligible leader replicas (KIP-966).
import { api } from '../api.ts'
import { array, ignorable, int16, int32, nullable, string } from '../schema.ts'

const cursor = {
  topicName: string,
  partitionIndex: int32,
}

export const DescribeTopicPartitions = api(75, 'DescribeTopicPartitions', {
  versions: [0, 0],
  flexible: 0,
  request: {
    topics: array({
      name: string,
    }),
    responsePartitionLimit: int32.or(2000),
    cursor: nullable.struct(cursor).or(null),
  },
  response: {
    throttleTimeMs: ignorable.int32.or(0),
    topics: array({
      errorCode: int16,
      name: nullable.string,
      topicId: ignorable.uuid,
      isInternal: ignorable.bool.or(false),
      partitions: array({
        errorCode: int16,
        partitionIndex: int32,
        leaderId: int32,
        leaderEpoch: ignorable.int32.or(-1),
        replicaNodes: array(int32),
        isrNodes: array(int32),
        eligibleLeaderReplicas: nullable.array(int32).or(null),
        lastKnownElr: nullable.array(int32).or(null),
        offlineReplicas: ignorable.array(int32),
      }),
      topicAuthorizedOperations: int32.or(-0x80000000),
    }),
    nextCursor: nullable.struct(cursor).or(null),
  },
})
