// What consumers put into the opaque bytes of a classic group, their version in front: subscription and
// assignment. v1: partitions owned (KIP-429), v2: generation (KIP-792), v3: rack (KIP-881).
import { message } from '../api.ts'
import { array, int32, nullable, since, string } from '../schema.ts'

const topicPartition = {
  topic: string,
  partitions: array(int32),
}

export const ConsumerProtocolSubscription = message('ConsumerProtocolSubscription', {
  versions: [0, 3],
  fields: {
    topics: array(string),
    userData: nullable.bytes.or(null),
    ownedPartitions: since(1).ignorable.array(topicPartition),
    generationId: since(2).ignorable.int32.or(-1),
    rackId: since(3).nullable.ignorable.string.or(null),
  },
})

export const ConsumerProtocolAssignment = message('ConsumerProtocolAssignment', {
  versions: [0, 3],
  fields: {
    assignedPartitions: array(topicPartition),
    userData: nullable.bytes.or(null),
  },
})
