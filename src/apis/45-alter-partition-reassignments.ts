// AlterPartitionReassignments as a cluster of one broker answers it (KIP-455): a partition may be told to stay where it is;
// every other assignment names brokers that are not there. Kafka: ReplicationControlManager.java
// (alterPartitionReassignments).
import type { RequestOf } from '../../protocol/api.ts'
import type { MetadataView } from '../cluster/image.ts'
import {
  INVALID_REPLICA_ASSIGNMENT,
  INVALID_REPLICATION_FACTOR,
  KafkaError,
  NO_REASSIGNMENT_IN_PROGRESS,
  NONE,
  UNKNOWN_TOPIC_OR_PARTITION,
} from '../../protocol/errors.ts'
import { AlterPartitionReassignments } from '../../protocol/messages/45-alter-partition-reassignments.ts'
import { refuseAssignment } from '../cluster/placement.ts'
import { asServerError } from './errors.ts'
import { handler } from './handler.ts'

type Asked = RequestOf<typeof AlterPartitionReassignments>['topics'][number]['partitions'][number]

export const alterPartitionReassignments = handler(
  AlterPartitionReassignments,
  { onError: (_request, error) => ({ errorCode: error.code, errorMessage: error.message, responses: [] }) },
  (request, context) => ({
    errorCode: NONE,
    // Kafka has two ways to say that all is well.
    errorMessage: request.topics.length === 0 ? '' : null,
    allowReplicationFactorChange: request.allowReplicationFactorChange,
    responses: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(asked => {
        const { partitionIndex } = asked
        try {
          checkMove(name, asked, request.allowReplicationFactorChange, context.broker.metadata.image)
          return { partitionIndex, errorCode: NONE, errorMessage: null }
        } catch (thrown) {
          const error = asServerError(thrown, context)
          const errorMessage = error.code === NO_REASSIGNMENT_IN_PROGRESS ? null : error.message
          return { partitionIndex, errorCode: error.code, errorMessage }
        }
      }),
    })),
  }),
)

/** Throws what keeps the partition from being assigned so; returns if it already is. */
function checkMove(
  topic: string,
  { partitionIndex, replicas }: Asked,
  mayChangeFactor: boolean,
  image: MetadataView,
): void {
  const partition = image.partition(topic, partitionIndex)
  if (!partition) throw new KafkaError(UNKNOWN_TOPIC_OR_PARTITION, `There is no partition ${topic}-${partitionIndex}.`)
  if (replicas === null) throw new KafkaError(NO_REASSIGNMENT_IN_PROGRESS)
  const refusal = refuseAssignment(image, partitionIndex, replicas, null)
  if (refusal) throw new KafkaError(refusal.errorCode, refusal.errorMessage ?? undefined)
  if (!mayChangeFactor && replicas.length !== partition.replicas.length)
    throw new KafkaError(INVALID_REPLICATION_FACTOR, 'The number of replicas may not change.')
  if (replicas.join() !== partition.replicas.join())
    throw new KafkaError(INVALID_REPLICA_ASSIGNMENT, 'A single broker moves no replicas.')
}
