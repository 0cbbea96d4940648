// RemoveRaftVoter takes a voter out of the metadata quorum (KIP-853). A fixed set of voters (kraft.version 0) does not allow it, and
// the last one of a recorded set stays. Kafka: KafkaRaftClient.java (handleRemoveVoterRequest), RemoveVoterHandler.java, VoterSet.java
// (removeVoter).
import {
  INCONSISTENT_CLUSTER_ID,
  INVALID_REQUEST,
  KafkaError,
  UNSUPPORTED_VERSION,
  VOTER_NOT_FOUND,
} from '../../protocol/errors.ts'
import { RemoveRaftVoter } from '../../protocol/messages/81-remove-raft-voter.ts'
import { ZERO_UUID } from '../../protocol/schema.ts'
import { handler } from './handler.ts'

export const removeRaftVoter = handler(
  RemoveRaftVoter,
  { onError: (_request, error) => ({ errorCode: error.code, errorMessage: error.message }) },
  ({ clusterId, voterId, voterDirectoryId }, { broker }) => {
    if (clusterId !== null && clusterId !== broker.clusterId)
      throw new KafkaError(INCONSISTENT_CLUSTER_ID, `This is the cluster ${broker.clusterId}.`)
    if (voterId < 0 || voterDirectoryId === ZERO_UUID)
      throw new KafkaError(INVALID_REQUEST, 'The request names no voter.')
    if (broker.metadata.quorum.kraftVersion === 0)
      throw new KafkaError(UNSUPPORTED_VERSION, 'The set of voters is fixed: kraft.version is 0.')
    const reason = voterId === broker.nodeId ? 'It is the only voter.' : `Node ${voterId} is no voter.`
    throw new KafkaError(VOTER_NOT_FOUND, reason)
  },
)
