// RemoveRaftVoter takes a voter out of the metadata quorum (KIP-853), which a fixed set of voters (kraft.version 0) does not
// allow. Kafka: KafkaRaftClient.java (handleRemoveVoterRequest), RemoveVoterHandler.java.
import { INCONSISTENT_CLUSTER_ID, INVALID_REQUEST, KafkaError, UNSUPPORTED_VERSION } from '../../protocol/errors.ts'
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
    throw new KafkaError(UNSUPPORTED_VERSION, 'The set of voters is fixed: kraft.version is 0.')
  },
)
