// ElectLeaders has leaders elected (KIP-183, KIP-460). With one broker each partition is led by its first replica, or its
// only one is gone. Kafka: ReplicationControlManager.java (electLeaders).
import type { ReplyOf } from '../../protocol/api.ts'
import type { MetadataView } from '../cluster/image.ts'
import {
  ELECTION_NOT_NEEDED,
  ELIGIBLE_LEADERS_NOT_AVAILABLE,
  errorOf,
  INVALID_REQUEST,
  KafkaError,
  NONE,
  PREFERRED_LEADER_NOT_AVAILABLE,
  UNKNOWN_TOPIC_OR_PARTITION,
} from '../../protocol/errors.ts'
import { ElectLeaders } from '../../protocol/messages/43-elect-leaders.ts'
import { handler } from './handler.ts'

type Result = ReplyOf<typeof ElectLeaders>['replicaElectionResults'][number]['partitionResult'][number]

const PREFERRED = 0
const UNCLEAN = 1

export const electLeaders = handler(
  ElectLeaders,
  {
    onError: (request, { code, message }) => ({
      errorCode: code,
      replicaElectionResults: (request.topicPartitions ?? []).map(({ topic, partitions }) => ({
        topic,
        partitionResult: partitions.map(partitionId => ({ partitionId, errorCode: code, errorMessage: message })),
      })),
    }),
  },
  (request, { broker }) => {
    const { electionType, topicPartitions } = request
    // Asked for none, no election type is looked at.
    if (topicPartitions?.length === 0) return { errorCode: NONE, replicaElectionResults: [] }
    if (electionType !== PREFERRED && electionType !== UNCLEAN)
      throw new KafkaError(INVALID_REQUEST, `There is no election type ${electionType}.`)
    const { image } = broker.metadata
    if (topicPartitions) {
      return {
        errorCode: NONE,
        replicaElectionResults: topicPartitions.map(({ topic, partitions }) => ({
          topic,
          partitionResult: partitions.map(index => elect(image, topic, index, electionType)),
        })),
      }
    }
    return {
      errorCode: NONE,
      // Asked for all, those that need no election are left out.
      replicaElectionResults: Array.from(image.topics(), ({ name, partitions }) => ({
        topic: name,
        partitionResult: partitions
          .map(({ partition }) => elect(image, name, partition, electionType))
          .filter(({ errorCode }) => errorCode !== ELECTION_NOT_NEEDED),
      })),
    }
  },
)

function elect(image: MetadataView, topic: string, partitionId: number, electionType: number): Result {
  const partition = image.partition(topic, partitionId)
  let errorCode: number = electionType === PREFERRED ? PREFERRED_LEADER_NOT_AVAILABLE : ELIGIBLE_LEADERS_NOT_AVAILABLE
  if (!partition) errorCode = UNKNOWN_TOPIC_OR_PARTITION
  else if (partition.leader === partition.replicas[0] || (electionType === UNCLEAN && partition.leader >= 0))
    errorCode = ELECTION_NOT_NEEDED
  return { partitionId, errorCode, errorMessage: errorOf(errorCode).message }
}
